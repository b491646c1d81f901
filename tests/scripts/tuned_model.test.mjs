// A tuned model put to use by the command: its zip, its head, and the rankings that are shown.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { zipSync } from "fflate";
import { move, rankingLines } from "../../pkg/cli/rankings.mjs";
import { applyHead, nearestRows, openTuned } from "../../pkg/cli/tuned.mjs";
import { VectorStore } from "../../pkg/cli/vectors.mjs";
import { readZip } from "../../pkg/cli/zip.mjs";

const folder = mkdtempSync(join(tmpdir(), "querytune-"));
after(() => rmSync(folder, { recursive: true }));

const text = (value) => new TextEncoder().encode(value);
const content = {
  "a.txt": text("stored or deflated ".repeat(50)),
  "folder/é.json": text("{}"),
  empty: new Uint8Array(0),
};

test("a zip by another library is read, stored or deflated", () => {
  for (const level of [0, 9]) {
    const files = readZip(zipSync(content, { level }));
    assert.deepEqual([...files.keys()], Object.keys(content));
    for (const [name, bytes] of Object.entries(content)) assert.deepEqual(new Uint8Array(files.get(name)()), bytes);
  }
});

test("a damaged zip is refused, not read", () => {
  const zip = zipSync(content, { level: 0 });
  assert.throws(() => readZip(zip.subarray(0, zip.length - 30)), /its end is missing/);
  zip[60] ^= 1;
  assert.throws(() => readZip(zip).get("a.txt")(), /a\.txt is damaged/);
  assert.throws(() => readZip(new Uint8Array(5)), /no whole zip file/);
});

/** A safetensors file with one matrix. */
function head(weight, dims, dtype = "F32") {
  const header = text(JSON.stringify({ weight: { dtype, shape: [dims, dims], data_offsets: [0, 4 * dims * dims] } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.from(Float32Array.from(weight).buffer)]);
}

const modules = [
  { path: "", type: "x.Transformer" },
  { path: "1_Pooling", type: "x.Pooling" },
  { path: "3_Router", type: "x.Router" },
];

function artifact(extra = {}) {
  const path = join(folder, "artifact.zip");
  const files = {
    "model/modules.json": text(JSON.stringify(modules)),
    "model/model.safetensors": text("weights"),
    "adapter/query_head.safetensors": head([1, 2, 0, 1], 2),
    ...extra,
  };
  writeFileSync(path, zipSync(files, { level: 0 }));
  return path;
}

test("a tuned model is the base encoder's files and the head, row after row", () => {
  const { encoder, query, document } = openTuned(artifact());
  assert.deepEqual(
    JSON.parse(new TextDecoder().decode(encoder["modules.json"])).map(({ type }) => type),
    ["x.Transformer", "x.Pooling"],
  );
  assert.deepEqual(query, { dims: 2, weight: Float32Array.of(1, 2, 0, 1) });
  assert.equal(document, undefined);
});

test("LoRA and heads of other makes are refused", () => {
  assert.throws(() => openTuned(artifact({ "adapter/adapter_config.json": text("{}") })), /adapted by LoRA/);
  for (const broken of [text("short"), head([1, 2, 0, 1], 2, "F16"), head([1, 2, 0], 2)]) {
    assert.throws(() => openTuned(artifact({ "adapter/query_head.safetensors": broken })), /is not a head/);
  }
});

test("a head turns v into weight v, of length 1", () => {
  const changed = applyHead({ dims: 2, weight: Float32Array.of(1, 2, 0, 1) }, Float32Array.of(1, 0, 0, 1));
  const length = Math.hypot(2, 1);
  for (const [i, expected] of [1, 0, 2 / length, 1 / length].entries()) {
    assert.ok(Math.abs(changed[i] - expected) < 1e-6, `number ${i} is ${changed[i]}`);
  }
});

test("the nearest rows come first, equal ones in their order", () => {
  const rows = Float32Array.of(0, 1, 1, 0, 0, 1, 0.6, 0.8);
  assert.deepEqual(
    nearestRows(Float32Array.of(0, 1), rows, 3).map(({ row }) => row),
    [0, 2, 3],
  );
});

const hit = (rank, id) => ({ rank, id, text: `text of ${id}`, score: 1 / rank });
const base = [hit(1, "a"), hit(2, "b"), hit(3, "c")];
const tuned = [hit(1, "b"), hit(2, "a"), hit(3, "d")];

test("a document's move is told from the base model's ranking", () => {
  assert.deepEqual(
    tuned.map((one) => move(one, base)),
    ["+1", "-1", "new"],
  );
  assert.equal(move(hit(3, "c"), base), "=");
});

test("rankings stand side by side only where there is room, and never beyond it", () => {
  const found = { query: "q", documents: { total: 1000 }, base, tuned };
  for (const width of [60, 99, 160]) {
    const lines = rankingLines(found, width);
    for (const line of lines) assert.ok(line.length <= width, line);
    assert.equal(lines.filter((line) => line.includes("text of a")).length, 2);
    assert.equal(
      lines.some((line) => line.includes("text of b") && line.includes("text of a")),
      width >= 140,
    );
  }
});

test("vectors are encoded once, each text's own, in whatever order they were needed", async () => {
  const chunks = [];
  const store = {
    count: async () => chunks.length,
    read: async (_, i) => chunks[i],
    append: async (_, c) => chunks.push(c),
  };
  const asked = [];
  const use = {
    keyOf: (one) => Buffer.from(one.padEnd(16)),
    embed: async (texts) => {
      asked.push(...texts);
      return Float32Array.from(texts.flatMap((one) => [one.length, one.charCodeAt(0)]));
    },
    progress() {},
  };
  const vectors = () => new VectorStore(store, "log", 2);
  const first = await vectors().of(["aa", "b"], use);
  assert.deepEqual([...first.data, first.cached], [2, 97, 1, 98, 0]);
  const second = await vectors().of(["b", "ccc", "aa"], use);
  assert.deepEqual([...second.data, second.cached], [1, 98, 3, 99, 2, 97, 2]);
  assert.deepEqual(asked, ["aa", "b", "ccc"]);
});
