// querytune's side: the package as it is published, and one with the engine's own benchmarks in it.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bindEngine, build, compileEngine } from "../build.mjs";
import { digest, readJson, writeWhole } from "../lib/hash.mjs";
import { root, state } from "../lib/paths.mjs";
import { step } from "../lib/terminal.mjs";
import { bindgenVersion, toolchain } from "../lib/toolchain.mjs";

const home = join(state, "bench");
const dist = join(root, "pkg", "dist");

/** The package with the feature `bench` in its wasm. */
export const benchPackage = join(home, "package");

async function buildBenchPackage() {
  await compileEngine({ features: "webgpu,bench" });
  mkdirSync(home, { recursive: true });
  const work = mkdtempSync(join(home, ".package-"));
  try {
    for (const name of readdirSync(dist)) {
      if (name.endsWith(".js")) cpSync(join(dist, name), join(work, name));
    }
    await bindEngine(join(work, "wasm"));
    rmSync(benchPackage, { recursive: true, force: true });
    renameSync(work, benchPackage);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Builds both. `publish`: the package with the small wasm, which takes minutes to make. */
export async function prepareEngine({ publish }) {
  await build({ page: false, publish });
  const sources = ["Cargo.toml", "Cargo.lock", "src", "pkg/src"].map((path) => join(root, path));
  const key = digest(root, sources, toolchain(), bindgenVersion);
  const stamp = join(home, "package.json");
  if (readJson(stamp) === key) return;
  await step("engine with benchmarks in it", buildBenchPackage);
  writeWhole(stamp, JSON.stringify(key));
}
