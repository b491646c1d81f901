// After a device has given wrong numbers in a job, the next one has an engine of its own, and with it the device anew.
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
    for (const name of ["encoder", "overflowing"]) writeSmallModel(join(folder, name), "encoder", shape);
    writeSmallModel(join(folder, "cross"), "crossEncoder", { ...shape, seed: 2 });
    overflow(join(folder, "overflowing", "model.safetensors"), "embeddings.LayerNorm.weight");
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

/** Makes every value of a tensor so large that what is computed with it is no number, as on a faulty device. */
function overflow(path, tensor) {
  const bytes = readFileSync(path);
  const data = 8 + Number(bytes.readBigUInt64LE(0));
  const [from, to] = JSON.parse(bytes.subarray(8, data))[tensor].data_offsets;
  for (let at = data + from; at < data + to; at += 4) bytes.writeFloatLE(3e38, at);
  writeFileSync(path, bytes);
}

/** The engine's workers. */
const workers = () => demo.page.workers().filter((worker) => !worker.url().endsWith("/sw.js"));

test("a job that a device has failed says so", { timeout }, async () => {
  await demo.get("folder-encoder").setInputFiles(join(folder, "overflowing"));
  for (const worker of workers()) {
    await worker.evaluate(() => {
      globalThis.isOld = true;
    });
  }
  await demo.get("start").click();
  await demo.waitForState(["failed"]);
  assert.equal(await demo.get("error-job").getAttribute("data-code"), "device-faulty");
});

test("the next job runs in another engine", { timeout }, async () => {
  await demo.get("folder-encoder").setInputFiles(join(folder, "encoder"));
  await demo.run();
  const old = await Promise.all(workers().map((worker) => worker.evaluate(() => Boolean(globalThis.isOld))));
  assert.ok(old.length > 0 && !old.includes(true), `old: ${old}`);
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
