// A project's page in a browser, served as any static host would, with the models beside it.
import assert from "node:assert/strict";
import { basename } from "node:path";
import { launchBrowser } from "../../../scripts/lib/browser.mjs";
import { models } from "../../../scripts/lib/paths.mjs";
import { folder, serve } from "../../../scripts/lib/server.mjs";
import { assertResult, input } from "./expectations.mjs";

/** Where a page finds the models. */
export const places = Object.fromEntries(
  Object.entries(models).map(([role, path]) => [role, `/models/${basename(path)}/`]),
);

const modelRoutes = Object.fromEntries(Object.entries(models).map(([role, path]) => [places[role], folder(path)]));

/** Serves a project's built folder. Resolves to `{ address, close }`. */
export function servePages(path, headers) {
  return serve({ "/": folder(path, headers), ...modelRoutes });
}

/** Serves a project's built folder, runs the job on its page in Chromium and checks the result. */
export async function assertBuildRuns(path, headers) {
  const server = await servePages(path, headers);
  try {
    await assertJobInChromium(`${server.address}/`);
  } finally {
    await server.close();
  }
}

/** Runs the job in Chromium on the page at that address and checks its result. */
export async function assertJobInChromium(address) {
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    const failures = [];
    page.on("pageerror", (error) => failures.push(error.message));
    // What the browser itself says: refused by the policy, not found, of the wrong type.
    page.on("console", (message) => {
      const icon = message.location().url.endsWith("/favicon.ico");
      if (message.type() === "error" && !icon) failures.push(message.text());
    });
    await page.goto(address);
    await page
      .waitForFunction(() => globalThis.runJob, undefined, { timeout: 20_000 })
      .catch((error) => {
        throw new Error(`The page did not start. ${failures.join(" ")} ${error.message}`);
      });
    const result = await page.evaluate((input) => globalThis.runJob(input), { ...input, ...places });
    assertResult(result);
    assert.deepEqual(failures, [], "nothing was thrown that nobody caught");
  } finally {
    await browser.close();
  }
}
