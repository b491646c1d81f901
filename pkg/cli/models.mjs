// Models on the command line: a folder, or an id of the hub.
import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

export const DEFAULT_ENCODER = "sentence-transformers/all-MiniLM-L6-v2";
export const DEFAULT_CROSS_ENCODER = "cross-encoder/ms-marco-MiniLM-L-12-v2";

/** The model that was named, as the package takes it. */
export function findModel(args, option, otherwise) {
  const value = args.get(option) ?? otherwise;
  const path = resolve(value);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    if (!existsSync(join(path, "config.json"))) {
      throw args.wrong(`--${option}: ${path} has no config.json; it must be the folder of a model.`);
    }
    return new URL(`${pathToFileURL(path).href}/`);
  }
  const [, hub, revision] = /^(\w[\w.-]*\/\w[\w.-]*)(?:@(\w[\w./-]*))?$/.exec(value) ?? [];
  if (!hub) {
    throw args.wrong(`--${option}: there is no folder ${path}, and "${value}" is no hub id such as ${otherwise}.`);
  }
  const host = process.env.HF_ENDPOINT;
  return { hub, ...(revision && { revision }), ...(host && { host }) };
}

/** What to do when a model cannot be downloaded. */
export const offlineHint = [
  "Without a connection, or behind a proxy: give folders that hold the models, with --encoder DIR and",
  "--cross-encoder DIR. Each has config.json, tokenizer.json and model.safetensors; an encoder's modules.json",
  "and 1_Pooling/config.json go with them. HF_ENDPOINT names another host than https://huggingface.co.",
].join("\n");
