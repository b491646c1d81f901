// A running job is paused, resumed, left and taken up again; the tab and the browser tell of it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 2 * 60_000;
/** So many that no job ends before it is stopped. */
const depth = 30;
let demo;

before(
  async () => {
    demo = await DemoPage.open();
    await demo.visit();
    await demo.useSample();
    await demo.setNumber("depth", depth);
  },
  { timeout },
);

after(() => demo?.close());

/** Whether the browser would ask before the page is closed. */
const asks = () => demo.page.evaluate(() => !dispatchEvent(new Event("beforeunload", { cancelable: true })));

test("left before anything is scored, the job is offered all the same", { timeout }, async () => {
  await demo.get("start").click();
  await demo.page.locator("[data-testid=stage-encode][data-status=active]").waitFor({ timeout });
  await demo.page.reload();
  await demo.get("continue").waitFor();
  assert.match(await demo.get("continue").innerText(), /nothing scored yet/);
  await demo.get("continue-forget").click();
  await demo.get("continue").waitFor({ state: "detached" });
  assert.equal(await demo.page.evaluate(() => document.activeElement.id), "section-1", "the focus is not lost");
  await demo.visit();
  await demo.useSample();
  await demo.setNumber("depth", depth);
});

let scored;

test("the tab's title tells how far it is, and closing is asked about", { timeout }, async () => {
  assert.equal(await asks(), false, "nothing runs yet");
  assert.equal(await demo.page.title(), "querytune");
  await demo.get("start").click();
  await demo.scoredAtLeast(40);
  assert.match(await demo.page.title(), /^\d+% Score candidates – querytune$/);
  assert.equal(await asks(), true);
});

test("a screen reader is told of stages and tenths, politely", async () => {
  assert.match(await demo.get("announcement").innerText(), /^Score candidates: \d*0%$/);
  assert.equal(await demo.get("announcement").getAttribute("aria-live"), "polite");
});

test("pausing gives the page back and keeps what is scored", { timeout }, async () => {
  await demo.get("pause").click();
  assert.equal(await demo.waitForState(["paused"]), "paused");
  assert.equal(await demo.get("start").innerText(), "Resume");
  assert.match(await demo.page.title(), /^Paused/);
  assert.equal(await asks(), false);
  scored = (await demo.stage("score")).done;
});

test("loaded anew, the page offers to go on, with the files it kept", { timeout }, async () => {
  await demo.page.reload();
  await demo.get("continue").waitFor();
  const offer = await demo.get("continue").innerText();
  assert.match(offer, /queries\.csv and documents\.csv/);
  assert.ok(offer.includes(`${scored} of 3,420 pairs scored`), offer);
  assert.equal(await demo.get("summary-queries").count(), 0, "nothing is read unasked");
});

test("it goes on where it was, with the same choices, and scores nothing twice", { timeout }, async () => {
  await demo.get("continue-job").click();
  await demo.page.waitForFunction(() => document.activeElement?.id === "section-4", null, { timeout });
  await demo.scoredAtLeast(scored + 1);
  assert.equal(await demo.get("depth").inputValue(), String(depth));
  assert.ok(await demo.get("device-cpu").isChecked());
  assert.equal((await demo.stage("score")).cached, scored);
  assert.equal(await demo.get("reading-qrels").count(), 1, "the judgements are back, too");
});

test("cancelling deletes the kept files, and nothing is offered any more", { timeout }, async () => {
  assert.deepEqual(await demo.keptFiles(), ["documents.csv", "qrels.tsv", "queries.csv"]);
  await demo.get("cancel").click();
  assert.equal(await demo.waitForState(["cancelled"]), "cancelled");
  await demo.page.waitForFunction(() => !document.querySelector("[data-testid=start]").disabled);
  assert.deepEqual(await demo.keptFiles(), []);
  await demo.visit();
  await demo.get("stored-jobs").waitFor();
  assert.equal(await demo.get("continue").count(), 0);
});

test("a paused job is cancelled, too, and its files are deleted", { timeout }, async () => {
  await demo.useSample();
  await demo.setNumber("depth", depth);
  await demo.get("start").click();
  await demo.scoredAtLeast(1);
  await demo.get("pause").click();
  await demo.waitForState(["paused"]);
  assert.equal((await demo.keptFiles()).length, 3);
  await demo.get("cancel").click();
  await demo.waitForState(["cancelled"]);
  await demo.page.waitForFunction(() =>
    document.querySelector("[data-testid=history-job]").innerText.includes("stopped"),
  );
  await demo.get("history-job").filter({ hasNotText: "its files are kept" }).waitFor();
  assert.deepEqual(await demo.keptFiles(), []);
});

test("files that no job knows of are deleted on the next visit", { timeout }, async () => {
  // As if the page had been closed in the middle of a deletion.
  await demo.page.evaluate(async () => {
    const settle = (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const database = await settle(indexedDB.open("querytune-page"));
    const files = database.transaction("files", "readwrite").objectStore("files");
    await settle(files.put(new File(["tent"], "orphan.csv"), ["nobody", "queries"]));
    database.close();
  });
  assert.deepEqual(await demo.keptFiles(), ["orphan.csv"]);
  await demo.visit();
  await demo.get("history-job").waitFor();
  assert.deepEqual(await demo.keptFiles(), []);
  await demo.useSample();
  await demo.setNumber("depth", depth);
});

test("without leave to keep files nothing of them is kept", { timeout }, async () => {
  await demo.get("keep-files").uncheck();
  await demo.get("start").click();
  await demo.scoredAtLeast(1);
  assert.deepEqual(await demo.keptFiles(), []);
  await demo.get("pause").click();
  assert.equal(await demo.waitForState(["paused"]), "paused");
});

test("with other files there is nothing to resume", { timeout }, async () => {
  assert.equal(await demo.get("start").innerText(), "Resume");
  await demo.choose("queries", "log.csv", "id,query\n1,tent\n2,lamp\n");
  await demo.get("summary-queries").filter({ hasText: "2 queries" }).waitFor();
  assert.equal(await demo.get("start").innerText(), "Start");
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
