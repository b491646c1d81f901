// The npm package in Chromium on WebGPU, which SwiftShader computes: right, but far slower than the CPU path, so the
// texts are few and short and the training has few steps. Then one tiny job on both devices, step by step.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { assertClose, goldenPairs, goldenTexts, roberta, short } from "./support/golden.mjs";
import { embed, loadTuner, logits, openPackagePage, places } from "./support/package-page.mjs";
import { writeSmallModel } from "./support/small-model.mjs";
import { documents, queries } from "./support/tiny-job.mjs";

const timeout = 20 * 60_000;
let opened;
let small;
const info = {};

before(
  async () => {
    small = mkdtempSync(join(tmpdir(), "querytune-small-"));
    // The kernels are made for neither of these sizes.
    writeSmallModel(join(small, "encoder"), "encoder", { hidden: 36, heads: 2, inner: 72 });
    writeSmallModel(join(small, "crossEncoder"), "crossEncoder", { hidden: 40, heads: 4, inner: 80 });
    const robertas = { "/roberta/encoder/": roberta.encoder, "/roberta/crossEncoder/": roberta.crossEncoder };
    opened = await openPackagePage({ webgpu: "software", folders: { "/small/": small, ...robertas } });
    for (const device of ["webgpu", "cpu"])
      info[device] = await loadTuner(opened.page, device, { device, dtype: "fp32" });
  },
  { timeout },
);

after(async () => {
  await opened?.close();
  rmSync(small, { recursive: true, force: true });
});

test("asked for WebGPU, the models run on its adapter, a software one too", () => {
  const { kind, adapter, reason } = info.webgpu.device;
  assert.equal(kind, "webgpu");
  assert.match(adapter, /adapter|swiftshader/i);
  assert.match(reason, /agree/);
  assert.deepEqual(info.webgpu.models, info.cpu.models);
});

test("left to itself, the CPU is taken before an adapter in software, and the reason says so", {
  timeout,
}, async () => {
  const { device } = await loadTuner(opened.page, "auto", { device: "auto" });
  assert.equal(device.kind, "cpu");
  assert.match(device.reason, /only WebGPU adapter \(.+\) is computed on the CPU/);
});

test("left to itself in a browser without WebGPU, the CPU is taken, and the reason says so", { timeout }, async () => {
  const without = await openPackagePage();
  try {
    const { device } = await loadTuner(without.page, "auto", { device: "auto" });
    assert.equal(device.kind, "cpu");
    assert.match(device.reason, /WebGPU is not available/);
    const refusal = await without.page.evaluate(async ({ package: source, encoder, crossEncoder }) => {
      const { load } = await import(source);
      return load({ store: "memory", encoder, crossEncoder, device: "webgpu" }).then(
        () => "none: it was loaded",
        ({ code }) => code,
      );
    }, places);
    assert.equal(refusal, "device-unavailable", "asked for by name, it is not replaced in silence");
  } finally {
    await without.close();
  }
});

test("embeddings of short golden texts are those of the reference to 2e-4", { timeout }, async () => {
  const items = goldenTexts.filter(({ input_ids }) => input_ids.length <= 9);
  const vectors = await embed(
    opened.page,
    "webgpu",
    items.map(({ text }) => text),
  );
  for (const [i, { text, embedding }] of items.entries()) {
    assertClose(vectors[i], embedding, 2e-4, `embedding of ${short(text)}`);
  }
});

test("logits of short golden pairs are those of the reference to 1e-2", { timeout }, async () => {
  const pairs = goldenPairs.filter(({ query, input_ids }) => query !== "" && input_ids.length <= 22);
  const found = await logits(opened.page, "webgpu", pairs);
  const expected = pairs.map(({ logit }) => logit);
  assertClose(found, expected, 1e-2, "logit of a golden pair");
});

test("embeddings and logits of a RoBERTa are those of transformers to 2e-4 and 1e-2", { timeout }, async () => {
  const folders = { encoder: "/roberta/encoder/", crossEncoder: "/roberta/crossEncoder/" };
  await loadTuner(opened.page, "roberta", { ...folders, device: "webgpu", dtype: "fp32" });
  const texts = roberta.texts.map(({ text }) => text);
  const vectors = await embed(opened.page, "roberta", texts);
  for (const [i, { vector }] of roberta.texts.entries()) {
    assertClose(vectors[i], vector, 2e-4, `embedding of ${short(texts[i])}`);
  }
  const expected = roberta.pairs.map(({ logit }) => logit);
  assertClose(await logits(opened.page, "roberta", roberta.pairs), expected, 1e-2, "logit");
});

