// The guide to Node and the edge: the endpoint reranks, and an isolate runs on bytes alone.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { Follower, readGuide } from "./support/guide.mjs";
import { modelFiles } from "./support/kept-models.mjs";

const timeout = 10 * 60_000;
const passages = ["Opening hours of the library.", "Learn to ride waves in a week.", "A board for beginners."];
let follower;

before(
  async () => {
    follower = await Follower.open();
    await follower.follow(readGuide("node-and-edge"), { servers: ["node server.mjs"] });
  },
  { timeout },
);

after(() => follower?.close());

const post = (body) => fetch(follower.address, { method: "POST", body });

test("the endpoint sorts passages, for overlapping requests too", { timeout }, async () => {
  const ask = async (query) => (await post(JSON.stringify({ query, passages }))).json();
  const [lessons, library] = await Promise.all([ask("surfing lessons"), ask("when is the library open?")]);
  assert.equal(lessons[0].passage, passages[1]);
  assert.equal(library[0].passage, passages[0]);
  assert.deepEqual([lessons.length, library.length], [3, 3]);
});

test("what is no question is answered with a failure, and the server goes on", { timeout }, async () => {
  assert.equal((await fetch(follower.address)).status, 405);
  assert.equal((await post("{")).status, 500);
  assert.equal((await post(JSON.stringify({ query: "surfing", passages }))).status, 200);
});

test("an isolate needs nothing but the module and the models' bytes", { timeout }, async () => {
  const { open } = await import(pathToFileURL(follower.path("isolate.mjs")).href);
  const wasm = follower.path("node_modules", "querytune", "dist", "wasm", "querytune_bg.wasm");
  const bytesOf = (name) =>
    Object.fromEntries(
      modelFiles
        .filter(({ model }) => model.includes(name))
        .map(({ model, url, path }) => [url.slice(model.length), new Uint8Array(readFileSync(path))]),
    );
  const [encoder, crossEncoder] = ["all-MiniLM-L6-v2", "ms-marco-MiniLM-L-12-v2"].map(bytesOf);
  const tuner = await open({ module: await WebAssembly.compile(readFileSync(wasm)), encoder, crossEncoder });
  const [best] = await tuner.rerank("surfing lessons", passages);
  assert.equal(best.index, 1);
  tuner.dispose();
});
