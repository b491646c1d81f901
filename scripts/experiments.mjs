// `npm run experiments`: what adaptation brings, by the engine itself, natively, on all processors.
//
//   npm run experiments -- [--data DIR] [--only TEXT]... [--slice]
//
// --data   folder with the sets that the repository does not hold (stackfaq, chorus-electronics); SciFact is here
// --only   the cases whose names hold one of the texts
// --slice  a small part of SciFact, to see that all of it works
//
// Vectors and scores are kept in the cache folder, results in out/experiments.jsonl, a line each: a stopped run goes on.
import { mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { run } from "./lib/command.mjs";
import { cache, models, root, targetNative } from "./lib/paths.mjs";
import { main, UsageError } from "./lib/terminal.mjs";
import { nativeCargo } from "./lib/toolchain.mjs";
import { setup } from "./setup.mjs";

function readOptions() {
  const options = { data: { type: "string" }, only: { type: "string", multiple: true }, slice: { type: "boolean" } };
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    throw new UsageError(`${error.message}\nUsage: npm run experiments -- [--data DIR] [--only TEXT]... [--slice]`);
  }
}

await main(async () => {
  const { data, only = [], slice } = readOptions();
  await setup();
  const results = join(root, "out", slice ? "experiments-slice.jsonl" : "experiments.jsonl");
  mkdirSync(join(root, "out"), { recursive: true });
  const args = ["--models", dirname(models.encoder), "--store", join(cache, "experiments"), "--results", results];
  if (data) args.push("--data", resolve(data));
  for (const text of only) args.push("--only", text);
  if (slice) args.push("--slice");
  await run(nativeCargo(), ["run", "--release", "--quiet", "--example", "experiments", "--", ...args], {
    cwd: root,
    env: { CARGO_TARGET_DIR: targetNative },
    show: true,
  });
});
