// What the page says of a run that went on from an earlier one.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { bundle } from "./support/part-page.mjs";

let sinceVerdict;
let whatIsNew;

before(async () => {
  const script = await bundle('export { sinceVerdict, whatIsNew } from "./www/src/since.ts";');
  const module = `data:text/javascript;base64,${Buffer.from(script).toString("base64")}`;
  ({ sinceVerdict, whatIsNew } = await import(module));
});

const since = (more) => ({
  queries: 100,
  documents: 1,
  newQueries: 20,
  newDocuments: 0,
  scores: 1,
  delivered: "tuned",
  agreement: null,
  ...more,
});
const agreement = (previous, tuned, standardError) => {
  const [change, half] = [tuned - previous, 1.96 * standardError];
  return { queries: 12, base: 0.5, previous, tuned, standardError, ci95: [change - half, change + half] };
};
const judged = (ci95) => ({ "ndcg@10": { previous: 0.5, tuned: 0.6, ci95, p: 0.01 } });

test("what has grown is counted in words", () => {
  assert.equal(
    whatIsNew(since()),
    "The earlier run had 100 queries and 1 document; 20 queries and 0 documents are new. 1 score was taken over from it.",
  );
});

test("more agreement is told only where its interval is above zero, and never as quality", () => {
  const words = (...figures) => sinceVerdict(since({ agreement: agreement(...figures) }));
  assert.match(words(0.5, 0.6, 0.04), /agrees more with the cross-encoder than the earlier one\. Agreement is not/);
  assert.match(words(0.6, 0.5, 0.04), /agrees less with the cross-encoder than the earlier one/);
  assert.match(words(0.5, 0.6, 0.06), /it is not shown that .* agrees more or less/);
});

test("judgements come first, and say keep the earlier one only beyond chance", () => {
  const words = (ci95) => sinceVerdict(since({ judged: judged(ci95), agreement: agreement(0.5, 0.6, 0.04) }));
  assert.match(words([0.01, 0.2]), /^By your judgements .* ranks better than the earlier one, by more than chance/);
  assert.match(words([-0.2, -0.01]), /^By your judgements .* ranks worse than the earlier one: keep the earlier one/);
  assert.match(words([-0.01, 0.2]), /^By your judgements it is not shown/);
});

test("judged queries that only this run was trained on are told of", () => {
  const words = (newQueries, on) => sinceVerdict(since({ newQueries, judged: judged([0.01, 0.2]) }), on);
  assert.match(words(20, "own queries"), /trained on now; those that are new were not then/);
  assert.doesNotMatch(words(0, "own queries"), /trained on/);
  assert.doesNotMatch(words(20, "test queries"), /trained on/);
});

test("where there is nothing to compare, it says why", () => {
  assert.match(sinceVerdict(since()), /^None of the new queries was left out of training/);
  assert.match(sinceVerdict(since({ newQueries: 0 })), /^There are no new queries/);
});

test("an earlier run that delivered the base model is called so", () => {
  assert.match(sinceVerdict(since({ delivered: "base" })), /^The earlier run delivered the base model/);
});
