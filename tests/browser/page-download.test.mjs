// While models come of which it is not known how large they are, no bar says that they are there.
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { models } from "../../scripts/lib/paths.mjs";
import { violations } from "./support/axe.mjs";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 2 * 60_000;
let demo;
let letGo;

before(
  async () => {
    demo = await DemoPage.open();
    await demo.visit();
    await demo.useTinyJob();
    const open = new Promise((resolve) => {
      letGo = resolve;
    });
    // Its size is not known before its answer begins.
    await demo.page.route("**/ms-marco-MiniLM-L-12-v2/model.safetensors", async (route) => {
      await open;
      await route.continue();
    });
    await demo.get("start").click();
  },
  { timeout },
);

after(() => demo?.close());

test("the encoder alone does not finish the stage, and the bar has no end", { timeout }, async () => {
  const encoder = statSync(join(models.encoder, "model.safetensors")).size;
  await demo.page.waitForFunction(
    (least) => Number(document.querySelector("[data-testid=stage-download]")?.dataset.done) > least,
    encoder,
    { timeout },
  );
  const stage = demo.get("stage-download");
  assert.deepEqual([(await demo.stage("download")).status, (await demo.stage("download")).total], ["active", 0]);
  assert.equal(await stage.locator("progress").evaluate((bar) => bar.position), -1);
  assert.match(await stage.innerText(), /\d MB/);
  assert.match(await demo.get("section-4-state").innerText(), /^Get the models, [\d.]+ MB$/);
  assert.deepEqual(await violations(demo.page), []);
});

test("once both sizes are known it goes to its end", { timeout }, async () => {
  letGo();
  await demo.page.locator("[data-testid=stage-download][data-status=finished]").waitFor({ timeout });
  const { done, total } = await demo.stage("download");
  assert.equal(done, total);
  assert.equal(
    await demo
      .get("stage-download")
      .locator("progress")
      .evaluate((bar) => bar.position),
    1,
  );
  await demo.get("cancel").click();
  await demo.waitForState(["cancelled"]);
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
