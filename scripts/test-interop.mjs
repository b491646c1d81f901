// Loads the download in sentence-transformers, the newest version tested and the oldest, and in PEFT, and compares
// vectors.
//
//   node scripts/test-interop.mjs [ARTIFACT.zip [--base DIR] [--expected FILE]]
//
// Without an artifact, a Rust test writes some with random adapters: of every method, some that deliver the base model,
// and some on a base model that pools otherwise, is stored in half precision, has a prompt for queries, or is a RoBERTa.
// --base      folder of the base encoder (default: the one fetched by "npm run setup")
// --expected  JSON {"texts": [...], "query": [[...]], "document": [[...]]}: the vectors the engine computes
//
// The Python environments are made once (interop-* in the cache folder, 4.6 GB because of torch) and need Python 3.11
// or newer.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { run } from "./lib/command.mjs";
import { prepareVersion, pythonOf, readers, versions } from "./lib/interop.mjs";
import { cargoTarget, models, root } from "./lib/paths.mjs";
import { Failure, main, say, step, UsageError } from "./lib/terminal.mjs";
import { nativeCargo } from "./lib/toolchain.mjs";

const tests = join(root, "tests", "interop");
/** Downloads with random adapters, each with the vectors that the engine computes. */
async function writeArtifacts(base, folder) {
  await run(nativeCargo(), ["test", "--release", "--quiet", "--test", "artifact", "--", "--ignored"], {
    cwd: root,
    env: { CARGO_TARGET_DIR: cargoTarget, QUERYTUNE_MODELS: dirname(base), QUERYTUNE_INTEROP_OUT: folder },
    show: true,
  });
  const written = (name, base) => ({
    artifact: join(folder, `${name}.zip`),
    expected: join(folder, `${name}.json`),
    base,
  });
  return [
    ...["tuned", "base", "heads", "lora-query", "lora-both", "lora-base"].map((name) => written(name, base)),
    // On other base models than the one in the folder.
    ...[
      ...["cls", "lora-query-cls", "lora-both-half", "prompt", "prompt-base", "prompt-lora-query"],
      ...["roberta", "roberta-lora-both"],
    ].map((name) => written(name)),
  ];
}

await main(async () => {
  let options;
  try {
    const known = { base: { type: "string" }, expected: { type: "string" } };
    options = parseArgs({ options: known, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error.message);
  }
  const { values, positionals } = options;
  if (values.expected && positionals.length === 0) throw new UsageError("--expected needs the artifact it belongs to.");
  const base = resolve(values.base ?? models.encoder);
  if (!existsSync(base)) throw new Failure(`There is no base encoder at ${base}: run "npm run setup", or give --base.`);
  for (const version of [...versions, readers]) await prepareVersion(version);

  const folder = mkdtempSync(join(tmpdir(), "querytune-interop-"));
  try {
    const artifacts = positionals.length
      ? positionals.map((path) => ({ artifact: resolve(path), expected: values.expected, base }))
      : await step("artifacts with random adapters", () => writeArtifacts(base, folder));
    const checks = versions.flatMap(({ name }) =>
      artifacts.map(({ artifact, expected, base }) => {
        const script = [join(tests, "check_artifact.py"), artifact];
        if (base) script.push("--base", base);
        if (expected) script.push("--expected", resolve(expected));
        return { what: `${artifact} in sentence-transformers ${name}`, name, script };
      }),
    );
    // What is in `data/` does not depend on the adapter.
    const [{ artifact }] = artifacts;
    const script = [join(tests, "check_readers.py"), artifact];
    checks.push({ what: `the data set of ${artifact} in its readers`, name: readers.name, script });
    let failed = 0;
    for (const { what, name, script } of checks) {
      say(what);
      // Quiet, on the CPU, and without asking any hub.
      const env = { CUDA_VISIBLE_DEVICES: "", HF_HUB_OFFLINE: "1", TQDM_DISABLE: "1", PYTHONDONTWRITEBYTECODE: "1" };
      try {
        await run(pythonOf(name), script, { env, show: true, timeout: 600 });
      } catch (error) {
        if (error.name !== "CommandError") throw error;
        failed++;
      }
    }
    if (failed) throw new Failure(`${failed} of ${checks.length} checks failed.`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
