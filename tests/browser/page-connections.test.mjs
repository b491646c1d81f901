// Once the models are there, the page and its workers connect to nothing, not even to their own server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 2 * 60_000;
let demo;
/** What left the page after the models were there, by Playwright's own count. */
const sent = [];
let loaded = false;

before(
  async () => {
    demo = await DemoPage.open();
    demo.page.on("request", (request) => loaded && sent.push(request.url()));
    await demo.visit();
  },
  { timeout },
);

after(() => demo?.close());

/** A planted request to the page's own server, from wherever it is evaluated. */
const plant = (address) =>
  fetch(address).then(
    () => "answered",
    () => "refused",
  );

test("before the models are there, the page may ask its server", { timeout }, async () => {
  assert.match(await demo.get("network").innerText(), /Open until the models are loaded/);
  assert.equal(await demo.page.evaluate(plant, `${demo.address}/index.html`), "answered");
});

test("no request is made between the models' arrival and the last download", { timeout }, async () => {
  await demo.useTinyJob();
  await demo.get("start").click();
  await demo.get("requests").waitFor({ timeout });
  loaded = true;
  await demo.waitForState(["done"]);
  await demo.get("search-box").fill("boots for rain");
  await demo.get("search-submit").click();
  await demo.get("search-tuned").waitFor();
  for (const id of ["download-artifact", "download-csv", "download-report"]) {
    const waiting = demo.page.waitForEvent("download", { timeout });
    await demo.get(id).click();
    await waiting;
  }
  assert.deepEqual(
    sent.filter((url) => !/^(blob|data):/.test(url)),
    [],
  );
  assert.equal(await demo.get("requests").getAttribute("data-count"), "0");
});

test("the policies that the browser was given can be read", { timeout }, async () => {
  await demo.get("network-more").locator("summary").click();
  const given = await demo.page
    .locator("meta[http-equiv=Content-Security-Policy]")
    .evaluateAll((metas) => metas.map(({ content }) => content));
  assert.equal(given.length, 2);
  assert.deepEqual(await demo.get("network-more").locator("code").allInnerTexts(), given);
});

test("a planted request fails in the page, and the page says so", { timeout }, async () => {
  assert.equal(await demo.page.evaluate(plant, `${demo.address}/index.html`), "refused");
  await demo.get("refused").waitFor();
  assert.match(await demo.get("network").innerText(), /0 requests left this page.*1 attempt was refused/s);
});

test("a planted request fails in every worker of the engine", { timeout }, async () => {
  const workers = demo.page.workers();
  assert.ok(workers.length >= 1, "the engine has a worker");
  for (const worker of workers) {
    assert.equal(await worker.evaluate(plant, `${demo.address}/index.html`), "refused", worker.url());
  }
});

/** Plants an element that would load a file of the page's own server; resolves to the directive that refuses it. */
const planted = (tag, attributes) =>
  demo.page.evaluate(
    async ([tag, attributes]) => {
      const refused = new Promise((resolve) => {
        document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective), {
          once: true,
        });
      });
      document.head.append(Object.assign(document.createElement(tag), attributes));
      return Promise.race([refused, new Promise((resolve) => setTimeout(resolve, 5000, "let through"))]);
    },
    [tag, attributes],
  );

test("scripts, styles, images, media and frames of its own server are refused as well", { timeout }, async () => {
  const found = {
    "script-src-elem": await planted("script", { src: "assets/planted.js" }),
    "style-src-elem": await planted("link", { rel: "stylesheet", href: "assets/planted.css" }),
    "img-src": await planted("img", { src: "assets/planted.png" }),
    "media-src": await planted("video", { src: "assets/planted.mp4" }),
    "frame-src": await planted("iframe", { src: "index.html" }),
  };
  for (const [directive, refusing] of Object.entries(found)) assert.equal(refusing, directive);
  assert.equal(await demo.get("requests").getAttribute("data-count"), "0");
});

test("what another tab asks for is not counted in this one", { timeout }, async () => {
  const other = await demo.page.context().newPage();
  await other.goto(`${demo.address}/`);
  await other.getByTestId("models-server").and(other.locator(":enabled:checked")).waitFor();
  assert.equal(await other.evaluate(plant, `${demo.address}/no-such-file`), "answered");
  await other.close();
  assert.equal(await demo.get("requests").getAttribute("data-count"), "0");
});

test("a worker's script that is loaded all the same is counted", { timeout }, async () => {
  // It is the one thing that the page can still ask its server for.
  await demo.page.evaluate(() => {
    new Worker("assets/no-such-worker.js");
  });
  await demo.page.locator("[data-testid=requests]:not([data-count='0'])").waitFor();
  assert.equal(await demo.get("requests").getAttribute("data-count"), "1");
});

test("a kept sample and a plot in other colours still come", { timeout }, async () => {
  await demo.get("use-sample").click();
  await demo.get("reading-qrels").waitFor();
  await demo.page.emulateMedia({ colorScheme: "dark" });
  await demo.get("histogram").locator("canvas").waitFor();
  await demo.page.emulateMedia({ colorScheme: "light" });
  assert.equal(await demo.get("unsupervised").count(), 0, "the service worker was in control");
});

test("other models then need the page to be loaded anew, and it says so", { timeout }, async () => {
  await demo.get("models-hub").check();
  await demo.get("hub-encoder").fill("someone/another-model");
  await demo.get("start").click();
  await demo.waitForState(["failed"]);
  assert.match(await demo.get("error-job").innerText(), /Load it anew to fetch other models; what is scored is kept/);
});

test("the result that was shown before is still there and of use", { timeout }, async () => {
  assert.equal(
    await demo.get("compare-of").innerText(),
    "Result of log.csv and shop.csv. Other files are chosen now; they have not been run.",
  );
  assert.equal(await demo.get("result-lost").count(), 0);
  await demo.get("search-box").fill("a chess set");
  await demo.get("search-submit").click();
  await demo.get("search-moved").getByText("a chess set").waitFor();
  assert.equal(await demo.get("error-search").count(), 0);
  const waiting = demo.page.waitForEvent("download", { timeout });
  await demo.get("download-artifact").click();
  await waiting;
});

test("a job with models that are there takes its place", { timeout }, async () => {
  await demo.get("file-qrels-remove").click();
  await demo.useTinyJob();
  await demo.get("models-server").check();
  await demo.run();
  assert.equal(await demo.get("compare-of").innerText(), "Result of log.csv and shop.csv.");
  assert.equal(await demo.get("error-job").count(), 0);
});

test("without a service worker the page says that workers are not counted", { timeout }, async () => {
  const alone = await DemoPage.open({ serviceWorkers: "block" });
  try {
    await alone.visit();
    await alone.useTinyJob();
    assert.match(await alone.get("unsupervised").innerText(), /workers are not in this count/);
    await alone.run();
    assert.equal(await alone.get("requests").getAttribute("data-count"), "0");
    assert.equal(await alone.page.evaluate(plant, `${alone.address}/index.html`), "refused");
    await alone.get("refused").waitFor();
    assert.equal(await alone.get("requests").getAttribute("data-count"), "0", "what was refused did not leave");
  } finally {
    await alone.close();
  }
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
