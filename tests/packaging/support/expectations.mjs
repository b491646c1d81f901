// The job's input, and what has to come out wherever it runs: the goldens' numbers, and a log that was adapted to.
import assert from "node:assert/strict";
import { assertClose, goldenPairs, goldenTexts, short } from "../../browser/support/golden.mjs";
import { documents, queries } from "../../browser/support/tiny-job.mjs";
import { readZip } from "../../browser/support/zip.mjs";

const texts = goldenTexts.filter(({ text, input_ids }) => text.trim() !== "" && input_ids.length <= 10);
const [{ query }] = goldenPairs;
const pairs = goldenPairs.filter((pair) => pair.query === query && pair.input_ids.length <= 34);

/** Everything that `job` takes but the models. */
export const input = {
  texts: texts.map(({ text }) => text),
  query,
  passages: pairs.map(({ passage }) => passage),
  queries,
  documents,
};

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
  const losses = report.fit.history.map(({ loss }) => loss).filter((loss) => typeof loss === "number");
  assert.equal(losses.length, 6);
  assert.ok(losses.at(-1) < losses[0], "the loss falls");
  assert.equal(found.base[0].text, "Stain remover for coffee, tea and red wine.");
  assert.equal(found.tuned.length, 3);

  const zip = readZip(Buffer.from(artifact, "base64"));
  assert.deepEqual(JSON.parse(zip.get("report.json")).fit.history, report.fit.history);
  const names = [...zip.keys()];
  assert.ok(
    names.some((name) => /^model\/.*model\.safetensors$/.test(name)),
    `a model in ${names}`,
  );

  assert.deepEqual([refused.name, refused.code], ["QuerytuneError", "option"]);
}
