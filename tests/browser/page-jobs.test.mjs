// The list of jobs, and the files that are kept of them, while they are looked through.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 3 * 60_000;

/** Runs a test on a page of its own; `plant` is run in it before its own scripts. */
async function onPage(plant, work) {
  const demo = await DemoPage.open();
  try {
    await demo.page.addInitScript(plant);
    await demo.visit();
    await demo.useTinyJob();
    await work(demo);
    assert.deepEqual(demo.failures, []);
  } finally {
    await demo.close();
  }
}

/** The page is turned to, which makes it look what other tabs have done. */
const turnTo = (demo) => demo.page.evaluate(() => dispatchEvent(new Event("focus")));

/** From when it is told to, the second look for jobs of other tabs waits: the one that decides which files are kept. */
function plantWait() {
  const { query } = LockManager.prototype;
  let looks = Number.NEGATIVE_INFINITY;
  globalThis.holdSecond = () => {
    looks = 0;
  };
  LockManager.prototype.query = async function () {
    looks += 1;
    if (looks === 2) {
      globalThis.isHeld = true;
      await new Promise((resolve) => {
        globalThis.letGo = resolve;
      });
    }
    return query.call(this);
  };
}

test("files of a job that begins while the page looks for orphans are not taken for some", { timeout }, async () => {
  await onPage(plantWait, async (demo) => {
    await demo.setNumber("depth", 15);
    await demo.page.evaluate(() => globalThis.holdSecond());
    await turnTo(demo);
    await demo.page.waitForFunction(() => globalThis.isHeld);
    await demo.get("start").click();
    await demo.page.locator("[data-testid=stage-load]:not([data-status=waiting])").waitFor({ timeout });
    assert.deepEqual(await demo.keptFiles(), ["log.csv", "shop.csv"]);
    await demo.page.evaluate(() => globalThis.letGo());
    // The next look would come behind this one.
    await demo.page.waitForTimeout(500);
    assert.deepEqual(await demo.keptFiles(), ["log.csv", "shop.csv"]);
    assert.equal(await demo.get("history-job").count(), 1);
    await demo.get("cancel").click();
    await demo.waitForState(["cancelled"]);
  });
});

/** As in some private windows. */
function plantRefusal() {
  const { open } = IDBFactory.prototype;
  IDBFactory.prototype.open = function (name, ...rest) {
    if (name === "querytune-page") throw new DOMException("planted", "SecurityError");
    return open.call(this, name, ...rest);
  };
}

test("where the browser keeps no jobs, those of this visit stay in the list", { timeout }, async () => {
  await onPage(plantRefusal, async (demo) => {
    await demo.setNumber("depth", 5);
    await demo.run();
    assert.equal(await demo.get("history-job").count(), 1);
    await turnTo(demo);
    await demo.page.waitForTimeout(500);
    assert.match(await demo.get("history-job").innerText(), /log\.csv and shop\.csv/);
  });
});
