// A tuned model as `querytune adapt` has written it, put to use: the base encoder's files, the trained heads, and the
// vectors that come out of them. Everything here works on vectors of the package's public `embed`.
//
// A head is one matrix, I + W: v' = normalize(weight v), v being a normalised vector of the base encoder.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Failure } from "./terminal.mjs";
import { readZip } from "./zip.mjs";

/** The files of an artifact, from its zip or from the folder it was unpacked to: by name, each read when it is called. */
function artifactFiles(path) {
  if (statSync(path).isFile()) return readZip(readFileSync(path));
  // The folder of the model alone was named: what was trained lies beside it.
  const root = basename(path) === "model" && existsSync(join(path, "..", "adapter")) ? dirname(path) : path;
  const files = new Map();
  const add = (folder) => {
    if (!existsSync(join(root, folder))) return;
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const name = `${folder}/${entry.name}`;
      if (entry.isDirectory()) add(name);
      else files.set(name, () => readFileSync(join(root, name)));
    }
  };
  for (const folder of ["model", "adapter"]) add(folder);
  if (existsSync(join(root, "report.json"))) files.set("report.json", () => readFileSync(join(root, "report.json")));
  return files;
}

/** The one F32 matrix of a head's safetensors file. */
function readHead(bytes, name) {
  const broken = () => new Failure(`${name} is not a head that querytune wrote. Run querytune adapt again.`);
  if (bytes.length < 8) throw broken();
  const headerLength = Number(bytes.readBigUInt64LE(0));
  if (8 + headerLength > bytes.length) throw broken();
  let weight;
  try {
    ({ weight } = JSON.parse(bytes.toString("utf8", 8, 8 + headerLength)));
  } catch {
    throw broken();
  }
  const [rows, columns] = weight?.shape ?? [];
  const [from, to] = weight?.data_offsets ?? [];
  if (weight?.dtype !== "F32" || rows !== columns || to - from !== 4 * rows * rows) throw broken();
  const data = bytes.subarray(8 + headerLength + from, 8 + headerLength + to);
  if (data.length !== to - from) throw broken();
  return { dims: rows, weight: Float32Array.from({ length: rows * rows }, (_, i) => data.readFloatLE(4 * i)) };
}

/** Modules that come before the head; the head itself is applied here. */
function baseModules(modules) {
  const known = ["Transformer", "Pooling", "Normalize"];
  const own = JSON.parse(modules.toString("utf8")).filter(({ type }) => known.some((name) => type?.endsWith(name)));
  return Buffer.from(JSON.stringify(own));
}

/**
 * Opens an artifact: a zip, the folder it was unpacked to, or the model's folder in it. The result has the encoder's
 * files as a model source of the package, the heads (`query`, perhaps `document`), and the report.
 */
export function openTuned(path) {
  const files = artifactFiles(path);
  const read = (name) => files.get(name)?.();
  if (files.has("adapter/adapter_config.json")) {
    throw new Failure(
      `${path} was adapted by LoRA, which this command cannot search with yet. Load its model folder in ` +
        "sentence-transformers.",
    );
  }
  const head = (name) => files.has(name) && readHead(read(name), name);
  const query = head("adapter/query_head.safetensors");
  if (!query || !files.has("model/model.safetensors")) {
    throw new Failure(`${path} holds no tuned model. Give the artifact.zip or the folder that querytune adapt wrote.`);
  }
  const encoder = {};
  for (const name of files.keys()) {
    if (!name.startsWith("model/")) continue;
    const place = name.slice("model/".length);
    // Copied: a part of the zip would take the whole of it along to other threads.
    encoder[place] = new Uint8Array(place === "modules.json" ? baseModules(read(name)) : read(name));
  }
  const report = files.has("report.json") ? JSON.parse(read("report.json").toString("utf8")) : undefined;
  return { encoder, query, document: head("adapter/document_head.safetensors") || undefined, report };
}

/** Scales each row to length 1, in place. */
export function normalizeRows(data, dims) {
  for (let row = 0; row < data.length; row += dims) {
    let sum = 0;
    for (let i = row; i < row + dims; i++) sum += data[i] * data[i];
    const factor = 1 / Math.max(Math.sqrt(sum), 1e-12);
    for (let i = row; i < row + dims; i++) data[i] *= factor;
  }
  return data;
}

/** Normalised vectors, one a row, after the head. */
export function applyHead({ dims, weight }, data) {
  const changed = new Float32Array(data.length);
  for (let row = 0; row < data.length; row += dims) {
    for (let i = 0; i < dims; i++) {
      let sum = 0;
      for (let j = 0; j < dims; j++) sum += weight[i * dims + j] * data[row + j];
      changed[row + i] = sum;
    }
  }
  return normalizeRows(changed, dims);
}

/** The `top` rows nearest to a vector: `[{ row, score }]`, best first, ties in the rows' order. */
export function nearestRows(vector, data, top) {
  const dims = vector.length;
  const scores = Array.from({ length: data.length / dims }, (_, row) => {
    let score = 0;
    for (let i = 0; i < dims; i++) score += vector[i] * data[row * dims + i];
    return { row, score };
  });
  return scores.sort((a, b) => b.score - a.score || a.row - b.row).slice(0, top);
}
