// A report's figures as the page compares them, and what it says of them.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { bundle } from "./support/part-page.mjs";

let figures;
let verdict;

before(async () => {
  const script = await bundle('export { figures, verdict } from "./www/src/figures.ts";');
  ({ figures, verdict } = await import(`data:text/javascript;base64,${Buffer.from(script).toString("base64")}`));
});

const comparison = (base, tuned, ci95, ceiling = 0.9) => ({ base, tuned, ceiling, ci95, p: 0.01 });
const agreement = (base, tuned, standardError) => {
  const [change, half] = [tuned - base, 1.96 * standardError];
  return { base, tuned, standardError, ci95: [change - half, change + half], queries: 100, folds: 5 };
};

function report({ judged, groups, judging, random = null, grouped = null } = {}) {
  return {
    judging,
    evaluation: { agreement: { meaning: "", random, grouped }, judged, figures: groups, on: "test queries" },
  };
}

test("judged metrics, groups and agreement are groups of their own", () => {
  const found = figures(
    report({
      judged: { "mrr@10": comparison(0.4, 0.5, [0.05, 0.15]) },
      groups: { newDocuments: { queries: 12, "ndcg@10": comparison(0.4, 0.5, [-0.1, 0.3]) } },
      random: agreement(0.8, 0.9, 0.01),
    }),
  );
  assert.deepEqual(
    found.map(({ key, figures }) => [key, figures.map(({ name, queries }) => [name, queries])]),
    [
      ["judged", [["MRR@10", undefined]]],
      ["groups", [["New documents", 12]]],
      ["agreement", [["Queries like the log’s", 100]]],
    ],
  );
});

test("groups stand in one order, whatever that of the report, and those without figures are left out", () => {
  const group = { queries: 3, "ndcg@10": comparison(0.1, 0.2, [0, 0.2]) };
  const groups = { newDocuments: group, newQueries: null, similarQueries: group, ownQueries: group };
  assert.deepEqual(
    figures(report({ groups }))[0].figures.map(({ name }) => name),
    ["Queries of the log", "Queries like the log’s", "New documents"],
  );
});

test("agreement's interval is of two standard errors about the change", () => {
  const [{ figures: found }] = figures(report({ random: agreement(0.8, 0.9, 0.01) }));
  const [low, high] = found[0].interval;
  assert.ok(Math.abs(low - 0.0804) < 1e-9 && Math.abs(high - 0.1196) < 1e-9, `${low} to ${high}`);
});

const words = (judged, more) => verdict(report({ judged: judged && { "ndcg@10": judged }, ...more }));

test("only a difference that chance does not explain is called better or worse", () => {
  const tested = (base, tuned, p) => words({ ...comparison(base, tuned, [-0.1, 0.1]), p });
  assert.match(tested(0.4, 0.5, 0.01), /ranks better, by more than chance/);
  assert.match(tested(0.4, 0.5, 0.05), /a little better; that may be chance/);
  assert.match(tested(0.5, 0.4, 0.2), /a little worse; that may be chance/);
  assert.match(tested(0.5, 0.4, 0.049), /ranks worse, by more than chance explains\. Do not use it/);
});

test("a teacher that knows no better is named", () => {
  const named = /cross-encoder itself ranks no better .* look at the judged figures before you trust what it taught/;
  assert.match(words(comparison(0.5, 0.5, [0, 0], 0.45)), named);
  assert.doesNotMatch(words(comparison(0.5, 0.5, [0, 0], 0.6)), named);
});

test("harm to new queries is named, if it is more than chance", () => {
  assert.match(words(undefined, { grouped: agreement(0.8, 0.75, 0.01) }), /it may do harm there/);
  assert.doesNotMatch(words(undefined, { grouped: agreement(0.8, 0.79, 0.01) }), /harm/);
});

test("harm that judgements show beyond the log is named, whatever the main figure says", () => {
  const judgedIn = (groups) =>
    words(comparison(0.4, 0.5, [0.05, 0.15]), {
      groups: Object.fromEntries(
        Object.entries(groups).map(([key, ci95]) => [key, { queries: 12, "ndcg@10": comparison(0.5, 0.4, ci95) }]),
      ),
    });
  const said = judgedIn({ newDocuments: [-0.15, -0.05] });
  assert.match(said, /^By your judgements the tuned model ranks better/);
  assert.match(
    said,
    /On new documents the tuned model ranks worse by your judgements, by more than chance explains\.$/,
  );
  assert.match(
    judgedIn({ newDocuments: [-0.2, -0.1], newQueries: [-0.2, -0.1], similarQueries: [-0.2, -0.1] }),
    /On queries like the log’s, new queries and new documents the tuned model ranks worse/,
  );
  assert.doesNotMatch(judgedIn({ newDocuments: [-0.2, 0.1], ownQueries: [-0.2, -0.1] }), /ranks worse/);
  const expected = { judging: answers(30, "better", "better"), grouped: agreement(0.8, 0.75, 0.01) };
  assert.match(words(undefined, expected), /^By your answers: .* will have been\. On queries unlike those of the log/);
});

const answers = (queries, tuned, crossEncoder) => {
  const of = (conclusion) => ({ judged: { difference: 0.1, ci95: [0.02, 0.2] }, p: 0.01, conclusion });
  const means = { base: 0.4, tuned: 0.5, crossEncoder: 0.6 };
  return { queries, "ndcg@10": means, tuned: of(tuned), crossEncoder: of(crossEncoder) };
};

test("a person's answers stand before agreement, with their interval and the number of queries", () => {
  const [first] = figures(report({ judging: answers(30, "better", "better"), random: agreement(0.8, 0.9, 0.01) }));
  assert.equal(first.key, "judging");
  const [{ base, tuned, ceiling, interval, p, queries }] = first.figures;
  assert.deepEqual([base, tuned, ceiling, interval, p, queries], [0.4, 0.5, 0.6, [0.02, 0.2], 0.01, 30]);
});

test("a person's answers are said instead of nothing, and only if they tell something", () => {
  const said = words(undefined, { judging: answers(30, "worse", "worse") });
  assert.match(
    said,
    /^By your answers: .*ranks your log worse than the base model: keep the base model\. Your reranker/,
  );
  assert.match(words(undefined, { judging: answers(0, "no-difference-shown", "no-difference-shown") }), /^Nothing was/);
});

test("without judgements nothing is promised", () => {
  assert.match(words(undefined, { random: agreement(0.8, 0.9, 0.01) }), /^Nothing was judged/);
});

test("agreement among scored documents alone is told from that of all documents", () => {
  const random = agreement(0.8, 0.9, 0.01);
  assert.match(words(undefined, { random: { ...random, pooled: true } }), /measured among scored documents alone/);
  assert.doesNotMatch(words(undefined, { random }), /scored documents alone/);
});
