// Models that a page keeps: which are there, whether they are whole, their deletion, and what becomes of damaged ones.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openHubPage } from "./support/hub-page.mjs";
import { places } from "./support/package-page.mjs";

const timeout = 5 * 60_000;
const weights = (name) => readFileSync(join(opened.folder, name, "model.safetensors"));
const hash = (bytes) => createHash("sha256").update(bytes).digest("hex");
let opened;
let hub;

before(
  async () => {
    opened = await openHubPage();
    ({ hub } = opened);
  },
  { timeout },
);

after(() => opened?.close());

/** Calls functions of the package on the page; `sources` makes hub sources of names. */
function onPage(work, argument) {
  return opened.page.evaluate(
    async ({ path, work, argument }) => {
      const querytune = await import(path);
      const host = new URL("/hub/", location.href).href;
      const source = (name, sha256) => ({ hub: `some/${name}`, host, sha256 });
      return new Function("querytune", "source", "argument", `return (${work})(querytune, source, argument)`)(
        querytune,
        source,
        argument,
      );
    },
    { path: places.package, work: String(work), argument },
  );
}

/** Loads both models; resolves to warnings and the error's code. `sha256`: of the encoder's files. */
async function load(sha256) {
  hub.requests = [];
  return onPage(async ({ load }, source, sha256) => {
    const warnings = [];
    const onWarning = (message) => warnings.push(message);
    const options = { store: "memory", device: "cpu", threads: 1, onWarning };
    try {
      (await load({ ...options, encoder: source("encoder", sha256), crossEncoder: source("cross") })).dispose();
      return { warnings };
    } catch ({ code, message }) {
      return { warnings, code, message };
    }
  }, sha256);
}

const cached = () =>
  onPage(async ({ isCached, cachedModels }, source) => ({
    encoder: await isCached(source("encoder")),
    cross: await isCached(source("cross")),
    models: (await cachedModels()).map(({ url, ...rest }) => ({ name: /some\/(\w+)\//.exec(url)?.[1], ...rest })),
    caches: await caches.keys(),
  }));

test("before anything was loaded nothing is kept, and looking keeps nothing", { timeout }, async () => {
  assert.deepEqual(await cached(), { encoder: false, cross: false, models: [], caches: [] });
});

test("models given as files or bytes need no download", { timeout }, async () => {
  const given = await onPage(async ({ isCached }) => [
    await isCached({ "config.json": new Uint8Array(3) }),
    await isCached([new File(["{}"], "config.json")]),
  ]);
  assert.deepEqual(given, [true, true]);
});

test("a model of which only the beginning came is not there", { timeout }, async () => {
  hub.breakAfter = 2_000_000;
  assert.equal((await load()).code, "model-download");
  hub.breakAfter = undefined;
  const { encoder, cross, models } = await cached();
  assert.deepEqual([encoder, cross], [false, false]);
  assert.ok(models.length > 0);
  for (const model of models) assert.equal(model.complete, false);
});

test("a model whose files have all come is there, and is not asked for again", { timeout }, async () => {
  assert.deepEqual(await load(), { warnings: [] });
  const { encoder, cross, models } = await cached();
  assert.deepEqual([encoder, cross], [true, true]);
  assert.deepEqual(
    models.map(({ name, files, complete }) => ({ name, files, complete })).sort((a, b) => (a.name < b.name ? -1 : 1)),
    [
      { name: "cross", files: 3, complete: true },
      { name: "encoder", files: 3, complete: true },
    ],
  );
  for (const { name, bytes } of models) assert.ok(bytes > weights(name).length, `${name}: ${bytes} bytes`);
  assert.deepEqual(await load(), { warnings: [] });
  assert.deepEqual(hub.requests, [], "not even files that the models have not");
});

test("a kept file that was damaged is downloaded again", { timeout }, async () => {
  await opened.page.evaluate(async () => {
    const cache = await caches.open("querytune-models");
    const request = (await cache.keys()).find(({ url }) => url.endsWith("encoder/resolve/main/model.safetensors"));
    const { headers, ...response } = await cache.match(request);
    const bytes = new Uint8Array(await (await cache.match(request)).arrayBuffer());
    bytes[bytes.length - 1] ^= 1;
    await cache.put(request, new Response(bytes, { ...response, headers }));
  });
  assert.deepEqual(await load(), { warnings: [] });
  // The browser itself may ask for parts.
  assert.ok(hub.requests.length > 0 && hub.requests.length === hub.weights("encoder").length, hub.requests.join());
});

test("a file whose SHA-256 is the one given is taken from where it is kept", { timeout }, async () => {
  assert.deepEqual(await load({ "model.safetensors": hash(weights("encoder")).toUpperCase() }), { warnings: [] });
  assert.deepEqual(hub.requests, []);
});

test("a file with another SHA-256 than the one given is refused and not kept", { timeout }, async () => {
  await onPage(({ clearCache }) => clearCache());
  const { code, message } = await load({ "model.safetensors": "0".repeat(64) });
  assert.equal(code, "model-integrity");
  assert.match(message, new RegExp(hash(weights("encoder"))));
  assert.equal((await cached()).encoder, false);
  assert.deepEqual(await load(), { warnings: [] });
  assert.ok(hub.weights("encoder").length > 0);
});

test("one model can be deleted, and the other stays", { timeout }, async () => {
  await onPage(({ clearCache }, source) => clearCache(source("encoder")));
  const { encoder, cross, models } = await cached();
  assert.deepEqual([encoder, cross, models.length], [false, true, 1]);
});

test("a listed model can be deleted by its address", { timeout }, async () => {
  await onPage(async ({ cachedModels, clearCache }) => {
    for (const { url } of await cachedModels()) await clearCache(url);
  });
  assert.deepEqual((await cached()).models, []);
});

test("all models can be deleted at once", { timeout }, async () => {
  assert.deepEqual(await load(), { warnings: [] });
  await onPage(({ clearCache }) => clearCache());
  assert.deepEqual(await cached(), { encoder: false, cross: false, models: [], caches: [] });
});

test("where a page may keep nothing the models work, and somebody hears of it once", { timeout }, async () => {
  await onPage(() => Object.defineProperty(globalThis, "caches", { value: undefined, configurable: true }));
  const { code, warnings } = await load();
  await opened.page.reload();
  assert.equal(code, undefined);
  assert.equal(warnings.length, 1, warnings.join("\n"));
  assert.match(warnings[0], /There is no place to keep models in/);
});

test("where the disk is full the models work, and somebody hears of it", { timeout }, async () => {
  const session = await opened.page.context().newCDPSession(opened.page);
  const origin = new URL(opened.page.url()).origin;
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1_000_000 });
  const { code, warnings } = await load();
  assert.equal(code, undefined);
  assert.match(warnings.join("\n"), /could not be kept for the next time .*Free disk space/);
  const { encoder, cross } = await cached();
  assert.deepEqual([encoder, cross], [false, false]);
  await session.send("Storage.overrideQuotaForOrigin", { origin });
});
