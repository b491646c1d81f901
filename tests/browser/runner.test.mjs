// `npm run adapt` on a person's own files: what it writes, that a second run scores nothing again, and Node.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "../../scripts/lib/paths.mjs";
import { assertClose } from "./support/golden.mjs";
import { documents, queries } from "./support/tiny-job.mjs";
import { readZip } from "./support/zip.mjs";

const timeout = 15 * 60_000;
const pairs = queries.length * 3;
let folder;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "querytune-runner-"));
  const log = queries.map((query, i) => `q${i + 1};${query};${10 - i}`);
  // The last row lacks its text.
  writeFileSync(join(folder, "log.csv"), ["query_id;query;frequency", ...log, "q7"].join("\n"));
  const corpus = documents.map((text, i) => ({ id: `d${i + 1}`, title: i === 0 ? "Stains" : undefined, text }));
  writeFileSync(join(folder, "docs.jsonl"), corpus.map((item) => JSON.stringify(item)).join("\n"));
  const judgements = ["q1\td1\t1", "q2\td3\t2", "q4\td9\t1", "q5\td12\t1", "q9\td1\t1"];
  writeFileSync(join(folder, "qrels.tsv"), ["query\tdocument\trelevance", ...judgements].join("\n"));
});

after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the script as a person does. Resolves to `{ code, out, err }`. */
function adapt(...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, "scripts", "adapt.mjs"), ...args], { cwd: folder });
    const texts = { out: "", err: "" };
    child.stdout.on("data", (chunk) => {
      texts.out += chunk;
    });
    child.stderr.on("data", (chunk) => {
      texts.err += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, ...texts }));
  });
}

const own = ["--queries", "log.csv", "--documents", "docs.jsonl", "--qrels", "qrels.tsv"];
const small = ["--candidates", "5", "--depth", "3", "--seed", "7", "--device", "cpu"];

const report = (out) => JSON.parse(readFileSync(join(folder, out, "report.json"), "utf8"));

/** Rows of scores.tsv as objects. */
function scores(out) {
  const [header, ...lines] = readFileSync(join(folder, out, "scores.tsv"), "utf8")

    .split("\n")
    .slice(0, -1);
  const names = header.split("\t");
  return { header, rows: lines.map((line) => Object.fromEntries(line.split("\t").map((cell, i) => [names[i], cell]))) };
}

test("a command line that makes no sense ends with 2 and a hint", { timeout }, async () => {
  const unknown = await adapt(...own, "--depht", "3");
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /--depth/);
  const half = await adapt("--queries", "log.csv");
  assert.equal(half.code, 2);
  assert.match(half.err, /--documents is missing/);
  assert.match(half.err, /--help/);
});

test("a file that is no text ends with 1, its name and a code, before any model is loaded", { timeout }, async () => {
  writeFileSync(join(folder, "binary.csv"), Buffer.from([0x50, 0x4b, 3, 4, 0, 0, 0, 1, 0, 0xff]));
  const { code, out, err } = await adapt("--queries", "binary.csv", "--documents", "docs.jsonl", "--out", "refused");
  assert.equal(code, 1);
  assert.match(err, /binary\.csv/);
  assert.match(err, /input-binary/);
  assert.doesNotMatch(err, /\n\s+at /, "no stack trace for what a person can mend");
  assert.doesNotMatch(out, /load models/);
});

test("a job on own files writes the artifact, the report and the scores", { timeout }, async (context) => {
  const { code, out, err } = await adapt(...own, ...small, "--out", "first");
  assert.equal(code, 0, out + err);

  await context.test("the terminal shows base, tuned and ceiling, and where the files are", () => {
    assert.match(out, /base +tuned +ceiling/);
    assert.match(out, /ndcg@10/);
    assert.match(out, /first\/artifact\.zip/);
    assert.match(out, /first\/report\.json/);
  });

  await context.test("scores.tsv has one row a candidate, with a logit where it was scored", () => {
    const { header, rows } = scores("first");
    assert.equal(header, "query-id\tcorpus-id\trank\tcosine\tlogit");
    assert.equal(rows.length, queries.length * 5);
    for (const row of rows) {
      assert.match(row["query-id"], /^q[1-6]$/);
      assert.match(row["corpus-id"], /^d\d+$/);
      assert.ok(Math.abs(Number(row.cosine)) <= 1.0001, row.cosine);
    }
    const ranks = new Set(rows.map((row) => row.rank));
    assert.equal(ranks.size, 5);
    const scored = rows.filter((row) => row.logit !== "");
    assert.equal(scored.length, pairs);
    assert.ok(scored.every((row) => Number.isFinite(Number(row.logit))));
  });

  await context.test("report.json has every figure that was promised", () => {
    const found = report("first");
    for (const path of PROMISED) {
      const value = path.split(".").reduce((object, key) => object?.[key], found);
      assert.notEqual(value, undefined, path);
    }
    assert.equal(found.device.kind, "cpu");
    assert.equal(found.models.encoder.dims, 384);
    assert.match(found.models.encoder.sha256, /^[0-9a-f]{64}$/);
    assert.deepEqual([found.data.queries, found.data.documents, found.data.duplicates], [6, 20, 0]);
    assert.deepEqual(
      found.data.skipped.map(({ file, line }) => [file, line]),
      [["log.csv", 8]],
    );
    const { pairs: all, cached } = found.stages.score;
    assert.deepEqual([all, cached], [pairs, 0]);
    assert.equal(found.relations.candidates, queries.length * 5);
    for (const name of ["ndcg@10", "mrr@10", "map@100", "recall@100"]) {
      const { base, tuned, ceiling, ci95, p } = found.evaluation.judged[name];
      for (const value of [base, tuned, ceiling, p]) assert.ok(value >= 0 && value <= 1, `${name}: ${value}`);
      assert.equal(ci95.length, 2);
    }
    assert.equal(found.evaluation.on, "own queries");
    assert.deepEqual([found.evaluation.queries, found.evaluation.missingQueries], [4, 1]);
    assert.equal(found.fit.history[0].step, 0);
    assert.equal(found.fit.history.length, found.fit.steps + 1);
    assert.ok(["tuned", "base"].includes(found.fit.delivered));
  });

  await context.test("artifact.zip holds the model, the adapter, the data set and the same report", () => {
    const files = readZip(readFileSync(join(folder, "first", "artifact.zip")));
    for (const name of ["model/modules.json", "adapter/query_head.safetensors", "data/scores.tsv", "report.json"]) {
      assert.ok(files.has(name), `${name} is missing in ${[...files.keys()].join(", ")}`);
    }
    assert.deepEqual(JSON.parse(files.get("report.json").toString()), report("first"));
    assert.equal(files.get("data/scores.tsv").toString(), readFileSync(join(folder, "first", "scores.tsv"), "utf8"));
  });
});

