// Loads the download in sentence-transformers, the newest version tested and the oldest, and in PEFT, and compares
// vectors.
//
//   node scripts/test-interop.mjs [ARTIFACT.zip [--base DIR] [--expected FILE]]
//
// Without an artifact, a Rust test writes some with random adapters: of every method, some that deliver the base model,
// and some on a base model that pools otherwise or is stored in half precision.
// --base      folder of the base encoder (default: the one fetched by "npm run setup")
// --expected  JSON {"texts": [...], "query": [[...]], "document": [[...]]}: the vectors the engine computes
//
// The Python environments are made once (interop-* in the cache folder, 4.6 GB because of torch) and need Python 3.11
// or newer.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { capture, run } from "./lib/command.mjs";
import { cache, models, root, targetNative } from "./lib/paths.mjs";
import { Failure, main, say, step, UsageError } from "./lib/terminal.mjs";
import { nativeCargo } from "./lib/toolchain.mjs";

const tests = join(root, "tests", "interop");
const versions = [{ name: "6.2" }, { name: "5.1.2", on: "6.2" }];

function pythonOf(name) {
  const folder = join(cache, `interop-${name}`);
  return process.platform === "win32" ? join(folder, "Scripts", "python.exe") : join(folder, "bin", "python");
}

const packagesOf = (name) => capture(pythonOf(name), ["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]);

async function findPython() {
  for (const program of ["python3", "python"]) {
    const probe = "import sys, venv, ensurepip; assert sys.version_info >= (3, 11)";
    if ((await capture(program, ["-c", probe])) !== undefined) return program;
  }
  throw new Failure("Python 3.11 or newer with venv is needed. Install it and try again.");
}

/** Makes the environment of a version, unless it is there with these very requirements. */
async function prepare({ name, on }) {
  const folder = join(cache, `interop-${name}`);
  const requirements = join(tests, `requirements-${name}.txt`);
  const wanted = readFileSync(requirements, "utf8");
  const mark = join(folder, "installed.txt");
  if (existsSync(mark) && readFileSync(mark, "utf8") === wanted) return;
  await step(`sentence-transformers ${name} (Python environment)`, async () => {
    // Other requirements are installed into an environment that is there: torch need not be fetched again.
    if (!existsSync(pythonOf(name))) await run(await findPython(), ["-m", "venv", folder]);
    await run(pythonOf(name), ["-m", "pip", "install", "--quiet", "--no-deps", "-r", requirements]);
    // The other environment's packages come after this one's own: torch is there once.
    if (on) writeFileSync(join(await packagesOf(name), "shared.pth"), `${await packagesOf(on)}\n`);
    writeFileSync(mark, wanted);
  });
}

/** Downloads with random adapters, each with the vectors that the engine computes. */
async function writeArtifacts(base, folder) {
  await run(nativeCargo(), ["test", "--release", "--quiet", "--test", "artifact_interop", "--", "--ignored"], {
    cwd: root,
    env: { CARGO_TARGET_DIR: targetNative, QUERYTUNE_MODELS: dirname(base), QUERYTUNE_INTEROP_OUT: folder },
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
    ...["cls", "lora-query-cls", "lora-both-half"].map((name) => written(name)),
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
  for (const version of versions) await prepare(version);

  const folder = mkdtempSync(join(tmpdir(), "querytune-interop-"));
  try {
    const artifacts = positionals.length
      ? positionals.map((path) => ({ artifact: resolve(path), expected: values.expected, base }))
      : await step("artifacts with random adapters", () => writeArtifacts(base, folder));
    let failed = 0;
    for (const { name } of versions) {
      for (const { artifact, expected, base } of artifacts) {
        say(`${artifact} in sentence-transformers ${name}`);
        const check = [join(tests, "check_artifact.py"), artifact];
        if (base) check.push("--base", base);
        if (expected) check.push("--expected", resolve(expected));
        // Quiet, on the CPU, and without asking any hub.
        const env = { CUDA_VISIBLE_DEVICES: "", HF_HUB_OFFLINE: "1", TQDM_DISABLE: "1", PYTHONDONTWRITEBYTECODE: "1" };
        try {
          await run(pythonOf(name), check, { env, show: true, timeout: 600 });
        } catch (error) {
          if (error.name !== "CommandError") throw error;
          failed++;
        }
      }
    }
    if (failed) throw new Failure(`${failed} of ${versions.length * artifacts.length} checks failed.`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
