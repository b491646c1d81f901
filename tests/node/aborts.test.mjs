// Every long call ends with its signal, by the signal's reason, and leaves everything as it was: the same call works
// afterwards.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { load, loadArtifact } from "../../pkg/dist/core.js";
import { writeSmallModel } from "../browser/support/small-model.mjs";
import { documents, queries } from "../browser/support/tiny-job.mjs";
import { Workplace } from "./support/command.mjs";

const timeout = 2 * 60_000;
const place = new Workplace();
const options = { store: "memory", device: "cpu", threads: 1 };
const quick = { seed: 1, epochs: 4, folds: 2 };
const judgements = { qrels: new TextEncoder().encode("1\t1\t1\n2\t3\t1\n4\t9\t1\n") };
let models;
let made;

before(
  async () => {
    writeSmallModel(place.path("encoder"), "encoder", { hidden: 32, heads: 2, inner: 64 });
    writeSmallModel(place.path("cross"), "crossEncoder", { hidden: 32, heads: 2, inner: 64, seed: 2 });
    const [encoder, crossEncoder] = ["encoder", "cross"].map((name) => pathToFileURL(`${place.path(name)}/`));
    models = { encoder, crossEncoder };
    const tuner = await load({ ...options, ...models });
    const relations = await tuner.synthesize(queries, documents, { candidates: 10, depth: 5 });
    const run = await tuner.fit(relations, quick);
    const zip = await run.saveArtifact();
    const tuned = await loadArtifact(zip, options);
    const [index, judging] = [await tuner.index(documents), await run.judging()];
    made = { tuner, relations, run, zip, tuned, index, judging };
  },
  { timeout },
);

after(() => {
  made?.tuned.dispose();
  made?.tuner.dispose();
  place.remove();
});

/** Texts that the store has nothing of, so that a call has work to do. */
let last = 0;
const fresh = (count) => Array.from({ length: count }, () => `text number ${++last}`);
const qrels = (count) =>
  new TextEncoder().encode(
    fresh(count)
      .map((_, i) => `${i}\t1\t1\n`)
      .join(""),
  );
const csv = (count) => new TextEncoder().encode(`text\n${fresh(count).join("\n")}`);

/** The calls with a watch, each with the stages that it is ended in, the first of all first. */
const calls = {
  readQueries: [["read"], (watch) => made.tuner.readQueries(fresh(1000), watch)],
  readDocuments: [["read"], (watch) => made.tuner.readDocuments(csv(1000), { file: "documents.csv", ...watch })],
  readJudgements: [["read"], (watch) => made.tuner.readJudgements(qrels(1000), watch)],
  load: [["download", "load"], (watch) => load({ ...options, ...models, ...watch })],
  loadArtifact: [["load"], (watch) => loadArtifact(made.zip, { ...options, ...watch })],
  embed: [["encode"], (watch) => made.tuner.embed(fresh(5000), watch)],
  score: [
    ["score"],
    (watch) =>
      made.tuner.score(
        fresh(1000).map((text) => [text, "a passage"]),
        watch,
      ),
  ],
  rerank: [["score"], (watch) => made.tuner.rerank("a query", fresh(1000), watch)],
  index: [["read", "encode"], (watch) => made.tuner.index(fresh(1000), watch)],
  "index.search": [[], (watch) => made.index.search("a query", watch)],
  "index.search, reranked": [
    ["score"],
    (watch) => made.index.search(...fresh(1), { rerank: true, topK: 20, ...watch }),
  ],
  synthesize: [
    ["read", "encode", "search", "score"],
    (watch) => made.tuner.synthesize(fresh(6), fresh(300), { candidates: 5, depth: 5, ...watch }),
  ],
  fit: [["tune"], (watch) => made.tuner.fit(made.relations, { ...quick, ...watch })],
  "fit, by LoRA": [["tune"], (watch) => made.tuner.fit(made.relations, { ...quick, method: "lora", ...watch })],
  "fit, judged": [
    ["read", "tune", "evaluate"],
    (watch) => made.tuner.fit(made.relations, { ...quick, judgements, ...watch }),
  ],
  "run.evaluate": [["read", "score"], (watch) => made.run.evaluate(judgements, watch)],
  "run.search": [[], (watch) => made.run.search("a query", watch)],
  "run.index": [["read", "encode"], (watch) => made.run.index(fresh(1000), watch)],
  "run.judging": [["evaluate"], (watch) => made.run.judging(watch)],
  "run.saveArtifact": [["artifact"], (watch) => made.run.saveArtifact(watch)],
  "tuned.embedQueries": [["encode"], (watch) => made.tuned.embedQueries(fresh(3000), watch)],
  "tuned.embedDocuments": [["encode"], (watch) => made.tuned.embedDocuments(fresh(3000), watch)],
  "tuned.index": [["read", "encode"], (watch) => made.tuned.index(fresh(1000), watch)],
};

/** Calls, aborts when `at` says so, or at the first word of that stage, and resolves to the stages that were reported. */
async function aborted(call, at) {
  const reason = { why: "nobody waits" };
  const controller = new AbortController();
  const abort = () => controller.abort(reason);
  const stages = [];
  const onProgress = ({ stage }) => {
    stages.push(stage);
    if (at === stage) abort();
  };
  const ended = assert.rejects(call({ onProgress, signal: controller.signal }), (error) => error === reason);
  if (at === "once") abort();
  if (at === "a moment later") setImmediate(abort);
  await ended;
  return stages;
}

for (const [name, [told, call]] of Object.entries(calls)) {
  test(`${name} ends with its signal's reason, and works afterwards`, { timeout }, async () => {
    assert.deepEqual(await aborted(call, "once"), []);
    for (const stage of told) assert.ok((await aborted(call, stage)).includes(stage), stage);
    // A search is over in a moment.
    if (told.length === 0 && !name.endsWith("search")) await aborted(call, "a moment later");
    const stages = [];
    const result = await call({ onProgress: ({ stage }) => stages.push(stage), signal: new AbortController().signal });
    assert.ok(result);
    assert.equal(stages[0], told[0]);
    result.dispose?.();
  });
}
