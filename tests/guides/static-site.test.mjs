// The guide to a search box in a static site: it finds by meaning, with a tuned model as that does, and no request leaves
// for another server.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { launchBrowser } from "../../scripts/lib/browser.mjs";
import { folder, serve } from "../../scripts/lib/server.mjs";
import { readZip } from "../browser/support/zip.mjs";
import { Follower, readGuide } from "./support/guide.mjs";
import { openGuidePage } from "./support/page.mjs";

const timeout = 10 * 60_000;
let follower;
let browser;
let server;
let opened;

const steps = readGuide("static-site");
/** Where the box gets a model of its own. */
const tuning = steps.findIndex(({ command }) => command?.startsWith("npx querytune adapt"));

before(
  async () => {
    follower = await Follower.open();
    await follower.follow(steps.slice(0, tuning));
    follower.publishModels();
    server = await serve({ "/": folder(follower.path("public")) });
    browser = await launchBrowser();
    opened = await openGuidePage(browser, server.address, { kept: false });
    await opened.page.getByText("4 pages can be searched.").waitFor({ timeout: 120_000 });
  },
  { timeout },
);

after(async () => {
  await browser?.close();
  await server?.close();
  await follower?.close();
});

test("the box finds a page that shares no word with the query", { timeout }, async () => {
  await opened.page.getByLabel("Search").fill("parking a vehicle");
  await opened.page
    .locator("li")
    .first()
    .getByText(/^How to get here/)
    .waitFor({ timeout: 60_000 });
  assert.equal(await opened.page.locator("li").count(), 3);
});

test("no other server is asked, and none may be", { timeout }, async () => {
  assert.deepEqual(opened.foreign, []);
  const refused = await opened.page.evaluate(() => fetch("https://example.com/").catch(({ name }) => name));
  assert.equal(refused, "TypeError");
  assert.deepEqual(opened.foreign, [], "the policy refuses it before it is sent");
});

test("with a tuned model the box finds what the command finds, still from its own server alone", {
  timeout,
}, async () => {
  follower.writeSample();
  await follower.follow(steps.slice(tuning));
  const names = [...readZip(readFileSync(follower.path("public", "model.zip"))).keys()];
  assert.ok(names.includes("report.json"));
  assert.deepEqual(
    names.filter((name) => name.startsWith("data/")),
    [],
    "the log is not published",
  );
  const query = "DNA methylation in human cells";
  const output = await follower.run(`npx querytune search tuned documents.csv "${query}" --top 3 --json`);
  const { delivered, ...rankings } = JSON.parse(output);
  await opened.page.reload();
  await opened.page.getByText("300 pages can be searched.").waitFor({ timeout });
  await opened.page.getByLabel("Search").fill(query);
  await opened.page.locator("li").first().waitFor({ timeout: 60_000 });
  assert.deepEqual(
    await opened.page.locator("li").allTextContents(),
    rankings[delivered].map(({ text }) => text),
  );
  assert.deepEqual(opened.foreign, []);
});
