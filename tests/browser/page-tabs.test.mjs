// Two tabs of the page do not take each other's jobs, nor what these need, away.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DemoPage, deleteStored } from "./support/demo-page.mjs";

const timeout = 5 * 60_000;
let demo;
let other;

before(
  async () => {
    demo = await DemoPage.open();
    await demo.visit();
    await demo.useSample();
    await demo.setNumber("depth", 30);
    await demo.get("start").click();
    await demo.scoredAtLeast(1);
    other = await demo.page.context().newPage();
    other.setDefaultTimeout(60_000);
    other.on("pageerror", (error) => demo.failures.push(error.message));
    await other.goto(`${demo.address}/`);
    await other.getByTestId("history-job").waitFor();
  },
  { timeout },
);

after(() => demo?.close());

const state = () => demo.get("job-state").getAttribute("data-state");
const kept = () =>
  demo.page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name).includes("querytune"));

test("a job that runs in another tab is told of and not offered", { timeout }, async () => {
  await other.getByTestId("history-job").getByText("running in another tab").waitFor();
  assert.match(await other.getByTestId("elsewhere").innerText(), /running in another tab/);
  assert.equal(await demo.get("elsewhere").count(), 0, "in its own tab");
  assert.equal(await other.getByTestId("continue").count(), 0);
  assert.equal(await other.getByTestId("history-go-on").count(), 0);
  assert.ok(await other.getByTestId("history-delete").isDisabled());
  await demo.get("history-job").filter({ hasText: "running" }).waitFor();
});

test("what it needs is not deleted", { timeout }, async () => {
  for (const what of ["scores", "jobs", "all"]) {
    await deleteStored(other, what);
    await other.getByTestId("error-storage").filter({ hasText: "running in another tab of this page" }).waitFor();
  }
  assert.ok(await kept());
  const { done } = await demo.stage("score");
  await demo.scoredAtLeast(done + 1);
  assert.equal(await state(), "running");
});

test("once it is paused the other tab offers it", { timeout }, async () => {
  await demo.get("pause").click();
  await demo.waitForState(["paused"]);
  await other.getByTestId("continue").waitFor();
  assert.equal(await other.getByTestId("elsewhere").count(), 0);
});

test("after the other tab has deleted everything, the job goes on all the same, and is kept", { timeout }, async () => {
  await deleteStored(other, "all");
  await other.getByTestId("history-job").waitFor({ state: "detached" });
  assert.equal(await kept(), false);
  await demo.get("start").click();
  await demo.scoredAtLeast(1);
  assert.equal(await state(), "running");
  assert.ok(await kept(), "what it scores");
  await other.reload();
  await other.getByTestId("history-job").getByText("running in another tab").waitFor();
});

test("a tab that is closed lets go of its job", { timeout }, async () => {
  await demo.page.close();
  await other.getByTestId("continue").waitFor();
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