test("models of sizes that the kernels are not made for run on WebGPU all the same, with the CPU's numbers", {
  timeout,
}, async () => {
  const folders = { encoder: "/small/encoder/", crossEncoder: "/small/crossEncoder/" };
  const names = ["small-webgpu", "small-cpu"];
  for (const name of names) {
    const device = name.slice("small-".length);
    const { device: found } = await loadTuner(opened.page, name, { ...folders, device, dtype: "fp32" });
    assert.equal(found.kind, device);
  }
  const texts = ["a short text", "another one, which is somewhat longer (and has a bracket)", ""];
  const [webgpu, cpu] = await Promise.all(names.map((name) => embed(opened.page, name, texts)));
  for (const [i, vector] of cpu.entries()) assertClose(webgpu[i], vector, 2e-4, `embedding of ${short(texts[i])}`);
  const pairs = texts.map((passage) => ({ query: "a query", passage }));
  const [ours, theirs] = await Promise.all(names.map((name) => logits(opened.page, name, pairs)));
  assertClose(ours, theirs, 1e-2, "logit");
});

test("a tiny job comes out the same on WebGPU and on the CPU", { timeout }, async (context) => {
  const runOn = (name) =>
    opened.page.evaluate(
      async ({ name, queries, documents }) => {
        const tuner = globalThis[name];
        const relations = await tuner.synthesize(queries, documents, { candidates: 5, depth: 3 });
        const candidates = [];
        for (let i = 0; i < queries.length; i++) candidates.push(await relations.candidates(i));
        const run = await tuner.fit(relations, { seed: 7, epochs: 6, folds: 2 });
        return { candidates, report: run.report, summary: relations.summary() };
      },
      { name, queries, documents },
    );
  const cpu = await runOn("cpu");
  const webgpu = await runOn("webgpu");

  await context.test("the same candidates in the same order, their cosines within 2e-4", () => {
    const ids = ({ candidates }) => candidates.map((list) => list.map(({ id }) => id));
    assert.deepEqual(ids(webgpu), ids(cpu));
    assert.ok(ids(cpu).every((list) => list.length === 5));
    const cosines = ({ candidates }) => candidates.flat().map(({ cosine }) => cosine);
    assertClose(cosines(webgpu), cosines(cpu), 2e-4, "cosine");
  });

  await context.test("the same three scored for each query, their logits within 1e-2", () => {
    const scored = ({ candidates }) => candidates.flat().filter(({ logit }) => typeof logit === "number");
    assert.equal(scored(cpu).length, queries.length * 3);
    assert.deepEqual(
      scored(webgpu).map(({ document }) => document),
      scored(cpu).map(({ document }) => document),
    );
    const values = (run) => scored(run).map(({ logit }) => logit);
    assertClose(values(webgpu), values(cpu), 1e-2, "logit");
    for (const { summary } of [cpu, webgpu]) assert.equal(summary.cached, 0);
  });

  await context.test("the same losses at every step, within 1e-3", () => {
    const { history } = cpu.report.fit;
    assert.equal(history.length, 7, "six epochs of one batch, and the base model");
    assert.deepEqual(
      webgpu.report.fit.history.map(({ step }) => step),
      history.map(({ step }) => step),
    );
    const losses = (run) => run.report.fit.history.map(({ loss }) => loss).filter((loss) => typeof loss === "number");
    assert.equal(losses(cpu).length, 6);
    assertClose(losses(webgpu), losses(cpu), 1e-3, "loss");
    assert.ok(losses(cpu).at(-1) < losses(cpu)[0], "the loss falls");
  });

  await context.test("the same agreement where it was measured, within 1e-3", () => {
    const measured = (run) =>
      run.report.fit.history.map(({ heldOut }) => heldOut).filter((value) => typeof value === "number");
    assert.ok(measured(cpu).length > 1);
    assertClose(measured(webgpu), measured(cpu), 1e-3, "agreement");
  });

  await context.test("the same model is delivered, taken at the same step", () => {
    const outcome = ({ report: { fit } }) => [fit.delivered, fit.selected.step, fit.trainedStep, fit.steps];
    assert.deepEqual(outcome(webgpu), outcome(cpu));
    assert.equal(webgpu.report.device.kind, "webgpu");
    assert.equal(cpu.report.device.kind, "cpu");
  });
});

test("LoRA trains on WebGPU as on the CPU, through the encoder", { timeout }, async () => {
  const runOn = (name) =>
    opened.page.evaluate(
      async ({ name, queries, documents }) => {
        const tuner = globalThis[name];
        const relations = await tuner.synthesize(queries, documents, { candidates: 5, depth: 3 });
        // More than a micro-batch holds, so that vectors are made without a trace as well.
        const lora = { rank: 4, microBatchTokens: 24 };
        const run = await tuner.fit(relations, { method: "lora", lora, seed: 7, epochs: 3, folds: 2 });
        return run.report.fit.history;
      },
      { name, queries, documents },
    );
  const [cpu, webgpu] = [await runOn("small-cpu"), await runOn("small-webgpu")];
  const losses = (history) => history.map(({ loss }) => loss).filter((loss) => typeof loss === "number");
  assert.equal(losses(cpu).length, 3);
  assertClose(losses(webgpu), losses(cpu), 1e-3, "loss");
  assert.ok(losses(cpu).at(-1) < losses(cpu)[0], "the loss falls");
});
