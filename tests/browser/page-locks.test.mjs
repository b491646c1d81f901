// Where the browser has locks that cannot be used, as in some private windows, jobs are listed, gone on with and deleted.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 5 * 60_000;
let demo;

before(
  async () => {
    demo = await DemoPage.open();
    await demo.page.addInitScript(() => {
      const refuse = () => Promise.reject(new DOMException("planted", "SecurityError"));
      LockManager.prototype.query = refuse;
      LockManager.prototype.request = refuse;
    });
    await demo.visit();
    await demo.useTinyJob();
    await demo.setNumber("depth", 5);
    await demo.get("start").click();
    await demo.page.locator("[data-testid=stage-load]:not([data-status=waiting])").waitFor({ timeout });
    await demo.page.reload();
  },
  { timeout },
);

after(() => demo?.close());

test("after a reload the job is in the list, and offered", { timeout }, async () => {
  await demo.get("history-job").waitFor();
  await demo.get("continue").waitFor();
});

test("it goes on to its end", { timeout }, async () => {
  await demo.get("continue-job").click();
  await demo.page.locator("[data-testid=job-state][data-state=running]").waitFor({ state: "attached" });
  await demo.waitForState(["done"]);
});

test("what is stored is deleted", { timeout }, async () => {
  for (const what of ["scores", "jobs"]) await demo.deleteStored(what);
  await demo.get("history-job").waitFor({ state: "detached" });
  assert.equal(await demo.get("error-storage").count(), 0);
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
