// After a device has given wrong numbers, the next job has an engine of its own, and with it the device anew.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DemoPage } from "./support/demo-page.mjs";
import { writeSmallModel } from "./support/small-model.mjs";

const timeout = 2 * 60_000;
const shape = { hidden: 32, heads: 2, inner: 64 };
let demo;
let folder;

before(
  async () => {
    folder = mkdtempSync(join(tmpdir(), "querytune-"));
    for (const name of ["encoder", "overflowing", "brittle"]) writeSmallModel(join(folder, name), "encoder", shape);
    writeSmallModel(join(folder, "cross"), "crossEncoder", { ...shape, seed: 2 });
    overflow(join(folder, "overflowing", "model.safetensors"), "embeddings.LayerNorm.weight");
    const { vocab } = JSON.parse(readFileSync(join(folder, "brittle", "tokenizer.json"))).model;
    const [from, to] = [vocab.zebra, vocab.zebra + 1].map((id) => 4 * id * shape.hidden);
    overflow(join(folder, "brittle", "model.safetensors"), "embeddings.word_embeddings.weight", [from, to]);
    demo = await DemoPage.open();
    await demo.visit();
    await demo.useTinyJob();
    await demo.setNumber("depth", 5);
    await demo.get("models-folder").check();
    await demo.get("folder-cross-encoder").setInputFiles(join(folder, "cross"));
  },
  { timeout },
);

after(async () => {
  await demo?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Makes values of a tensor (some of its bytes) so large that what is computed with them is no number, as on a faulty device. */
function overflow(path, tensor, part) {
  const bytes = readFileSync(path);
  const data = 8 + Number(bytes.readBigUInt64LE(0));
  const [start, end] = JSON.parse(bytes.subarray(8, data))[tensor].data_offsets;
  const [from, to] = part ?? [0, end - start];
  for (let at = from; at < to; at += 4) bytes.writeFloatLE(3e38, data + start + at);
  writeFileSync(path, bytes);
}

/** The engine's workers. */
const workers = () => demo.page.workers().filter((worker) => !worker.url().endsWith("/sw.js"));

/** Marks the workers that there are. */
const mark = () =>
  Promise.all(
    workers().map((worker) =>
      worker.evaluate(() => {
        globalThis.isOld = true;
      }),
    ),
  );

/** Runs a job, in which no worker takes part that was there before. */
async function runAnew() {
  await demo.run();
  const old = await Promise.all(workers().map((worker) => worker.evaluate(() => Boolean(globalThis.isOld))));
  assert.ok(old.length > 0 && !old.includes(true), `old: ${old}`);
}

test("a job that a device has failed says so", { timeout }, async () => {
  await demo.get("folder-encoder").setInputFiles(join(folder, "overflowing"));
  await mark();
  await demo.get("start").click();
  await demo.waitForState(["failed"]);
  assert.equal(await demo.get("error-job").getAttribute("data-code"), "device-faulty");
});

test("the next job runs in another engine", { timeout }, async () => {
  await demo.get("folder-encoder").setInputFiles(join(folder, "brittle"));
  await runAnew();
});

test("after a search that a device has failed the result stays, and the next job has another engine", {
  timeout,
}, async () => {
  await mark();
  await demo.get("search-box").fill("a zebra");
  await demo.get("search-submit").click();
  await demo.get("error-search").waitFor();
  assert.equal(await demo.get("error-search").getAttribute("data-code"), "device-faulty");
  await demo.get("search-box").fill("coffee");
  await demo.get("search-submit").click();
  await demo.get("search-moved").waitFor();
  await runAnew();
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
