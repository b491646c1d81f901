// A newer log goes on from the download of an earlier run: only new pairs are scored, and the page says what is new.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { unzipSync, zipSync } from "fflate";
import { lookEverywhere } from "./support/axe.mjs";
import { DemoPage } from "./support/demo-page.mjs";
import { documents, manyQueries } from "./support/tiny-job.mjs";

const timeout = 5 * 60_000;
const depth = 5;
/** Two of the earlier log's are asked again, more often. */
const [earlier, newer] = [manyQueries.slice(0, 10), manyQueries.slice(8)];
let demo;
let artifact;
/** For downloads: Playwright hands large files to a browser by their paths only. */
let folder;

before(
  async () => {
    folder = mkdtempSync(join(tmpdir(), "querytune-"));
    demo = await DemoPage.open();
    await demo.visit();
    await chooseLog(earlier);
    await demo.run();
    artifact = await saved("download-artifact");
    // What is in the store would not be scored again either.
    await demo.visit();
    await demo.deleteStored("all");
    await demo.page.locator("[data-testid=history-job]").waitFor({ state: "detached" });
    await demo.visit();
  },
  { timeout },
);

after(async () => {
  await demo?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function chooseLog(queries) {
  const csv = (texts, letter) => `id,text\n${texts.map((text, i) => `${letter}${i + 1},"${text}"`).join("\n")}\n`;
  await demo.get("device-cpu").check();
  await demo.choose("queries", "log.csv", csv(queries, "q"));
  await demo.choose("documents", "shop.csv", csv(documents, "d"));
  for (const name of ["queries", "documents"]) await demo.get(`summary-${name}`).waitFor();
  await demo.setNumber("depth", depth);
}

async function chooseEarlier(name, content) {
  const path = join(folder, name);
  writeFileSync(path, content);
  await demo.get("file-previous").setInputFiles(path);
}

async function saved(testid) {
  const waiting = demo.page.waitForEvent("download", { timeout });
  await demo.get(testid).click();
  return readFileSync(await (await waiting).path());
}

const text = (testid) => demo.get(testid).innerText();

test("the field is folded away, and says what it is for", async () => {
  assert.ok(await demo.get("file-previous").isHidden());
  await demo.get("earlier").locator("summary").first().click();
  assert.match(await text("earlier"), /only pairs that are new are scored/);
  assert.equal(await demo.get("file-previous-paste").count(), 0, "a zip is no text");
});

test("what is no download is refused at the field", { timeout }, async () => {
  const error = demo.get("error-previous");
  const others = zipSync({ "notes.txt": Buffer.from("nothing of ours") });
  const strange = zipSync({ "report.json": Buffer.from("{}") });
  for (const [name, content, why] of [
    ["log.csv", "id,query\n1,tent\n", /log\.csv is no download of an earlier run/],
    ["notes.zip", others, /notes\.zip is no download of an earlier run/],
    ["strange.zip", strange, /report\.json in strange\.zip is not that of a run/],
    ["half.zip", artifact.subarray(0, artifact.length / 2), /half\.zip is no download of an earlier run/],
  ]) {
    await chooseEarlier(name, content);
    await error.filter({ hasText: why }).waitFor();
    assert.equal(await error.getAttribute("data-code"), "artifact", name);
    assert.match(await error.innerText(), /Choose the artifact\.zip that was downloaded then/, name);
  }
  await lookEverywhere(demo.page);
});

test("one of another encoder is refused when the engine opens it, at the field, too", { timeout }, async () => {
  await chooseLog(newer);
  const files = unzipSync(artifact, { filter: ({ name }) => !name.startsWith("model/") });
  const report = JSON.parse(Buffer.from(files["report.json"]));
  report.models.encoder.sha256 = "0".repeat(64);
  files["report.json"] = Buffer.from(JSON.stringify(report));
  await chooseEarlier("other.zip", zipSync(files, { level: 1 }));
  await demo.get("reading-previous").waitFor();
  await demo.get("start").click();
  await demo.waitForState(["failed"]);
  assert.match(await text("error-previous"), /made with the encoder all-MiniLM-L6-v2/);
  assert.match(await text("error-job"), /Its field, in Data, says why/);
});

test("a good one is described, and the plan counts the joined log, at most", { timeout }, async () => {
  await chooseEarlier("artifact.zip", artifact);
  await demo.get("reading-previous").waitFor();
  assert.match(await text("reading-previous"), /^10 queries and 20 documents with 50 scores/);
  assert.match(
    await text("plan"),
    /^90 pairs to score at most: 18 queries \(10 of the earlier run, .*\), 5 candidates each\. Up to 50 of them were scored/,
  );
  await lookEverywhere(demo.page);
});

test("a job that is left goes on with it after a reload, and scores only what is new", { timeout }, async () => {
  await demo.get("start").click();
  await demo.page.locator("[data-testid=stage-load]:not([data-status=waiting])").waitFor({ timeout });
  await demo.page.reload();
  assert.match(await text("continue"), /going on from artifact\.zip/);
  await demo.get("continue-job").click();
  await demo.waitForState(["done"]);
  await demo.get("reading-previous").waitFor();
  const { total, cached } = await demo.stage("score");
  assert.equal(total, manyQueries.length * depth, "each query of both logs once");
  assert.ok(cached >= earlier.length * depth, `${cached} of ${total}`);
});

test("what is new is told in words and figures, and agreement is called so", async () => {
  assert.equal(
    await text("since-new"),
    "The earlier run had 10 queries and 20 documents; 6 queries and 0 documents are new. 50 scores were taken over from it.",
  );
  assert.match(await text("since-verdict"), /cross-encoder.*Agreement is not quality\./);
  const cells = await demo.get("since-agreement").locator("th, td").allInnerTexts();
  assert.match(cells[0], /^Agreement, \d new quer(y|ies)$/);
  for (const cell of cells.slice(1, 3)) assert.match(cell, /^[01]\.\d{4}$/);
  assert.match(cells[4], /^[+-]?\d\.\d{4} to [+-]?\d\.\d{4}$/);
});

test("queries are shown by the numbers of the joined log", { timeout }, async () => {
  await demo.get("candidates-query").getByText(`1 of ${manyQueries.length}:`).waitFor();
  // Only the earlier log has it.
  await demo.get("candidates-find").fill(earlier[3]);
  await demo.page.getByRole("list", { name: "Queries found" }).getByRole("button").click();
  await demo.get("candidates-query").getByText(earlier[3]).waitFor();
  await demo.get("candidates-table").getByText("Chess for beginners").first().waitFor();
  await demo.get("candidates-by-score").check();
  const best = await demo.get("candidates-table").locator("tbody tr").first().innerText();
  assert.match(best, /Chess for beginners/, "its own candidates, not another query's");
});

test("each query's agreement can be taken away as a table", { timeout }, async () => {
  const lines = (await saved("download-per-query-agreement")).toString().trim().split("\n");
  assert.match(lines[0], /^query-id,query,count,/);
  assert.equal(lines.length, 1 + manyQueries.length);
  assert.equal(await demo.get("download-per-query-judged").count(), 0, "nothing was judged");
});

test("with judgements the earlier model is compared by them, query by query, too", { timeout }, async () => {
  await demo.get("judgements").locator("summary").first().click();
  await demo.choose("qrels", "qrels.tsv", "query-id\tcorpus-id\tscore\nq1\td17\t1\nq3\td6\t1\n");
  await demo.get("reading-qrels").waitFor();
  await demo.run();
  for (const metric of ["ndcg@10", "mrr@10", "map@100", "recall@100"]) {
    const cells = await demo.get(`since-${metric}`).locator("td").allInnerTexts();
    assert.match(cells[4], /^[01]\.\d{4}$/, metric);
  }
  assert.match(await text("since-verdict"), /^(The earlier run .*)?By your judgements/);
  const lines = (await saved("download-per-query-judged")).toString().trim().split("\n");
  assert.match(lines[0], /ndcg@10 base,ndcg@10 tuned,ndcg@10 ceiling/);
  assert.equal(lines.length, 3);
  await lookEverywhere(demo.page);
});

test("without it a run on the same files is another job, and tells of none before", { timeout }, async () => {
  await demo.get("file-previous-remove").click();
  assert.match(await text("plan"), /^40 pairs to score: 8 queries/);
  await demo.run();
  assert.equal(await demo.get("since").count(), 0);
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
