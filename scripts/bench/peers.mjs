// The peers: transformers.js and onnxruntime-web, in a package of their own, installed at the first run.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { run } from "../lib/command.mjs";
import { readJson } from "../lib/hash.mjs";
import { root } from "../lib/paths.mjs";
import { step } from "../lib/terminal.mjs";

const home = join(root, "scripts", "bench");
const modules = join(home, "node_modules");

/** Folders that are served to the pages. */
export const peerFolders = {
  "transformers/": join(modules, "@huggingface", "transformers", "dist"),
  "onnxruntime/": join(modules, "onnxruntime-web", "dist"),
  "tokenizers/": join(modules, "@huggingface", "tokenizers", "dist"),
};

const names = ["@huggingface/transformers", "@huggingface/tokenizers", "onnxruntime-web"];
const installed = (name) => readJson(join(modules, name, "package.json"))?.version;

export function peerVersions() {
  return Object.fromEntries(names.map((name) => [name, installed(name)]));
}

export async function preparePeers() {
  const locked = readJson(join(home, "package-lock.json")).packages;
  if (names.every((name) => installed(name) === locked[`node_modules/${name}`].version)) return;
  const flags = ["--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"];
  await step("peers (npm ci in scripts/bench)", () => run("npm", ["ci", ...flags], { cwd: home }));
}

/** Counts tokens as the peers' tokenizer does, which both models share. */
export async function tokenCounter(model) {
  const { Tokenizer } = await import(pathToFileURL(join(peerFolders["tokenizers/"], "tokenizers.mjs")).href);
  const [tokenizer, config] = ["tokenizer.json", "tokenizer_config.json"].map((name) => readJson(join(model, name)));
  const own = new Tokenizer(tokenizer, config);
  return (text, second) => own.encode(text, { text_pair: second ?? null }).ids.length;
}
