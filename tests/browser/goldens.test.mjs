// The npm package in Chromium, in its worker, on the CPU: numbers against an independent forward pass of the models.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { load } from "../../pkg/dist/core.js";
import { models } from "../../scripts/lib/paths.mjs";
import { assertClose, goldenPairs, goldenTexts, roberta, short } from "./support/golden.mjs";
import { embed, loadTuner, logits, openPackagePage } from "./support/package-page.mjs";

const timeout = 15 * 60_000;
let opened;
let info;
let bytesInfo;

before(
  async () => {
    opened = await openPackagePage({
      folders: { "/roberta/encoder/": roberta.encoder, "/roberta/crossEncoder/": roberta.crossEncoder },
    });
    info = await loadTuner(opened.page, "tuner", { device: "cpu", dtype: "fp32", threads: 1 });
    await loadTuner(opened.page, "integers", { device: "cpu", threads: 1 });
    bytesInfo = await loadTuner(opened.page, "bytes", { dtype: "int8", threads: 1 });
  },
  { timeout },
);

after(() => opened?.close());

test("the models are loaded as their configurations describe them", () => {
  assert.equal(info.device.kind, "cpu");
  const { encoder, crossEncoder } = info.models;
  assert.deepEqual([encoder.layers, encoder.dims, encoder.maxLength], [6, 384, 256]);
  assert.deepEqual([crossEncoder.layers, crossEncoder.dims, crossEncoder.maxLength], [12, 384, 512]);
});

test("embeddings of all golden texts are those of the reference to 1e-5", { timeout }, async () => {
  const texts = goldenTexts.map(({ text }) => text);
  const vectors = await embed(opened.page, "tuner", texts);
  assert.equal(vectors.length, texts.length);
  for (const [i, { text, embedding }] of goldenTexts.entries()) {
    assertClose(vectors[i], embedding, 1e-5, `embedding of ${short(text)}`);
  }
});

/** Of all golden texts' vectors, by a tuner of the page, to those of the reference. */
async function smallestCosine(tuner) {
  const texts = goldenTexts.map(({ text }) => text);
  const vectors = await embed(opened.page, tuner, texts);
  const cosines = goldenTexts.map(({ embedding }, i) =>
    embedding.reduce((sum, value, column) => sum + value * vectors[i][column], 0),
  );
  return Math.min(...cosines);
}

test("embeddings in 16-bit integers differ by a hundred-thousandth of the cosine", { timeout }, async (context) => {
  const least = await smallestCosine("integers");
  context.diagnostic(`smallest cosine to the reference: 1 - ${(1 - least).toExponential(1)}`);
  assert.ok(least > 0.99999, `a cosine of ${least}`);
});

test("embeddings and logits in 8-bit integers are near those of the reference", { timeout }, async (context) => {
  const least = await smallestCosine("bytes");
  const distances = (await logits(opened.page, "bytes", goldenPairs)).map((logit, i) =>
    Math.abs(logit - goldenPairs[i].logit),
  );
  const most = Math.max(...distances);
  context.diagnostic(`smallest cosine 1 - ${(1 - least).toExponential(1)}, largest distance of a logit ${most}`);
  assert.ok(least > 0.99, `a cosine of ${least}`);
  assert.ok(most < 0.25, `a distance of ${most}`);
});

test("integers are refused on WebGPU", { timeout }, async () => {
  for (const dtype of ["int16", "int8"]) {
    const loading = loadTuner(opened.page, "refused", { device: "webgpu", dtype });
    await assert.rejects(loading, /dtype int16 and int8 are for the CPU/);
  }
});

// Node's own kernel may be another one: an older Node has none.
test("8-bit integers have the same bits with this browser's kernel as in Node", { timeout }, async () => {
  assert.equal(bytesInfo.device.kind, "cpu");
  assert.equal(bytesInfo.device.dtype, "int8");
  assert.doesNotMatch(bytesInfo.device.reason, /no relaxed SIMD/);
  const [encoder, crossEncoder] = [models.encoder, models.crossEncoder].map((path) => pathToFileURL(`${path}/`));
  const tuner = await load({ encoder, crossEncoder, store: "memory", dtype: "int8", threads: 1 });
  try {
    const texts = goldenTexts.slice(0, 12).map(({ text }) => text);
    const { data, dims } = await tuner.embed(texts);
    const vectors = await embed(opened.page, "bytes", texts);
    for (const [i, vector] of vectors.entries()) {
      assert.deepEqual(vector, [...data.subarray(i * dims[1], (i + 1) * dims[1])], short(texts[i]));
    }
    const pairs = goldenPairs.slice(0, 4);
    const found = await tuner.score(pairs.map(({ query, passage }) => [query, passage]));
    assert.deepEqual(await logits(opened.page, "bytes", pairs), [...found]);
  } finally {
    tuner.dispose();
  }
});

test("the cosines of the model's card come out", { timeout }, async () => {
  const texts = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."];
  const [weather, ...others] = await embed(opened.page, "tuner", texts);
  const cosines = others.map((other) => other.reduce((sum, value, i) => sum + value * weather[i], 0));
  assertClose(cosines, [0.666, 0.1046], 1e-4, "cosine");
});

test("logits of all golden pairs are those of the reference to 2e-3", { timeout }, async () => {
  const found = await logits(opened.page, "tuner", goldenPairs);
  const expected = goldenPairs.map(({ logit }) => logit);
  assertClose(found, expected, 2e-3, "logit of a golden pair");
});

test("logits in 16-bit integers are those of the reference to 5e-3", { timeout }, async () => {
  const found = await logits(opened.page, "integers", goldenPairs);
  const expected = goldenPairs.map(({ logit }) => logit);
  assertClose(found, expected, 5e-3, "logit of a golden pair in integers");
});

test("a RoBERTa's embeddings and logits are those of transformers, in whatever language", { timeout }, async () => {
  const folders = { encoder: "/roberta/encoder/", crossEncoder: "/roberta/crossEncoder/" };
  await loadTuner(opened.page, "roberta", { ...folders, device: "cpu", dtype: "fp32", threads: 1 });
  const texts = roberta.texts.map(({ text }) => text);
  const vectors = await embed(opened.page, "roberta", texts);
  for (const [i, { vector }] of roberta.texts.entries()) {
    assertClose(vectors[i], vector, 1e-5, `embedding of ${short(texts[i])}`);
  }
  const expected = roberta.pairs.map(({ logit }) => logit);
  assertClose(await logits(opened.page, "roberta", roberta.pairs), expected, 1e-4, "logit");
});
