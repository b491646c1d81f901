// From opening the page to the first vector, and what went over the wire for it.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import { readJson, sha256, writeWhole } from "../../lib/hash.mjs";
import { cache } from "../../lib/paths.mjs";
import { say } from "../../lib/terminal.mjs";
import { spread } from "../statistics.mjs";
import { figure, withSpread } from "../table.mjs";
import { Tab } from "../tabs.mjs";

const text = "Vitamin D deficiency is unrelated to birth weight.";
const folders = { encoder: "../models/encoder/", crossEncoder: "../models/crossEncoder/", device: "cpu" };

/** Pages that do one thing: show a first vector. querytune loads both of its models. */
const sides = {
  querytune: { host: "plain", script: "./querytune.js", options: { entry: "../pkg/index.js", options: folders } },
  "transformers.js q8, both models": {
    host: "isolated",
    script: "./transformers.js",
    options: { device: "wasm", dtype: "q8" },
  },
  "transformers.js q8, encoder only": {
    host: "isolated",
    script: "./transformers.js",
    options: { device: "wasm", dtype: "q8", only: "encoder" },
  },
  "transformers.js fp32, encoder only": {
    host: "isolated",
    script: "./transformers.js",
    options: { device: "wasm", dtype: "fp32", only: "encoder" },
  },
};

const alone = {
  host: "isolated",
  script: "./onnxruntime.js",
  options: { device: "wasm", file: "model_quantized" },
};

async function visit({ browser, server }, { host, script, options }, context) {
  const tab = await Tab.open(browser, server.address, { host, context, hash: { script, options, text } });
  const { milliseconds, failure } = await tab.global("firstVector", 300_000);
  await tab.close(false);
  if (failure) throw new Error(failure);
  return milliseconds;
}

/**
 * Milliseconds from the start of navigation to the first vector: `first` with nothing in the browser's caches,
 * `again` in another tab of the same profile. Files asked for on first visits come with it.
 */
export async function measureColdStart(bench, turns) {
  say("\nCold start: page load to the first vector");
  const taken = Object.fromEntries(Object.keys(sides).map((name) => [name, { first: [], again: [] }]));
  for (let turn = 0; turn < turns; turn++) {
    for (const [name, side] of Object.entries(sides)) {
      const context = await bench.browser.newContext();
      taken[name].first.push(await visit(bench, side, context));
      taken[name].again.push(await visit(bench, side, context));
      await context.close();
    }
  }
  return Object.fromEntries(
    Object.entries(taken).map(([name, { first, again }]) => {
      say(`  ${name}: ${withSpread(spread(first))} ms, again ${withSpread(spread(again))} ms`);
      return [name, { first: spread(first), again: spread(again) }];
    }),
  );
}

/** Bytes after the strongest compression that hosts use for files; remembered, because it takes a minute. */
async function compressed(path) {
  const remembered = join(cache, "bench", "brotli.json");
  const hash = await sha256(path);
  const known = readJson(remembered, {});
  if (known[hash]) return known[hash];
  const content = readFileSync(path);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
  const { length } = await promisify(brotliCompress)(content, { params });
  writeWhole(remembered, JSON.stringify({ ...readJson(remembered, {}), [hash]: length }));
  return length;
}

/** Everything a first visit asks for but weights, tokenizers and the benchmark's own scripts. */
export async function measureSize(bench) {
  say("\nOver the wire, brotli, weights and tokenizers left out");
  const sizes = {};
  for (const [name, side] of [
    ["querytune", sides.querytune],
    ["transformers.js", sides["transformers.js q8, encoder only"]],
    ["onnxruntime-web", alone],
  ]) {
    bench.server.served.clear();
    const context = await bench.browser.newContext();
    await visit(bench, side, context);
    await context.close();
    const files = {};
    for (const path of bench.server.served) {
      if (!path.includes(join("bench", "pages"))) files[basename(path)] = await compressed(path);
    }
    const bytes = Object.values(files).reduce((sum, size) => sum + size, 0);
    sizes[name] = { bytes, files };
    say(`  ${name}: ${figure(bytes / 1e6)} MB (${Object.keys(files).join(", ")})`);
  }
  return sizes;
}
