// The installed package in Firefox, on the CPU, as plain ES modules.
import { after, before, test } from "node:test";
import { findFirefox } from "../../scripts/lib/browser.mjs";
import { installPackages } from "../../scripts/lib/system.mjs";
import { assertResult, input } from "./support/expectations.mjs";
import { places, servePages } from "./support/pages.mjs";
import { createProject, plainPage } from "./support/project.mjs";

const timeout = 5 * 60_000;
const executablePath = findFirefox() ?? ((await installPackages(["firefox-esr"])) ? findFirefox() : undefined);
// Elsewhere than in continuous integration a person may do without.
const skip =
  executablePath || process.env.CI ? false : "Firefox is not installed (on Debian: apt-get install firefox-esr)";
let project;
let server;

before(
  async () => {
    if (skip) return;
    project = await createProject("firefox", { files: { "index.html": plainPage.html } });
    server = await servePages(project.folder, plainPage.headers);
  },
  { timeout },
);

after(async () => {
  await server?.close();
  project?.remove();
});

test("Firefox runs the package from plain ES modules, under a strict policy", { timeout, skip }, async () => {
  const { default: puppeteer } = await import("puppeteer-core");
  const browser = await puppeteer.launch({ browser: "firefox", executablePath, protocolTimeout: timeout });
  try {
    const page = await browser.newPage();
    await page.goto(`${server.address}/`);
    // Not `waitForFunction`, which the page's policy forbids.
    await page.evaluate(async () => {
      const end = performance.now() + 20_000;
      while (!globalThis.runJob) {
        if (performance.now() > end) throw new Error("The page did not start.");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    });
    assertResult(await page.evaluate((input) => globalThis.runJob(input), { ...input, ...places }));
  } finally {
    await browser.close();
  }
});
