// Models that Node keeps in a folder: which are there, whether they are whole, and their deletion.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { after, before, beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import { serve } from "../../scripts/lib/server.mjs";
import { Hub } from "../browser/support/hub.mjs";
import { Workplace } from "./support/command.mjs";

const timeout = 2 * 60_000;
const place = new Workplace();
const hub = new Hub(place.folder);
const usualCache = process.env.QUERYTUNE_CACHE;
let server;
let core;

before(async () => {
  hub.addSmallModels();
  server = await serve({ "/": hub.route });
  core = await import("../../pkg/dist/core.js");
});

beforeEach(() => {
  process.env.QUERYTUNE_CACHE = place.path("cache");
  hub.requests = [];
});

after(async () => {
  if (usualCache === undefined) delete process.env.QUERYTUNE_CACHE;
  else process.env.QUERYTUNE_CACHE = usualCache;
  await server?.close();
  place.remove();
});

const source = (name, sha256) => ({ hub: `some/${name}`, host: server.address, sha256 });
/** A model as a folder of a server, not of a hub. */
const folderOf = (name) => `${server.address}/some/${name}/resolve/main/`;

/** Loads both models; resolves to warnings. */
async function load(encoder = source("encoder"), crossEncoder = source("cross")) {
  const warnings = [];
  const onWarning = (message) => warnings.push(message);
  const options = { store: "memory", device: "cpu", threads: 1, onWarning };
  (await core.load({ ...options, encoder, crossEncoder })).dispose();
  return warnings;
}

test("before anything was loaded nothing is kept", async () => {
  assert.deepEqual(await core.cachedModels(), []);
  assert.equal(await core.isCached(source("encoder")), false);
  assert.equal(existsSync(place.path("cache")), false, "looking makes no folder");
});

test("models of the local disk need no download", async () => {
  assert.equal(await core.isCached(pathToFileURL(`${place.path("encoder")}/`)), true);
});

test("models that were loaded are there, whole, and not asked for again", { timeout }, async () => {
  assert.deepEqual(await load(), []);
  assert.deepEqual([await core.isCached(source("encoder")), await core.isCached(source("cross"))], [true, true]);
  const models = await core.cachedModels();
  assert.deepEqual(
    models.map(({ url, files, complete }) => ({ url, files, complete })).sort((a, b) => (a.url < b.url ? -1 : 1)),
    ["cross", "encoder"].map((name) => ({ url: folderOf(name), files: 3, complete: true })),
  );
  hub.requests = [];
  assert.deepEqual(await load(), []);
  assert.deepEqual(hub.requests, [], "not even files that the models have not");
});

test("a model that is kept with another SHA-256 than the one given is not there", async () => {
  const sha256 = createHash("sha256")
    .update(readFileSync(place.path("encoder", "config.json")))
    .digest("hex");
  assert.equal(await core.isCached(source("encoder", { "config.json": sha256.toUpperCase() })), true);
  assert.equal(await core.isCached(source("encoder", { "config.json": "0".repeat(64) })), false);
});

test("the host of hub ids can be given once", { timeout }, async () => {
  const options = { store: "memory", device: "cpu", threads: 1, host: server.address };
  (await core.load({ ...options, encoder: "some/encoder", crossEncoder: { hub: "some/cross" } })).dispose();
  assert.deepEqual(hub.requests, [], "they are those that are kept");
  const own = { hub: "some/encoder", host: "http://127.0.0.1:1" };
  await assert.rejects(core.load({ ...options, encoder: own, crossEncoder: false }), { code: "model-download" });
});

test("without one of its files a model is not there", { timeout }, async () => {
  const { host } = new URL(server.address);
  const folder = place.path("cache", "hub", encodeURIComponent(host), "some", "encoder", "resolve", "main");
  rmSync(`${folder}/tokenizer.json`);
  assert.equal(await core.isCached(source("encoder")), false);
  assert.equal((await core.cachedModels()).find(({ url }) => url === folderOf("encoder")).complete, false);
  await load();
  assert.deepEqual(hub.requests, ["encoder/tokenizer.json"]);
  assert.equal(await core.isCached(source("encoder")), true);
});

test("one model can be deleted, and the other stays", async () => {
  await core.clearCache(source("encoder"));
  assert.deepEqual([await core.isCached(source("encoder")), await core.isCached(source("cross"))], [false, true]);
});

test("all models can be deleted at once", async () => {
  await core.clearCache();
  assert.deepEqual(await core.cachedModels(), []);
  assert.equal(existsSync(place.path("cache", "hub")), false);
});

test("a file with another SHA-256 than the one given is refused and not kept", { timeout }, async () => {
  const wrong = { "config.json": "0".repeat(64) };
  await assert.rejects(load(source("encoder", wrong)), { code: "model-integrity", message: /it was not kept/ });
  assert.equal(await core.isCached(source("encoder")), false);
  const sha256 = createHash("sha256")
    .update(readFileSync(place.path("encoder", "config.json")))
    .digest("hex");
  assert.deepEqual(await load({ url: folderOf("encoder"), sha256: { "config.json": sha256 } }), []);
});

test("a SHA-256 of what is no file of the model is refused before the weights come", { timeout }, async () => {
  await core.clearCache();
  hub.requests = [];
  const misspelt = { "model.safetensor": "0".repeat(64) };
  for (const encoder of [source("encoder", misspelt), { url: folderOf("encoder"), sha256: misspelt }]) {
    await assert.rejects(load(encoder), {
      code: "option",
      message: /"model\.safetensor".*config\.json, .*tokenizer\.json, model\.safetensors\./,
    });
  }
  assert.deepEqual(hub.weights("encoder"), []);
  await load();
  assert.equal(await core.isCached(source("encoder", misspelt)), false);
});

test("a folder that cannot be reached is loaded from what is kept of it", { timeout }, async () => {
  const [encoder, cross] = [folderOf("encoder"), folderOf("cross")];
  await load(encoder, cross);
  const { port } = new URL(server.address);
  await server.close();
  try {
    assert.deepEqual(await load(encoder, cross), []);
  } finally {
    server = await serve({ "/": hub.route }, { port: Number(port) });
  }
});

test("where nothing can be written the models work, and somebody hears of it", { timeout }, async () => {
  writeFileSync(place.path("no-folder"), "");
  process.env.QUERYTUNE_CACHE = place.path("no-folder");
  const warnings = await load();
  assert.match(warnings.join("\n"), /could not be kept for the next time/);
  assert.equal(await core.isCached(source("encoder")), false);
});
