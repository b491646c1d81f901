// What is trained can be chosen; what is offered afterwards follows from it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 2 * 60_000;
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

/** The file that a click brings, and its name. */
async function saved(button) {
  const waiting = demo.page.waitForEvent("download", { timeout });
  await button.click();
  const download = await waiting;
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

/** The names and shapes of a safetensors file's tensors. */
function shapes(bytes) {
  const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))));
  delete header.__metadata__;
  return Object.fromEntries(Object.entries(header).map(([name, { shape }]) => [name, shape]));
}

test("the default is folded away, and says what it is", async () => {
  assert.equal(await demo.get("training").innerText(), "Training: Head for queries");
  assert.ok(await demo.get("method-head").isHidden());
  assert.equal(await demo.get("download-adapter-2").count(), 0);
});

test("heads on both sides are trained where they are chosen, and both can be taken away", { timeout }, async () => {
  await demo.get("training").click();
  await demo.get("method-head").check();
  await demo.setNumber("depth", 5);
  await demo.run();
  const report = await saved(demo.get("download-report"));
  assert.equal(JSON.parse(report.bytes).fit.method, "head");
  for (const [testid, name] of [
    ["download-adapter", "query_head.safetensors"],
    ["download-adapter-2", "document_head.safetensors"],
  ]) {
    const file = await saved(demo.get(testid));
    assert.equal(file.name, name);
    assert.deepEqual(shapes(file.bytes), { weight: [384, 384] });
    assert.match(
      await demo.page.getByLabel(`Python for ${name}`).textContent(),
      new RegExp(`load_file\\("${name}"\\)`),
    );
  }
});

test("a search by the tuned model compares documents that were changed, too", { timeout }, async () => {
  await demo.get("search-box").fill("chess for children");
  await demo.get("search-submit").click();
  await demo.get("search-tuned").getByText("Chess for beginners").first().waitFor({ timeout });
});

test("after a reload the history has both files", { timeout }, async () => {
  await demo.visit();
  const job = demo.get("history-job");
  await job.waitFor();
  const buttons = await job.getByRole("button", { name: "Adapter" }).all();
  const files = await Promise.all(buttons.map((button) => button.textContent()));
  assert.match(files.join(), /query_head\.safetensors.*document_head\.safetensors/);
  const document = await saved(buttons[1]);
  assert.equal(document.name, "document_head.safetensors");
  assert.deepEqual(shapes(document.bytes), { weight: [384, 384] });
});

test("a job that is gone on with has the method it was begun with", { timeout }, async () => {
  await demo.useTinyJob();
  assert.ok(!(await demo.get("method-head").isChecked()), "a new visit begins with the default");
  await demo.get("training").click();
  await demo.get("method-head").check();
  await demo.get("timed").check();
  await demo.setNumber("minutes", 3);
  await demo.get("start").click();
  await demo.page.locator("[data-testid=stage-load]:not([data-status=waiting])").waitFor({ timeout });
  await demo.page.reload();
  await demo.get("continue-job").click();
  await demo.waitForState(["running", "done"]);
  assert.ok(await demo.get("method-head").isChecked());
  assert.ok(await demo.get("timed").isChecked());
  assert.equal(await demo.get("minutes").inputValue(), "3");
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
