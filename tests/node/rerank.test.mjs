// A search whose documents the cross-encoder puts in order.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { load } from "../../pkg/dist/core.js";
import { writeSmallModel } from "../browser/support/small-model.mjs";
import { documents, queries } from "../browser/support/tiny-job.mjs";
import { Workplace } from "./support/command.mjs";

const timeout = 2 * 60_000;
const place = new Workplace();
const options = { store: "memory", device: "cpu", threads: 1 };
const items = documents.map((text, i) => ({ id: `d${i}`, title: `Title ${i}`, text }));
let models;
let tuner;

before(
  async () => {
    writeSmallModel(place.path("encoder"), "encoder", { hidden: 32, heads: 2, inner: 64 });
    writeSmallModel(place.path("cross"), "crossEncoder", { hidden: 32, heads: 2, inner: 64, seed: 2 });
    const [encoder, crossEncoder] = ["encoder", "cross"].map((name) => pathToFileURL(`${place.path(name)}/`));
    models = { encoder, crossEncoder };
    tuner = await load({ ...options, ...models });
  },
  { timeout },
);

after(() => {
  tuner?.dispose();
  place.remove();
});

/** The documents that were found without, in the order of their logits. */
async function assertReranked(index) {
  const found = await index.search(queries[0], { topK: 6 });
  const reranked = await index.search(queries[0], { topK: 6, rerank: true });
  const logits = await tuner.score(found.map(({ text }) => [queries[0], text]));
  const expected = found.map((hit, i) => ({ ...hit, logit: logits[i] })).sort((a, b) => b.logit - a.logit);
  assert.deepEqual(reranked, expected);
  assert.notDeepEqual(
    reranked.map(({ id }) => id),
    found.map(({ id }) => id),
  );
  assert.ok(!("logit" in found[0]));
}

test("the documents that are found are put in the order of their logits", { timeout }, async () => {
  await assertReranked(await tuner.index(items));
});

test("an index of a run is reranked as well", { timeout }, async () => {
  const relations = await tuner.synthesize(queries, documents, { candidates: 10, depth: 5 });
  const run = await tuner.fit(relations, { seed: 1, epochs: 2, folds: 2 });
  await assertReranked(await run.index(items));
});

test("without a cross-encoder a search is not reranked, and says why", { timeout }, async () => {
  const alone = await load({ ...options, ...models, crossEncoder: false });
  const index = await alone.index(items);
  const refusal = { code: "option", message: /no cross-encoder to rerank by/ };
  await assert.rejects(index.search(queries[0], { rerank: true }), refusal);
  assert.equal((await index.search(queries[0], { rerank: false, topK: 3 })).length, 3);
  alone.dispose();
});

test("rerank keeps all documents unless it is told how many", { timeout }, async () => {
  assert.equal((await tuner.rerank(queries[0], documents)).length, documents.length);
  assert.equal((await tuner.rerank(queries[0], documents, { topK: 3 })).length, 3);
});
