// The pages that guides end with, made by following the guides, for their pictures.
import { Follower, readGuide } from "../../tests/guides/support/guide.mjs";
import { openGuidePage } from "../../tests/guides/support/page.mjs";
import { folder, serve } from "./server.mjs";

const timeout = 2 * 60_000;

/** Each with a way to its page: given a browser and what is to be done with the page. */
export const GUIDE_PAGES = {
  quickstart: async (browser, use) => {
    const follower = await Follower.open();
    try {
      const before = { "npm run dev": () => follower.publishModels() };
      await follower.follow(readGuide("quickstart"), { servers: ["npm run dev"], before });
      const { page } = await openGuidePage(browser, follower.address);
      await page.locator("li").first().waitFor({ timeout });
      await use(page);
    } finally {
      await follower.close();
    }
  },
  "search-box": async (browser, use) => {
    const follower = await Follower.open();
    let server;
    try {
      const steps = readGuide("static-site");
      // As far as there is no log yet.
      const first = steps.findIndex(({ command }) => command?.startsWith("npx querytune adapt"));
      await follower.follow(steps.slice(0, first));
      follower.publishModels();
      server = await serve({ "/": folder(follower.path("public")) });
      const { page } = await openGuidePage(browser, server.address, { kept: false });
      await page.getByText("4 pages can be searched.").waitFor({ timeout });
      await page.getByLabel("Search").fill("parking a vehicle");
      await page.locator("li").first().waitFor({ timeout });
      await use(page);
    } finally {
      await server?.close();
      await follower.close();
    }
  },
};
