// Makes a machine ready: npm packages, wasm compiler, wasm-bindgen, browsers, the models. Each part is left alone
// where it is already there, so that a second run takes a fraction of a second.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { findBrowser, findFirefox } from "./lib/browser.mjs";
import { capture, which } from "./lib/command.mjs";
import { digest, fingerprint, readJson, writeWhole } from "./lib/hash.mjs";
import { modelFiles, prepareModels } from "./lib/models.mjs";
import { prepareNpm } from "./lib/npm.mjs";
import { cache, root, state } from "./lib/paths.mjs";
import { installPackages } from "./lib/system.mjs";
import { duration, elapsed, Failure, main, say } from "./lib/terminal.mjs";
import {
  bindgenPath,
  bindgenVersion,
  prepareBindgen,
  prepareToolchain,
  rememberedToolchain,
} from "./lib/toolchain.mjs";

const stamp = join(state, "setup.json");

/** A Python 3.9 or newer that can make environments. */
async function findPython() {
  const probe = "import sys, venv, ensurepip; assert sys.version_info >= (3, 9)";
  for (const name of ["python3", "python"]) {
    if (which(name) && (await capture(name, ["-c", probe])) !== undefined) return name;
  }
  return undefined;
}

async function preparePython() {
  const found = (await findPython()) ?? ((await installPackages(["python3", "python3-venv"])) && (await findPython()));
  if (!found)
    throw new Failure("Python 3.9 or newer with venv is needed to unpack the models. Install it and try again.");
  return found;
}

async function prepareBrowser() {
  if (findBrowser()) return;
  await installPackages(["chromium"]);
  if (!findBrowser()) {
    throw new Failure("Chromium or Chrome is needed. Install one, or set CHROMIUM to its path, and try again.");
  }
}

/** For a few tests, which are skipped where there is none. */
async function prepareFirefox() {
  if (findFirefox() || (await installPackages(["firefox-esr"]))) return;
  say("  Firefox is not there: its tests will be skipped.");
}

async function prepareLinker() {
  if (process.platform === "win32" || which("cc")) return;
  await installPackages(["gcc", "libc6-dev"]);
  if (!which("cc"))
    throw new Failure("A C compiler (cc) is needed to link native programs. Install one and try again.");
}

/** What the stamp stands for: as long as neither this nor the files change, there is nothing to do. */
function wanted() {
  const inputs = ["package.json", "package-lock.json", "scripts/models", "scripts/lib", "scripts/setup.mjs"];
  const { CHROMIUM, FIREFOX, QUERYTUNE_WASM_TOOLCHAIN } = process.env;
  return digest(
    root,
    inputs.map((path) => join(root, path)),
    cache,
    bindgenVersion,
    process.version,
    [CHROMIUM, FIREFOX, QUERYTUNE_WASM_TOOLCHAIN],
  );
}

function found() {
  const bindgen = bindgenPath();
  const browser = findBrowser();
  const compiler = rememberedToolchain();
  if (!bindgen || !browser || !compiler?.library) return undefined;
  return fingerprint([
    bindgen,
    browser,
    compiler.cargo,
    compiler.library,
    join(root, "node_modules", ".package-lock.json"),
    ...modelFiles(),
  ]);
}

/** Makes the machine ready, saying what it does. */
export async function setup() {
  const key = wanted();
  const before = readJson(stamp);
  const there = found();
  if (before && there && before.wanted === key && before.found === there) return;
  const from = elapsed();
  say(`Setting up; caches are in ${cache}`);
  await prepareNpm();
  await prepareLinker();
  const toolchain = await prepareToolchain(installPackages);
  say(`  wasm compiler: rustc ${toolchain.version} (${toolchain.kind})`);
  await prepareBrowser();
  await prepareFirefox();
  // One compiles, the other mostly downloads.
  const python = await preparePython();
  const results = await Promise.allSettled([prepareBindgen(), prepareModels(python)]);
  for (const result of results) if (result.status === "rejected") throw result.reason;
  writeWhole(stamp, JSON.stringify({ wanted: key, found: found() }));
  say(`Set-up complete after ${duration(elapsed() - from)}.`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    await setup();
    say(`Everything is there (checked in ${duration(elapsed())}).`);
  });
}
