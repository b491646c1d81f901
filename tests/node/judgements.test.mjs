// Judgements given to a training: what is wrong with them is found as early as can be, and loses no training.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { load } from "../../pkg/dist/core.js";
import { writeSmallModel } from "../browser/support/small-model.mjs";
import { documents, queries } from "../browser/support/tiny-job.mjs";
import { Workplace } from "./support/command.mjs";

const timeout = 2 * 60_000;
const place = new Workplace();
const bytes = (text) => new TextEncoder().encode(text);
const quick = { seed: 1, epochs: 2, folds: 2 };
let tuner;
let relations;

before(
  async () => {
    writeSmallModel(place.path("encoder"), "encoder", { hidden: 32, heads: 2, inner: 64 });
    writeSmallModel(place.path("cross"), "crossEncoder", { hidden: 32, heads: 2, inner: 64, seed: 2 });
    tuner = await load({
      encoder: pathToFileURL(`${place.path("encoder")}/`),
      crossEncoder: pathToFileURL(`${place.path("cross")}/`),
      store: "memory",
      device: "cpu",
      threads: 1,
    });
    relations = await tuner.synthesize(queries, documents, { candidates: 10, depth: 5 });
  },
  { timeout },
);

after(() => {
  tuner?.dispose();
  place.remove();
});

test("files that cannot be read are refused before anything is trained", { timeout }, async () => {
  const stages = new Set();
  const onProgress = ({ stage }) => stages.add(stage);
  const qrels = bytes("1\t1\t1\n");
  for (const [judgements, code] of [
    [{ qrels: bytes("only one column\n1\n2\n") }, "input-qrels"],
    [{ qrels: "qrels.tsv" }, "option"],
    [{ qrels, queries: bytes("") }, "input-empty"],
  ]) {
    await assert.rejects(tuner.fit(relations, { ...quick, onProgress, judgements }), { code });
  }
  assert.deepEqual([...stages], ["read"], "the judgements that the third one has are whole");
});

test("judgements that name nothing of the job leave the trained run with the error", { timeout }, async () => {
  const judgements = { qrels: bytes("strange\tdocument\t1\n") };
  const error = await tuner.fit(relations, { ...quick, judgements }).catch((thrown) => thrown);
  assert.equal(error.code, "input-qrels");
  assert.match(error.message, /Check the id columns/);
  assert.equal(error.run.report.evaluation.judged, undefined);
  const report = await error.run.evaluate({ qrels: bytes("1\t1\t1\n2\t3\t1\n") });
  assert.ok(report.evaluation.judged["ndcg@10"]);
  error.run.dispose();
});

test("another error carries no run", { timeout }, async () => {
  const error = await tuner.fit(relations, { method: "none" }).catch((thrown) => thrown);
  assert.equal(error.code, "option");
  assert.ok(!("run" in error));
});

test("judgements say how they were read, and are read as they are told to", { timeout }, async () => {
  const file = bytes("weight\tdoc_id\tsession\n1\td1\tq1\n0\td2\tq1\n");
  const found = await tuner.readJudgements(file, { queryColumn: "session", relevanceColumn: "1", file: "clicks.tsv" });
  const { file: name, delimiter, encoding, hasHeader, columns, used, rows, first, notes } = found.reading;
  assert.deepEqual([name, delimiter, encoding, hasHeader, rows, notes], ["clicks.tsv", "\t", "utf-8", true, 2, []]);
  assert.deepEqual(columns, ["weight", "doc_id", "session"]);
  assert.deepEqual(used, { query: "session", document: "doc_id", relevance: "weight" });
  assert.deepEqual(
    first.map(({ line, query, document, relevance, grade }) => [line, query, document, relevance, grade]),
    [
      [2, "q1", "d1", "1", 1],
      [3, "q1", "d2", "0", 0],
    ],
  );
  assert.deepEqual([found.summary.judgements, found.summary.relevant], [2, 1]);
  await assert.rejects(tuner.readJudgements(file, { queryColumn: "nobody" }), { code: "input-column" });
  await assert.rejects(tuner.readJudgements(file, { idColumn: "session" }), {
    code: "option",
    message: /no option idColumn; there are delimiter, .*relevanceColumn/,
  });
});

test("it can be asked how many judgements are of what was read", { timeout }, async () => {
  const log = await tuner.readQueries(bytes("id,query\nq1,boots\nq2,tent\n"));
  const shop = await tuner.readDocuments(bytes("id,text\nd1,red shoe\nd2,black boot\n"));
  const judged = await tuner.readJudgements(bytes("q1\td1\t1\nq2\td9\t0\nq3\td2\tmaybe\n"));
  assert.deepEqual([judged.summary.skipped.length, judged.summary.skippedTotal], [1, 1]);
  assert.deepEqual(await judged.coverage(log, shop), {
    judgements: 2,
    known: 1,
    queries: { ids: 2, known: 2, unknown: [], texts: ["q1", "q2"] },
    documents: { ids: 2, known: 1, unknown: ["d9"], texts: ["d1", "d2"] },
  });
  await assert.rejects(judged.coverage(["boots"], shop), { code: "option" });
  judged.dispose();
  await assert.rejects(judged.coverage(log, shop), { code: "disposed" });
});
