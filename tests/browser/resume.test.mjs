// A job that is cancelled in the middle of scoring goes on after the page was loaded anew, and no pair is scored twice.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 20 * 60_000;
const depth = 5;
/** Pairs of the whole job; the page says so. */
let pairs;
let demo;

before(
  async () => {
    demo = await DemoPage.open();
    await demo.visit();
  },
  { timeout },
);

after(() => demo?.close());

/** What the store holds of the cross-encoder: the keys of all scored pairs. A record is a key and a 32-bit logit. */
function storedPairs() {
  return demo.page.evaluate(async () => {
    const settle = (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const database = await settle(indexedDB.open("querytune"));
    const chunks = database.transaction("chunks").objectStore("chunks");
    const keys = await settle(chunks.getAllKeys());
    const values = await settle(chunks.getAll());
    database.close();
    const found = [];
    for (const [i, [log]] of keys.entries()) {
      if (!log.startsWith("logits-")) continue;
      for (let at = 0; at < values[i].length; at += 20) found.push(values[i].slice(at, at + 16).join());
    }
    return found;
  });
}

let scoredFirst;

test("cancelling in the middle of scoring gives the page back at once", { timeout }, async (context) => {
  await demo.useSample();
  await demo.setNumber("depth", depth);
  pairs = Number(/^([\d,]+) pairs/.exec(await demo.get("plan").innerText())[1].replaceAll(",", ""));
  await demo.get("start").click();
  await demo.page.waitForFunction(
    (least) => Number(document.querySelector("[data-testid=stage-score]")?.dataset.done) >= least,
    pairs / 4,
    { timeout },
  );
  const from = performance.now();
  await demo.get("cancel").click();
  assert.equal(await demo.waitForState(["cancelled", "done"]), "cancelled");
  context.diagnostic(`cancelled within ${(performance.now() - from).toFixed(0)} ms`);
  assert.ok(performance.now() - from < 15_000);
  assert.ok(await demo.get("start").isEnabled());
  assert.match(await demo.get("job-state").innerText(), /What is scored is kept/);
  const { done, total, cached } = await demo.stage("score");
  assert.deepEqual([total, cached], [pairs, 0]);
  assert.ok(done >= pairs / 4 && done < pairs, `${done} of ${pairs}`);
  scoredFirst = done;
  assert.equal((await storedPairs()).length, scoredFirst);
});

test("loaded anew, the page says how many pairs are already scored", { timeout }, async () => {
  await demo.visit();
  assert.equal(await demo.get("former-job").count(), 0, "not before the files are there");
  await demo.useSample();
  await demo.setNumber("depth", depth);
  await demo.get("former-job").waitFor();
  assert.equal(Number(await demo.get("former-job").getAttribute("data-scored")), scoredFirst);
  assert.match(await demo.get("former-job").innerText(), new RegExp(`${scoredFirst} of ${pairs} pairs`));
  await demo.screenshot("5-resume");
});

test("started again, the job scores what is left and nothing else", { timeout }, async () => {
  await demo.get("start").click();
  assert.equal(await demo.waitForState(["done"]), "done");
  const { done, total, cached } = await demo.stage("score");
  assert.deepEqual([done, total], [pairs, pairs]);
  assert.equal(cached, scoredFirst, "pairs scored before");
  assert.equal(scoredFirst + (total - cached), pairs, "pairs scored in both goes");
  const encoded = await demo.stage("encode");
  assert.equal(encoded.cached, encoded.total, "no text was encoded twice");
});

test("the store holds every pair exactly once", async () => {
  const stored = await storedPairs();
  assert.equal(stored.length, pairs);
  assert.equal(new Set(stored).size, pairs);
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
