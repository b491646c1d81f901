/** The worker, seen from the main thread: calls to it, what it tells of them, and its end. */

import * as Comlink from "comlink";
import { unlessAborted } from "./abort.js";
import type { Id, Notice } from "./crossing.js";
import { isCancelled, QuerytuneError } from "./errors.js";
import { toUrl } from "./models.js";
import type { Service } from "./service.js";
import type { OpenOptions, Progress, WasmSource, Watch } from "./types.js";

/** The worker with all calls to it. */
export class Link {
  readonly service: Comlink.Remote<Service>;
  readonly warn: (message: string) => void;
  readonly #worker: Worker;
  readonly #watchers = new Map<number, (progress: Progress) => void>();
  readonly #pending = new Set<(reason: Error) => void>();
  #lastCall = 0;
  #dead: Error | undefined;

  constructor(warn: (message: string) => void) {
    this.warn = warn;
    if (typeof Worker === "undefined") {
      throw new QuerytuneError("option", "There are no web workers here. Import from querytune/core instead.");
    }
    try {
      this.#worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "querytune" });
    } catch (cause) {
      throw new QuerytuneError(
        "option",
        `The worker could not be started: ${(cause as Error).message} From another origin, such as a CDN, browsers start ` +
          "no workers: serve the package's dist folder from your own.",
        { cause },
      );
    }
    this.#worker.addEventListener("error", ({ message }) => {
      this.end(
        new QuerytuneError(
          "internal",
          message
            ? `The worker failed: ${message}. Start again in a new session.`
            : 'The script of the worker could not be loaded. It lies beside the package\'s modules; see "Bundlers" in ' +
                "the package's README.",
          { endsSession: true },
        ),
      );
    });
    this.#worker.addEventListener("message", ({ data }: MessageEvent<Notice | { notice?: undefined }>) => {
      if (data.notice === "progress") this.#watchers.get(data.call)?.(data.progress);
      if (data.notice === "warning") this.warn(data.message);
    });
    this.service = Comlink.wrap<Service>(this.#worker);
  }

  async open(options: OpenOptions): Promise<void> {
    const { store } = options;
    const own = typeof store === "object" ? Comlink.proxy(store) : undefined;
    const opening = { wasm: await transferable(options.wasm), store: typeof store === "string" ? store : undefined };
    await this.settle(this.service.open(opening, own));
  }

  /** What the worker reads; `options` are what it is told. It may be busy: nobody who has aborted waits for that. */
  async read<T extends { id: Id }, O extends Watch>(
    { signal, onProgress, ...options }: O,
    ask: (call: number, options: Omit<O, keyof Watch>) => Promise<T>,
  ): Promise<T> {
    const reading = this.long({ signal, onProgress }, (call) => ask(call, options));
    return unlessAborted(signal, reading, ({ id }) => this.dispose(id));
  }

  /** Ends the worker; all pending and later calls are rejected. */
  end(reason: Error): void {
    this.#dead ??= reason;
    for (const reject of this.#pending) reject(this.#dead);
    this.#pending.clear();
    this.#watchers.clear();
    this.#worker.terminate();
  }

  /** The worker's answer, or a rejection when the worker ends without one. */
  settle<T>(answer: Promise<T>): Promise<T> {
    if (this.#dead) return Promise.reject(this.#dead);
    return new Promise<T>((resolve, reject) => {
      this.#pending.add(reject);
      answer.then(resolve, (error) => reject(uncloneable(error))).finally(() => this.#pending.delete(reject));
    });
  }

  /** A long call: watched and abortable. */
  async long<T>(watch: Watch, ask: (call: number) => Promise<T>): Promise<T> {
    const { signal, onProgress } = watch;
    signal?.throwIfAborted();
    this.#lastCall += 1;
    const call = this.#lastCall;
    const cancel = () => void this.service.cancel(call);
    if (onProgress) this.#watchers.set(call, onProgress);
    signal?.addEventListener("abort", cancel);
    try {
      return await this.settle(ask(call));
    } catch (error) {
      if (signal?.aborted && isCancelled(error)) throw signal.reason;
      throw error;
    } finally {
      this.#watchers.delete(call);
      signal?.removeEventListener("abort", cancel);
    }
  }

  dispose(id: Id): void {
    if (!this.#dead) void this.service.dispose(id);
  }
}

/** What cannot cross to the worker is the caller's to mend; other errors stay as they are. */
function uncloneable(error: unknown): unknown {
  if (!(error instanceof DOMException) || error.name !== "DataCloneError") return error;
  return new QuerytuneError(
    "option",
    `An argument cannot be handed to the worker: ${error.message} Give plain values; of an object that a framework ` +
      "observes (a proxy), give the object behind it, or a copy.",
    { cause: error },
  );
}

async function transferable(wasm: WasmSource | undefined) {
  if (wasm instanceof Response) return wasm.arrayBuffer();
  if (wasm instanceof URL || typeof wasm === "string") return toUrl(wasm, globalThis.location.href).href;
  return wasm;
}

/** Stands for an object in the worker. */
export abstract class Handle {
  readonly link: Link;
  readonly id: Id;

  constructor(link: Link, id: Id) {
    this.link = link;
    this.id = id;
  }

  dispose(): void {
    this.link.dispose(this.id);
  }
}
