// A result that was not downloaded is not lost by a click: closing the page and starting another job ask first.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { lookEverywhere } from "./support/axe.mjs";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 5 * 60_000;
let demo;

before(
  async () => {
    demo = await DemoPage.withResult();
  },
  { timeout },
);

after(() => demo?.close());

/** Whether the browser would ask before the page is closed. */
const asks = () => demo.page.evaluate(() => !dispatchEvent(new Event("beforeunload", { cancelable: true })));

const state = () => demo.get("job-state").getAttribute("data-state");

test("until it is downloaded it is said that it is not stored, and closing is asked about", { timeout }, async () => {
  assert.match(await demo.get("download-taken").innerText(), /not stored on this computer until you download it/);
  assert.equal(await asks(), true);
});

test("Start asks before the result is given up, and keeping it changes nothing", { timeout }, async () => {
  await demo.get("start").click();
  await demo.get("replace").waitFor();
  assert.match(await demo.get("replace").innerText(), /result of log\.csv and shop\.csv was not downloaded/);
  assert.equal(await state(), "done");
  await lookEverywhere(demo.page);
  await demo.get("replace-no").click();
  await demo.get("replace").waitFor({ state: "detached" });
  assert.equal(await state(), "done");
  assert.ok(await demo.get("download-artifact").isEnabled());
});

test("the data alone are not the model", { timeout }, async () => {
  const waiting = demo.page.waitForEvent("download", { timeout });
  await demo.get("download-csv").click();
  await waiting;
  assert.equal(await demo.get("download-taken").getAttribute("data-taken"), "false");
});

test("with leave, Start takes its place", { timeout }, async () => {
  await demo.get("start").click();
  await demo.get("replace-yes").click();
  await demo.page.locator("[data-testid=job-state]:not([data-state=done])").waitFor({ state: "attached" });
  await demo.waitForState(["done"]);
  assert.equal(await demo.get("download-taken").getAttribute("data-taken"), "false", "it is another result");
});

test("once it is downloaded nothing is asked any more", { timeout }, async () => {
  const waiting = demo.page.waitForEvent("download", { timeout });
  await demo.get("download-artifact").click();
  await waiting;
  await demo.page.locator("[data-testid=download-taken][data-taken=true]").waitFor();
  assert.equal(await asks(), false);
  await demo.get("start").click();
  await demo.page.locator("[data-testid=job-state][data-state=running]").waitFor({ state: "attached" });
  assert.equal(await demo.get("replace").count(), 0);
  await demo.waitForState(["done"]);
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
