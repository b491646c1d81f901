// `querytune search` finds what the engine itself finds with the model that it has just trained.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { load } from "../../pkg/dist/core.js";
import { models } from "../../scripts/lib/paths.mjs";
import { readZip } from "../browser/support/zip.mjs";
import { sample, Workplace } from "./support/command.mjs";

const timeout = 5 * 60_000;
const place = new Workplace();
const query = "DNA methylation in human cells";
const crossEncoder = ["--cross-encoder", models.crossEncoder];
let expected;

before(
  async () => {
    const [log, corpus] = [sample("queries.csv", 41), sample("documents.csv", 201)];
    writeFileSync(place.path("docs.csv"), corpus);
    const bytes = (text) => new TextEncoder().encode(text);
    const tuner = await load({
      encoder: `${pathToFileURL(models.encoder).href}/`,
      crossEncoder: `${pathToFileURL(models.crossEncoder).href}/`,
      store: "memory",
      device: "cpu",
    });
    const relations = await tuner.synthesize(bytes(log), bytes(corpus), { candidates: 10, depth: 5 });
    const run = await tuner.fit(relations, { seed: 1, epochs: 20, folds: 3 });
    expected = { ...(await run.search(query, { topK: 5 })), delivered: run.report.fit.delivered };
    const zip = new Uint8Array(await (await run.saveArtifact()).arrayBuffer());
    writeFileSync(place.path("artifact.zip"), zip);
    for (const [name, content] of readZip(zip)) {
      const path = place.path("unpacked", ...name.split("/"));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    }
    tuner.dispose();
    assert.ok(Math.abs(expected.tuned[0].score - expected.base[0].score) > 1e-4, "the head changes something");
  },
  { timeout },
);

after(() => place.remove());

/** Same documents at the same ranks, with the same cosines. */
function assertSame(found, hits) {
  assert.deepEqual(
    found.map(({ id }) => id),
    hits.map(({ id }) => id),
  );
  for (const [i, { rank, score }] of found.entries()) {
    assert.equal(rank, i + 1);
    assert.ok(Math.abs(score - hits[i].score) < 1e-5, `${score} is not ${hits[i].score}`);
  }
}

async function search(model, ...options) {
  const { code, out, err } = await place.run(
    "search",
    model,
    "docs.csv",
    query,
    "--top",
    "5",
    ...options,
    ...crossEncoder,
  );
  assert.equal(code, 0, err);
  return out;
}

test("from the zip, both rankings are the engine's", { timeout }, async () => {
  const found = JSON.parse(await search("artifact.zip", "--json"));
  assert.deepEqual(found.documents, { total: 200, fromStore: 0 });
  assert.equal(found.delivered, expected.delivered);
  assertSame(found.base, expected.base);
  assertSame(found.tuned, expected.tuned);
});

test("from the folder they are the same, and no document is encoded again", { timeout }, async () => {
  const found = JSON.parse(await search("unpacked", "--json"));
  assert.deepEqual(found.documents, { total: 200, fromStore: 200 });
  assertSame(found.base, expected.base);
  assertSame(found.tuned, expected.tuned);
});

test("from the folder of the model alone the adapter beside it is found", { timeout }, async () => {
  assertSame(JSON.parse(await search("unpacked/model", "--json")).tuned, expected.tuned);
});

test("without --json both are listed, with the places that a document has moved", { timeout }, async () => {
  const out = await search("unpacked");
  assert.match(out, /"DNA methylation in human cells" in 200 documents/);
  assert.match(out, / 1 +(=|new|[+-]\d+) +0\.\d{4} {2}\w/);
  assert.match(out, /\nbase model\n/);
});

test("a folder without a tuned model is refused with words", { timeout }, async () => {
  const { code, err } = await place.run("search", ".", "docs.csv", query, ...crossEncoder);
  assert.equal(code, 1);
  assert.match(err, /holds no tuned model/);
});
