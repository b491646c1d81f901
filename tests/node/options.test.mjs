// Options whose names are misspelt are refused, with the names there are: as defaults they would train something else.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { load } from "../../pkg/dist/core.js";
import { writeSmallModel } from "../browser/support/small-model.mjs";
import { documents, queries } from "../browser/support/tiny-job.mjs";
import { Workplace } from "./support/command.mjs";

const timeout = 2 * 60_000;
const place = new Workplace();
let tuner;
let relations;
let run;

before(
  async () => {
    writeSmallModel(place.path("encoder"), "encoder", { hidden: 32, heads: 2, inner: 64 });
    writeSmallModel(place.path("cross"), "crossEncoder", { hidden: 32, heads: 2, inner: 64, seed: 2 });
    const [encoder, crossEncoder] = ["encoder", "cross"].map((name) => pathToFileURL(`${place.path(name)}/`));
    tuner = await load({ encoder, crossEncoder, store: "memory", device: "cpu", threads: 1 });
    // Fewer candidates than are scored by default: all of them are scored.
    relations = await tuner.synthesize(queries, documents, { candidates: 4 });
    run = await tuner.fit(relations, { epochs: 2, folds: 2, loss: "margin-mse" });
  },
  { timeout },
);

after(() => {
  tuner?.dispose();
  place.remove();
});

const refused = (call, name) =>
  assert.rejects(call, (error) => error.code === "option" && error.message.startsWith(`There is no option ${name};`));

test("in every call that has options", { timeout }, async () => {
  await refused(tuner.fit(relations, { los: "mnrl" }), "los");
  await refused(tuner.fit(relations, { method: "lora", lora: { rang: 4 } }), "lora.rang");
  await refused(tuner.synthesize(queries, documents, { canditates: 10 }), "canditates");
  await refused(tuner.readQueries(new TextEncoder().encode("a;b\n"), { delimeter: ";" }), "delimeter");
  await refused(run.judging({ query: 10 }), "query");
});

test("names that are right are taken, and an undefined one is none", { timeout }, async () => {
  const { length } = await tuner.readQueries(new TextEncoder().encode("tent\nstove\n"), { delimiter: undefined });
  assert.equal(length, 2);
  assert.equal(relations.summary().scored, 4 * queries.length, "no more are scored than there are candidates");
});

test("queries are embedded as queries where that is asked for, and nothing else is a kind", { timeout }, async () => {
  const vectors = async (options) => (await tuner.embed(["a query"], options)).data;
  assert.deepEqual(
    await vectors({ kind: "query" }),
    await vectors({ kind: "document" }),
    "this encoder has no prompts",
  );
  await assert.rejects(vectors({ kind: "passage" }), { code: "option", message: /^kind is "passage"/ });
});

test("the scale that MarginMSE was fitted with is in the report", { timeout }, async () => {
  assert.ok(run.report.fit.recipe.marginScale > 0, `${run.report.fit.recipe.marginScale}`);
});
