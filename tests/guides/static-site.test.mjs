// The guide to a search box in a static site: it finds by meaning, and no request leaves for another server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launchBrowser } from "../../scripts/lib/browser.mjs";
import { folder, serve } from "../../scripts/lib/server.mjs";
import { Follower, readGuide } from "./support/guide.mjs";
import { openGuidePage } from "./support/page.mjs";

const timeout = 10 * 60_000;
let follower;
let browser;
let server;
let opened;

before(
  async () => {
    follower = await Follower.open();
    await follower.follow(readGuide("static-site"));
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
