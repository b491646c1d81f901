// What a job shows on the terminal while it runs and when it is done.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ProgressView } from "../../pkg/cli/progress.mjs";
import { readingLines, reportLines } from "../../pkg/cli/report.mjs";
import { duration } from "../../pkg/cli/terminal.mjs";

function stream(isTTY) {
  const written = [];
  return { isTTY, columns: 100, write: (text) => written.push(text), text: () => written.join("") };
}

const score = { stage: "score", done: 500, total: 2000, cached: 100, perSecond: 41.2, secondsLeft: 36.4 };

test("times are written as people read them", () => {
  assert.deepEqual([0.04, 12.3, 59.7, 185, 3725].map(duration), [
    "0.0 s",
    "12 s",
    "1 min 00 s",
    "3 min 05 s",
    "1 h 02 min",
  ]);
});

test("a pipe gets the state of a stage with rate and time left, and its end", () => {
  const out = stream(false);
  const view = new ProgressView(out, 0);
  view.event(score);
  view.event({ ...score, done: 2000, secondsLeft: 0 });
  view.end();
  assert.match(out.text(), /score +500 of 2,000 {2}100 from the store {2}41\/s {2}36 s left\n/);
  assert.match(out.text(), /score +2,000 of 2,000 .* in \d\.\d s\n$/);
  assert.ok(!out.text().includes("\x1b"), "a pipe gets no terminal codes");
});

test("a pipe is not flooded", () => {
  const out = stream(false);
  const view = new ProgressView(out, 5);
  for (let done = 0; done < 1000; done++) view.event({ ...score, done });
  assert.equal(out.text(), "");
});

