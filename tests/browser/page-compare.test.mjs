// What came out can be looked into: candidates, figures with intervals, queries that rose and fell, both rankings.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DemoPage } from "./support/demo-page.mjs";
import { documents, queries } from "./support/tiny-job.mjs";

const timeout = 2 * 60_000;
let demo;

before(
  async () => {
    demo = await DemoPage.open();
    await demo.visit();
    await demo.useTinyJob({ judged: true });
    await demo.run();
  },
  { timeout },
);

after(() => demo?.close());

const rows = (table) => demo.get(table).locator("tbody tr");

test("a query's candidates are shown with cosine and score, by either", { timeout }, async () => {
  await demo.get("candidates-on").click();
  await demo.get("candidates-query").getByText(queries[1]).waitFor();
  await demo.get("candidates-table").getByText(documents[2]).waitFor();
  assert.equal(await rows("candidates-table").count(), documents.length);
  const numbers = async (column) =>
    (await rows("candidates-table").locator(`td:nth-child(${column})`).allInnerTexts()).map(Number);
  const falls = (values) => values.every((value, i) => i === 0 || value <= values[i - 1]);
  assert.ok(falls(await numbers(3)), "nearest first");
  await demo.get("candidates-by-score").check();
  assert.ok(falls(await numbers(4)), "best first");
  assert.ok((await rows("candidates-table").first().innerText()).includes(documents[2]));
});

test("a query is found by its words", { timeout }, async () => {
  await demo.get("candidates-find").fill("BICYCLE");
  await demo.page.getByRole("list", { name: "Queries found" }).getByRole("button").click();
  await demo.get("candidates-query").getByText(queries[4]).waitFor();
});

test("base, tuned and ceiling are plotted and tabulated, with intervals", async () => {
  const cells = await demo.get("metric-ndcg@10").locator("td").allInnerTexts();
  assert.match(cells[4], /^[+-]?\d\.\d{4} to [+-]?\d\.\d{4}$/);
  const plot = demo.get("intervals-judged").locator("svg");
  const label = await plot.getAttribute("aria-label");
  assert.ok(label.includes(`nDCG@10: base ${cells[0]}, tuned ${cells[1]}`), label);
  assert.match(label, /ceiling \d\.\d{4}, from [+-]?\d\.\d{4} to [+-]?\d\.\d{4} beside base/);
  const ofCeiling = await demo.get("metric-ndcg@10-ceiling-interval").innerText();
  assert.match(ofCeiling, /^[+-]?\d\.\d{4} to [+-]?\d\.\d{4}$/);
  for (const mark of ["base", "tuned", "ceiling", "of-tuned", "of-ceiling"])
    assert.equal(await plot.locator(`.${mark}`).count(), 4, mark);
  assert.match(await demo.get("results-basis").innerText(), /^By your judgements, on 2 queries of the log\. /);
  assert.match(await demo.get("verdict").innerText(), /^By your judgements the tuned model ranks .*may be chance/);
});

test("judging is not said to be the only figure where the log's own queries are judged", async () => {
  const sentence = demo.page.locator("section[aria-labelledby=section-7] > p").first();
  assert.match(await sentence.innerText(), /whether they fit\. Your judgements say it, too/);
});

test("queries like the log's and new ones have figures of their own", async () => {
  for (const kind of ["random", "grouped"]) {
    assert.match(await demo.get(`agreement-${kind}`).innerText(), /Agreement: .*\(6 queries\)/, kind);
  }
  assert.equal(await demo.get("intervals-agreement").locator("circle.tuned").count(), 2);
});

test("queries that rose and fell are listed by judgements first, then all of them by agreement", {
  timeout,
}, async () => {
  for (const [kind, count] of Object.entries({ judged: 2, agreement: queries.length })) {
    const summary = demo.get(`gains-summary-${kind}`);
    await summary.waitFor({ state: "attached", timeout });
    const [, all, rose, fell] = /^Of (\d+) queries, (\d+) rose, (\d+) fell/.exec(await summary.textContent()) ?? [];
    assert.equal(Number(all), count, kind);
    assert.equal(await demo.get(`gained-${kind}`).locator("li").count(), Number(rose), kind);
    assert.equal(await demo.get(`lost-${kind}`).locator("li").count(), Number(fell), kind);
  }
  assert.equal(await demo.get("gains-summary-agreement").isVisible(), false, "folded: judgements tell more");
  await demo.get("gains-more").locator("summary").click();
  await demo.get("gains-summary-agreement").waitFor();
});

test("both rankings stand side by side, and what moved is marked", { timeout }, async () => {
  await demo.get("search-box").fill("boots for rain");
  await demo.get("search-submit").click();
  await demo.get("search-tuned").waitFor();
  const ids = (side) =>
    demo
      .get(`search-${side}`)
      .locator("li")
      .evaluateAll((items) => items.map(({ dataset }) => [dataset.id, dataset.moved]));
  const [base, tuned] = [await ids("base"), await ids("tuned")];
  const places = new Map(base.map(([id], rank) => [id, rank]));
  for (const [rank, [id, moved]] of tuned.entries()) {
    assert.equal(moved === "true", places.get(id) !== rank, `${id} on rank ${rank}`);
  }
});

test("every download comes with the lines that load it", async () => {
  const offers = demo.page.locator(".downloads > li");
  assert.equal(await offers.count(), 9);
  for (const offer of await offers.all()) {
    const file = await offer.locator("code").first().innerText();
    const code = await offer.locator("pre").first().textContent();
    assert.ok(code.includes(file === "artifact.zip" ? "SentenceTransformer(" : file), `${file}: ${code}`);
  }
  const javascript = offers.first().getByRole("region", { name: "JavaScript for artifact.zip" });
  assert.match(await javascript.innerText(), /loadArtifact\(/);
});

test("where agreement did not rise, the page says so, and no more", { timeout }, async () => {
  await demo.get("file-qrels-remove").click();
  await demo.choose("queries", "numbers.txt", "number one\nnumber two\nnumber three\nnumber four\n");
  const filler = Array.from({ length: 12 }, (_, i) => `Row ${i} of a table without any meaning.`);
  await demo.choose("documents", "rows.txt", filler.join("\n"));
  await demo.get("summary-documents").getByText("12 documents").waitFor();
  await demo.run();
  assert.equal(await demo.get("delivered").getAttribute("data-delivered"), "base");
  assert.match(await demo.get("delivered").innerText(), /It is not shown that .* agrees more with the cross-encoder/);
  assert.match(await demo.get("download-delivered").innerText(), /: it is not shown that the tuned one agrees more/);
  assert.match(await demo.get("verdict").innerText(), /^Nothing was judged/);
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
