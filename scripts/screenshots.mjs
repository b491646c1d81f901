// `npm run screenshots`: walks the page through all of its states in headless Chromium, and takes pictures of each in
// light, in dark, and on a narrow screen. The few that README and guides show go to docs/images with --docs.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { launchBrowser } from "./lib/browser.mjs";
import { GUIDE_PAGES } from "./lib/guide-pages.mjs";
import { servePage } from "./lib/page.mjs";
import { models, root } from "./lib/paths.mjs";
import { Failure, main, say, UsageError } from "./lib/terminal.mjs";
import { setup } from "./setup.mjs";

const usage = `Usage: npm run screenshots -- [--out DIR] [--only STATE] [--docs]

Takes pictures of every state of the page. DIR is out/screenshots by default; --only takes one state; --docs writes
the pictures of README and guides anew, too, those of the pages that guides end with among them (--only
${Object.keys(GUIDE_PAGES).join(", ")}).`;

const LOOKS = {
  light: { colorScheme: "light", width: 1100 },
  dark: { colorScheme: "dark", width: 1100 },
  narrow: { colorScheme: "light", width: 360 },
};
const HEIGHT = 900;
/** How large the pages of guides are in pictures. */
const GUIDE_SIZE = { width: 760, height: 360 };
/** Pictures in documents have to load quickly. */
const LARGEST = 150_000;
const timeout = 10 * 60_000;

const sample = (name) => readFileSync(join(root, "examples", "sample", name), "utf8");

/** Six queries and documents that have nothing to do with them: there is nothing to be learned. */
const UNRELATED = {
  queries: ["one", "two", "three", "four", "five", "six"].map((word) => `number ${word}`).join("\n"),
  documents: Array.from({ length: 20 }, (_, i) => `Row ${i} of a table without any meaning.`).join("\n"),
};

/** Products for which the models named at first are of no use. */
const GERMAN = [
  "Laufschuhe für Herren",
  "Wasserdichte Regenjacke",
  "Kühlschrank mit Gefrierfach",
  "Bohrmaschine im Koffer",
]
  .flatMap((product) =>
    ["in Schwarz oder Weiß", "mit zwei Jahren Garantie", "aus recyceltem Kunststoff", "für die ganze Familie"].flatMap(
      (kind) =>
        ["leicht und leise", "zum Aufhängen an der Wand", "sehr günstig", "auch als Geschenk"].map(
          (praise) => `${product} ${kind} ${praise}`,
        ),
    ),
  )
  .join("\n");

class Walk {
  constructor(page, out, docs) {
    this.page = page;
    this.out = out;
    this.docs = docs;
  }

  get(testid) {
    return this.page.getByTestId(testid);
  }

  async choose(place, name, text) {
    await this.get(`file-${place}`).setInputFiles({ name, mimeType: "text/plain", buffer: Buffer.from(text) });
  }

  /** The sample, or its queries from one number to another. */
  async chooseSample({ judged = true, depth = 5, from = 0, to = 1000 } = {}) {
    const [head, ...log] = sample("queries.csv").trimEnd().split("\n");
    await this.choose("queries", "queries.csv", [head, ...log.slice(from, to)].join("\n"));
    await this.choose("documents", "documents.csv", sample("documents.csv"));
    if (judged) {
      await this.page.getByTestId("judgements").locator("summary").first().click();
      await this.choose("qrels", "qrels.tsv", sample("qrels.tsv"));
      await this.get("reading-qrels").waitFor();
    }
    for (const name of ["queries", "documents"]) await this.get(`summary-${name}`).waitFor();
    await this.get("device-cpu").check();
    await this.get("depth").fill(String(depth));
    await this.get("depth").blur();
  }

  async run() {
    await this.get("start").click();
    await this.page.locator("[data-testid=job-state][data-state=done]").waitFor({ state: "attached", timeout });
    // Plots are drawn when they are in place.
    await this.page.waitForTimeout(500);
  }

  /** Pictures of the whole page in every look. */
  async picture(state) {
    for (const [look, { colorScheme, width }] of Object.entries(LOOKS)) {
      await this.page.emulateMedia({ colorScheme });
      await this.page.setViewportSize({ width, height: HEIGHT });
      await this.page.waitForTimeout(300);
      await this.page.screenshot({ path: join(this.out, `${state}-${look}.png`), fullPage: true });
    }
    await this.page.emulateMedia({ colorScheme: "light" });
    await this.page.setViewportSize({ width: LOOKS.light.width, height: HEIGHT });
  }

  /** A picture of a part of the page for a document. */
  async forDocument(part, name) {
    if (this.docs) await documentPicture(this.page.locator(part), name);
  }
}

