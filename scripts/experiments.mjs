// `npm run experiments`: what adaptation brings, by the engine itself, natively, on all processors.
//
//   npm run experiments -- [--data DIR] [--only TEXT]... [--webgpu [--cpu-documents]] [--slice] [--tables] [--document] [--save-logits]
//
// --data   folder with the sets that the repository does not hold (stackfaq, chorus-electronics); SciFact is here
// --only   the cases whose names hold one of the texts
// --webgpu on the machine's graphics adapter, natively through Vulkan, Metal or DirectX; the CPU's logits are taken over
// --cpu-documents the CPU's vectors of documents, too, where the adapter would take hours for them
// --slice  a small part of SciFact, to see that all of it works
// --tables   runs nothing and shows the tables of what is there
// --document puts them into docs/quality.md
// --save-logits runs nothing and writes SciFact's logits that are kept into tests/data/scifact/logits.tsv.gz
//
// Vectors and scores are kept in the cache folder, results in out/experiments.jsonl, a line each: a stopped run goes on.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { filled, tables } from "./experiments/tables.mjs";
import { run } from "./lib/command.mjs";
import { cache, cargoTarget, models, root } from "./lib/paths.mjs";
import { main, say, UsageError } from "./lib/terminal.mjs";
import { nativeCargo } from "./lib/toolchain.mjs";
import { setup } from "./setup.mjs";

function readOptions() {
  const [flag, text] = [{ type: "boolean" }, { type: "string" }];
  const only = { ...text, multiple: true };
  const device = { webgpu: flag, "cpu-documents": flag };
  const options = { data: text, only, ...device, slice: flag, tables: flag, document: flag, "save-logits": flag };
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    throw new UsageError(
      `${error.message}\nUsage: npm run experiments -- [--data DIR] [--only TEXT]... [--webgpu [--cpu-documents]] [--slice] [--tables] [--document] [--save-logits]`,
    );
  }
}

/** What there is so far in files of results, on the terminal or in the document. */
function show(results, isForDocument) {
  const lines = results.filter(existsSync).flatMap((file) => readFileSync(file, "utf8").split("\n").filter(Boolean));
  const made = tables(lines.map((line) => JSON.parse(line)));
  if (isForDocument) {
    const path = join(root, "docs", "quality.md");
    writeFileSync(path, filled(readFileSync(path, "utf8"), made));
    return;
  }
  for (const [name, table] of Object.entries(made)) say(`\n${name}\n\n${table}`);
}

await main(async () => {
  const { data, only = [], webgpu, slice, tables: isOver, document, ...more } = readOptions();
  const file = (name) => join(root, "out", `${name}${slice ? "-slice" : ""}.jsonl`);
  const [onCpu, onWebgpu] = [file("experiments"), file("experiments-webgpu")];
  if (isOver || document) return show([onCpu, onWebgpu], document);
  const results = webgpu ? onWebgpu : onCpu;
  await setup();
  mkdirSync(join(root, "out"), { recursive: true });
  const args = ["--models", dirname(models.encoder), "--store", join(cache, "experiments"), "--results", results];
  if (data) args.push("--data", resolve(data));
  for (const text of only) args.push("--only", text);
  if (slice) args.push("--slice");
  if (more["save-logits"]) args.push("--save-logits");
  if (webgpu) args.push("--webgpu");
  if (webgpu && more["cpu-documents"]) args.push("--cpu-documents");
  const features = webgpu ? ["--features", "webgpu"] : [];
  await run(nativeCargo(), ["run", "--release", "--quiet", ...features, "--example", "experiments", "--", ...args], {
    cwd: root,
    env: { CARGO_TARGET_DIR: cargoTarget },
    show: true,
  });
  show([results], false);
});
