// Models by hub id in Node: downloaded once into a folder, gone on with where it broke off, checked when read again.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { writeSmallModel } from "../browser/support/small-model.mjs";
import { Workplace } from "./support/command.mjs";

const timeout = 2 * 60_000;
const place = new Workplace();
const shape = { hidden: 32, heads: 2, inner: 64 };
/** Requests as `path range`, in their order. */
let requests = [];
/** Bytes after which the encoder's weights break off; none if undefined. */
let breakAfter;
let server;
let env;

/** A hub: `/ORG/NAME/resolve/main/PATH` is a file of the folder NAME. */
function hub(request, response) {
  const [, , name, , , ...path] = request.url.split("/");
  const file = join(place.folder, name, ...path);
  const { range } = request.headers;
  requests.push(`${name}/${path.join("/")}${range ? ` ${range}` : ""}`);
  if (!existsSync(file)) return response.writeHead(404).end();
  const whole = readFileSync(file);
  const from = Number(/bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0);
  response.writeHead(range ? 206 : 200, {
    etag: `"${createHash("md5").update(whole).digest("hex")}"`,
    "content-length": whole.length - from,
    ...(range && { "content-range": `bytes ${from}-${whole.length - 1}/${whole.length}` }),
  });
  if (breakAfter === undefined || from > 0 || !file.endsWith("encoder/model.safetensors")) {
    return response.end(whole.subarray(from));
  }
  return response.write(whole.subarray(0, breakAfter), () => setTimeout(() => response.destroy(), 100));
}

before(async () => {
  writeSmallModel(place.path("encoder"), "encoder", shape);
  writeSmallModel(place.path("cross"), "crossEncoder", shape);
  writeFileSync(place.path("log.csv"), "surfing lessons\nwaterproof boots\nchess for beginners\n");
  writeFileSync(place.path("docs.csv"), "Learn to ride waves.\nBoots for wet days.\nRules and openings.\n");
  server = createServer(hub).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  env = { HF_ENDPOINT: `http://127.0.0.1:${server.address().port}` };
});

after(() => {
  server.close();
  place.remove();
});

const command = [
  "--queries",
  "log.csv",
  "--documents",
  "docs.csv",
  "--out",
  "tuned",
  "--candidates",
  "3",
  "--depth",
  "3",
];
const job = ["adapt", ...command, "--encoder", "some/encoder", "--cross-encoder", "some/cross", "--threads", "1"];
const run = () => place.start(job, env).ended;
/** Where a downloaded file is. */
const kept = (name, file) =>
  place.path("cache", "hub", readdirSync(place.path("cache", "hub"))[0], "some", name, "resolve", "main", file);
const weights = (name) => requests.filter((request) => request.startsWith(`${name}/model.safetensors`));

test("a download that breaks off fails with what to do about it", { timeout }, async () => {
  breakAfter = 2_000_000;
  const { code, err } = await run();
  assert.equal(code, 1);
  assert.match(err, /broke off/);
  assert.match(err, /--encoder DIR/);
});

test("the next one asks for the rest alone, and the job is done", { timeout }, async () => {
  [requests, breakAfter] = [[], undefined];
  const { code, err } = await run();
  assert.equal(code, 0, err);
  assert.deepEqual(weights("encoder"), ["encoder/model.safetensors bytes=2000000-"]);
  const { sha256 } = JSON.parse(readFileSync(`${kept("encoder", "model.safetensors")}.head.json`, "utf8"));
  const served = readFileSync(place.path("encoder", "model.safetensors"));
  assert.equal(sha256, createHash("sha256").update(served).digest("hex"));
  assert.ok(served.equals(readFileSync(kept("encoder", "model.safetensors"))), "both parts make the file");
});

test("what is there is not downloaded again", { timeout }, async () => {
  requests = [];
  const { code, err } = await run();
  assert.equal(code, 0, err);
  assert.deepEqual([weights("encoder"), weights("cross")], [[], []]);
});

test("a file that was damaged on the disk is downloaded again", { timeout }, async () => {
  appendFileSync(kept("cross", "model.safetensors"), "x");
  requests = [];
  const { code, err } = await run();
  assert.equal(code, 0, err);
  assert.deepEqual([weights("encoder"), weights("cross")], [[], ["cross/model.safetensors"]]);
});

test("without a connection the message says how to give folders", { timeout }, async () => {
  const offline = { HF_ENDPOINT: "http://127.0.0.1:1", QUERYTUNE_CACHE: place.path("empty") };
  const { code, err } = await place.start(job, offline).ended;
  assert.equal(code, 1);
  assert.match(err, /could not be reached/);
  assert.match(err, /--encoder DIR and\n--cross-encoder DIR/);
});