/** A picture in docs/images of a page or a part of it. */
async function documentPicture(of, name) {
  const path = join(root, "docs", "images", `${name}.png`);
  await of.screenshot({ path });
  const { size } = statSync(path);
  if (size > LARGEST) throw new Failure(`docs/images/${name}.png has ${size} bytes, more than ${LARGEST}.`);
}

/** Every state with the way there, each from a page loaded anew. */
const STATES = {
  empty: async (walk) => walk.picture("empty"),
  data: async (walk) => {
    await walk.chooseSample();
    for (const details of await walk.page.locator("[data-testid=reading-documents] details").all()) {
      await details.locator("summary").click();
    }
    await walk.picture("data");
  },
  "bad-file": async (walk) => {
    await walk.choose("queries", "log.csv", "id,query\n1,tent\n2,\n3,tent\n1,stove\n");
    await walk.choose("documents", "documents.bin", Buffer.from([0, 1, 2, 3, 255, 254, 0, 9]));
    await walk.get("error-documents").waitFor();
    await walk.get("skipped-queries").locator("summary").click();
    await walk.picture("bad-file");
  },
  folders: async (walk) => {
    await walk.get("models-folder").check();
    await walk.get("folder-encoder").setInputFiles(models.encoder);
    await walk.get("folder-cross-encoder").setInputFiles(models.crossEncoder);
    await walk.chooseSample();
    await walk.get("measure").click();
    await walk.get("device-info").waitFor({ timeout });
    await walk.page.waitForFunction(() => !document.querySelector("[data-testid=measure]").disabled, null, { timeout });
    await walk.picture("folders");
    await walk.forDocument("section[aria-labelledby=section-2]", "models");
  },
  languages: async (walk) => {
    await walk.choose("documents", "produkte.txt", GERMAN);
    await walk.get("not-english").waitFor();
    await walk.picture("not-english");
    await walk.get("not-english-other").click();
    await walk.picture("languages");
  },
  plan: async (walk) => {
    await walk.chooseSample({ depth: 20 });
    await walk.get("measure").click();
    await walk.get("estimate").waitFor({ timeout });
    await walk.page.waitForFunction(() => !document.querySelector("[data-testid=measure]").disabled, null, { timeout });
    await walk.picture("plan");
    await walk.forDocument("section[aria-labelledby=section-3]", "plan");
  },
  running: async (walk) => {
    await walk.chooseSample();
    await walk.get("start").click();
    await walk.page
      .locator("[data-testid=stage-score][data-status=active]")
      .getByText(" a second")
      .waitFor({ timeout });
    await walk.picture("running");
    await walk.forDocument("section[aria-labelledby=section-4]", "run");
    await walk.get("pause").click();
    await walk.page.locator("[data-testid=job-state][data-state=paused]").waitFor({ state: "attached", timeout });
    await walk.picture("paused");
    await walk.page.reload();
    await walk.get("continue").waitFor();
    await walk.picture("reloaded");
  },
  elsewhere: async (walk) => {
    await walk.chooseSample({ depth: 50 });
    await walk.get("start").click();
    await walk.page.locator("[data-testid=stage-score][data-status=active]").waitFor({ timeout });
    const page = await walk.page.context().newPage();
    await page.goto(walk.page.url());
    const other = new Walk(page, walk.out);
    await other.get("history-job").getByText("running in another tab").waitFor();
    await other.get("delete-scores").click();
    await other.get("delete-scores-asked-yes").click();
    await other.get("error-storage").waitFor();
    await other.picture("elsewhere");
    await page.close();
    await walk.get("cancel").click();
    await walk.page.locator("[data-testid=job-state][data-state=cancelled]").waitFor({ state: "attached", timeout });
    await walk.picture("cancelled");
  },
  failed: async (walk) => {
    await walk.chooseSample();
    await walk.page.context().route("https://huggingface.co/**", (route) => route.abort());
    await walk.get("models-hub").check();
    await walk.get("start").click();
    await walk.get("error-job").waitFor({ timeout });
    await walk.picture("failed");
  },
  strangers: async (walk) => {
    await walk.chooseSample();
    await walk.choose("qrels", "qrels.tsv", "q-1\tproduct-17\t1\nq-2\tproduct-4\t1\n");
    await walk.get("error-judged-ids").waitFor();
    await walk.picture("strangers");
  },
  "bad-judgements": async (walk) => {
    await walk.chooseSample();
    await walk.choose("qrels", "qrels.tsv", "query\trelevance\tdocument\n0\thigh\td1\n1\tlow\td2\n");
    await walk.get("error-qrels").waitFor();
    await walk.picture("bad-judgements");
  },
  judged: async (walk) => {
    await walk.chooseSample({ depth: 20 });
    await walk.run();
    await walk.get("gains-summary-judged").waitFor({ timeout });
    await walk.get("gained-judged").locator("button").first().click();
    await walk.get("search-tuned").waitFor();
    await walk.picture("judged");
    await walk.forDocument("[data-testid=compare] .plots", "compare");
  },
  unjudged: async (walk) => {
    await walk.chooseSample({ judged: false });
    await walk.run();
    await walk.picture("unjudged");
    await walk.get("start").click();
    await walk.get("replace-yes").waitFor();
    await walk.picture("replace");
  },
  judging: async (walk) => {
    await walk.chooseSample({ judged: false });
    await walk.run();
    await walk.get("judge-start").click();
    await walk.get("judge-document").waitFor({ timeout });
    await walk.page.keyboard.press("y");
    await walk.page.keyboard.press("n");
    await walk.picture("judging");
    await walk.forDocument("section[aria-labelledby=section-7]", "judging");
    await walk.page.evaluate(() => document.querySelector(".judge").focus());
    while ((await walk.get("judge-document").count()) > 0) await walk.page.keyboard.press("y");
    await walk.get("judge-result").waitFor({ timeout });
    await walk.picture("judging-verdict");
  },
  earlier: async (walk) => {
    await walk.chooseSample({ to: 80 });
    await walk.run();
    const download = walk.page.waitForEvent("download", { timeout });
    await walk.get("download-artifact").click();
    const folder = mkdtempSync(join(tmpdir(), "querytune-"));
    const zip = join(folder, "artifact.zip");
    await (await download).saveAs(zip);
    await walk.chooseSample({ judged: false, from: 60 });
    await walk.get("earlier").locator("summary").first().click();
    await walk.get("file-previous").setInputFiles(zip);
    await walk.get("reading-previous").waitFor();
    await walk.get("by-words").check();
    await walk.picture("earlier-plan");
    await walk.run();
    await walk.picture("earlier");
    rmSync(folder, { recursive: true });
  },
  "nothing-gained": async (walk) => {
    await walk.choose("queries", "numbers.txt", UNRELATED.queries);
    await walk.choose("documents", "rows.txt", UNRELATED.documents);
    for (const name of ["queries", "documents"]) await walk.get(`summary-${name}`).waitFor();
    await walk.get("device-cpu").check();
    await walk.run();
    const delivered = await walk.get("delivered").getAttribute("data-delivered");
    if (delivered !== "base") throw new Failure("Something was learned from texts without any meaning.");
    await walk.picture("nothing-gained");
  },
};

