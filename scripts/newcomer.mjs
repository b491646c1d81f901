// `npm run newcomer`: how long it takes somebody who has nothing yet. With the package: from `npm create vite` to the
// first ranking, by the very commands of the quickstart. With the page: from opening it to a downloaded model, on the
// sample. A table on the terminal; docs/performance.md says what is in it.
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DemoPage } from "../tests/browser/support/demo-page.mjs";
import { Follower, readGuide } from "../tests/guides/support/guide.mjs";
import { openGuidePage } from "../tests/guides/support/page.mjs";
import { machine } from "./bench/machine.mjs";
import { build } from "./build.mjs";
import { launchBrowser } from "./lib/browser.mjs";
import { main, say, UsageError } from "./lib/terminal.mjs";
import { setup } from "./setup.mjs";

const usage = `Usage: npm run newcomer

Times the first steps of a person who has nothing yet: with the package, and with the page. Needs the npm registry.`;

const timeout = 30 * 60_000;

/** A clock that notes how long each step took. */
class Steps {
  rows = [];
  #from = performance.now();

  done(what) {
    const now = performance.now();
    this.rows.push([what, (now - this.#from) / 1000]);
    this.#from = now;
  }

  /** What lies between steps is not counted. */
  go() {
    this.#from = performance.now();
  }

  lines() {
    const total = this.rows.reduce((sum, [, seconds]) => sum + seconds, 0);
    return [...this.rows, ["together", total]].map(([what, seconds]) => `| ${what} | ${seconds.toFixed(1)} |`);
  }
}

/** The quickstart, with npm's cache empty, and the models kept by the browser. */
async function withPackage() {
  const npmCache = mkdtempSync(join(tmpdir(), "querytune-npm-"));
  const follower = await Follower.open({ env: { npm_config_cache: npmCache } });
  let browser;
  try {
    const steps = new Steps();
    for (const step of readGuide("quickstart")) {
      const serves = step.command === "npm run dev";
      if (serves) follower.publishModels();
      steps.go();
      await follower.follow([step], { servers: ["npm run dev"] });
      if (step.command && !step.command.startsWith("cd ")) {
        steps.done(`\`${step.command}\`${serves ? ", until it serves" : ""}`);
      }
    }
    browser = await launchBrowser();
    const { page } = await openGuidePage(browser, follower.address, { opened: () => steps.go() });
    await page.locator("li").first().getByText("Learn to ride waves").waitFor({ timeout });
    steps.done("opening the page, to the first ranking");
    return steps;
  } finally {
    await browser?.close();
    await follower.close();
    rmSync(npmCache, { recursive: true, force: true });
  }
}

/** The page with its own sample and defaults, in a new browser profile. */
async function withPage() {
  const demo = await DemoPage.open();
  try {
    const steps = new Steps();
    await demo.visit();
    steps.done("opening the page");
    await demo.useSample();
    steps.done("taking the sample");
    await demo.run();
    steps.done("the job: models, vectors, scores, training, comparison");
    const waiting = demo.page.waitForEvent("download", { timeout });
    await demo.get("download-artifact").click();
    const { size } = statSync(await (await waiting).path());
    steps.done(`downloading the model (${Math.round(size / 1e6)} MB)`);
    return steps;
  } finally {
    await demo.close();
  }
}

await main(async () => {
  if (process.argv.includes("--help")) return say(usage);
  if (process.argv.length > 2) throw new UsageError(usage);
  await setup();
  await build();
  const { processor, processors, loadAtStart } = machine();
  say(`\n${processor}, ${processors} processors; load before it began: ${loadAtStart.toFixed(1)}`);
  for (const [title, work] of [
    ["With the package", withPackage],
    ["With the page", withPage],
  ]) {
    const steps = await work();
    say(`\n| ${title} | seconds |\n|---|---|`);
    for (const line of steps.lines()) say(line);
  }
  return 0;
});
