// Judging on the page, without a mouse: answers decide what is delivered, and are there again after a reload.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { violations } from "./support/axe.mjs";
import { DemoPage } from "./support/demo-page.mjs";
import { queries } from "./support/tiny-job.mjs";

const timeout = 3 * 60_000;
let demo;

before(
  async () => {
    demo = await DemoPage.open();
    await demo.visit();
  },
  { timeout },
);

after(() => demo?.close());

const focused = () =>
  demo.page.evaluate(() => document.activeElement?.dataset.testid ?? document.activeElement?.tagName);

async function press(testid, key = "Enter") {
  for (let presses = 0; presses < 200 && (await focused()) !== testid; presses++) await demo.page.keyboard.press("Tab");
  assert.equal(await focused(), testid, "Tab leads there");
  await demo.page.keyboard.press(key);
}

const progress = () => demo.get("judge-progress").innerText();

/** Begins to judge; resolves when the first question is there, or the last is past. */
async function begin() {
  await press("judge-start");
  await demo.get("judge-progress").waitFor({ timeout });
}

test("before a job there is nothing to judge", async () => {
  assert.equal(await demo.get("judge-start").count(), 0);
});

test("after a job without judgements it is offered, and where the verdict stands is said", { timeout }, async () => {
  await demo.useTinyJob();
  await demo.run();
  assert.match(await demo.get("verdict").innerText(), /judge some below/);
  await begin();
});

test("questions are answered by a single key, one after the other", { timeout }, async () => {
  assert.match(await progress(), /^0 queries of \d; 0 answers kept$/);
  assert.ok(queries.includes(await demo.page.locator(".asked").innerText()));
  await demo.page.keyboard.press("y");
  await demo.page.keyboard.press("n");
  await demo.page.keyboard.press("Backspace");
  await demo.page.keyboard.press("s");
  assert.match(await progress(), /; 2 answers kept$/);
});

test("after a reload the answers of the same log are there", { timeout }, async () => {
  await demo.visit();
  await demo.useTinyJob();
  await demo.run();
  await begin();
  assert.match(await progress(), /; 2 answers kept$/);
});

test("axe finds nothing while questions are there, and none of it sticks out of a phone", { timeout }, async () => {
  for (const width of [1200, 360]) {
    await demo.page.setViewportSize({ width, height: 800 });
    assert.deepEqual(await violations(demo.page), [], `${width}`);
    assert.ok((await demo.page.evaluate(() => document.documentElement.scrollWidth)) <= width);
  }
  await demo.page.setViewportSize({ width: 1200, height: 900 });
});

test("behind the last question the verdict is there, on every part of the page", { timeout }, async () => {
  await demo.page.evaluate(() => document.querySelector(".judge").focus());
  for (let presses = 0; presses < 60 && (await demo.get("judge-document").count()) > 0; presses++) {
    await demo.page.keyboard.press(presses % 3 === 0 ? "y" : "n");
  }
  await demo.get("judge-result").waitFor({ timeout });
  assert.notEqual(await demo.get("judge-result").getAttribute("data-conclusion"), "none");
  await demo.get("judging-ndcg@10").waitFor();
  assert.match(await demo.get("results-basis").innerText(), /^By your answers for \d queries/);
  assert.match(await demo.get("verdict").innerText(), /^By your answers: /);
  assert.match(await demo.get("download-delivered").innerText(), /Your answers are in data\/judgements\.tsv/);
  assert.match(await demo.get("history-job").first().innerText(), /by your answers nDCG@10/);
  assert.deepEqual(await violations(demo.page), []);
  await demo.screenshot("judge");
});

test("the answers are saved as judgements, which the page reads", { timeout }, async () => {
  const waiting = demo.page.waitForEvent("download", { timeout });
  await demo.page.evaluate(() => document.querySelector(".judge").focus());
  await press("judge-save", "Space");
  const download = await waiting;
  assert.equal(download.suggestedFilename(), "judgements.tsv");
  const text = readFileSync(await download.path(), "utf8");
  assert.match(text, /^query-id\tcorpus-id\tscore\n(q\d\td\d+\t[012]\n)+$/);
  await demo.get("judgements").locator("summary").first().click();
  await demo.choose("qrels", "judgements.tsv", text);
  await demo.get("reading-qrels").waitFor();
});

test("with judgements it is there, folded", { timeout }, async () => {
  await demo.run();
  assert.equal(await demo.get("judge-start").isVisible(), false);
  await demo.get("judge-more").locator("summary").first().click();
  await demo.get("judge-start").click();
  await demo.get("judge-result").waitFor({ timeout });
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
