// The store in the browser's database: what becomes of it on a full disk, and when another tab works on it.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openPackagePage } from "./support/package-page.mjs";
import { writeSmallModel } from "./support/small-model.mjs";
import { documents, manyQueries as queries } from "./support/tiny-job.mjs";

const timeout = 5 * 60_000;
const models = mkdtempSync(join(tmpdir(), "querytune-browser-store-"));
let opened;

before(
  async () => {
    writeSmallModel(join(models, "encoder"), "encoder", { hidden: 32, heads: 2, inner: 64 });
    writeSmallModel(join(models, "cross"), "crossEncoder", { hidden: 32, heads: 2, inner: 64, seed: 2 });
    opened = await openPackagePage({ folders: { "/models/": models } });
  },
  { timeout },
);

after(async () => {
  await opened?.close();
  rmSync(models, { recursive: true, force: true });
});

/** A run and its questions, in the page's global object. Without a worker, so that a test can change the database's. */
const judge = () =>
  opened.page.evaluate(
    async ({ queries, documents }) => {
      const { load } = await import("/pkg/core.js");
      const [encoder, crossEncoder] = ["/models/encoder/", "/models/cross/"];
      const tuner = await load({ store: "indexeddb", encoder, crossEncoder, device: "cpu", threads: 1 });
      const relations = await tuner.synthesize(queries, documents, { candidates: 20, depth: 12 });
      const run = await tuner.fit(relations, { seed: 1, epochs: 3, folds: 2, learningRate: 1e-2 });
      const judging = await run.judging();
      const [{ query, documents: asked }] = judging.items;
      const answer = (relevance) => judging.answer(query, asked[0].document, relevance);
      Object.assign(globalThis, { judging, answer });
    },
    { queries, documents },
  );

/** Whether the disk is full, as far as the page's database sees it: the browser's own limit is in force after a while. */
const diskIsFull = (full) =>
  opened.page.evaluate((full) => {
    const { prototype } = IDBObjectStore;
    globalThis.add ??= prototype.add;
    prototype.add = function (...values) {
      if (full) throw new DOMException("full", "QuotaExceededError");
      return globalThis.add.apply(this, values);
    };
  }, full);

test("an answer that finds no room is refused with a code, and kept when there is room again", {
  timeout,
}, async () => {
  await judge();
  await diskIsFull(true);
  const refused = await opened.page.evaluate(async () => {
    const error = await globalThis.answer(2).catch((thrown) => thrown);
    return { code: error?.code, message: error?.message, counted: (await globalThis.judging.answers()).length };
  });
  assert.equal(refused.code, "store");
  assert.match(refused.message, /disk is full.*answer again/i);
  assert.equal(refused.counted, 1, "it counts in this session");
  await diskIsFull(false);
  await opened.page.evaluate(() => globalThis.answer(1));
  await opened.page.reload();
  await judge();
  const answers = await opened.page.evaluate(() => globalThis.judging.answers());
  assert.deepEqual(
    answers.map(({ relevance }) => relevance),
    [1],
  );
});

test("vectors and scores that find no room are kept in memory, with one warning", { timeout }, async () => {
  await diskIsFull(true);
  const found = await opened.page.evaluate(async () => {
    const { IndexedDbStore } = await import("/pkg/core.js");
    const warnings = [];
    const store = await IndexedDbStore.open((message) => warnings.push(message));
    for (const byte of [1, 2]) await store.append("logits-full", Uint8Array.of(byte));
    const chunks = await Promise.all([0, 1].map((chunk) => store.read("logits-full", chunk)));
    return { count: await store.count("logits-full"), chunks: chunks.map((chunk) => [...chunk]), warnings };
  });
  await diskIsFull(false);
  assert.deepEqual([found.count, found.chunks], [2, [[1], [2]]]);
  assert.equal(found.warnings.length, 1);
  assert.match(found.warnings[0], /disk is full/);
});
