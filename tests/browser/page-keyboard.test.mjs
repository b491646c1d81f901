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

test("a query that was found is picked, and the focus is on it", { timeout }, async () => {
  await demo.reach("candidates-find");
  await demo.page.keyboard.type("bicycle");
  await demo.page.getByRole("list", { name: "Queries found" }).getByRole("button").waitFor();
  await demo.page.keyboard.press("Tab");
  await demo.page.keyboard.press("Enter");
  await demo.get("candidates-query").getByText(queries[4]).waitFor();
  assert.equal(await demo.focused(), "candidates-query");
});

test("whether a result is given up is answered, and the focus goes to what the answer leads to", {
  timeout,
}, async () => {
  await demo.press("start");
  await demo.press("replace-no");
  assert.equal(await demo.focused(), "start");
  await demo.press("start");
  await demo.press("replace-yes");
  assert.equal(await demo.page.evaluate(() => document.activeElement?.id), "section-4");
  await demo.waitForState(["done"]);
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

test("what is pressed and goes away leaves the focus near by", { timeout }, async () => {
  assert.equal(await demo.get("history-job").count(), 2);
  await demo.press("history-delete");
  await demo.press("history-delete-asked-yes");
  await demo.page.waitForFunction(() => document.querySelectorAll("[data-testid=history-job]").length === 1);
  assert.equal(await demo.focused(), "history-heading");
  await demo.press("measure");
  await demo.press("measure-cancel");
  await demo.get("measure-announcement").getByText("Measuring was stopped.").waitFor({ state: "attached" });
  assert.equal(await demo.focused(), "measure");
  await demo.press("file-queries-remove");
  await demo.get("file-queries-remove").waitFor({ state: "detached" });
  assert.equal(await demo.focused(), "file-queries-chosen");
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
