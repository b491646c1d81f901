// After a first visit the page opens and works without a network, and nothing is stored twice for it.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "../../scripts/lib/paths.mjs";
import { folder, serve } from "../../scripts/lib/server.mjs";
import { DemoPage } from "./support/demo-page.mjs";

const timeout = 2 * 60_000;
let demo;

before(
  async () => {
    demo = await DemoPage.open();
    await demo.visit();
  },
  { timeout },
);

after(() => demo?.close());

/** What lies in the caches: addresses by the cache's name. */
const cached = () =>
  demo.page.evaluate(async () => {
    const found = {};
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      found[name] = (await cache.keys()).map((request) => new URL(request.url).pathname);
    }
    return found;
  });

test("the first visit keeps the page, and a job keeps the models", { timeout }, async () => {
  await demo.page.locator("[data-testid=offline][data-ready=true]").waitFor();
  await demo.useTinyJob();
  await demo.run();
});

test("no file is in two caches, and no model is in the page's own", { timeout }, async () => {
  const caches = await cached();
  const shells = Object.keys(caches).filter((name) => name.startsWith("querytune-shell-"));
  assert.equal(shells.length, 1);
  const all = Object.values(caches).flat();
  assert.equal(new Set(all).size, all.length, all.join("\n"));
  assert.ok(all.some((path) => path.endsWith("/model.safetensors")));
  assert.deepEqual(
    caches[shells[0]].filter((path) => path.includes("/models/")),
    [],
  );
});

test("without a network the page opens, reads the sample, and runs a job", { timeout }, async () => {
  await demo.page.context().setOffline(true);
  await demo.page.reload();
  await demo.get("models-server").and(demo.page.locator(":enabled:checked")).waitFor();
  await demo.useSample();
  await demo.useTinyJob();
  await demo.get("file-qrels-remove").click();
  await demo.run();
  const { done, cached } = await demo.stage("score");
  assert.equal(cached, done, "scores of the first visit are there");
});

test("kept pages and scripts have the same policies as fetched ones", { timeout }, async () => {
  const meta = demo.page.locator("meta[http-equiv=Content-Security-Policy]");
  assert.match(await meta.first().getAttribute("content"), /script-src 'self' 'wasm-unsafe-eval'/);
  assert.equal(await askedByWorkers(demo), "refused");
  assert.equal(await demo.page.evaluate(() => crossOriginIsolated), true);
});

/** What the engine's workers get when they ask for the page, which the service worker would give them. */
async function askedByWorkers({ page, address }) {
  const workers = page.workers().filter((worker) => !worker.url().endsWith("/sw.js"));
  assert.ok(workers.length > 0, "the engine has a worker");
  const answers = workers.map((worker) =>
    worker.evaluate(
      (url) =>
        fetch(url).then(
          () => "answered",
          () => "refused",
        ),
      `${address}/index.html`,
    ),
  );
  return [...new Set(await Promise.all(answers))].join();
}

test("a host of nothing but the built files has the sample, and the policies from the service worker", {
  timeout,
}, async () => {
  const plain = await DemoPage.open({}, () => serve({ "/": folder(join(root, "www", "dist")) }));
  try {
    await plain.page.goto(`${plain.address}/`);
    await plain.choose("queries", "log.txt", "tent\nstove\nlamp\n");
    await plain.get("summary-queries").waitFor({ timeout });
    assert.equal(await askedByWorkers(plain), "refused");
    // All that is served is what the build has made.
    await plain.useSample();
    const licence = await plain.page.request.get(`${plain.address}/sample/LICENSE-CC-BY-4.0.txt`);
    assert.equal(licence.status(), 200, "the sample has its licences beside it");
  } finally {
    await plain.close();
  }
});

test("the server's page is shown when it is newer, the kept one when there is no server", { timeout }, async () => {
  const copy = mkdtempSync(join(tmpdir(), "querytune-"));
  cpSync(join(root, "www", "dist"), copy, { recursive: true });
  const visited = await DemoPage.open({}, () => serve({ "/": folder(copy) }));
  try {
    const { page, address } = visited;
    await page.goto(`${address}/`);
    await page.locator("[data-testid=offline][data-ready=true]").waitFor();
    const html = readFileSync(join(copy, "index.html"), "utf8");
    writeFileSync(join(copy, "index.html"), html.replace("<title>querytune</title>", "<title>newer</title>"));
    await page.goto(`${address}/?from=a-bookmark`);
    assert.equal(await page.title(), "newer");
    await page.context().setOffline(true);
    await page.goto(`${address}/?from=a-bookmark`);
    await page.getByRole("heading", { level: 1, name: "querytune" }).waitFor();
    assert.equal(await page.title(), "querytune");
  } finally {
    await visited.close();
    rmSync(copy, { recursive: true, force: true });
  }
});

/** The copies of the page on one server of which something is in a cache whose name begins like the page's own. */
const copies = (page) =>
  page.evaluate(async () => {
    const found = new Set();
    for (const name of await caches.keys()) {
      const requests = name.startsWith("querytune-shell-") ? await (await caches.open(name)).keys() : [];
      for (const { url } of requests) found.add(new URL(url).pathname.split("/")[1]);
    }
    return [...found].sort();
  });

test("copies of the page on one server keep and delete what is their own", { timeout }, async () => {
  const newer = mkdtempSync(join(tmpdir(), "querytune-"));
  const dist = join(root, "www", "dist");
  cpSync(dist, newer, { recursive: true });
  const worker = readFileSync(join(newer, "sw.js"), "utf8");
  writeFileSync(join(newer, "sw.js"), worker.replace(/VERSION = "[0-9a-f]+"/, 'VERSION = "newer"'));
  const visited = await DemoPage.open({}, () => serve({ "/one/": folder(dist), "/two/": folder(newer) }));
  try {
    const { page, address } = visited;
    await page.goto(`${address}/one/THIRD-PARTY-NOTICES.txt`);
    // As earlier versions named them, by what lies there alone.
    await page.evaluate(async () => {
      const old = ["one", "three"].map(async (copy, i) => {
        const cache = await caches.open(`querytune-shell-000${i}`);
        await cache.put(`/${copy}/index.html`, new Response("old"));
      });
      await Promise.all(old);
    });
    const ready = page.locator("[data-testid=offline][data-ready=true]");
    for (const copy of ["one", "two"]) {
      await page.goto(`${address}/${copy}/`);
      await ready.waitFor();
      await page.evaluate(() => navigator.serviceWorker.ready.then(({ active }) => active.state));
    }
    await page.waitForFunction(async () => !(await caches.has("querytune-shell-0000")));
    assert.deepEqual(await copies(page), ["one", "three", "two"]);
    await page.getByTestId("delete-page").click();
    await page.getByTestId("stored-page").getByText("0 files").waitFor();
    assert.deepEqual(await copies(page), ["one", "three"]);
    await page.context().setOffline(true);
    await page.goto(`${address}/one/`);
    await page.getByRole("heading", { level: 1, name: "querytune" }).waitFor();
  } finally {
    await visited.close();
    rmSync(newer, { recursive: true, force: true });
  }
});

test("nothing failed unnoticed", () => assert.deepEqual(demo.failures, []));
