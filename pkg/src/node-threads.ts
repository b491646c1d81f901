/** Node's own threads, as helpers: their types are described here as far as they are used. */

import type * as Comlink from "comlink";
import nodeEndpoint, { type NodeEndpoint } from "comlink/dist/esm/node-adapter.mjs";
import { type Recruiting, usualThreads } from "./crew.js";
import { carryErrors } from "./crossing.js";
import { builtin, isNode } from "./node.js";

interface NodeWorker extends NodeEndpoint {
  on(event: string, listener: (argument: never) => void): void;
  ref(): void;
  unref(): void;
  terminate(): Promise<number>;
}

interface Threads {
  Worker: new (script: URL, options: { name: string; execArgv: string[] }) => NodeWorker;
  parentPort: NodeEndpoint | null;
}

/** Bytes that the process may have by a limit of its container's; without end where there is none. */
function allowedMemory(): number {
  const { process } = globalThis as { process?: { constrainedMemory?(): number | undefined } };
  return process?.constrainedMemory?.() || Number.POSITIVE_INFINITY;
}

/** Threads of Node's that help, each with the script beside this one; undefined where this is not Node. */
export async function recruitingInNode(): Promise<Recruiting | undefined> {
  if (!isNode()) return undefined;
  const [{ Worker }, os] = await Promise.all([
    builtin<Threads>("worker_threads"),
    builtin<{ availableParallelism(): number; totalmem(): number }>("os"),
  ]);
  carryErrors();
  // Not in one expression with the name: bundlers would take the script for a file of the page's.
  const here = import.meta.url;
  const script = new URL("./node-member.js", here);
  const memory = Math.min(os.totalmem(), allowedMemory()) / 2 ** 30;
  return {
    usualThreads: (bytes) => usualThreads(bytes, os.availableParallelism(), memory),
    spawn: () => {
      // Options of the process, such as --input-type, are not for this script.
      const worker = new Worker(script, { name: "querytune-crew", execArgv: [] });
      return {
        endpoint: nodeEndpoint(worker),
        onFailure: (report) => {
          worker.on("error", (error: Error) => report(error.message));
          worker.on("exit", () => report("It ended."));
        },
        hold: (busy) => (busy ? worker.ref() : worker.unref()),
        end: () => void worker.terminate(),
      };
    },
  };
}

/** In a helping thread: the way to the one that it helps. */
export async function parentEndpoint(): Promise<Comlink.Endpoint> {
  const { parentPort } = await builtin<Threads>("worker_threads");
  if (!parentPort) throw new Error("This script is for a thread that querytune starts.");
  return nodeEndpoint(parentPort);
}