const PROMISED = [
  "version",
  ...["kind", "adapter", "reason"].map((key) => `device.${key}`),
  ...["encoder", "crossEncoder"].flatMap((model) =>
    ["id", "sha256", "layers", "dims"].map((key) => `models.${model}.${key}`),
  ),
  ...["queries", "documents", "duplicates", "skipped", "skippedTotal"].map((key) => `data.${key}`),
  ...["encode", "search", "score", "tune", "evaluate"].flatMap((stage) =>
    ["seconds", "items", "perSecond"].map((key) => `stages.${stage}.${key}`),
  ),
  ...["pairs", "cached"].map((key) => `stages.score.${key}`),
  ...["queries", "rows", "candidates"].map((key) => `relations.${key}`),
  ...["mean", "std", "min", "max"].map((key) => `relations.logit.${key}`),
  ...["method", "recipe", "steps", "selected.step", "selected.strength"].map((key) => `fit.${key}`),
  ...["history.0.step", "history.0.loss", "history.0.heldOut", "delivered", "reason"].map((key) => `fit.${key}`),
  ...["seed", "batchSize", "epochs", "learningRate", "scale", "ridge", "folds"].map((key) => `fit.recipe.${key}`),
  ...["random", "grouped"].flatMap((kind) => ["base", "tuned"].map((key) => `evaluation.agreement.${kind}.${key}`)),
  "evaluation.judged",
];

test("the same command again finds every pair in the store and comes to the same end", { timeout }, async () => {
  const before = report("first");
  const { code, out, err } = await adapt(...own, ...small, "--out", "first");
  assert.equal(code, 0, out + err);
  const now = report("first");
  const { pairs: all, cached } = now.stages.score;
  assert.deepEqual([all, cached], [pairs, pairs]);
  assert.match(out, new RegExp(`${pairs} pairs scored \\(${pairs} from the store\\)`));
  assert.deepEqual(now.relations, before.relations);
  assert.deepEqual(now.fit, before.fit);
  assert.deepEqual(now.evaluation, before.evaluation);
});

test("more depth pays only for the pairs that are new", { timeout }, async () => {
  const deeper = ["--candidates", "5", "--depth", "5", "--seed", "7", "--device", "cpu"];
  const { code, out, err } = await adapt(...own, ...deeper, "--out", "deeper", "--store", join("first", "store"));
  assert.equal(code, 0, out + err);
  const { pairs: all, cached } = report("deeper").stages.score;
  assert.deepEqual([all, cached], [queries.length * 5, pairs]);
});

test("Node without a browser comes to the same scores", { timeout }, async () => {
  const { code, out, err } = await adapt(...own, ...small, "--out", "node", "--runtime", "node");
  assert.equal(code, 0, out + err);
  const { stages, device, relations } = report("node");
  assert.equal(device.kind, "cpu");
  assert.deepEqual([stages.score.pairs, stages.score.cached], [pairs, 0]);
  assert.equal(relations.rows, report("first").relations.rows);
  const [inNode, inBrowser] = [scores("node").rows, scores("first").rows];
  const places = (rows) => rows.map((row) => [row["query-id"], row["corpus-id"], row.rank]);
  assert.deepEqual(places(inNode), places(inBrowser));
  const numbers = (rows, name) => rows.map((row) => row[name]).filter(Boolean);
  assertClose(numbers(inNode, "logit").map(Number), numbers(inBrowser, "logit").map(Number), 2e-3, "logit");
  assertClose(numbers(inNode, "cosine").map(Number), numbers(inBrowser, "cosine").map(Number), 1e-5, "cosine");
  assert.ok(readZip(readFileSync(join(folder, "node", "artifact.zip"))).has("model/modules.json"));
});
