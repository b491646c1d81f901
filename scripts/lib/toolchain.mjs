// The compiler for wasm32: rustup's where it has the target or can fetch it, else Debian's packages, which carry
// the standard library's source.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { capture, run, which } from "./command.mjs";
import { readJson, writeWhole } from "./hash.mjs";
import { cache, root } from "./paths.mjs";
import { Failure, say, step } from "./terminal.mjs";

const target = "wasm32-unknown-unknown";
const remembered = join(cache, "toolchain.json");
export const debianPackages = ["rustc-web", "cargo-web", "rust-web-src", "lld-19"];

/** `key = "value"` in a TOML file. */
function tomlValue(file, pattern) {
  return readFileSync(join(root, file), "utf8").match(pattern)?.[1];
}

/** The oldest compiler the crate builds with. */
const oldest = tomlValue("Cargo.toml", /^rust-version\s*=\s*"([\d.]+)"/m);

/** Version of the `wasm-bindgen` crate in Cargo.lock; the command-line tool has to have the same. */
export const bindgenVersion = tomlValue("Cargo.lock", /name = "wasm-bindgen"\nversion = "([^"]+)"/);

function isNewEnough(version) {
  const number = (text) => text.split(".").map(Number);
  const [have, need] = [number(version), number(oldest)];
  for (let i = 0; i < need.length; i++) {
    if (have[i] !== need[i]) return have[i] > need[i];
  }
  return true;
}

/** What a compiler says about itself: version, and where it has the target's standard library. */
async function inspect(rustc) {
  const version = (await capture(rustc, ["--version"]))?.match(/^rustc (\d+\.\d+\.\d+)/)?.[1];
  if (!version) return undefined;
  const library = await capture(rustc, ["--print", "target-libdir", "--target", target]);
  return { version, library: library && existsSync(library) ? library : undefined, usable: isNewEnough(version) };
}

/** Debian's compiler, if it and the source of its standard library are installed. */
async function debian() {
  const [rustc, cargo] = ["/usr/bin/rustc", "/usr/bin/cargo"];
  const linker = ["wasm-ld-19", "wasm-ld"].find(which);
  if (!existsSync(rustc) || !existsSync(cargo) || !linker) return undefined;
  const found = await inspect(rustc);
  if (!found?.usable) return undefined;
  const sysroot = await capture(rustc, ["--print", "sysroot"]);
  const library = join(sysroot, "lib/rustlib/src/rust/library/std");
  if (!existsSync(library)) return undefined;
  return {
    kind: "debian",
    version: found.version,
    cargo,
    library,
    arguments: ["-Z", "build-std=std,panic_abort"],
    env: { RUSTC_BOOTSTRAP: "1", RUSTC: rustc, CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: linker },
  };
}

/** The machine's own compiler, if it has the target. */
async function installed() {
  const [rustc, cargo] = [which("rustc"), which("cargo")];
  if (!rustc || !cargo) return undefined;
  const found = await inspect(rustc);
  if (!found?.usable || !found.library) return undefined;
  return { kind: "installed", version: found.version, cargo, library: found.library, arguments: [], env: {} };
}

/** Fetches the target with rustup. Without network this must not take long: there is another way. */
async function addTarget(timeout) {
  if (!which("rustup")) return false;
  return step(`rustup target add ${target} (at most ${timeout} s)`, async () => {
    try {
      await run("rustup", ["target", "add", target], { timeout });
      return true;
    } catch (error) {
      const reason = error.timedOut ? "no answer in time" : error.output?.trim().split("\n").pop();
      say(`  rustup could not: ${reason ?? error.code}`);
      return false;
    }
  });
}

/**
 * The compiler to use, what is already there first. `installPackages` is called with names of Debian packages and
 * says whether it could install them. Set `QUERYTUNE_WASM_TOOLCHAIN` to `rustup` or `debian` to choose.
 */
export async function prepareToolchain(installPackages) {
  const choice = process.env.QUERYTUNE_WASM_TOOLCHAIN;
  const kinds = { rustup: installed, debian };
  if (choice && !kinds[choice]) throw new Failure("QUERYTUNE_WASM_TOOLCHAIN must be rustup or debian.");
  const allowed = (kind) => !choice || choice === kind;
  const before = readJson(remembered);
  const order = before?.kind === "debian" ? ["debian", "rustup"] : ["rustup", "debian"];
  const look = async () => {
    for (const kind of order) {
      const found = allowed(kind) && (await kinds[kind]());
      if (found) return found;
    }
    return undefined;
  };
  let found = await look();
  if (!found) {
    const canInstall = existsSync("/usr/bin/apt-get");
    if (allowed("rustup")) await addTarget(canInstall ? 120 : 900);
    found = await look();
    if (!found && allowed("debian") && (await installPackages(debianPackages))) found = await look();
  }
  if (!found) {
    throw new Failure(
      `There is no Rust compiler of ${oldest} or newer with the target ${target}.\n` +
        `Install Rust by rustup, run "rustup update" and "rustup target add ${target}", then try again.\n` +
        `On Debian this works too: apt-get install ${debianPackages.join(" ")}`,
    );
  }
  if (JSON.stringify(before) !== JSON.stringify(found)) writeWhole(remembered, JSON.stringify(found));
  return found;
}

/** What `prepareToolchain` found the last time, if it was ever run. */
export function rememberedToolchain() {
  return readJson(remembered);
}

/** The same; an error where nothing is set up. */
export function toolchain() {
  const found = rememberedToolchain();
  if (!found) throw new Failure('No wasm compiler is set up yet: run "npm run setup".');
  return found;
}

/** Cargo for native builds: the machine's own, else Debian's. */
export function nativeCargo() {
  const cargo = which("cargo") ?? (existsSync("/usr/bin/cargo") ? "/usr/bin/cargo" : undefined);
  if (!cargo) throw new Failure("There is no cargo. Install Rust by rustup, then try again.");
  return cargo;
}

/** Environment and leading arguments for cargo on wasm32. The order of arguments: subcommand, these, the rest. */
export function wasmCargo() {
  const { cargo, env, arguments: extra } = toolchain();
  const flags = { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: "-C target-feature=+simd128" };
  return { cargo, env: { ...env, ...flags }, arguments: [...extra, "--target", target] };
}

/** Path of the wasm-bindgen tool at the locked version. */
export function bindgenPath() {
  const own = join(
    cache,
    `bin-${bindgenVersion}`,
    "bin",
    process.platform === "win32" ? "wasm-bindgen.exe" : "wasm-bindgen",
  );
  return existsSync(own) ? own : undefined;
}

/** Builds the wasm-bindgen tool once, outside the clone. */
export async function prepareBindgen() {
  if (bindgenPath()) return;
  const folder = join(cache, `bin-${bindgenVersion}`);
  await step(`wasm-bindgen-cli ${bindgenVersion} (compiles for some minutes)`, () =>
    // Without --locked: a locked dependency may be missing from a registry's mirror.
    run(nativeCargo(), ["install", "wasm-bindgen-cli", "--version", bindgenVersion, "--root", folder], {
      // It runs for seconds: optimising it takes longer than that saves.
      env: { CARGO_TARGET_DIR: join(folder, "target"), CARGO_PROFILE_RELEASE_OPT_LEVEL: "1" },
    }),
  );
  rmSync(join(folder, "target"), { recursive: true, force: true });
  const version = await capture(bindgenPath() ?? "wasm-bindgen", ["--version"]);
  if (version !== `wasm-bindgen ${bindgenVersion}`) throw new Failure(`wasm-bindgen says it is "${version}".`);
}
