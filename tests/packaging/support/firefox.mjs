// A project's page in Firefox, on the CPU; puppeteer-core drives it over WebDriver BiDi.
import { findFirefox } from "../../../scripts/lib/browser.mjs";
import { installPackages } from "../../../scripts/lib/system.mjs";
import { assertResult, input } from "./expectations.mjs";
import { places, servePages } from "./pages.mjs";

const executablePath = findFirefox() ?? ((await installPackages(["firefox-esr"])) ? findFirefox() : undefined);

/** Why tests in Firefox are left out, or false. Elsewhere than in continuous integration a person may do without. */
export const skip =
  executablePath || process.env.CI ? false : "Firefox is not installed (on Debian: apt-get install firefox-esr)";

/** What may hang, with a limit of its own, so that a failure says where it was. */
async function within(seconds, what, work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${seconds} s.`)), 1000 * seconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Firefox with an empty page. One that does not answer is started anew: its start is not what is tested. */
async function openPage(tries = 2) {
  const { default: puppeteer } = await import("puppeteer-core");
  let browser;
  const opening = async () => {
    browser = await puppeteer.launch({ browser: "firefox", executablePath, protocolTimeout: 5 * 60_000 });
    return { browser, page: await browser.newPage() };
  };
  try {
    return await within(60, "Starting Firefox", opening());
  } catch (error) {
    browser?.process()?.kill("SIGKILL");
    if (tries === 1) throw error;
    return openPage(tries - 1);
  }
}

/** Does work with an empty page in Firefox. */
export async function inFirefox(work) {
  const { browser, page } = await openPage();
  try {
    return await work(page);
  } finally {
    await within(20, "Closing Firefox", browser.close()).catch(() => browser.process()?.kill("SIGKILL"));
  }
}

/** Serves a project's built folder, runs the job on its page in Firefox and checks the result. */
export function assertBuildRunsInFirefox(path, headers) {
  // The browser first, as it may fail: a server that is left open keeps the test from ending.
  return inFirefox(async (page) => {
    const server = await servePages(path, headers);
    try {
      await page.goto(`${server.address}/`);
      // Not `waitForFunction`, which a strict policy forbids.
      const starting = page.evaluate(async () => {
        while (!globalThis.runJob) await new Promise((resolve) => setTimeout(resolve, 50));
      });
      await within(30, "The page's start", starting);
      const running = page.evaluate((input) => globalThis.runJob(input), { ...input, ...places });
      assertResult(await within(150, "The job", running));
    } finally {
      await server.close();
    }
  });
}
