// Downloads that do not go as they should: what is told and kept of them, and that no server stops a model for good.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import { root } from "../../scripts/lib/paths.mjs";
import { serve } from "../../scripts/lib/server.mjs";
import { Hub } from "../browser/support/hub.mjs";
import { writeSmallModel } from "../browser/support/small-model.mjs";
import { Workplace } from "./support/command.mjs";

const timeout = 2 * 60_000;
const corePath = pathToFileURL(join(root, "pkg", "dist", "core.js")).href;
const place = new Workplace();
const hub = new Hub(place.folder);
const usualCache = process.env.QUERYTUNE_CACHE;
let caches = 0;
let server;
let core;

before(async () => {
  hub.addSmallModels();
  // With weights of some 20 MB: more than is kept at a time.
  writeSmallModel(place.path("large"), "encoder", { hidden: 160, heads: 4, inner: 64, layers: 1 });
  server = await serve({ "/": hub.route });
  core = await import(corePath);
});

beforeEach(() => {
  caches += 1;
  process.env.QUERYTUNE_CACHE = place.path(`cache-${caches}`);
  [hub.requests, hub.breakAfter, hub.stallAfter, hub.ranges, hub.status] = [[]];
});

after(async () => {
  if (usualCache === undefined) delete process.env.QUERYTUNE_CACHE;
  else process.env.QUERYTUNE_CACHE = usualCache;
  await server?.close();
  place.remove();
});

const options = (name) => ({
  store: "memory",
  device: "cpu",
  threads: 1,
  encoder: { hub: `some/${name}`, host: server.address },
  crossEncoder: false,
});
const load = async (name, more) => (await core.load({ ...options(name), ...more })).dispose();
const ranges = (name) => hub.weights(name).map((request) => request.split(" ")[1] ?? "whole");

/** Beginnings of files in the cache. */
function beginnings() {
  try {
    return readdirSync(process.env.QUERYTUNE_CACHE, { recursive: true }).filter((name) => /beginning/.test(name));
  } catch {
    return [];
  }
}

/** Starts a process that loads a model; `script` has its `load` and the `options`. */
function start(name, script) {
  const whole = `const { load } = await import("${corePath}"); const options = ${JSON.stringify(options(name))}; ${script}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", whole], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (chunk) => {
    out += chunk;
  });
  return { child, ended: new Promise((resolve) => child.on("close", () => resolve(out))) };
}

async function breakOff(name) {
  hub.breakAfter = 2_000_000;
  await assert.rejects(load(name), { code: "model-download" });
  assert.ok(beginnings().length > 0, "the beginning is kept");
  [hub.requests, hub.breakAfter] = [[]];
}

test("a host that refuses ranges is asked for the whole file", { timeout }, async () => {
  await breakOff("encoder");
  hub.ranges = "refused";
  await load("encoder");
  // Node's fetch asks a second time when a connection ended.
  assert.deepEqual([...new Set(ranges("encoder"))], ["bytes=2000000-", "whole"]);
  assert.deepEqual(beginnings(), []);
});

test("a host that sends less than the rest is asked for the whole file", { timeout }, async () => {
  await breakOff("encoder");
  hub.ranges = 500_000;
  await load("encoder");
  assert.deepEqual(ranges("encoder"), ["bytes=2000000-", "whole"]);
  assert.deepEqual(beginnings(), []);
});

test("a download whose process was killed goes on where it was", { timeout }, async () => {
  hub.stallAfter = 18_000_000;
  const { child, ended } = start("large", "await load(options)");
  while (!beginnings().some((name) => name.endsWith(".head.json"))) {
    assert.equal(child.exitCode, null);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill("SIGKILL");
  await ended;
  [hub.requests, hub.stallAfter] = [[]];
  await load("large");
  const [range, ...others] = ranges("large");
  assert.deepEqual(others, []);
  assert.ok(Number(/^bytes=(\d+)-$/.exec(range)[1]) >= 16 * 2 ** 20, range);
  assert.deepEqual(beginnings(), []);
  hub.requests = [];
  await load("large");
  assert.deepEqual(hub.requests, [], "the whole is kept");
});

test("a download that breaks off twice goes on from where it was the second time", { timeout }, async () => {
  await breakOff("large");
  // It stands still there, so that it is on its way when it is stopped, however fast the machine.
  hub.stallAfter = 6_000_000;
  const controller = new AbortController();
  const onProgress = ({ stage }) => stage === "download" && setTimeout(() => controller.abort(), 500);
  await assert.rejects(load("large", { signal: controller.signal, onProgress }), { name: "AbortError" });
  [hub.requests, hub.stallAfter] = [[]];
  await load("large");
  const [range, ...others] = ranges("large");
  assert.deepEqual(others, []);
  assert.ok(Number(/^bytes=(\d+)-$/.exec(range)[1]) > 2_000_000, range);
});

test("what a listener for progress throws ends no download", { timeout }, async () => {
  const { ended } = start(
    "encoder",
    `process.on("uncaughtException", ({ message }) => console.log(message));
    const onProgress = ({ stage }) => { if (stage === "download") throw new Error("heard"); };
    (await load({ ...options, onProgress })).dispose();
    console.log("loaded");`,
  );
  const lines = new Set((await ended).trim().split("\n"));
  assert.deepEqual([...lines].sort(), ["heard", "loaded"]);
});

test("the total is told when all files are known, and does not grow", { timeout }, async () => {
  const files = ["config.json", "tokenizer.json", "model.safetensors"];
  const bytes = files.reduce((sum, file) => sum + statSync(place.path("large", file)).size, 0);
  for (const where of ["downloaded", "kept"]) {
    const events = [];
    await load("large", { onProgress: (event) => event.stage === "download" && events.push(event) });
    assert.deepEqual([...new Set(events.map(({ total }) => total))], [0, bytes], where);
    assert.deepEqual([events.at(-1).loaded, events.at(-1).total], [bytes, bytes], where);
  }
});

for (const status of [401, 403]) {
  test(`a model that is refused with ${status} is not there, or needs a login`, { timeout }, async () => {
    hub.status = status;
    await assert.rejects(load("encoder"), {
      code: "model-file-missing",
      message: /no such model, or it is private or gated/,
    });
  });
}

test("a server that fails is still a failed download", { timeout }, async () => {
  hub.status = 503;
  await assert.rejects(load("encoder"), { code: "model-download", message: /answered 503/ });
});
