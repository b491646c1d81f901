// A project's page in Firefox, on the CPU; puppeteer-core drives it over WebDriver BiDi.
import { findFirefox } from "../../../scripts/lib/browser.mjs";
import { installPackages } from "../../../scripts/lib/system.mjs";
import { assertResult, input } from "./expectations.mjs";
import { places, servePages } from "./pages.mjs";

const executablePath = findFirefox() ?? ((await installPackages(["firefox-esr"])) ? findFirefox() : undefined);

/** Why tests in Firefox are left out, or false. Elsewhere than in continuous integration a person may do without. */
export const skip =
  executablePath || process.env.CI ? false : "Firefox is not installed (on Debian: apt-get install firefox-esr)";

/** Serves a project's built folder, runs the job on its page in Firefox and checks the result. */
export async function assertBuildRunsInFirefox(path, headers, protocolTimeout = 5 * 60_000) {
  const { default: puppeteer } = await import("puppeteer-core");
  const server = await servePages(path, headers);
  const browser = await puppeteer.launch({ browser: "firefox", executablePath, protocolTimeout });
  try {
    const page = await browser.newPage();
    await page.goto(`${server.address}/`);
    // Not `waitForFunction`, which a strict policy forbids.
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
    await server.close();
  }
}
