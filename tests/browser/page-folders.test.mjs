// Models from folders: which ones are chosen is in sight, and a folder that was changed can be picked again.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { violations } from "./support/axe.mjs";
import { DemoPage } from "./support/demo-page.mjs";
import { writeSmallModel } from "./support/small-model.mjs";

const timeout = 60_000;
let demo;
let folder;

before(
  async () => {
    folder = mkdtempSync(join(tmpdir(), "querytune-"));
    for (const name of ["my-encoder", "another"]) {
      writeSmallModel(join(folder, name), "encoder", { hidden: 32, heads: 2, inner: 64 });
    }
    demo = await DemoPage.open();
    await demo.visit();
    await demo.get("models-folder").check();
  },
  { timeout },
);

after(async () => {
  await demo?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Picks a folder for the encoder as a person does. */
async function pick(name) {
  const waiting = demo.page.waitForEvent("filechooser");
  await demo.get("folder-encoder").click();
  await (await waiting).setFiles(join(folder, name));
  await demo.get("folder-encoder-chosen").getByText(name).waitFor();
}

const chosen = () => demo.get("folder-encoder-chosen").innerText();

test("a folder that was picked is named", { timeout }, async () => {
  assert.equal(await chosen(), "No folder yet.");
  await pick("my-encoder");
  assert.equal(await chosen(), "my-encoder 3 files");
  assert.deepEqual(await violations(demo.page), []);
});

test("the picker holds nothing back, so that the same folder can be picked again", { timeout }, async () => {
  assert.equal(await demo.get("folder-encoder").evaluate((input) => input.files.length), 0);
  await pick("another");
  assert.equal(await chosen(), "another 3 files");
});

test("after other models were looked at, the folder is still chosen and named", { timeout }, async () => {
  await demo.get("models-hub").check();
  assert.equal(await demo.get("folder-encoder").count(), 0);
  await demo.get("models-folder").check();
  assert.equal(await chosen(), "another 3 files");
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
