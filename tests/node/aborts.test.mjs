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

/**
 * The calls with a watch, each with the stage that it reports first; `undefined` of those that report none.
 */
const calls = {
  load: ["download", (watch) => load({ ...options, ...models, ...watch })],
  loadArtifact: ["load", (watch) => loadArtifact(made.zip, { ...options, ...watch })],
  embed: [undefined, (watch) => made.tuner.embed(fresh(5000), watch)],
  score: [
    "score",
    (watch) =>
      made.tuner.score(
        fresh(1000).map((text) => [text, "a passage"]),
        watch,
      ),
  ],
  rerank: ["score", (watch) => made.tuner.rerank("a query", fresh(1000), watch)],
  index: ["encode", (watch) => made.tuner.index(fresh(1000), watch)],
  "index.search": [undefined, (watch) => made.index.search("a query", watch)],
  "index.search, reranked": ["score", (watch) => made.index.search(...fresh(1), { rerank: true, topK: 20, ...watch })],
  synthesize: ["encode", (watch) => made.tuner.synthesize(fresh(6), fresh(300), { candidates: 5, depth: 5, ...watch })],
  fit: ["tune", (watch) => made.tuner.fit(made.relations, { ...quick, ...watch })],
  "fit, by LoRA": ["tune", (watch) => made.tuner.fit(made.relations, { ...quick, method: "lora", ...watch })],
  "fit, judged": ["tune", (watch) => made.tuner.fit(made.relations, { ...quick, judgements, ...watch })],
  "run.evaluate": ["score", (watch) => made.run.evaluate(judgements, watch)],
  "run.search": [undefined, (watch) => made.run.search("a query", watch)],
  "run.index": ["encode", (watch) => made.run.index(fresh(1000), watch)],
  "run.judging": ["evaluate", (watch) => made.run.judging(watch)],
  "run.saveArtifact": ["artifact", (watch) => made.run.saveArtifact(watch)],
  "tuned.embedQueries": [undefined, (watch) => made.tuned.embedQueries(fresh(3000), watch)],
  "tuned.embedDocuments": [undefined, (watch) => made.tuned.embedDocuments(fresh(3000), watch)],
  "tuned.index": ["encode", (watch) => made.tuned.index(fresh(1000), watch)],
};

/** Calls, aborts when `at` says so, and resolves to the stages that were reported. */
async function aborted(call, at) {
  const reason = { why: "nobody waits" };
  const controller = new AbortController();
  const abort = () => controller.abort(reason);
  const stages = [];
  const onProgress = ({ stage }) => {
    stages.push(stage);
    if (at === "first progress") abort();
  };
  const ended = assert.rejects(call({ onProgress, signal: controller.signal }), (error) => error === reason);
  if (at === "once") abort();
  if (at === "a moment later") setImmediate(abort);
  await ended;
  return stages;
}

for (const [name, [first, call]] of Object.entries(calls)) {
  test(`${name} ends with its signal's reason, and works afterwards`, { timeout }, async () => {
    assert.deepEqual(await aborted(call, "once"), []);
    if (first) assert.equal((await aborted(call, "first progress"))[0], first);
    // A search is over in a moment.
    else if (!name.endsWith("search")) await aborted(call, "a moment later");
    const stages = [];
    const result = await call({ onProgress: ({ stage }) => stages.push(stage), signal: new AbortController().signal });
    assert.ok(result);
    assert.equal(stages[0], first);
    result.dispose?.();
  });
}
