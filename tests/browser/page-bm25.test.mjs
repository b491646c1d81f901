// Documents that BM25 finds by their words are scored where somebody asks for them; the page counts and shows them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 2 * 60_000;
let demo;

before(
  async () => {
    demo = await DemoPage.open();
    await demo.visit();
    await demo.useTinyJob();
    await demo.setNumber("candidates", 4);
    await demo.setNumber("depth", 2);
  },
  { timeout },
);

after(() => demo?.close());

const plan = () => demo.get("plan").innerText();

/** The report that the page offers. */
async function report() {
  const waiting = demo.page.waitForEvent("download", { timeout });
  await demo.get("download-report").click();
  return JSON.parse(readFileSync(await (await waiting).path(), "utf8"));
}

test("by default there are none, and the number is not asked for", async () => {
  assert.ok(!(await demo.get("by-words").isChecked()));
  assert.equal(await demo.get("bm25").count(), 0);
  assert.equal(await plan(), "12 pairs to score: 6 queries, 2 candidates each.");
});

test("what they add is in the plan, at most so much", async () => {
  await demo.get("by-words").check();
  assert.equal(await demo.get("bm25").inputValue(), "10");
  assert.equal(
    await plan(),
    "72 pairs to score at most: 6 queries, 2 candidates each, and up to 10 documents by BM25.",
  );
  await demo.setNumber("bm25", 30);
  assert.match(await plan(), /^120 pairs .* up to 18 documents by BM25\.$/, "there are only twenty documents");
  await demo.setNumber("bm25", 3);
  assert.match(await plan(), /^30 pairs/);
});

test("time for them is taken from the candidates' time", { timeout }, async () => {
  await demo.get("measure").click();
  await demo.get("budget").waitFor({ timeout });
  await demo.page.waitForFunction(() => !document.querySelector("[data-testid=measure]").disabled, null, { timeout });
  await demo.setNumber("candidates", 20);
  await demo.setNumber("minutes", 1);
  // So slow that the time is short.
  await demo.page.evaluate(() => {
    const speed = JSON.parse(localStorage.getItem("querytune.speed"));
    localStorage.setItem("querytune.speed", JSON.stringify({ ...speed, pairsPerSecond: 1, textsPerSecond: 1e6 }));
  });
  await demo.visit();
  await demo.useTinyJob();
  const fits = async () => Number(/score (\d+) candidates?/.exec(await demo.get("budget").innerText())?.[1]);
  await demo.setNumber("minutes", 1);
  assert.equal(await fits(), 9, "60 pairs in a minute are less than 10 of each of the 6 queries");
  await demo.get("by-words").check();
  await demo.setNumber("bm25", 3);
  assert.equal(await fits(), 6);
});

test("they are scored, and stand after the candidates without a rank", { timeout }, async () => {
  await demo.setNumber("candidates", 4);
  await demo.setNumber("depth", 2);
  await demo.run();
  assert.equal((await report()).relations.bm25, 3);
  for (const place of ["scored", "inside"]) {
    assert.match(
      await demo.get(place).innerText(),
      /the first 2 candidates of each query, and up to 3 documents that BM25 found by their words/,
      place,
    );
  }
  const ranks = await demo.get("candidates-table").locator("tbody td:first-child").allInnerTexts();
  assert.deepEqual(ranks.slice(0, 4), ["1", "2", "3", "4"]);
  assert.ok(ranks.length > 4 && ranks.slice(4).every((rank) => rank === "BM25"), ranks.join());
});

test("a job that is gone on with has them, too", { timeout }, async () => {
  await demo.setNumber("depth", 3);
  await demo.get("start").click();
  await demo.get("replace-yes").click();
  await demo.page.locator("[data-testid=stage-load]:not([data-status=waiting])").waitFor({ timeout });
  await demo.page.reload();
  await demo.get("continue-job").click();
  await demo.waitForState(["running", "done"]);
  assert.ok(await demo.get("by-words").isChecked());
  assert.equal(await demo.get("bm25").inputValue(), "3");
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
