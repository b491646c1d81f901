// In Node other threads help as in a browser: nothing depends on how many they are, and they go when they should.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import os, { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { load } from "../../pkg/dist/core.js";
import { models, root } from "../../scripts/lib/paths.mjs";
import { writeSmallModel } from "../browser/support/small-model.mjs";
import { sample } from "./support/command.mjs";

const timeout = 5 * 60_000;
const sources = {
  encoder: `${pathToFileURL(models.encoder).href}/`,
  crossEncoder: `${pathToFileURL(models.crossEncoder).href}/`,
};
const bytes = (text) => new TextEncoder().encode(text);
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Resolves when the condition holds. */
async function until(condition, what) {
  for (let tries = 0; !condition(); tries++) {
    assert.ok(tries < 600, what);
    await wait(100);
  }
}

/** Threads that Node runs besides this one. */
const others = () => process.report.getReport().workers.length;

/** The report without what a clock has measured. */
function withoutTimes({ stages, ...report }) {
  const counts = Object.entries(stages).map(([name, { seconds, perSecond, ...rest }]) => [name, rest]);
  return { ...report, stages: Object.fromEntries(counts) };
}

/** A small job in some kind of `numbers`, with so many threads from its first text on; `parts`: parts of the training's steps that others did. */
async function run(threads, training = { epochs: 4, folds: 3 }, numbers = {}) {
  const tuner = await load({ ...sources, store: "memory", device: "cpu", threads, ...numbers });
  try {
    await until(() => (tuner.crew?.size ?? 0) === threads - 1, "the others have their models");
    assert.equal(tuner.info.threads, threads);
    const running = others();
    const relations = await tuner.synthesize(bytes(sample("queries.csv", 13)), bytes(sample("documents.csv", 201)), {
      candidates: 20,
      depth: 8,
    });
    let parts = 0;
    if (tuner.crew) {
      const { learn } = tuner.crew;
      tuner.crew.learn = (...lesson) => {
        parts += 1;
        return learn.apply(tuner.crew, lesson);
      };
    }
    const fit = await tuner.fit(relations, { seed: 1, ...training });
    const adapter = Buffer.from(await fit.adapter()).toString("base64");
    return { running, scores: await relations.toScoresTsv(), adapter, report: withoutTimes(fit.report), parts };
  } finally {
    tuner.dispose();
  }
}

test("one thread and two come to the same bytes; the second ends when the tuner is disposed of", {
  timeout,
}, async () => {
  const alone = await run(1);
  assert.equal(alone.running, 0);
  const together = await run(2);
  assert.equal(together.running, 1);
  assert.equal(together.scores, alone.scores);
  assert.equal(together.adapter, alone.adapter);
  assert.deepEqual(together.report, alone.report);
  await until(() => others() === 0, "the thread has ended");
});

test("with LoRA, too, one thread and two come to the same bytes, and the second does parts of its steps", {
  timeout,
}, async () => {
  const training = { method: "lora", lora: { rank: 4, documents: true }, epochs: 2, folds: 2 };
  const [alone, together] = [await run(1, training), await run(2, training)];
  assert.equal(together.adapter, alone.adapter);
  assert.deepEqual(together.report, alone.report);
  assert.ok(together.parts >= 4, `${together.parts} parts`);
});

test("in 8-bit integers, too, one thread and two come to the same bytes", { timeout }, async () => {
  const numbers = { dtype: "int8" };
  const [alone, together] = [await run(1, undefined, numbers), await run(2, undefined, numbers)];
  assert.equal(alone.report.device.dtype, "int8");
  assert.equal(together.scores, alone.scores);
  assert.equal(together.adapter, alone.adapter);
  assert.deepEqual(together.report, alone.report);
});

test("in Node all processors help, as far as memory allows", { timeout }, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "querytune-threads-"));
  writeSmallModel(folder, "encoder", { hidden: 32, heads: 2, inner: 64 });
  const small = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
  /** Fails unless so many threads are usual on the machine; sizes in GiB, `allowed` what the process may have. */
  const usual = async (threads, { processors, memory, allowed = 0, files = {} }) => {
    context.mock.method(os, "availableParallelism", () => processors);
    context.mock.method(os, "totalmem", () => memory * 2 ** 30);
    context.mock.method(process, "constrainedMemory", () => allowed * 2 ** 30);
    syncBuiltinESMExports();
    const options = { crossEncoder: false, store: "memory", device: "cpu" };
    const tuner = await load({ ...options, encoder: { ...small, ...files } });
    try {
      await until(() => (tuner.crew?.size ?? 0) >= threads - 1, `${threads} threads`);
      assert.equal(others(), threads - 1);
    } finally {
      tuner.dispose();
      await until(() => others() === 0, "the threads have ended");
    }
  };
  try {
    await usual(12, { processors: 12, memory: 64 });
    await usual(4, { processors: 12, memory: 2 });
    await usual(2, { processors: 12, memory: 64, allowed: 1 });
    await usual(1, { processors: 12, memory: 0.25 });
    // A model's own size counts.
    const long = Buffer.concat([small["config.json"], Buffer.alloc(250e6, " ")]);
    await usual(2, { processors: 12, memory: 2, files: { "config.json": long } });
  } finally {
    context.mock.restoreAll();
    syncBuiltinESMExports();
    rmSync(folder, { recursive: true });
  }
});

test("a number of threads that is none is refused", { timeout }, async () => {
  await assert.rejects(load({ ...sources, store: "memory", device: "cpu", threads: 0 }), { code: "option" });
});

/** What a process prints that gets the vectors of so many texts with the help of two others, and ends nothing. */
function helped(texts) {
  const core = pathToFileURL(join(root, "pkg", "dist", "core.js")).href;
  const script = `
    const { load } = await import(${JSON.stringify(core)});
    const tuner = await load({ ...${JSON.stringify(sources)}, store: "memory", device: "cpu", threads: 3 });
    while (tuner.crew.size < 2) await new Promise((resolve) => setTimeout(resolve, 50));
    const { dims } = await tuner.embed(Array.from({ length: ${texts} }, (_, i) => "text number " + i));
    console.log(dims.join());
  `;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
    encoding: "utf8",
    timeout: 60_000,
  });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

test("threads are waited for while they work", { timeout }, () => assert.equal(helped(60), "60,384"));

test("threads that nobody has ended do not keep the process alive", { timeout }, () => {
  assert.equal(helped(0), "0,384");
});
