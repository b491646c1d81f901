// A file that was changed on the disk since it was chosen is said at its field, and takes no result with it.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 2 * 60_000;
let demo;
let folder;

before(
  async () => {
    folder = mkdtempSync(join(tmpdir(), "querytune-"));
    demo = await DemoPage.open();
    await demo.visit();
    await demo.useTinyJob();
    await demo.setNumber("depth", 5);
    await demo.run();
  },
  { timeout },
);

after(async () => {
  await demo?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Chooses a file of the disk. */
async function choose(field, name, content) {
  const path = join(folder, name);
  writeFileSync(path, content);
  await demo.get(`file-${field}`).setInputFiles(path);
}

const change = (name) => writeFileSync(join(folder, name), "id,query\n1,another\n2,one\n3,by now\n");

/** That it is said at the field, and that the result is there and of use. */
async function isRefused(field, name) {
  const error = demo.get(`error-${field}`);
  await error.filter({ hasText: /cannot be read.*Choose it again/ }).waitFor();
  assert.equal(await error.getAttribute("data-code"), "input-unreadable");
  assert.ok((await error.innerText()).startsWith(`${name}: `));
  assert.equal(await demo.get("result-lost").count(), 0);
  await demo.get("search-box").fill("a chess set");
  await demo.get("search-submit").click();
  await demo.get("search-moved").getByText("a chess set").waitFor();
}

test("read again in another way, a file that was changed is refused, and the result stays", { timeout }, async () => {
  await choose("queries", "mine.csv", "id,query\n1,tent\n2,lamp\n");
  await demo.get("summary-queries").filter({ hasText: "2 queries" }).waitFor();
  change("mine.csv");
  await demo.get("change-queries").click();
  await demo.get("queries-header").selectOption("false");
  await isRefused("queries", "mine.csv");
});

test("so are judgements", { timeout }, async () => {
  await demo.get("judgements").locator("summary").first().click();
  await choose("qrels", "qrels.csv", "1,d1,1\n2,d2,1\n");
  await demo.get("summary-qrels").filter({ hasText: "2 judgements" }).waitFor();
  change("qrels.csv");
  await demo.get("change-qrels").click();
  await demo.get("qrels-header").selectOption("true");
  await isRefused("qrels", "qrels.csv");
  await demo.get("file-qrels-remove").click();
});

test("chosen again it is read", { timeout }, async () => {
  await demo.get("file-queries").setInputFiles(join(folder, "mine.csv"));
  await demo.get("summary-queries").filter({ hasText: "3 queries" }).waitFor();
  assert.equal(await demo.get("error-queries").count(), 0);
});

test("a job on a file that was changed since it was read says to choose it again", { timeout }, async () => {
  writeFileSync(join(folder, "mine.csv"), "id,query\n1,changed once more\n");
  await demo.get("start").click();
  await demo.get("replace-yes").click();
  await demo.waitForState(["failed"]);
  assert.match(await demo.get("error-job").innerText(), /mine\.csv was changed, .* Choose it again\./);
  assert.equal(await demo.get("result-lost").count(), 0);
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
