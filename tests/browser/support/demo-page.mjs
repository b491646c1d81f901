// The built demo page in Chromium, from the server that `npm run demo` starts, as a person would use it.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { launchBrowser } from "../../../scripts/lib/browser.mjs";
import { servePage } from "../../../scripts/lib/page.mjs";
import { cache } from "../../../scripts/lib/paths.mjs";
import * as tiny from "./tiny-job.mjs";

/** Deletes what a page has stored (`scores`, `jobs`, `all`) and says that it is meant. */
export async function deleteStored(page, what) {
  await page.getByTestId(`delete-${what}`).click();
  await page.getByTestId(`delete-${what}-asked-yes`).click();
}

/** The page with what the tests do on it. */
export class DemoPage {
  /** Playwright's page, for all that has no name here. */
  page;
  address;
  /** Messages of exceptions that nothing caught. */
  failures = [];
  #browser;
  #server;

  /** `options`: as of Playwright's `newContext`; `start`: starts another server than that of `npm run demo`. */
  static async open(options = {}, start = servePage) {
    const demo = new DemoPage();
    demo.#server = await start();
    demo.address = demo.#server.address;
    try {
      demo.#browser = await launchBrowser();
      const context = await demo.#browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
      demo.page = await context.newPage();
      // Two processors may be shared with much else.
      demo.page.setDefaultTimeout(60_000);
      demo.page.on("pageerror", (error) => demo.failures.push(error.message));
      return demo;
    } catch (error) {
      await demo.close();
      throw error;
    }
  }

  async close() {
    await this.#browser?.close();
    await this.#server.close();
  }

  /** A page with the result of the tiny job. */
  static async withResult() {
    const demo = await DemoPage.open();
    await demo.visit();
    await demo.useTinyJob();
    await demo.run();
    return demo;
  }

  /** Opens the page, or opens it anew, and waits until it has found the models beside it. */
  async visit() {
    await this.page.goto(`${this.address}/`);
    await this.get("models-server").and(this.page.locator(":enabled:checked")).waitFor();
  }

  get(testid) {
    return this.page.getByTestId(testid);
  }

  /** Picks the CPU, takes the sample, and waits until both files are read. */
  async useSample() {
    await this.get("device-cpu").check();
    await this.get("use-sample").click();
    for (const name of ["queries", "documents"]) await this.get(`summary-${name}`).waitFor();
    await this.get("reading-qrels").waitFor();
  }

  /** Picks the CPU, takes a job of seconds, and waits until it is read. `judged`: with judgements of two queries. */
  async useTinyJob({ judged = false } = {}) {
    const csv = (texts, letter) => `id,text\n${texts.map((text, i) => `${letter}${i + 1},"${text}"`).join("\n")}\n`;
    await this.get("device-cpu").check();
    await this.choose("queries", "log.csv", csv(tiny.queries, "q"));
    await this.choose("documents", "shop.csv", csv(tiny.documents, "d"));
    for (const name of ["queries", "documents"]) await this.get(`summary-${name}`).waitFor();
    if (!judged) return;
    await this.get("judgements").locator("summary").first().click();
    await this.choose("qrels", "qrels.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td3\t1\n");
    await this.get("reading-qrels").waitFor();
  }

  /** Runs what is chosen, to its end; a result that is there is given up. */
  async run() {
    const asked = await this.page.locator("[data-testid=download-taken][data-taken=false]").isVisible();
    await this.get("start").click();
    if (asked) await this.get("replace-yes").click();
    await this.waitForState(["done"]);
  }

  /** Waits until the running job has scored so many pairs. */
  scoredAtLeast(least) {
    return this.page.waitForFunction(
      (least) => Number(document.querySelector("[data-testid=stage-score]")?.dataset.done) >= least,
      least,
      { timeout: 5 * 60_000 },
    );
  }

  /** Puts a file with that content into the field of that name (`queries`, `documents`, `qrels`). */
  async choose(field, name, content) {
    const buffer = Buffer.isBuffer(content) ? content : Buffer.from(content);
    await this.get(`file-${field}`).setInputFiles({ name, mimeType: "application/octet-stream", buffer });
  }

  deleteStored(what) {
    return deleteStored(this.page, what);
  }

  /** What has the focus: its testid, or the name of its tag. */
  focused() {
    return this.page.evaluate(() => document.activeElement?.dataset.testid ?? document.activeElement?.tagName);
  }

  /** Presses Tab until the focus is there; fails if it comes round without having been. */
  async reach(testid) {
    for (let presses = 0; presses < 200; presses++) {
      if ((await this.focused()) === testid) return;
      await this.page.keyboard.press("Tab");
    }
    throw new Error(`Tab does not lead to ${testid}`);
  }

  /** Goes there by Tab and presses a key. */
  async press(testid, key = "Enter") {
    await this.reach(testid);
    await this.page.keyboard.press(key);
  }

  /** Fills in a number, opening what it may be hidden in. */
  async setNumber(testid, value) {
    if (!(await this.get(testid).isVisible())) await this.get("more-choices").click();
    await this.get(testid).fill(String(value));
    await this.get(testid).blur();
  }

  /** Waits until the job is in one of the states; resolves to the one it is in. Fails when it failed instead. */
  async waitForState(states, timeout = 15 * 60_000) {
    const wanted = [...states, "failed"].map((state) => `[data-testid=job-state][data-state=${state}]`);
    const found = this.page.locator(wanted.join(", "));
    await found.waitFor({ state: "attached", timeout });
    const state = await found.getAttribute("data-state");
    if (state === "failed" && !states.includes("failed")) {
      throw new Error(`The job failed: ${await this.get("error-job").innerText()}`);
    }
    return state;
  }

  /** How far a stage is: `{ status, done, total, cached }`. */
  async stage(name) {
    const { status, ...numbers } = await this.get(`stage-${name}`).evaluate((element) => ({ ...element.dataset }));
    return { status, done: Number(numbers.done), total: Number(numbers.total), cached: Number(numbers.cached) };
  }

  /** Names of the files that the page keeps for unfinished jobs. */
  keptFiles() {
    return this.page.evaluate(async () => {
      const settle = (request) =>
        new Promise((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const database = await settle(indexedDB.open("querytune-page"));
      const files = await settle(database.transaction("files").objectStore("files").getAll());
      database.close();
      return files.map((file) => file.name).sort();
    });
  }

  /** A picture of the whole page for people to look at; it is beside the caches. */
  async screenshot(name) {
    const folder = join(cache, "screenshots");
    mkdirSync(folder, { recursive: true });
    await this.page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
  }
}
