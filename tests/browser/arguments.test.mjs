// Arguments on their way to the worker: lists that a framework observes arrive, what cannot cross is refused, and what
// another session holds is not mistaken for something of this one.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openPackagePage, places } from "./support/package-page.mjs";
import { writeSmallModel } from "./support/small-model.mjs";
import { documents, queries } from "./support/tiny-job.mjs";

const timeout = 3 * 60_000;
let folder;
let opened;

before(
  async () => {
    folder = mkdtempSync(join(tmpdir(), "querytune-arguments-"));
    writeSmallModel(join(folder, "encoder"), "encoder", { hidden: 32, heads: 2, inner: 64 });
    writeSmallModel(join(folder, "cross"), "crossEncoder", { hidden: 32, heads: 2, inner: 64, seed: 2 });
    opened = await openPackagePage({ folders: { "/small/": folder } });
    await opened.page.evaluate(
      async ({ path, queries, documents }) => {
        const { open } = await import(path);
        const session = await open({ store: "memory" });
        const models = { encoder: "/small/encoder/", crossEncoder: "/small/cross/", device: "cpu", threads: 1 };
        const tuner = await session.load(models);
        const another = await open({ store: "memory" });
        /** As reactive lists of frameworks are: every object that is taken from one is a proxy as well. */
        const observed = (object) =>
          new Proxy(object, {
            get(target, key) {
              const value = Reflect.get(target, key);
              return typeof value === "object" && value !== null ? observed(value) : value;
            },
          });
        const refusal = (call) =>
          call.then(
            () => "none",
            ({ code, message }) => ({ code, message }),
          );
        Object.assign(globalThis, { session, tuner, another, observed, refusal, queries, documents });
      },
      { path: places.package, queries, documents },
    );
  },
  { timeout },
);

after(async () => {
  await opened?.close();
  rmSync(folder, { recursive: true, force: true });
});

test("lists that a framework observes are taken by every call", { timeout }, async () => {
  const found = await opened.page.evaluate(async () => {
    const { session, tuner, observed } = globalThis;
    const { dims } = await tuner.embed(observed(["a text", "another"]));
    const logits = await tuner.score(observed([["a query", "a passage"]]));
    const ranked = await tuner.rerank("a query", observed(["a passage", "another"]));
    const texts = await session.readDocuments(observed([{ id: 7, text: "a text" }, { text: "another" }]));
    const index = await tuner.index(observed(["a text", "another", "a third"]));
    return [dims[0], logits.length, ranked.length, (await texts.items(0, 1))[0].ids, index.length];
  });
  assert.deepEqual(found, [2, 1, 2, ["7"], 3]);
});

test("what cannot be handed to the worker is refused with what to give instead", { timeout }, async () => {
  const refusals = await opened.page.evaluate(async () => {
    const { session, tuner, observed, refusal, queries, documents } = globalThis;
    const relations = await tuner.synthesize(queries, documents, { candidates: 10, depth: 5 });
    const lora = observed({ targets: ["query"] });
    return Promise.all([
      refusal(tuner.fit(relations, { method: "lora", lora })),
      refusal(session.readDocuments(observed(new Blob(["a"])))),
    ]);
  });
  for (const { code, message } of refusals) {
    assert.equal(code, "option");
    assert.match(message, /cannot be handed to the worker.*Give plain values/);
  }
});

test("what is no list of texts is refused before it crosses", { timeout }, async () => {
  const { code, message } = await opened.page.evaluate(() => globalThis.refusal(globalThis.tuner.embed("surfing")));
  assert.equal(code, "option");
  assert.match(message, /texts has to be an array of texts/);
});

test("a number of results that is none is refused before it crosses", { timeout }, async () => {
  const refusals = await opened.page.evaluate(async () => {
    const { tuner, refusal, queries, documents } = globalThis;
    const index = await tuner.index(documents);
    const relations = await tuner.synthesize(queries, documents, { candidates: 5, depth: 3 });
    const run = await tuner.fit(relations, { seed: 1, epochs: 1, folds: 2 });
    return Promise.all(
      [-1, 1.5, NaN].flatMap((topK) => [
        refusal(tuner.rerank("a query", ["a passage", "another"], { topK })),
        refusal(index.search("a query", { topK })),
        refusal(run.search("a query", { topK })),
      ]),
    );
  });
  assert.equal(refusals.length, 9);
  for (const { code, message } of refusals) {
    assert.equal(code, "option");
    assert.match(message, /topK has to be a whole number/);
  }
});

test("what another session holds is refused, not taken for an object of this one", { timeout }, async () => {
  const codes = await opened.page.evaluate(async () => {
    const { session, another, tuner, refusal, queries, documents } = globalThis;
    const qrels = new TextEncoder().encode("1\t1\t1\n");
    const foreign = await another.readDocuments(["another session's"]);
    const foreignQrels = await another.readJudgements(qrels);
    // Of the same number here.
    const [own, ownQrels] = [await session.readDocuments(documents), await session.readJudgements(qrels)];
    const relations = await tuner.synthesize(queries, own, { candidates: 10, depth: 5 });
    const other = await another.load({
      encoder: "/small/encoder/",
      crossEncoder: "/small/cross/",
      device: "cpu",
      threads: 1,
    });
    const refusals = await Promise.all([
      refusal(tuner.index(foreign)),
      refusal(tuner.synthesize(queries, foreign)),
      refusal(tuner.fit(relations, { judgements: { qrels: foreignQrels } })),
      refusal(tuner.fit(relations, { judgements: { qrels, queries: foreign } })),
      refusal(ownQrels.coverage(own, foreign)),
      refusal(other.fit(relations)),
    ]);
    return refusals.map(({ code, message }) => [code, /session/.test(message)]);
  });
  assert.deepEqual(codes, Array(6).fill(["option", true]));
});

test("judgements that name nothing of the job leave the trained run with the error", { timeout }, async () => {
  const found = await opened.page.evaluate(async () => {
    const { tuner, queries, documents } = globalThis;
    const bytes = (text) => new TextEncoder().encode(text);
    const relations = await tuner.synthesize(queries, documents, { candidates: 10, depth: 5 });
    const options = { epochs: 2, folds: 2, judgements: { qrels: bytes("strange\tdocument\t1\n") } };
    const error = await tuner.fit(relations, options).catch((thrown) => thrown);
    const report = await error.run.evaluate({ qrels: bytes("1\t1\t1\n2\t3\t1\n") });
    return [error.code, typeof report.evaluation.judged["ndcg@10"].base];
  });
  assert.deepEqual(found, ["input-qrels", "number"]);
});