function options() {
  try {
    const { values } = parseArgs({
      options: {
        out: { type: "string", default: join(root, "out", "screenshots") },
        only: { type: "string" },
        docs: { type: "boolean", default: false },
        help: { type: "boolean", short: "h" },
      },
    });
    const states = Object.keys(values.docs ? { ...STATES, ...GUIDE_PAGES } : STATES);
    if (values.only && !states.includes(values.only)) {
      throw new Error(`There is no state ${values.only}; there are ${states.join(", ")}.`);
    }
    return values;
  } catch (error) {
    throw new UsageError(`${error.message}\n\n${usage}`);
  }
}

await main(async () => {
  const { out, only, docs, help } = options();
  if (help) return say(usage);
  await setup();
  await build();
  mkdirSync(resolve(out), { recursive: true });
  if (docs) mkdirSync(join(root, "docs", "images"), { recursive: true });
  const { address, close } = await servePage();
  const browser = await launchBrowser();
  try {
    for (const [state, go] of Object.entries(STATES)) {
      if (only && state !== only) continue;
      // Nothing of an earlier state is in it, as on the first visit.
      const context = await browser.newContext({ viewport: { width: LOOKS.light.width, height: HEIGHT } });
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      await page.goto(`${address}/`);
      await page.getByTestId("models-server").and(page.locator(":enabled:checked")).waitFor();
      await go(new Walk(page, resolve(out), docs));
      await context.close();
      say(`- ${state}`);
    }
    for (const [name, open] of Object.entries(docs ? GUIDE_PAGES : {})) {
      if (only && name !== only) continue;
      await open(browser, async (page) => {
        await page.setViewportSize(GUIDE_SIZE);
        await documentPicture(page, name);
      });
      say(`- ${name}`);
    }
  } finally {
    await browser.close();
    await close();
  }
  say(`\nThe pictures are in ${resolve(out)}.`);
});
