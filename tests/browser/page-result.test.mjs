// A finished result stays usable whatever is measured, deleted or chosen after it, and says whose it is.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { lookEverywhere } from "./support/axe.mjs";
import { DemoPage } from "./support/demo-page.mjs";
import { readZip } from "./support/zip.mjs";

const timeout = 5 * 60_000;
let demo;

before(
  async () => {
    demo = await DemoPage.withResult();
  },
  { timeout },
);

after(() => demo?.close());

const text = (testid) => demo.get(testid).innerText();
const idle = () =>
  demo.page.waitForFunction(() => !document.querySelector("[data-testid=start]").disabled, null, { timeout });

let searches = 0;

/** Searches with both models, and packs the download. */
async function use() {
  searches += 1;
  await demo.get("search-box").fill(`boots for rain ${searches}`);
  await demo.get("search-submit").click();
  await demo.get("search-moved").getByText(`boots for rain ${searches}`).waitFor();
  const waiting = demo.page.waitForEvent("download", { timeout });
  await demo.get("download-artifact").click();
  const files = readZip(readFileSync(await (await waiting).path()));
  assert.ok(files.get("model/model.safetensors")?.length > 0);
  for (const box of ["error-search", "error-download"]) assert.equal(await demo.get(box).count(), 0, box);
}

/** Every stage with how it stands. */
const stages = () =>
  demo.page
    .locator("[data-testid^=stage-]")
    .evaluateAll((all) => all.map(({ dataset }) => [dataset.testid, dataset.status]));

let finished;

test("it says of which files it is", { timeout }, async () => {
  for (const part of ["compare", "judge", "download"]) {
    assert.equal(await text(`${part}-of`), "Result of log.csv and shop.csv.");
  }
  finished = await stages();
  await use();
});

test("measuring with another choice of device leaves it usable, and its stages as they were", { timeout }, async () => {
  await demo.get("device-auto").check();
  assert.match(await text("compare-of"), /Other settings are chosen now; they have not been run\./);
  await demo.get("measure").click();
  await idle();
  assert.equal(await demo.get("job-state").getAttribute("data-state"), "done");
  assert.deepEqual(await stages(), finished);
  await use();
});

test("a measurement that is stopped changes nothing either", { timeout }, async () => {
  await demo.get("measure").click();
  await demo.get("measure-cancel").click();
  await idle();
  assert.equal(await demo.get("job-state").getAttribute("data-state"), "done");
  assert.equal(await text("section-4-state"), "not run since it was changed");
  assert.deepEqual(await stages(), finished);
  await demo.get("device-cpu").check();
  assert.equal(await text("section-4-state"), "done");
  assert.equal(await demo.get("not-run").count(), 0);
});

test("deleting vectors and scores leaves it usable, and the next job scores anew and keeps it", {
  timeout,
}, async () => {
  await demo.deleteStored("scores");
  await demo.page.waitForFunction(async () => !(await indexedDB.databases()).some(({ name }) => name === "querytune"));
  await use();
  await demo.get("judge-start").click();
  await demo.page.locator("[data-testid=judge-progress], [data-testid=judge-nothing]").first().waitFor();
  assert.equal(await demo.get("error-judge-start").count(), 0);
});

test("with other files it says whose it is, and that those have not been run", { timeout }, async () => {
  await demo.choose("queries", "other.csv", "id,query\n1,tent\n2,lamp\n3,coffee\n");
  await demo.get("summary-queries").filter({ hasText: "3 queries" }).waitFor();
  for (const part of ["compare", "judge", "download"]) {
    const said = await text(`${part}-of`);
    assert.equal(said, "Result of log.csv and shop.csv. Other files are chosen now; they have not been run.");
  }
  assert.match(await text("not-run"), /The chosen files have not been run\..* that of log\.csv and shop\.csv/);
  await use();
  await lookEverywhere(demo.page);
});

test("run, the other files have their own", { timeout }, async () => {
  await demo.run();
  await demo.get("compare-of").filter({ hasText: "other.csv and shop.csv" }).waitFor();
  assert.equal(await text("compare-of"), "Result of other.csv and shop.csv.");
  assert.equal((await demo.stage("score")).cached, 0, "the scores were deleted");
  await use();
});

test("a result that is lost with its session is taken away with the reason, and can be made again", {
  timeout,
}, async () => {
  for (const worker of demo.page.workers()) {
    await worker.evaluate(() => {
      setTimeout(() => {
        throw new Error("planted");
      });
    });
  }
  await demo.get("search-box").fill("boots");
  await demo.get("search-submit").click();
  await demo.get("result-lost").waitFor();
  assert.match(await text("result-lost"), /The result of other\.csv and shop\.csv is gone\. .*planted/);
  assert.equal(await demo.get("compare-of").count(), 0);
  assert.equal(await text("section-4-state"), "not started");
  await demo.run();
  await use();
  assert.equal(await demo.get("result-lost").count(), 0);
  demo.failures = demo.failures.filter((message) => !message.includes("planted"));
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
