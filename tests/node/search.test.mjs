// `querytune search` finds what the engine itself finds with the model that it has just trained.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { open } from "../../pkg/dist/core.js";
import { writeSmallModel } from "../browser/support/small-model.mjs";
import { sample, Workplace } from "./support/command.mjs";

const timeout = 5 * 60_000;
const place = new Workplace();
const query = "DNA methylation in human cells";
const methods = {
  "query-head": {},
  head: { method: "head" },
  lora: { method: "lora", lora: { rank: 4 } },
  "lora for documents too": { method: "lora", lora: { rank: 4, documents: true } },
};
/** What the engine finds, by method. */
const expected = {};

before(
  async () => {
    writeSmallModel(place.path("encoder"), "encoder", { hidden: 64, heads: 4, inner: 128 });
    writeSmallModel(place.path("cross"), "crossEncoder", { hidden: 64, heads: 4, inner: 128, seed: 2 });
    writeFileSync(place.path("docs.csv"), sample("documents.csv", 121));
    const bytes = (text) => new TextEncoder().encode(text);
    const session = await open({ store: "memory" });
    const tuner = await session.load({
      encoder: pathToFileURL(`${place.path("encoder")}/`),
      crossEncoder: pathToFileURL(`${place.path("cross")}/`),
      device: "cpu",
      threads: 1,
    });
    const documents = await session.readDocuments(bytes(sample("documents.csv", 121)));
    const relations = await tuner.synthesize(bytes(sample("queries.csv", 25)), documents, { candidates: 10, depth: 5 });
    for (const [name, options] of Object.entries(methods)) {
      const run = await tuner.fit(relations, { seed: 1, epochs: 3, folds: 2, learningRate: 1e-2, ...options });
      const tuned = await (await run.index(documents)).search(query, { topK: 5 });
      const base = await (await tuner.index(documents)).search(query, { topK: 5 });
      expected[name] = { base, tuned, delivered: run.report.fit.delivered };
      mkdirSync(place.path(name, "model"), { recursive: true });
      const zip = await run.saveArtifact();
      writeFileSync(place.path(name, "artifact.zip"), new Uint8Array(await zip.arrayBuffer()));
      assert.ok(Math.abs(tuned[0].score - base[0].score) > 1e-4, `${name} changes something`);
    }
    session.dispose();
  },
  { timeout },
);

after(() => place.remove());

/** Same documents at the same ranks, with the same cosines. */
function assertSame(found, hits, tolerance = 1e-5) {
  assert.deepEqual(
    found.map(({ id }) => id),
    hits.map(({ id }) => id),
  );
  for (const [i, { rank, score }] of found.entries()) {
    assert.equal(rank, i + 1);
    assert.ok(Math.abs(score - hits[i].score) < tolerance, `${score} is not ${hits[i].score}`);
  }
}

const searchArguments = (model, ...options) => ["search", model, "docs.csv", query, "--top", "5", ...options];

async function search(model, ...options) {
  const { code, out, err } = await place.run(...searchArguments(model, ...options));
  assert.equal(code, 0, err);
  return out;
}

for (const [method, { lora }] of Object.entries(methods)) {
  // Where documents go through the changes, too, the base encoder is the delivered one with them taken out again: that
  // leaves a last bit here and there, and rounds to another 16-bit integer.
  const ofBase = lora?.documents ? 1e-4 : undefined;

  test(`${method}: both rankings are the engine's`, { timeout }, async () => {
    const found = JSON.parse(await search(method, "--json"));
    assert.equal(found.delivered, expected[method].delivered);
    assert.equal(found.documents.total, 120);
    assertSame(found.base, expected[method].base, ofBase);
    assertSame(found.tuned, expected[method].tuned);
  });

  test(`${method}: the second time no document is encoded`, { timeout }, async () => {
    const found = JSON.parse(await search(method, "--json"));
    assert.deepEqual(found.documents, { total: 120, fromStore: 120 });
    assertSame(found.base, expected[method].base, ofBase);
    assertSame(found.tuned, expected[method].tuned);
  });
}

test("the zip itself is taken, and the one beside a model's folder", { timeout }, async () => {
  copyFileSync(place.path("head", "artifact.zip"), place.path("other name.zip"));
  for (const model of ["other name.zip", "head/model"]) {
    assertSame(JSON.parse(await search(model, "--json")).tuned, expected.head.tuned);
  }
});

test("without --json both are listed, with the places that a document has moved", { timeout }, async () => {
  const out = await search("head");
  assert.match(out, /"DNA methylation in human cells" in 120 documents/);
  assert.match(out, / 1 +(=|new|[+-]\d+) +\d\.\d{4} {2}\w/);
  assert.match(out, /\nbase model\n/);
});

test("what is no download is refused with words, and with the engine's code", { timeout }, async () => {
  const folder = await place.run(...searchArguments("."));
  assert.equal(folder.code, 1);
  assert.match(folder.err, /holds no artifact\.zip/);
  const table = await place.run(...searchArguments("docs.csv", "--json"));
  assert.equal(table.code, 1);
  assert.match(table.err, /This is not a zip file/);
  assert.equal(JSON.parse(table.out).error.code, "artifact");
});
