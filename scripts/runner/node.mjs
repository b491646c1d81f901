// Runs a job in Node, in this very thread: the same package without a worker, on the CPU.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../lib/paths.mjs";
import { FolderStore } from "../lib/store.mjs";
import { runJob } from "./job.js";

const dist = join(root, "pkg", "dist");

/** As `runInBrowser`. */
export async function runInNode(job, { out, store: storeFolder, progress, note, signal }) {
  const { open } = await import(pathToFileURL(join(dist, "core.js")).href);
  const store = new FolderStore(storeFolder);
  const files = {};
  for (const [role, { path, ...rest }] of Object.entries(job.files)) {
    files[role] = { ...rest, bytes: new Uint8Array(readFileSync(path)) };
  }
  const asFolder = (path) => new URL(`${pathToFileURL(path).href}/`);
  const models = { encoder: asFolder(job.models.encoder), crossEncoder: asFolder(job.models.crossEncoder) };
  const session = { store, wasm: readFileSync(join(dist, "wasm", "querytune_bg.wasm")) };
  const output = async (name, data) => {
    const bytes = typeof data === "string" ? data : new Uint8Array(await data.arrayBuffer());
    writeFileSync(join(out, `${name}.partial`), bytes);
    renameSync(join(out, `${name}.partial`), join(out, name));
  };
  try {
    return await runJob(open, { ...job, device: "cpu", files, models, session }, { progress, note, output, signal });
  } finally {
    store.close();
  }
}
