// Runs a job in Node: the engine in this thread, others helping it.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runJob } from "./job.mjs";
import { FolderStore } from "./store.mjs";

/** Writes a file so that it is there whole or not at all. */
export function writeWhole(path, data) {
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.partial`;
  writeFileSync(partial, data);
  renameSync(partial, path);
}

/**
 * Runs the job and resolves to its report. `job`: as of `runJob`, with `files` of `{ name, path, options }`. `out`: the
 * folder of the results, `store` that of what is to be kept for the next time.
 */
export async function runInNode(job, { out, store: storeFolder, progress, note, signal }) {
  const { open } = await import("../dist/core.js");
  const { synthesizeOptions, trainingOptions } = await import("../dist/options.js");
  // What the package refuses when it comes to it is refused before there is anything to lose.
  synthesizeOptions(job.synthesize);
  trainingOptions(job.fit);
  const store = new FolderStore(storeFolder);
  const files = {};
  for (const [role, { path, ...rest }] of Object.entries(job.files)) {
    files[role] = { ...rest, bytes: new Uint8Array(readFileSync(path)) };
  }
  const output = async (name, data) => {
    writeWhole(join(out, name), typeof data === "string" ? data : new Uint8Array(await data.arrayBuffer()));
  };
  try {
    return await runJob(open, { ...job, device: "cpu", files, session: { store } }, { progress, note, output, signal });
  } finally {
    store.close();
  }
}
