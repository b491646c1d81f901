// What the page says of the model that a job delivers.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { bundle } from "./support/part-page.mjs";

let because;
let news;
let whyBase;

before(async () => {
  const script = await bundle('export { because, news, whyBase } from "./www/src/delivered.ts";');
  ({ because, news, whyBase } = await import(`data:text/javascript;base64,${Buffer.from(script).toString("base64")}`));
});

const base = (decidedBy) => ({ fit: { delivered: "base", decidedBy } });

test("where people's answers had the base model delivered, a notification does not speak of agreement", () => {
  assert.equal(
    news(base("judgements")),
    "The job is done: the base model is delivered, as by your judgements the tuned one ranks worse.",
  );
  assert.match(news(base("judging")), /as by your answers the tuned one ranks worse\.$/);
  for (const by of ["judgements", "judging"]) assert.doesNotMatch(news(base(by)) + whyBase(base(by)), /agrees/);
});

test("where agreement did not rise, a notification says no more than that nothing is shown", () => {
  assert.match(news(base("agreement")), /delivered, as it is not shown that the tuned one agrees more/);
});

test("of a tuned model a notification says that agreement is not quality", () => {
  const told = news({ fit: { delivered: "tuned", decidedBy: "agreement" } });
  assert.match(told, /^The job is done: the tuned model is delivered\. It agrees more with the cross-encoder/);
  assert.match(told, /whether it is better, judgements say\.$/);
});

test("of a rise whose interval reaches below 0 it is said that it may be chance", () => {
  const told = (ci95) =>
    because({
      fit: { delivered: "tuned", decidedBy: "agreement" },
      evaluation: { agreement: { random: { base: 0.5, tuned: 0.6, ci95 } } },
    });
  assert.match(told([-0.01, 0.21]), /rose from 0\.5000 to 0\.6000; that may be chance \(.* -0\.0100 to \+0\.2100\)\.$/);
  assert.match(told([0.01, 0.21]), /rose from 0\.5000 to 0\.6000\.$/);
});

test("a rise that no figure shows is told of as none", () => {
  const evaluation = { agreement: { random: { base: 0.99999, tuned: 1, ci95: [0, 0.00002] } } };
  assert.match(because({ ...base("agreement"), evaluation }), /did not rise \(base 1\.0000, best 1\.0000\)\.$/);
});

test("a job without a report is told of as failed", () => {
  assert.equal(news(undefined, false), "The job was stopped by an error.");
  assert.equal(news(undefined, true), "The job was stopped by an error. What is scored is kept.");
});
