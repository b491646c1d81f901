// A run's download is used again in Node, and an encoder is loaded without a cross-encoder.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { load, loadArtifact, MemoryStore, open } from "../../pkg/dist/core.js";
import { writeSmallModel } from "../browser/support/small-model.mjs";
import { documents, queries } from "../browser/support/tiny-job.mjs";
import { Workplace } from "./support/command.mjs";

const timeout = 3 * 60_000;
const place = new Workplace();
const models = {
  encoder: pathToFileURL(`${place.path("encoder")}/`),
  crossEncoder: pathToFileURL(`${place.path("cross")}/`),
};
// In fp32: with integers another order of sums would make a difference that hides others.
const options = { store: "memory", device: "cpu", dtype: "fp32", threads: 1 };
const methods = {
  "query-head": {},
  lora: { method: "lora", lora: { rank: 4, documents: true } },
};
/** The downloads, and what the runs found, by method. */
const runs = {};

before(
  async () => {
    writeSmallModel(place.path("encoder"), "encoder", { hidden: 32, heads: 2, inner: 64 });
    writeSmallModel(place.path("cross"), "crossEncoder", { hidden: 32, heads: 2, inner: 64, seed: 2 });
    const tuner = await load({ ...models, ...options });
    const relations = await tuner.synthesize(queries, documents, { candidates: 10, depth: 5 });
    for (const [name, choices] of Object.entries(methods)) {
      const run = await tuner.fit(relations, { seed: 1, epochs: 3, folds: 2, learningRate: 1e-2, ...choices });
      runs[name] = { zip: await run.saveArtifact(), report: run.report, found: await run.search(queries[0]) };
    }
    tuner.dispose();
  },
  { timeout },
);

after(() => place.remove());

/** The same documents with the same cosines. */
function assertSame(found, expected) {
  assert.deepEqual(
    found.map(({ document }) => document),
    expected.map(({ document }) => document),
  );
  for (const [i, { score }] of found.entries()) assert.ok(Math.abs(score - expected[i].score) < 1e-5);
}

for (const name of Object.keys(methods)) {
  test(`${name}: base and trained model find what they found in the run`, { timeout }, async () => {
    const { zip, report, found } = runs[name];
    const model = await loadArtifact(new Uint8Array(await zip.arrayBuffer()), options);
    assert.deepEqual(model.report.models, report.models);
    assert.equal(model.report.fit.reason, report.fit.reason);
    assert.equal(model.isTuned, report.fit.delivered === "tuned");
    assert.equal(model.info.models.crossEncoder, undefined);
    for (const [which, expected] of [
      ["base", found.base],
      ["trained", found.tuned],
      [undefined, model.isTuned ? found.tuned : found.base],
    ]) {
      const index = await model.index(documents, { model: which });
      assert.equal(index.length, documents.length);
      assertSame(await index.search(queries[0]), expected);
    }
    model.dispose();
  });

  test(`${name}: threads that help come to the same vectors`, { timeout }, async () => {
    const texts = Array.from({ length: 40 }, (_, i) => `${documents[i % 20]} ${i}`.repeat(4));
    const vectors = async (threads) => {
      const model = await loadArtifact(runs[name].zip, { ...options, threads });
      // They have their models a moment later.
      if (threads > 1) await new Promise((resolve) => setTimeout(resolve, 3000));
      const found = [];
      for (const which of ["base", "trained"]) found.push((await model.embedDocuments(texts, { model: which })).data);
      model.dispose();
      return found;
    };
    assert.deepEqual(await vectors(3), await vectors(1));
  });
}

test("vectors are of length 1, and the nearest have the highest dot product", { timeout }, async () => {
  const model = await loadArtifact(runs["query-head"].zip, options);
  const [query, all] = [await model.embedQueries([queries[0]]), await model.embedDocuments(documents)];
  assert.deepEqual(query.dims, [1, 32]);
  assert.deepEqual(all.dims, [20, 32]);
  const dot = (row) => query.data.reduce((sum, value, i) => sum + value * all.data[row * 32 + i], 0);
  const [best] = await (await model.index(documents)).search(queries[0], { topK: 1 });
  assert.ok(Math.abs(dot(best.document) - best.score) < 1e-5);
  assert.ok(Math.abs(Math.hypot(...query.data) - 1) < 1e-5);
  model.dispose();
});

test("documents that were encoded once are taken from the store, in a session of their own too", {
  timeout,
}, async () => {
  const store = new MemoryStore();
  const cached = [];
  for (let time = 0; time < 2; time++) {
    const session = await open({ store });
    const model = await session.loadArtifact(runs["query-head"].zip, { device: "cpu", threads: 1 });
    const texts = await session.readDocuments(documents);
    const last = {};
    await model.index(texts, { onProgress: (event) => Object.assign(last, { [event.stage]: event.cached }) });
    cached.push(last.encode);
    session.dispose();
    await assert.rejects(model.embedQueries(["after its end"]), { code: "disposed" });
  }
  assert.deepEqual(cached, [0, 20]);
});

test("what is no whole download is refused with the engine's words", { timeout }, async () => {
  const zip = new Uint8Array(await runs["query-head"].zip.arrayBuffer());
  const refused = (bytes, message) => assert.rejects(loadArtifact(bytes, options), { code: "artifact", message });
  await refused(new TextEncoder().encode("query,count\n"), /This is not a zip file/);
  await refused(zip.subarray(0, zip.length - 100), /cut short/);
  const damaged = zip.slice();
  damaged[Buffer.from(zip).indexOf("encoder.layer.0") + 5000] ^= 1;
  await refused(new Blob([damaged]), /model\.safetensors in the zip cannot be read/);
  await assert.rejects(loadArtifact("artifact.zip", options), { code: "option" });
  await assert.rejects(loadArtifact(zip, { ...options, threads: 0 }), { code: "option" });
  await assert.rejects(loadArtifact(zip, { ...options, signal: AbortSignal.abort() }), { name: "AbortError" });
});

test("after dispose a model is refused, and a choice that is none", { timeout }, async () => {
  const model = await loadArtifact(runs["query-head"].zip, options);
  await assert.rejects(model.index(documents, { model: "best" }), { code: "option" });
  model.dispose();
  model.dispose();
  await assert.rejects(model.embedQueries(["too late"]), { code: "disposed" });
});

test("without a cross-encoder texts are encoded and searched, and the rest says what to do", { timeout }, async () => {
  const tuner = await load({ ...models, crossEncoder: false, ...options });
  assert.equal(tuner.info.models.crossEncoder, undefined);
  assert.equal((await (await tuner.index(documents)).search(queries[0])).length, 10);
  const refusal = { code: "option", message: /not with crossEncoder: false/ };
  await assert.rejects(tuner.rerank("a query", ["a passage"]), refusal);
  await assert.rejects(tuner.score([["a query", "a passage"]]), refusal);
  await assert.rejects(tuner.synthesize(queries, documents), refusal);
  tuner.dispose();
});
