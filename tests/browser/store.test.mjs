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

/** So many of the page's next transactions are aborted, as a browser does with its data cleared or its disk failing. */
const abortNext = (transactions) =>
  opened.page.evaluate((transactions) => {
    const { prototype } = IDBDatabase;
    globalThis.transaction ??= prototype.transaction;
    let left = transactions;
    prototype.transaction = function (...values) {
      const begun = globalThis.transaction.apply(this, values);
      if (left > 0) queueMicrotask(() => begun.abort());
      left -= 1;
      return begun;
    };
  }, transactions);

/** A chunk is added to a log and read: how many there are, or what was thrown. */
const added = (log) =>
  opened.page.evaluate(async (log) => {
    const { IndexedDbStore } = await import("/pkg/core.js");
    globalThis.kept ??= await IndexedDbStore.open(console.warn);
    try {
      await globalThis.kept.append(log, Uint8Array.of(7));
      return { count: await globalThis.kept.count(log), bytes: [...(await globalThis.kept.read(log, 0))] };
    } catch ({ name, code, message }) {
      return { name, code, message };
    }
  }, log);

test("what the browser aborts once is done again, and once only", { timeout }, async () => {
  await abortNext(1);
  assert.deepEqual(await added("vectors-aborted"), { count: 1, bytes: [7] });
});

test("what it aborts again is an error of the store, and no cancelling", { timeout }, async () => {
  await abortNext(2);
  const refused = await added("vectors-aborted");
  assert.deepEqual([refused.name, refused.code], ["QuerytuneError", "store"]);
  assert.match(refused.message, /Start again; what was kept before is still there/);
  assert.deepEqual(await added("vectors-aborted"), { count: 2, bytes: [7] });
});

test("a disk that is full when a chunk is to be written down is told of as such", { timeout }, async () => {
  const warnings = await opened.page.evaluate(async () => {
    const { IndexedDbStore } = await import("/pkg/core.js");
    const warnings = [];
    const store = await IndexedDbStore.open((message) => warnings.push(message));
    const { add } = IDBObjectStore.prototype;
    // The requests of a transaction that is aborted hear of that alone.
    IDBObjectStore.prototype.add = function (...values) {
      const request = add.apply(this, values);
      Object.defineProperty(this.transaction, "error", { value: new DOMException("full", "QuotaExceededError") });
      this.transaction.abort();
      return request;
    };
    try {
      await store.append("vectors-late", Uint8Array.of(1));
    } finally {
      IDBObjectStore.prototype.add = add;
    }
    return warnings;
  });
  assert.match(warnings.join(), /disk is full/);
});

test("two tabs add to one log, and each reads all of it, in any order", { timeout }, async () => {
  const found = await opened.page.evaluate(async () => {
    const { IndexedDbStore } = await import("/pkg/core.js");
    const tabs = await Promise.all([1, 2].map(() => IndexedDbStore.open(console.warn)));
    const sizes = Array.from({ length: 150 }, (_, i) => (i % 50 === 49 ? 2 ** 18 : 1 + (i % 7)));
    await tabs[0].append("vectors-other", Uint8Array.of(7));
    // Side by side, and one after the other.
    await Promise.all([0, 1].map((i) => tabs[i].append("vectors-x", new Uint8Array(sizes[i]).fill(i))));
    for (let i = 2; i < sizes.length; i++) await tabs[i % 2].append("vectors-x", new Uint8Array(sizes[i]).fill(i));
    const wrong = [];
    for (const tab of tabs) {
      const forth = sizes.map((_, i) => i);
      for (const order of [forth, forth.toReversed(), [0, 0, 149, 1, 1]]) {
        for (const i of order) {
          const bytes = await tab.read("vectors-x", i);
          if (bytes.length !== sizes[i] || bytes[0] !== i) wrong.push(i);
        }
      }
    }
    const beyond = await tabs[0].read("vectors-x", sizes.length).catch((error) => error.name);
    return { counts: await Promise.all(tabs.map((tab) => tab.count("vectors-x"))), wrong, beyond };
  });
  assert.deepEqual(found, { counts: [150, 150], wrong: [], beyond: "RangeError" });
});

test("a log that another tab has deleted begins anew", { timeout }, async () => {
  const found = await opened.page.evaluate(async () => {
    const { IndexedDbStore } = await import("/pkg/core.js");
    const store = await IndexedDbStore.open(console.warn);
    for (const byte of [1, 2, 3]) await store.append("vectors-gone", Uint8Array.of(byte));
    await store.read("vectors-gone", 0);
    await new Promise((resolve, reject) => {
      const request = indexedDB.deleteDatabase("querytune");
      request.onsuccess = resolve;
      request.onerror = reject;
    });
    const before = await store.count("vectors-gone");
    await store.append("vectors-gone", Uint8Array.of(9));
    return { before, after: await store.count("vectors-gone"), bytes: [...(await store.read("vectors-gone", 0))] };
  });
  assert.deepEqual(found, { before: 0, after: 1, bytes: [9] });
});
