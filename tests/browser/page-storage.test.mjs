// What the page stores is shown with its size, and is gone when it is deleted.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { violations } from "./support/axe.mjs";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 2 * 60_000;
let demo;

before(
  async () => {
    demo = await DemoPage.open();
    await demo.visit();
    await demo.page.locator("[data-testid=offline][data-ready=true]").waitFor();
    await demo.useTinyJob();
    await demo.run();
  },
  { timeout },
);

after(() => demo?.close());

test("models, scores, jobs and the page are listed", { timeout }, async () => {
  await demo
    .get("stored-models")
    .getByText(/1[5-9] files, 1\d\d(\.\d)? MB/)
    .waitFor();
  await demo
    .get("stored-page")
    .getByText(/\d files, \d+(\.\d)? MB/)
    .waitFor();
  await demo.get("stored-jobs").getByText("1 job, files 0 bytes").waitFor();
});

test("a finished job is remembered after a reload, with report and adapter", { timeout }, async () => {
  await demo.visit();
  const job = demo.get("history-job");
  await job.waitFor();
  assert.match(await job.innerText(), /log\.csv and shop\.csv .*agreement [01]\.\d{4} to [01]\.\d{4}/s);
  const save = async (name) => {
    const waiting = demo.page.waitForEvent("download", { timeout });
    await job.getByRole("button", { name }).click();
    return readFileSync(await (await waiting).path());
  };
  assert.equal(JSON.parse(await save("Report")).data.queries, 6);
  assert.ok((await save("Adapter")).length > 384 * 384 * 4);
});

test("a job is deleted only after it was asked, as there is no other copy of it", { timeout }, async () => {
  const asked = demo.get("history-delete-asked");
  await demo.get("history-delete").click();
  assert.match(await asked.innerText(), /This cannot be undone\. Report and adapter of the job go/);
  assert.deepEqual(await violations(demo.page), []);
  await demo.get("history-delete-asked-no").click();
  await asked.waitFor({ state: "detached" });
  assert.equal(await demo.focused(), "history-delete", "the focus is where it was");
  assert.equal(await demo.get("history-job").count(), 1);
  await demo.get("history-delete").click();
  await demo.get("history-delete-asked-yes").click();
  await demo.get("history-job").waitFor({ state: "detached" });
  await demo.visit();
  await demo.get("stored-jobs").getByText("0 jobs").waitFor();
  assert.equal(await demo.get("history-job").count(), 0);
});

test("what cannot be had again is deleted only after it was asked", { timeout }, async () => {
  for (const what of ["scores", "jobs", "all"]) {
    const asked = demo.get(`delete-${what}-asked`);
    await demo.get(`delete-${what}`).click();
    assert.match(await asked.innerText(), /This cannot be undone.*0 jobs/s, what);
    assert.deepEqual(await violations(demo.page), [], what);
    await demo.get(`delete-${what}-asked-no`).click();
    await asked.waitFor({ state: "detached" });
    assert.equal(await demo.focused(), `delete-${what}`, "the focus is where it was");
  }
  const names = await demo.page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
  assert.ok(names.includes("querytune"), "nothing is deleted");
});

test("scores can be deleted, and a job then scores anew", { timeout }, async () => {
  await demo.useTinyJob();
  await demo.deleteStored("scores");
  await demo.page.waitForFunction(async () => !(await indexedDB.databases()).some(({ name }) => name === "querytune"));
  await demo.run();
  assert.equal((await demo.stage("score")).cached, 0);
});

/** Another page of this origin opens the jobs' database, and closes it so long after it is asked to, or never. */
async function holdJobs(milliseconds) {
  const other = await demo.page.context().newPage();
  await other.goto(`${demo.address}/THIRD-PARTY-NOTICES.txt`);
  await other.evaluate(async (milliseconds) => {
    const request = indexedDB.open("querytune-page");
    const database = await new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    database.onversionchange = () => milliseconds && setTimeout(() => database.close(), milliseconds);
  }, milliseconds);
  return other;
}

test("what another tab needs a moment to let go of is deleted without an error", { timeout }, async () => {
  const other = await holdJobs(1500);
  await demo.deleteStored("jobs");
  await demo.get("history-job").waitFor({ state: "detached" });
  assert.equal(await demo.get("error-storage").count(), 0);
  await other.close();
});

test("what another tab does not let go of is said, and it goes with that tab", { timeout }, async () => {
  await demo.run();
  const other = await holdJobs(0);
  await demo.deleteStored("jobs");
  await demo.get("error-storage").getByText("Another tab of this page holds on to what is to be deleted").waitFor();
  await other.close();
  await demo.visit();
  await demo.get("stored-jobs").getByText("0 jobs").waitFor();
});

test("everything can be deleted", { timeout }, async () => {
  await demo.deleteStored("all");
  await demo.get("stored-models").getByText("0 files").waitFor();
  const left = await demo.page.evaluate(async () => ({
    caches: await caches.keys(),
    databases: (await indexedDB.databases()).map(({ name }) => name).filter((name) => name !== "querytune-page"),
    notes: Object.keys(localStorage),
    workers: (await navigator.serviceWorker.getRegistrations()).length,
  }));
  assert.deepEqual(left, { caches: [], databases: [], notes: [], workers: 0 });
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
