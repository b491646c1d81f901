// Judging on the page, without a mouse: answers decide what is delivered, and are there again after a reload.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { violations } from "./support/axe.mjs";
import { DemoPage } from "./support/demo-page.mjs";
import { documents, manyQueries as queries } from "./support/tiny-job.mjs";

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

const progress = () => demo.get("judge-progress").innerText();

/** Runs a job without judgements, from one text a line. */
async function run() {
  await demo.get("device-cpu").check();
  await demo.choose("queries", "log.txt", queries.join("\n"));
  await demo.choose("documents", "shop.txt", documents.join("\n"));
  for (const name of ["queries", "documents"]) await demo.get(`summary-${name}`).waitFor();
  await demo.run();
}

/** The documents that the base model ranks higher than the tuned one, of each query. */
async function better() {
  const found = new Map();
  for (const query of queries) {
    await demo.get("search-box").fill(query);
    await demo.get("search-submit").click();
    await demo.get("search-moved").getByText(`“${query}”`).waitFor();
    const ids = (side) =>
      demo
        .get(`search-${side}`)
        .locator("li")
        .evaluateAll((items) => items.map(({ dataset }) => dataset.id));
    const [base, tuned] = [await ids("base"), await ids("tuned")];
    const sinks = (id, rank) => !tuned.includes(id) || tuned.indexOf(id) > rank;
    found.set(query, new Set(base.filter(sinks).map((id) => documents[Number(id) - 1])));
  }
  return found;
}

/** Begins to judge; resolves when the first question is there, or the last is past. */
async function begin() {
  await demo.press("judge-start");
  await demo.get("judge-progress").waitFor({ timeout });
}

test("before a job there is nothing to judge", async () => {
  assert.equal(await demo.get("judge-start").count(), 0);
});

test("after a job without judgements it is offered, and where the verdict stands is said", { timeout }, async () => {
  await run();
  assert.match(await demo.get("verdict").innerText(), /judge some below/);
  await demo.page.getByText("up to 300 answers, by a key each").waitFor();
  await begin();
});

test("questions are answered by a single key, one after the other", { timeout }, async () => {
  assert.match(await progress(), /^Query 1 of \d+, document 1 of \d; 0 answers kept$/);
  assert.ok(queries.includes(await demo.page.locator(".asked").innerText()));
  await demo.page.keyboard.press("y");
  await demo.page.keyboard.press("n");
  await demo.page.keyboard.press("Backspace");
  await demo.page.keyboard.press("s");
  assert.match(await progress(), /^Query 1 of \d+, document 3 of \d; 2 answers kept$/);
});

test("after a reload the answers of the same log are there", { timeout }, async () => {
  await demo.visit();
  await run();
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

test("answers against the tuned model have the base model delivered, all over the page", { timeout }, async () => {
  assert.equal(await demo.get("delivered").getAttribute("data-delivered"), "tuned");
  const relevant = await better();
  await demo.page.evaluate(() => document.querySelector(".judge").focus());
  for (let presses = 0; presses < 2; presses++) await demo.page.keyboard.press("Backspace");
  while ((await demo.get("judge-document").count()) > 0) {
    const [query, document] = [
      await demo.page.locator(".asked").innerText(),
      await demo.get("judge-document").innerText(),
    ];
    await demo.page.keyboard.press(relevant.get(query).has(document) ? "y" : "n");
  }
  await demo.get("judge-result").waitFor({ timeout });
  assert.equal(await demo.get("judge-result").getAttribute("data-conclusion"), "worse");
  assert.match(await demo.get("judge-result").innerText(), /That is why the base model is delivered now/);
  await demo.page.locator("[data-testid=delivered][data-delivered=base]").waitFor();
  assert.match(
    await demo.get("delivered").innerText(),
    /^The base model is delivered, by your answers\. The tuned model/,
  );
  assert.match(await demo.get("verdict").innerText(), /^By your answers: The tuned model ranks your log worse/);
  assert.match(await demo.get("results-basis").innerText(), /^By your answers for \d+ queries/);
  assert.match(await demo.get("judging-ndcg@10").innerText(), /nDCG@10, your answers/);
  const download = await demo.get("download-delivered").innerText();
  assert.match(download, /base model as it was: by your answers .* Your answers are in data\/judgements\.tsv/);
  assert.match(await demo.get("history-job").first().innerText(), /base model delivered; by your answers nDCG@10/);
  assert.deepEqual(await violations(demo.page), []);
  await demo.screenshot("judge");
});

test("the answers are saved as judgements, which the page reads", { timeout }, async () => {
  const waiting = demo.page.waitForEvent("download", { timeout });
  await demo.page.evaluate(() => document.querySelector(".judge").focus());
  await demo.press("judge-save", "Space");
  const download = await waiting;
  assert.equal(download.suggestedFilename(), "judgements.tsv");
  const text = readFileSync(await download.path(), "utf8");
  assert.match(text, /^query-id\tcorpus-id\tscore\n(\d+\t\d+\t[012]\n)+$/);
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
