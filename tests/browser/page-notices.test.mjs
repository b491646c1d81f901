// The page names the works of others that are inside it, for whoever it is handed on to.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readJson } from "../../scripts/lib/hash.mjs";
import { root } from "../../scripts/lib/paths.mjs";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 60_000;
let demo;

before(
  async () => {
    demo = await DemoPage.open();
    await demo.visit();
  },
  { timeout },
);

after(() => demo?.close());

/** What the link in the footer opens. */
async function notices() {
  const opening = demo.page.context().waitForEvent("page");
  await demo.get("notices").click();
  const opened = await opening;
  await opened.waitForLoadState();
  const text = await opened.locator("body").innerText();
  await opened.close();
  return text;
}

let text;

test("every module of the page, of the package in it, and the engine's crates are named with a licence", async () => {
  text = await notices();
  const { dependencies } = readJson(join(root, "www", "package.json"));
  const own = Object.keys(dependencies).filter((name) => name !== "querytune");
  const inPackage = readJson(join(root, "pkg", "dist", "bundled.json"));
  for (const name of [...own, ...inPackage, "@preact/signals-core"]) {
    const { version } = readJson(join(root, "node_modules", name, "package.json"));
    assert.match(text, new RegExp(`^${name} ${version.replaceAll(".", "\\.")}: .*\\[\\d+\\]`, "m"), name);
  }
  assert.match(text, /^burn-core \d.*\[\d+\]/m);
  assert.match(text, /Copyright \(c\) 2022 Leon Sorokin/, "uPlot's licence has to be there itself");
});

test("nothing of the machine that built it is named", () => {
  for (const place of [root, ".cargo", "registry/src", "node_modules/"])
    assert.equal(text.includes(place), false, place);
});

test("a page kept for use without a network keeps them, too", { timeout }, async () => {
  await demo.page.locator("[data-testid=offline][data-ready=true]").waitFor();
  await demo.page.reload();
  await demo.page.context().setOffline(true);
  assert.equal(await notices(), text);
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