test("a terminal has one line a stage, no wider than it is", () => {
  const out = stream(true);
  const view = new ProgressView(out);
  view.event({ ...score, done: 2000 });
  view.event({ stage: "tune", done: 1, total: 400, cached: 0, perSecond: 3, loss: 0.25 });
  view.end();
  const lines = out.text().split("\n");
  assert.equal(lines.length, 3);
  assert.match(lines[1], /tune +1 of 400 {2}loss 0\.2500/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal codes.
  for (const line of lines) for (const one of line.split(/\r\x1b\[2K/)) assert.ok(one.length < 100);
});

const report = {
  device: { kind: "cpu", adapter: "", reason: "chosen" },
  stages: { encode: { seconds: 3 }, score: { seconds: 90 } },
  fit: { delivered: "base", reason: "Nothing was better." },
  evaluation: { agreement: { random: { base: 0.5, tuned: 0.4 }, grouped: null } },
};

test("without judgements the table is called agreement, not quality", () => {
  const text = reportLines(report).join("\n");
  assert.match(text, /Agreement with the cross-encoder .*not a measure of quality/);
  assert.match(text, /left out at random +0\.5000 +0\.4000 +-0\.1000/);
  assert.match(text, /Delivered: the base model, unchanged\. Nothing was better\./);
  assert.match(text, /Time: encode 3\.0 s, score 1 min 30 s/);
});

test("with judgements base, tuned and ceiling stand side by side", () => {
  const of = { base: 0.6451, tuned: 0.66, ceiling: 0.7, ci95: [-0.001, 0.03], ceilingCi95: [0.02, 0.09], p: 0.042 };
  const judged = { "ndcg@10": of };
  const text = reportLines({ ...report, evaluation: { judged, queries: 300, on: "test queries" } }).join("\n");
  assert.match(text, /300 queries \(test queries\)/);
  assert.match(text, /ndcg@10 +0\.6451 +0\.6600 +0\.7000 +\+0\.0149 +-0\.0010 … \+0\.0300 +0\.042/);
  assert.match(text, /\n +ceiling +\+0\.0549 +\+0\.0200 … \+0\.0900\n/);
});

test("figures of the log's own queries come with a word of caution, and with those of others if there are any", () => {
  const one = { base: 0.5, tuned: 0.6, ceiling: 0.7, ci95: [0.05, 0.15], p: 0.01 };
  const evaluation = { judged: { "ndcg@10": one }, queries: 50, on: "own queries", missingDocuments: 3 };
  const text = (more) => reportLines({ ...report, evaluation: { ...evaluation, ...more } }).join("\n");
  assert.match(text(), /Trained on, without their judgements: this says nothing of other queries/);
  assert.match(text(), /not counted: 3 judged documents/);
  assert.doesNotMatch(text(), /left out of training *\d/);
  const figures = { ownQueries: { queries: 50, "ndcg@10": one }, newQueries: { queries: 40, "ndcg@10": one } };
  assert.match(text({ figures }), /new queries, .* 40 +0\.5000 +0\.6000 +\+0\.1000 +\+0\.0500 … \+0\.1500/);
});

test("agreement stands below what was judged, with its interval, and by traffic where that differs", () => {
  const one = { base: 0.5, tuned: 0.6, ceiling: 0.7, ci95: [0.05, 0.15], p: 0.01 };
  const traffic = { base: 0.8, tuned: 0.85 };
  const random = { base: 0.3, tuned: 0.4, ci95: [0.02, 0.18], traffic };
  const judged = { "ndcg@10": { ...one, traffic: { ...traffic, ceiling: 0.9 } } };
  const text = reportLines({ ...report, evaluation: { judged, on: "test queries", agreement: { random } } }).join("\n");
  assert.match(text, /ndcg@10 .*\n +as often as asked +0\.8000 +0\.8500 +0\.9000 +\+0\.0500\n/);
  assert.match(text, /left out at random +0\.3000 +0\.4000 +\+0\.1000 +\+0\.0200 … \+0\.1800\n/);
  assert.match(text, /at random .*\n +as often as asked +0\.8000 +0\.8500 +\+0\.0500\n/);
  assert.ok(text.indexOf("not a measure of quality") > text.indexOf("By your judgements"));
});

test("figures of the log's own queries stand by traffic, too, where that differs", () => {
  const one = { base: 0.5, tuned: 0.6, ci95: [0.05, 0.15], p: 0.01 };
  const newQueries = { queries: 40, "ndcg@10": { ...one, traffic: { base: 0.8, tuned: 0.85, ceiling: null } } };
  const evaluation = { judged: { "ndcg@10": one }, on: "own queries", figures: { newQueries } };
  const text = reportLines({ ...report, evaluation }).join("\n");
  assert.match(text, /new queries, .* 40 .*\n +as often as asked +0\.8000 +0\.8500 +\+0\.0500\n/);
});

test("agreement among scored candidates alone is told from that of a whole corpus", () => {
  const random = { base: 0.3, tuned: 0.4, ci95: [0.02, 0.18] };
  const text = (pooled) =>
    reportLines({ ...report, evaluation: { agreement: { random: { ...random, pooled } } } }).join("\n");
  assert.match(text(true), /Only their scored candidates were ranked/);
  assert.doesNotMatch(text(undefined), /scored candidates/);
});

test("with test queries the log's own are told apart from them", () => {
  const one = { base: 0.5, tuned: 0.6, ci95: [0.05, 0.15], p: 0.01 };
  const figures = { ownQueries: { queries: 50, "ndcg@10": one } };
  const text = (on) => reportLines({ ...report, evaluation: { judged: { "ndcg@10": one }, on, figures } }).join("\n");
  assert.match(text("test queries"), /the log's own queries, trained on +50 +0\.5000 +0\.6000/);
  assert.doesNotMatch(text("own queries"), /the log's own queries, trained on/);
});

test("what the tuned model is worse at is said in words, where it is more than chance", () => {
  const better = { base: 0.5, tuned: 0.6, ci95: [0.05, 0.15] };
  const worse = { base: 0.5, tuned: 0.4, ci95: [-0.15, -0.05] };
  const perhaps = { base: 0.5, tuned: 0.49, ci95: [-0.05, 0.03] };
  const text = (kinds) => {
    const figures = Object.fromEntries(
      Object.entries(kinds).map(([kind, one]) => [kind, { queries: 9, "ndcg@10": one }]),
    );
    return reportLines({ ...report, evaluation: { judged: { "ndcg@10": better }, on: "own queries", figures } }).join(
      "\n",
    );
  };
  const said = text({ similarQueries: better, newQueries: perhaps, newDocuments: worse });
  assert.match(said, /On new documents the tuned model ranks worse, by more than chance explains\./);
  assert.doesNotMatch(said, /On (new queries|queries like)/);
  assert.match(
    text({ similarQueries: worse, newQueries: worse }),
    /On queries like the log's .*\n +On new queries the/,
  );
  assert.doesNotMatch(text({ newQueries: { base: 0.5, tuned: 0.4, ci95: null } }), /by more than chance/);
});

test("a job with a time says how deep it has come", () => {
  const score = { seconds: 598, items: 6840, perSecond: 11, budgetSeconds: 600 };
  const relations = { depth: 47, bm25: 0 };
  const text = (more) => reportLines({ ...report, relations, stages: { score }, ...more }).join("\n");
  assert.match(text(), /Scored: 47 candidates of each query, in 9 min 58 s of the 10 min 00 s there were/);
  assert.match(text({ relations: { depth: 47, bm25: 5 } }), /47 candidates of each query and 5 of BM25's, in/);
  assert.doesNotMatch(text({ stages: { score: { ...score, budgetSeconds: null } } }), /Scored/);
});

test("on a terminal a stage has a bar while it runs", () => {
  const out = { ...stream(true), columns: 120 };
  const view = new ProgressView(out);
  view.event({ ...score, done: 2000 });
  assert.match(out.text(), /score +━{20} 100 % {2}2,000 of 2,000/);
});

test("downloads that come side by side are counted together", () => {
  const out = stream(false);
  const view = new ProgressView(out, 0);
  view.event({ stage: "download", model: "encoder", loaded: 10e6, total: 90e6 });
  view.event({ stage: "download", model: "crossEncoder", loaded: 5e6, total: 30e6 });
  assert.match(out.text(), /model files +15 of 120 MB\n$/);
});

test("what was skipped in a file is said with its line", () => {
  const skipped = [2, 3, 4, 5].map((line) => ({ file: "a.csv", line, reason: "no text" }));
  const reading = {
    file: "a.csv",
    format: "csv",
    used: { text: "body" },
    rows: 9,
    texts: 5,
    duplicates: 0,
    skipped,
    skippedTotal: 4,
  };
  const lines = readingLines(reading);
  assert.match(lines[0], /a\.csv: csv, 9 rows, 5 texts, 4 skipped \(text: body\)/);
  assert.match(lines[1], /line 2: no text/);
  assert.match(lines.at(-1), /and 1 more$/, "a search writes no report");
  assert.match(readingLines(reading, { isReported: true }).at(-1), /and 1 more; report\.json has them$/);
});

test("what is worth a look in how a file was read is said, whole", () => {
  const guess = 'Line 1 ("Suchbegriff") was taken as a header, not as a text.';
  const long = `2 rows have no whole number in the column "Anzahl" (the first on line 3: "viele"); ${"x ".repeat(30)}end.`;
  const reading = {
    file: "a.csv",
    format: "csv",
    rows: 2,
    texts: 2,
    skipped: [],
    skippedTotal: 0,
    notes: [guess, long],
  };
  const [, ...lines] = readingLines(reading);
  assert.deepEqual(
    [
      lines[0],
      lines
        .slice(1)
        .map((line) => line.trim())
        .join(" "),
    ],
    [`    ${guess}`, long],
  );
  assert.ok(lines.every((line) => /^ {4}\S/.test(line) && line.length <= 104));
});
