// `npm test`: everything that has to pass. Parts run one after the other, the quick ones first; all run even when one
// fails. Names of parts given on the command line choose among them.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { build, compileEngine } from "./build.mjs";
import { capture, run } from "./lib/command.mjs";
import { cargoTarget, models, root, venvPython } from "./lib/paths.mjs";
import { duration, elapsed, Failure, main, say, UsageError } from "./lib/terminal.mjs";
import { nativeCargo } from "./lib/toolchain.mjs";
import { setup } from "./setup.mjs";

/** A command whose output is shown; resolves to that output. */
function show(program, args, env) {
  return run(program, args, { cwd: root, env, show: true, keep: true });
}

const cargo = (...args) =>
  show(nativeCargo(), args, { CARGO_TARGET_DIR: cargoTarget, QUERYTUNE_MODELS: join(models.encoder, "..") });

const npm = (...args) => show("npm", ["run", "--silent", ...args]);

/** Node's test runner over `tests/FOLDER/*.test.mjs`, one file at a time: they share two processors. */
function nodeTests(folder) {
  const path = join(root, "tests", folder);
  const files = existsSync(path) ? readdirSync(path).filter((name) => name.endsWith(".test.mjs")) : [];
  if (files.length === 0) throw new Failure(`There are no tests in ${path}.`);
  const paths = files.sort().map((name) => join(path, name));
  return show(process.execPath, ["--test", "--test-concurrency=1", "--test-reporter=spec", ...paths]);
}

/** Warnings of the bindings, which only wasm32 compiles: cargo repeats those of the build. */
async function wasmWarnings() {
  const output = await compileEngine({ keep: true });
  if (/^warning: `querytune`/m.test(output)) throw new Failure("The compiler has warnings on wasm32.");
}

/** With the tests' profile: macros and build scripts are compiled for both once. */
const clippy = () => cargo("clippy", "--release", "--all-targets", "--", "-D", "warnings");

/** Name, work, and the part without which it makes no sense. */
const parts = [
  { name: "format", title: "cargo fmt", work: () => cargo("fmt", "--check") },
  { name: "lint", title: "biome", work: () => npm("lint") },
  { name: "api", title: "API reference: every public item is documented", work: () => npm("docs:api") },
  { name: "scripts", title: "tests of the scripts", work: () => nodeTests("scripts") },
  { name: "build", title: "engine for wasm32, npm package, page", work: () => build() },
  { name: "wasm", title: "no warnings on wasm32", work: wasmWarnings, needs: "build" },
  { name: "types", title: "type check of the package and the page", work: types, needs: "build" },
  { name: "clippy", title: "cargo clippy", work: clippy },
  { name: "engine", title: "cargo test", work: () => cargo("test", "--release") },
  { name: "experiments", title: "a slice of the experiments", work: () => nodeTests("experiments"), needs: "engine" },
  { name: "metrics", title: "trec_eval on SciFact's run file", work: metrics, needs: "engine" },
  {
    name: "interop",
    title: "downloads in sentence-transformers and PEFT",
    work: () => npm("test:interop"),
    needs: "engine",
  },
  { name: "node", title: "the package and its command in Node", work: () => nodeTests("node"), needs: "build" },
  { name: "browser", title: "tests in Chromium", work: () => nodeTests("browser"), needs: "build" },
  { name: "packaging", title: "the tarball in fresh projects", work: () => nodeTests("packaging"), needs: "build" },
  { name: "guides", title: "the guides, followed to the letter", work: () => nodeTests("guides"), needs: "build" },
];

/** trec_eval's figures for the run that the engine's test has left, against the engine's. */
async function metrics() {
  const tests = join(root, "tests", "interop");
  if ((await capture(venvPython, ["-c", "import pytrec_eval"])) === undefined) {
    await run(venvPython, ["-m", "pip", "install", "--quiet", "-r", join(tests, "requirements-metrics.txt")]);
  }
  const files = ["scifact.run", "scifact.qrels", "scifact.metrics.json"].map((name) => join(cargoTarget, "tmp", name));
  return show(venvPython, [join(tests, "check_metrics.py"), ...files]);
}

async function types() {
  await npm("check", "-w", "pkg");
  await npm("check", "-w", "www");
}

/** Tests that passed and failed by a tool's summary lines; a check without tests counts as one. */
function tally(output, ok) {
  let [passed, failed] = [0, 0];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are taken out.
  const plain = (output ?? "").replace(/\x1b\[[0-9;]*m/g, "");
  for (const [, good, bad] of plain.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed/gm)) {
    passed += Number(good);
    failed += Number(bad);
  }
  for (const [, kind, number] of plain.matchAll(/^(?:ℹ|#) (pass|fail|cancelled) (\d+)$/gm)) {
    if (kind === "pass") passed += Number(number);
    else failed += Number(number);
  }
  if (ok) return { passed: Math.max(passed, 1), failed };
  return { passed, failed: Math.max(failed, 1) };
}

async function runPart({ name, title, work, needs }, results) {
  say(`\n=== ${name}: ${title}`);
  if (results.some((other) => other.name === needs && other.failed > 0)) {
    say(`Not run: ${needs} failed.`);
    return { name, passed: 0, failed: 1, seconds: 0, state: "not run" };
  }
  const from = elapsed();
  let ok = true;
  let output;
  try {
    output = await work();
  } catch (error) {
    if (error.name !== "CommandError" && error.name !== "Failure") throw error;
    ok = false;
    output = error.output;
    process.stderr.write(`${error.message}\n`);
  }
  return { name, ...tally(output, ok), seconds: elapsed() - from, state: ok ? "ok" : "FAILED" };
}

function choose(names) {
  const known = parts.map(({ name }) => name);
  const wrong = names.find((name) => !known.includes(name));
  if (wrong !== undefined) {
    throw new UsageError(`There is no part "${wrong}".\nUsage: npm test -- [${known.join("] [")}]`);
  }
  return parts.filter(({ name }) => names.length === 0 || names.includes(name));
}

await main(async () => {
  const chosen = choose(process.argv.slice(2));
  await setup();
  const results = [];
  for (const part of chosen) results.push(await runPart(part, results));
  say("\n=== summary");
  for (const { name, passed, failed, seconds, state } of results) {
    const counts = `${passed} passed, ${failed} failed`;
    say(`${name.padEnd(10)} ${state.padEnd(8)} ${counts.padEnd(26)} ${duration(seconds)}`);
  }
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  say(`\nAll in ${duration(elapsed())}.`);
  say(`${sum("passed")} passed, ${sum("failed")} failed`);
  return sum("failed") > 0 ? 1 : 0;
});
