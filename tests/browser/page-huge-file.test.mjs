// A file of a hundred megabytes is read while the page goes on answering.
import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 2 * 60_000;
const rows = 450_000;
/** A main thread that read the file itself would be held up for seconds. */
const longest = 700;
let demo;
let folder;
let path;

before(
  async () => {
    folder = mkdtempSync(join(tmpdir(), "querytune-"));
    path = join(folder, "documents.csv");
    const file = openSync(path, "w");
    writeSync(file, "id,title,text\n");
    const filler = "a row of a large catalogue, with commas, and some more words to make it as long as such rows are. ";
    for (let from = 0; from < rows; from += 10_000) {
      let chunk = "";
      for (let i = from; i < from + 10_000; i++) chunk += `d${i},Article ${i},"${i}: ${filler}${filler}${i}"\n`;
      writeSync(file, chunk);
    }
    closeSync(file);
    demo = await DemoPage.open();
    await demo.visit();
  },
  { timeout },
);

after(async () => {
  await demo?.close();
  rmSync(folder, { recursive: true, force: true });
});

test("the page draws and answers while 100 MB are read", { timeout }, async (context) => {
  assert.ok(statSync(path).size > 100e6);
  await demo.page.evaluate(() => {
    globalThis.gaps = [];
    let last = performance.now();
    const tick = () => {
      const now = performance.now();
      globalThis.gaps.push(now - last);
      last = now;
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  const from = performance.now();
  await demo.get("file-documents").setInputFiles(path);
  await demo.page.getByText(/^Reading 1\d\d(\.\d)? MB/).waitFor();
  const progress = demo.get("file-documents-progress");
  await progress.waitFor();
  const first = await progress.evaluate((bar) => bar.value);
  await demo.page.waitForFunction(
    ([testid, first]) => document.querySelector(`[data-testid=${testid}]`)?.value > first,
    ["file-documents-progress", first],
  );
  // Something else can be done meanwhile.
  await demo.get("file-queries-paste").click();
  await demo.get("file-queries-text").fill("tent\nstove\nlamp\n");
  await demo.get("summary-documents").waitFor({ timeout });
  const gaps = await demo.page.evaluate(() => globalThis.gaps);
  const worst = Math.max(...gaps);
  context.diagnostic(`read in ${((performance.now() - from) / 1000).toFixed(1)} s, longest gap ${worst.toFixed(0)} ms`);
  assert.ok(worst < longest, `the page stood still for ${worst.toFixed(0)} ms`);
  assert.match(await demo.get("summary-documents").innerText(), /^450,000 documents from 450,000 rows\.$/);
});

test("another file takes its place at once", { timeout }, async () => {
  await demo.get("file-documents").setInputFiles(path);
  await demo.get("file-documents-progress").waitFor();
  await demo.get("file-documents-paste").click();
  await demo.get("file-documents-text").fill("a tent for two\na stove\n");
  await demo.get("file-documents-take").click();
  await demo.page.getByText("2 documents from 2 rows.").waitFor();
  assert.equal(await demo.get("file-documents-progress").count(), 0);
  await demo.get("file-documents").setInputFiles(path);
  await demo.page.getByText("450,000 documents from 450,000 rows.").waitFor({ timeout });
});

test("it can be looked at and planned with", { timeout }, async () => {
  await demo.get("file-queries-take").click();
  await demo.get("summary-queries").waitFor({ timeout });
  assert.match(await demo.get("preview-documents").innerText(), /d0\s+Article 0/);
  assert.match(await demo.get("plan").innerText(), /^60 pairs to score/);
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
