// A whole job without a mouse: from pasted texts to a download, by Tab, Enter, Space and letters.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DemoPage } from "./support/demo-page.mjs";
import { documents, queries } from "./support/tiny-job.mjs";

const timeout = 2 * 60_000;
let demo;

before(
  async () => {
    demo = await DemoPage.open();
    await demo.visit();
  },
  { timeout },
);

after(() => demo?.close());

test("texts are pasted, the device is chosen, and the job is started", { timeout }, async () => {
  for (const [name, texts] of Object.entries({ queries, documents })) {
    await demo.press(`file-${name}-paste`);
    await demo.reach(`file-${name}-text`);
    await demo.page.keyboard.insertText(texts.join("\n"));
    await demo.press(`file-${name}-take`);
    await demo.get(`summary-${name}`).waitFor();
    assert.equal(await demo.focused(), `file-${name}-chosen`, "the focus is where the text has gone");
  }
  await demo.reach("device-auto");
  // The last of the group of buttons.
  await demo.page.keyboard.press("ArrowUp");
  assert.ok(await demo.get("device-cpu").isChecked());
  await demo.press("start");
  await demo.waitForState(["done"]);
});

test("the focus can be seen wherever it is", { timeout }, async () => {
  await demo.page.evaluate(() => document.activeElement?.blur());
  for (let presses = 0; presses < 40; presses++) {
    await demo.page.keyboard.press("Tab");
    const seen = await demo.page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return true;
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      return outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2;
    });
    assert.ok(seen, `no outline on ${await demo.focused()}`);
  }
});

test("the result is searched and downloaded", { timeout }, async () => {
  await demo.reach("search-box");
  await demo.page.keyboard.type("boots for rain");
  await demo.page.keyboard.press("Enter");
  await demo.get("search-tuned").waitFor();
  const waiting = demo.page.waitForEvent("download", { timeout });
  await demo.press("download-artifact", "Space");
  assert.equal((await waiting).suggestedFilename(), "artifact.zip");
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
