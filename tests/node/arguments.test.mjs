// Arguments that make no sense: each is refused with the code `option` and its place, and the session goes on.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { load } from "../../pkg/dist/core.js";
import { writeSmallModel } from "../browser/support/small-model.mjs";
import { documents, queries } from "../browser/support/tiny-job.mjs";
import { Workplace } from "./support/command.mjs";

const timeout = 2 * 60_000;
const place = new Workplace();
const options = { store: "memory", device: "cpu", threads: 1 };
let tuner;

before(
  async () => {
    writeSmallModel(place.path("encoder"), "encoder", { hidden: 32, heads: 2, inner: 64 });
    writeSmallModel(place.path("cross"), "crossEncoder", { hidden: 32, heads: 2, inner: 64, seed: 2 });
    const [encoder, crossEncoder] = ["encoder", "cross"].map((name) => pathToFileURL(`${place.path(name)}/`));
    tuner = await load({ ...options, encoder, crossEncoder });
  },
  { timeout },
);

after(() => {
  tuner?.dispose();
  place.remove();
});

const refused = (call, message) => assert.rejects(call, { code: "option", message });

test("one text instead of a list is refused, not taken letter by letter", { timeout }, async () => {
  await refused(tuner.embed("surfing"), /texts has to be an array of texts; it is a string/);
  await refused(tuner.rerank("surfing", "a passage"), /documents has to be an array of texts/);
});

test("what is no text is named by its place", { timeout }, async () => {
  await refused(tuner.embed(["surfing", undefined]), /texts\[1\] has to be a text; it is undefined/);
  await refused(tuner.rerank("surfing", ["a", null]), /documents\[1\] has to be a text; it is null/);
  await refused(tuner.rerank(undefined, ["a"]), /query has to be a text/);
  const index = await tuner.index(["a", "b"]);
  await refused(index.search({ query: "a" }), /query has to be a text; it is an object/);
});

test("a pair that is none is named, and no text moves to another pair", { timeout }, async () => {
  await refused(tuner.score([["q"], ["q2", "d2", "d3"]]), /pairs\[0\] has to be a query and a document/);
  await refused(
    tuner.score([
      ["q", "d"],
      ["q2", 3],
    ]),
    /pairs\[1\]\[1\] has to be a text; it is a number/,
  );
});

test("an item that cannot be used is named with its property", { timeout }, async () => {
  const read = (items) => tuner.readDocuments(items);
  await refused(read([{ text: "a" }, { text: "b", id: {} }]), /documents\[1\]\.id has to be a text or a number/);
  await refused(read([{ title: "a" }]), /documents\[0\]\.text has to be a text; it is undefined/);
  await refused(read([{ text: "a", count: 1.5 }]), /documents\[0\]\.count has to be a whole number/);
  await refused(tuner.readQueries(["a", 7]), /queries\[1\] has to be a text or an object with a text; it is a number/);
  await refused(tuner.synthesize(["a", 7], ["b"]), /queries\[1\]/);
});

test("a number may be an item's id, and null stands for nothing", { timeout }, async () => {
  const texts = await tuner.readDocuments([
    { id: 42, title: null, text: "one", count: null },
    { id: null, text: "two" },
  ]);
  assert.deepEqual(
    (await texts.items(0, 2)).map(({ ids, text, count }) => [ids, text, count]),
    [
      [["42"], "one", 1],
      [["2"], "two", 1],
    ],
  );
});

test("a number of results that is none is refused", { timeout }, async () => {
  const index = await tuner.index(documents);
  const relations = await tuner.synthesize(queries, documents, { candidates: 5, depth: 3 });
  const run = await tuner.fit(relations, { seed: 1, epochs: 1, folds: 2 });
  for (const topK of [-1, 0, 1.5, NaN, Infinity, "3"]) {
    const message = /topK has to be a whole number from 1 to \d+; it is /;
    await refused(tuner.rerank("surfing", ["a", "b"], { topK }), message);
    await refused(index.search("surfing", { topK }), message);
    await refused(run.search("surfing", { topK }), message);
  }
  assert.equal((await index.search("surfing", { topK: 1 })).length, 1);
  assert.equal((await index.search("surfing", { topK: documents.length + 1 })).length, documents.length);
  run.dispose();
});

test("after all that the session works", { timeout }, async () => {
  assert.deepEqual((await tuner.embed(["surfing"])).dims, [1, 32]);
});
