// The job's input, and what has to come out wherever it runs: the goldens' numbers, and those of an adapted log.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { assertClose, goldenPairs, goldenTexts, short } from "../../browser/support/golden.mjs";
import { documents, queries } from "../../browser/support/tiny-job.mjs";
import { readZip } from "../../browser/support/zip.mjs";

const texts = goldenTexts.filter(({ text, input_ids }) => text.trim() !== "" && input_ids.length <= 10);
const [{ query }] = goldenPairs;
const pairs = goldenPairs.filter((pair) => pair.query === query && pair.input_ids.length <= 34);

/** What the adapted log came to in Node, as `node tests/packaging/support/record.mjs` has written it. */
const due = JSON.parse(readFileSync(new URL("adapted.json", import.meta.url), "utf8"));

/**
 * How far from that losses and scores may be. Node and Chromium come to the same bits; there is room for sums in another
 * order, which another seed shows to be 2e-7. A learning rate that is a tenth too high moves losses by .02.
 */
const TOLERANCE = 1e-5;

/** Everything that `job` takes but the models. */
export const input = {
  texts: texts.map(({ text }) => text),
  query,
  passages: pairs.map(({ passage }) => passage),
  queries,
  documents,
};

/** The numbers of the adapted log: the loss as training went on, and the first hits of a query by either model. */
export function adapted({ report, found }) {
  const hits = (list) => list.map(({ text, score }) => ({ text, score }));
  const losses = report.fit.history.map(({ loss }) => loss).filter((loss) => typeof loss === "number");
  return { losses, base: hits(found.base), tuned: hits(found.tuned) };
}

/** Fails unless the job's result is the one that is due. */
export function assertResult({ info, vectors, ranked, candidates, report, found, artifact, refused, warnings }) {
  assert.deepEqual([info.device.kind, info.device.dtype], ["cpu", "fp32"]);
  assert.deepEqual(warnings, [], "the package warned of nothing: all workers could help");

  assert.equal(vectors.length, texts.length);
  for (const [i, { text, embedding }] of texts.entries()) {
    assertClose(vectors[i], embedding, 1e-5, `embedding of ${short(text)}`);
  }

  const best = pairs.map(({ logit }, index) => ({ index, logit })).sort((a, b) => b.logit - a.logit);
  assert.deepEqual(
    ranked.map(({ index }) => index),
    best.map(({ index }) => index),
    "passages in the order of the reference",
  );
  const logits = (list) => list.map(({ logit }) => logit);
  assertClose(logits(ranked), logits(best), 2e-3, "logit of a golden pair");

  assert.equal(candidates.length, queries.length);
  for (const list of candidates) assert.equal(logits(list).filter((logit) => typeof logit === "number").length, 3);
  const { losses, ...rankings } = adapted({ report, found });
  assertClose(losses, due.losses, TOLERANCE, "loss of the training");
  for (const [model, hits] of Object.entries(rankings)) {
    const texts = (list) => list.map(({ text }) => text);
    assert.deepEqual(texts(hits), texts(due[model]), `first hits of the ${model} model`);
    const scores = (list) => list.map(({ score }) => score);
    assertClose(scores(hits), scores(due[model]), TOLERANCE, `score by the ${model} model`);
  }

  const zip = readZip(Buffer.from(artifact, "base64"));
  assert.deepEqual(JSON.parse(zip.get("report.json")).fit.history, report.fit.history);
  const names = [...zip.keys()];
  assert.ok(
    names.some((name) => /^model\/.*model\.safetensors$/.test(name)),
    `a model in ${names}`,
  );

  assert.deepEqual([refused.name, refused.code], ["QuerytuneError", "option"]);
}
