// Every part of the road says how it stands, and has details for those who want them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 2 * 60_000;
const NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8, 9];
let demo;

before(
  async () => {
    demo = await DemoPage.open();
    await demo.visit();
  },
  { timeout },
);

after(() => demo?.close());

const states = async () => Promise.all(NUMBERS.map((number) => demo.get(`section-${number}-state`).innerText()));

test("before there is anything, every part says what it needs", { timeout }, async () => {
  assert.deepEqual(await states(), [
    "nothing chosen yet",
    "models not loaded yet",
    "needs data",
    "needs data",
    "no result yet",
    "no result yet",
    "no result yet",
    "no result yet",
    "network still open",
  ]);
});

test("with data but no folders chosen for the models, Run says that it needs models", { timeout }, async () => {
  await demo.useTinyJob();
  await demo.get("models-folder").check();
  assert.equal(await demo.get("section-4-state").innerText(), "needs models");
  await demo.get("models-server").check();
  assert.equal(await demo.get("section-4-state").innerText(), "not started");
});

test("how WebGPU is tested and what is downloaded, and how judging goes, can be read before a job", async () => {
  await demo.get("device-more").locator("summary").click();
  assert.match(
    await demo.get("device-more").innerText(),
    /agree with the CPU’s .* faster .* encoder is some 90 MB on the hub/s,
  );
  await demo.get("judge-how").locator("summary").click();
  assert.match(await demo.get("judge-how").innerText(), /Below p = 0\.05 one is called better or worse/);
});

test("with a result every part says how it stands, and can be opened for details", { timeout }, async () => {
  await demo.run();
  const [, , plan, run, inside, compare, judge, download] = await states();
  assert.match(plan, /^\d+ pairs/);
  assert.equal(run, "done");
  assert.match(inside, /^\d+ rows$/);
  // The encoder agrees perfectly before it is tuned.
  assert.equal(compare, "base is delivered");
  assert.equal(judge, "no verdict yet");
  assert.equal(download, "ready");
  for (const number of NUMBERS) {
    const details = demo.page.locator(`section[aria-labelledby=section-${number}] details`);
    assert.ok((await details.count()) > 0, `part ${number}`);
  }
});
