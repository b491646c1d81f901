// Every job that stopped and whose files are kept can be gone on with, not the newest alone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DemoPage } from "./support/demo-page.mjs";
import { documents, queries } from "./support/tiny-job.mjs";

const timeout = 5 * 60_000;
let demo;

/** Begins a job on a log of that name, and leaves the page in the middle of it. */
async function leave(name) {
  await demo.visit();
  await demo.get("device-cpu").check();
  await demo.choose("queries", name, queries.map((query) => `${query} ${name}`).join("\n"));
  await demo.choose("documents", "shop.txt", documents.join("\n"));
  for (const slot of ["queries", "documents"]) await demo.get(`summary-${slot}`).waitFor();
  await demo.get("start").click();
  await demo.page.locator("[data-testid=stage-load]:not([data-status=waiting])").waitFor({ timeout });
  await demo.page.reload();
  await demo.get("history-job").first().waitFor();
}

before(
  async () => {
    demo = await DemoPage.open();
    await leave("first.txt");
    await leave("second.txt");
  },
  { timeout },
);

after(() => demo?.close());

test("the newest is offered, and each has its own button", { timeout }, async () => {
  assert.match(await demo.get("continue").innerText(), /second\.txt and shop\.txt/);
  assert.equal(await demo.get("history-go-on").count(), 2);
});

test("an offer that could not be taken stays", { timeout }, async () => {
  await demo.page.evaluate(() => {
    const { transaction } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = (...of) => {
      IDBDatabase.prototype.transaction = transaction;
      throw new DOMException(`The files cannot be read: ${of[0]}`, "UnknownError");
    };
  });
  await demo.get("continue-job").click();
  await demo.get("error-continue").getByText("The files cannot be read").waitFor();
  assert.ok(await demo.get("continue-job").isEnabled());
});

test("an older one goes on from the list", { timeout }, async () => {
  const goOn = demo.get("history-job").filter({ hasText: "first.txt" }).getByTestId("history-go-on");
  await goOn.click();
  assert.equal(await demo.page.evaluate(() => document.activeElement?.id), "section-4");
  await demo.page.locator("[data-testid=job-state][data-state=running]").waitFor({ state: "attached" });
  await goOn.waitFor({ state: "detached" });
  await demo.waitForState(["done"]);
  assert.match(await demo.get("compare-of").innerText(), /first\.txt and shop\.txt/);
  assert.equal(await demo.get("history-job").count(), 2, "it is the same job");
});

test("the other one asks before it takes the place of a result that was not downloaded", { timeout }, async () => {
  const row = demo.get("history-job").filter({ hasText: "second.txt" });
  await row.getByTestId("history-go-on").click();
  await row.getByTestId("replace-yes").click();
  await demo.page.locator("[data-testid=job-state][data-state=running]").waitFor({ state: "attached" });
  await demo.waitForState(["done"]);
  assert.match(await demo.get("compare-of").innerText(), /second\.txt and shop\.txt/);
  assert.equal(await demo.get("history-go-on").count(), 0);
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
