// Models by hub id in Node: downloaded once into a folder, gone on with where it broke off, checked when read again.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { serve } from "../../scripts/lib/server.mjs";
import { Hub } from "../browser/support/hub.mjs";
import { Workplace } from "./support/command.mjs";

const timeout = 2 * 60_000;
const place = new Workplace();
const hub = new Hub(place.folder);
let server;
let env;

before(async () => {
  hub.addSmallModels();
  writeFileSync(place.path("log.csv"), "surfing lessons\nwaterproof boots\nchess for beginners\n");
  writeFileSync(place.path("docs.csv"), "Learn to ride waves.\nBoots for wet days.\nRules and openings.\n");
  server = await serve({ "/": hub.route });
  env = { HF_ENDPOINT: server.address };
});

after(async () => {
  await server?.close();
  place.remove();
});

const files = ["--queries", "log.csv", "--documents", "docs.csv", "--out", "tuned"];
const models = ["--encoder", "some/encoder", "--cross-encoder", "some/cross"];
const job = ["adapt", ...files, ...models, "--candidates", "3", "--depth", "3", "--threads", "1"];
const run = () => place.start(job, env).ended;
/** Where a downloaded file is. */
const kept = (name, file) =>
  place.path("cache", "hub", readdirSync(place.path("cache", "hub"))[0], "some", name, "resolve", "main", file);

test("a download that breaks off fails with what to do about it", { timeout }, async () => {
  hub.breakAfter = 2_000_000;
  const { code, err } = await run();
  assert.equal(code, 1);
  assert.match(err, /broke off/);
  assert.match(err, /--encoder DIR/);
});

test("the next one asks for the rest alone, and the job is done", { timeout }, async () => {
  [hub.requests, hub.breakAfter] = [[], undefined];
  const { code, err } = await run();
  assert.equal(code, 0, err);
  // The other one was cancelled, at whatever place it was by then.
  const asked = [...hub.weights("encoder"), ...hub.weights("cross")];
  assert.equal(asked.length, 2);
  assert.ok(
    asked.some((request) => request.endsWith("/model.safetensors bytes=2000000-")),
    asked.join(),
  );
  const { sha256 } = JSON.parse(readFileSync(`${kept("encoder", "model.safetensors")}.head.json`, "utf8"));
  const served = readFileSync(place.path("encoder", "model.safetensors"));
  assert.equal(sha256, createHash("sha256").update(served).digest("hex"));
  assert.ok(served.equals(readFileSync(kept("encoder", "model.safetensors"))), "both parts make the file");
});

test("what is there is not downloaded again", { timeout }, async () => {
  hub.requests = [];
  const { code, err } = await run();
  assert.equal(code, 0, err);
  assert.deepEqual([hub.weights("encoder"), hub.weights("cross")], [[], []]);
});

test("a file that was damaged on the disk is downloaded again", { timeout }, async () => {
  appendFileSync(kept("cross", "model.safetensors"), "x");
  hub.requests = [];
  const { code, err } = await run();
  assert.equal(code, 0, err);
  assert.deepEqual([hub.weights("encoder"), hub.weights("cross")], [[], ["cross/model.safetensors"]]);
});

test("without a connection the message says how to give folders", { timeout }, async () => {
  const offline = { HF_ENDPOINT: "http://127.0.0.1:1", QUERYTUNE_CACHE: place.path("empty") };
  const { code, err } = await place.start(job, offline).ended;
  assert.equal(code, 1);
  assert.match(err, /could not be reached/);
  assert.match(err, /--encoder DIR and\n--cross-encoder DIR/);
});
