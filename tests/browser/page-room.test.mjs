// Where the browser has no room for a job's files, that is said where the job runs, and no longer than it holds.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 5 * 60_000;
let demo;

before(
  async () => {
    demo = await DemoPage.open();
    await demo.visit();
    await demo.page.evaluate(() => {
      const { put } = IDBObjectStore.prototype;
      IDBObjectStore.prototype.put = function (value, ...key) {
        if (value instanceof File && !globalThis.room) throw new DOMException("full", "QuotaExceededError");
        return put.call(this, value, ...key);
      };
    });
    await demo.useSample();
    await demo.setNumber("depth", 30);
  },
  { timeout },
);

after(() => demo?.close());

const notice = () => demo.page.locator("section[aria-labelledby=section-4] [data-testid=unkept]");

test("it is said in Run while the job runs, and while it is paused", { timeout }, async () => {
  await demo.get("start").click();
  await notice().waitFor();
  assert.match(await notice().innerText(), /no room to keep your files.*do not close the page/);
  await demo.page.locator("[data-testid=stage-score][data-status=active]").waitFor({ timeout });
  await demo.get("pause").click();
  await demo.waitForState(["paused"]);
  assert.equal(await notice().count(), 1);
});

test("it goes when the job is cancelled", { timeout }, async () => {
  await demo.get("cancel").click();
  await demo.waitForState(["cancelled"]);
  await notice().waitFor({ state: "detached" });
});

test("with room again, the next job does not say it", { timeout }, async () => {
  await demo.page.evaluate(() => {
    globalThis.room = true;
  });
  await demo.get("file-qrels-remove").click();
  await demo.useTinyJob();
  await demo.get("start").click();
  await demo.page.locator("[data-testid=stage-load]:not([data-status=waiting])").waitFor();
  assert.equal(await notice().count(), 0);
  await demo.waitForState(["done"]);
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
