// Builds the engine for wasm32, the npm package around it, and the page. Parts whose inputs did not change are
// left as they are.
//
//   node scripts/build.mjs [--publish] [--keep-names]
//
// --publish     shrinks the wasm with wasm-opt (minutes): for a release, never for a test
// --keep-names  keeps function names in the wasm, for profiling
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { run } from "./lib/command.mjs";
import { digest, readJson, writeWhole } from "./lib/hash.mjs";
import { packageNotices } from "./lib/notices.mjs";
import { cargoTarget, root, state } from "./lib/paths.mjs";
import { main, say, step, UsageError } from "./lib/terminal.mjs";
import { bindgenPath, bindgenVersion, toolchain, wasmCargo } from "./lib/toolchain.mjs";
import { setup } from "./setup.mjs";

const stampFile = join(state, "build.json");
const inRoot = (...paths) => paths.map((path) => join(root, path));
const wasmFolder = join(root, "pkg", "dist", "wasm");
/** What is behind the stamp of a wasm that was shrunk. */
const PUBLISHED = " published";

const wasmOptFlags = [
  "-Oz",
  "--enable-simd",
  "--enable-bulk-memory",
  "--enable-nontrapping-float-to-int",
  "--enable-sign-ext",
  "--enable-mutable-globals",
  "--enable-reference-types",
];

/** Does the work of a part unless its inputs are those of the last time and its outputs are there. */
async function part(name, title, key, outputs, work) {
  const stamps = readJson(stampFile, {});
  if (stamps[name] === key && outputs.every(existsSync)) return;
  await step(title, work);
  writeWhole(stampFile, JSON.stringify({ ...readJson(stampFile, {}), [name]: key }));
}

/**
 * Flags for the engine alone, not for what it depends on. LLVM's loop strength reduction writes the addresses of a loop as sums
 * that a wasm load cannot have as its offset; without it the innermost loops are a twentieth faster.
 */
const engineFlags = ["-C", "llvm-args=-disable-lsr", "-C", "link-arg=--growable-table"];

/** Compiles the engine for wasm32 and resolves to what cargo says, warnings of an unchanged build included. */
export function compileEngine({ features = "webgpu", ...options } = {}) {
  const { cargo, env, arguments: extra } = wasmCargo();
  return run(cargo, ["rustc", ...extra, "--release", "--lib", "--features", features, "--", ...engineFlags], {
    cwd: root,
    // RUSTFLAGS would take the place of the target's own flags.
    env: { ...env, RUSTFLAGS: undefined, CARGO_TARGET_DIR: cargoTarget },
    show: true,
    ...options,
  });
}

/** Writes the compiled engine with its JavaScript side to a folder. */
export function bindEngine(folder, { keepNames = false } = {}) {
  const names = keepNames ? [] : ["--remove-name-section", "--remove-producers-section"];
  const input = join(cargoTarget, "wasm32-unknown-unknown", "release", "querytune.wasm");
  return run(bindgenPath(), [input, "--target", "web", "--out-dir", folder, "--out-name", "querytune", ...names]);
}

async function compileWasm({ publish, keepNames }) {
  await compileEngine();
  mkdirSync(join(root, "pkg", "dist"), { recursive: true });
  const work = mkdtempSync(join(root, "pkg", "dist", ".wasm-"));
  chmodSync(work, 0o755);
  try {
    await bindEngine(work, { keepNames });
    if (publish) {
      const binary = join(work, "querytune_bg.wasm");
      const optimizer = join(root, "node_modules", ".bin", "wasm-opt");
      await step("wasm-opt", () => run(optimizer, [binary, ...wasmOptFlags, "-o", `${binary}.small`]));
      renameSync(`${binary}.small`, binary);
    }
    rmSync(wasmFolder, { recursive: true, force: true });
    renameSync(work, wasmFolder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Whether the wasm of the last build was shrunk. */
export function isShrunk() {
  return readJson(stampFile, {}).wasm?.endsWith(PUBLISHED) ?? false;
}

/** Builds what is asked for; `page` also the demo page. */
export async function build({ page = true, publish = false, keepNames = false } = {}) {
  const engine = inRoot("Cargo.toml", "Cargo.lock", "src");
  // A small wasm serves every purpose: it is not built again because --publish is not given this time.
  const engineKey = digest(root, engine, toolchain(), bindgenVersion, keepNames);
  const published = engineKey + PUBLISHED;
  const smallIsThere = readJson(stampFile, {}).wasm === published;
  await part(
    "wasm",
    "engine for wasm32 (the first time takes a quarter of an hour)",
    publish || smallIsThere ? published : engineKey,
    [join(wasmFolder, "querytune.js"), join(wasmFolder, "querytune_bg.wasm")],
    () => compileWasm({ publish, keepNames }),
  );
  const npm = (...args) => run("npm", ["run", "--silent", ...args], { cwd: root });
  const packageInputs = inRoot(
    "pkg/src",
    "pkg/package.json",
    "pkg/tsconfig.json",
    "pkg/build.mjs",
    "package-lock.json",
  );
  const packageFiles = inRoot("pkg/dist/index.js", "pkg/dist/core.js", "pkg/dist/bundled.json");
  await part("pkg", "npm package", digest(root, packageInputs), packageFiles, () => npm("build", "-w", "pkg"));
  const noticeInputs = inRoot(
    "Cargo.toml",
    "Cargo.lock",
    "pkg/dist/bundled.json",
    "package-lock.json",
    "scripts/lib/notices.mjs",
  );
  const notices = join(root, "pkg", "THIRD-PARTY-NOTICES.txt");
  await part("notices", "third-party notices", digest(root, noticeInputs), [notices], async () =>
    writeWhole(notices, await packageNotices()),
  );
  if (!page) return;
  // The page's bundle has the package's in it, the wasm included.
  const { wasm, pkg } = readJson(stampFile, {});
  const pageKey = digest(
    root,
    inRoot("www", "examples/sample", "package-lock.json", "scripts/lib/notices.mjs"),
    wasm,
    pkg,
  );
  await part("www", "demo page", pageKey, inRoot("www/dist/index.html"), () => npm("build", "-w", "www"));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    let options;
    try {
      options = parseArgs({
        options: { publish: { type: "boolean" }, "keep-names": { type: "boolean" } },
      }).values;
    } catch (error) {
      throw new UsageError(`${error.message}\nUsage: npm run build -- [--publish] [--keep-names]`);
    }
    await setup();
    await build({ publish: options.publish, keepNames: options["keep-names"] });
    say("The build is up to date: pkg/dist, www/dist.");
  });
}
