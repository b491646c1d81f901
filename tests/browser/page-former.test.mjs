// What was scored before is promised only where it holds: same files, read in the same way, same models on the same
// kind of device, scores kept.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 5 * 60_000;
let demo;

before(
  async () => {
    demo = await DemoPage.open();
    await demo.visit();
    await demo.useTinyJob();
    await demo.setNumber("depth", 5);
    await demo.run();
    await demo.visit();
    await demo.useTinyJob();
    await demo.setNumber("depth", 5);
  },
  { timeout },
);

after(() => demo?.close());

const promised = () => demo.get("former-job").waitFor();
const notPromised = () => demo.get("former-job").waitFor({ state: "detached" });

test("the same files and models: it is said how much is scored", { timeout }, async () => {
  await promised();
  assert.match(await demo.get("former-job").innerText(), /30 pairs already scored will not be scored again/);
});

test("other models have scored nothing", { timeout }, async () => {
  await demo.get("models-hub").check();
  await notPromised();
  await demo.get("models-server").check();
  await promised();
});

test("another kind of device computes in other numbers, and has scored nothing", { timeout }, async () => {
  await demo.get("device-webgpu").check();
  await notPromised();
  await demo.get("device-cpu").check();
  await promised();
});

test("read in another way, the files have other pairs", { timeout }, async () => {
  await demo.get("change-queries").click();
  await demo.get("queries-header").selectOption("false");
  await demo.get("summary-queries").filter({ hasText: "7 queries" }).waitFor();
  await notPromised();
  await demo.get("queries-detect").click();
  await promised();
});

test("once the scores are deleted, nothing is promised, after a reload neither", { timeout }, async () => {
  await demo.deleteStored("scores");
  await notPromised();
  await demo.visit();
  await demo.useTinyJob();
  await demo.get("history-job").waitFor();
  assert.equal(await demo.get("former-job").count(), 0);
  await demo.run();
  assert.equal((await demo.stage("score")).cached, 0);
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
