// Runs a job in Node: the command line's runner, with models in folders.
import { pathToFileURL } from "node:url";
import { runInNode as run } from "../../pkg/cli/run.mjs";

const asFolder = (path) => new URL(`${pathToFileURL(path).href}/`);

/** As `runInBrowser`. */
export function runInNode(job, host) {
  const models = { encoder: asFolder(job.models.encoder), crossEncoder: asFolder(job.models.crossEncoder) };
  return run({ ...job, models }, host);
}
