// Where things are: the clone, and the caches outside it that all clones share.
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Root of the clone. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** `$QUERYTUNE_CACHE`, or `~/.cache/querytune`. */
export const cache = process.env.QUERYTUNE_CACHE
  ? resolve(process.env.QUERYTUNE_CACHE)
  : join(homedir(), ".cache", "querytune");

/** The models that the sample job and the tests use. */
export const models = {
  encoder: join(cache, "models", "all-MiniLM-L6-v2"),
  crossEncoder: join(cache, "models", "ms-marco-MiniLM-L-12-v2"),
};

/** Cargo's target directory, one for wasm32 and native builds: macros and build scripts are compiled for both once. */
export const cargoTarget = join(cache, "target");

/** Python environment of the model preparation. */
export const venv = join(cache, "python");
export const venvPython =
  process.platform === "win32" ? join(venv, "Scripts", "python.exe") : join(venv, "bin", "python");

/** What this clone remembers of its own builds; ignored by git. */
export const state = join(root, ".cache");
