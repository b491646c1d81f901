// The quickstart: from an empty folder to a page that reranks.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launchBrowser } from "../../scripts/lib/browser.mjs";
import { Follower, readGuide } from "./support/guide.mjs";
import { openGuidePage } from "./support/page.mjs";

const timeout = 10 * 60_000;
let follower;
let browser;

before(
  async () => {
    follower = await Follower.open();
    await follower.follow(readGuide("quickstart"), {
      servers: ["npm run dev"],
      before: { "npm run dev": () => follower.publishModels() },
    });
    browser = await launchBrowser();
  },
  { timeout },
);

after(async () => {
  await browser?.close();
  await follower?.close();
});

test("the page sorts the passages, and again for another query", { timeout }, async () => {
  const { page, foreign } = await openGuidePage(browser, follower.address);
  const first = page.locator("li").first();
  await first.getByText("Learn to ride waves in a week.").waitFor({ timeout: 120_000 });
  assert.equal(await page.locator("li").count(), 3);
  await page.getByLabel("Query").fill("when is the library open?");
  await page.getByLabel("Query").press("Enter");
  await first.getByText("Opening hours of the library.").waitFor({ timeout: 60_000 });
  assert.deepEqual(foreign, [], "models that are kept are not asked for");
});

test("the page is built with its types checked", { timeout }, async () => {
  assert.match(await follower.run("npm run build"), /built in/);
});
