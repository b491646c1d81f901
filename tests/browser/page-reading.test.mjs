// While a file is being read nothing is begun, and what was read of another is not taken for it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 90_000;
let demo;

before(
  async () => {
    demo = await DemoPage.open();
    await demo.visit();
    await demo.useTinyJob();
  },
  { timeout },
);

after(() => demo?.close());

/** Files wait in the engine's worker before they are read, or no longer. */
async function hold(held) {
  for (const worker of demo.page.workers()) {
    await worker.evaluate((held) => {
      const { arrayBuffer } = Blob.prototype;
      globalThis.letGo?.();
      if (!held) return;
      const open = new Promise((resolve) => {
        globalThis.letGo = () => {
          Blob.prototype.arrayBuffer = arrayBuffer;
          globalThis.letGo = undefined;
          resolve();
        };
      });
      Blob.prototype.arrayBuffer = async function () {
        await open;
        return arrayBuffer.call(this);
      };
    }, held);
  }
}

const other = "id,query\n1,tent\n2,lamp\n3,coffee\n";

const startable = () => demo.get("start").isEnabled();
const measurable = () => demo.get("measure").isEnabled();

test("before, a job can be started and the device measured", { timeout }, async () => {
  assert.deepEqual([await startable(), await measurable()], [true, true]);
  assert.equal(await demo.get("still-reading").count(), 0);
});

test("while another file is read neither can be begun, and it is said why", { timeout }, async () => {
  await hold(true);
  await demo.choose("queries", "other.csv", other);
  await demo.get("still-reading").waitFor();
  assert.match(await demo.get("still-reading").innerText(), /still being read/);
  assert.deepEqual([await startable(), await measurable()], [false, false]);
});

test("nothing is shown or planned of the file before", { timeout }, async () => {
  assert.equal(await demo.get("summary-queries").count(), 0);
  assert.equal(await demo.get("plan").innerText(), "A file is still being read.");
  assert.equal(await demo.get("section-4-state").innerText(), "files are being read");
});

test("once it is read the job is of the new file", { timeout }, async () => {
  await hold(false);
  await demo.get("still-reading").waitFor({ state: "detached" });
  await demo.setNumber("depth", 5);
  await demo.run();
  assert.equal(await demo.get("compare-of").innerText(), "Result of other.csv and shop.csv.");
  assert.equal((await demo.stage("score")).total, 15, "three queries, five candidates each");
});

test("read again in another way it stays in sight, and Start waits all the same", { timeout }, async () => {
  await demo.get("change-queries").click();
  await hold(true);
  await demo.get("queries-header").selectOption("false");
  await demo.get("still-reading").waitFor();
  assert.match(await demo.get("summary-queries").innerText(), /3 queries/);
  assert.deepEqual([await startable(), await measurable()], [false, false]);
  await hold(false);
  await demo.get("summary-queries").filter({ hasText: "4 queries" }).waitFor();
  assert.deepEqual([await startable(), await measurable()], [true, true]);
});

test("judgements are waited for, too", { timeout }, async () => {
  await hold(true);
  await demo.get("judgements").locator("summary").first().click();
  await demo.choose("qrels", "qrels.tsv", "query-id\tcorpus-id\tscore\n1\td1\t1\n");
  await demo.get("still-reading").waitFor();
  assert.equal(await startable(), false);
  await hold(false);
  await demo.get("reading-qrels").waitFor();
  assert.equal(await startable(), true);
});

test("so is the sample, from the moment it is asked for", { timeout }, async () => {
  // Loaded anew the page may ask its server again.
  await demo.visit();
  await demo.useTinyJob();
  let letGo;
  const open = new Promise((resolve) => {
    letGo = resolve;
  });
  await demo.page.context().route("**/sample/*", async (route) => {
    await open;
    await route.continue();
  });
  await demo.get("use-sample").click();
  await demo.get("still-reading").waitFor();
  assert.match(await demo.get("summary-queries").innerText(), /6 queries/);
  assert.equal(await startable(), false);
  letGo();
  await demo.get("summary-queries").filter({ hasText: "114 queries" }).waitFor();
  await demo.get("still-reading").waitFor({ state: "detached" });
  assert.equal(await startable(), true);
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
