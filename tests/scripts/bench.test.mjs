// The benchmark's own arithmetic: figures of turns, ratios, agreement of results, texts dealt into slices. Nothing is
// measured here.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkJob, checkLogits, checkVectors, logitAgreement, smallestCosine } from "../../scripts/bench/agreement.mjs";
import { operations } from "../../scripts/bench/operations.mjs";
import { parts, readOptions } from "../../scripts/bench/options.mjs";
import { keys, ratios, ratiosAsLoaded, ratiosByWork } from "../../scripts/bench/ratios.mjs";
import { reportLines, summarise } from "../../scripts/bench/report.mjs";
import { lagsBehind, median, ratio, speed, spread } from "../../scripts/bench/statistics.mjs";
import { figure, table } from "../../scripts/bench/table.mjs";
import { candidates, cut, deal, readCsv } from "../../scripts/bench/works.mjs";

/** A variant that did 10 items in each of these seconds. */
const variant = (name, side, seconds, more = {}) => ({
  name,
  side,
  counts: true,
  ...speed(seconds.map((one, turn) => ({ turn, items: 10, seconds: one }))),
  ...more,
});

test("the median is the middle, or the mean of the middle two", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.throws(() => median([]), RangeError);
  assert.deepEqual(spread([5, 1, 3]), { median: 3, min: 1, max: 5 });
});

test("a ratio compares the same turns, against the peer that is fastest", () => {
  const own = variant("own", "querytune", [1, 2]);
  const peers = [variant("slow", "peer", [9, 9]), variant("fast", "peer", [2, 4])];
  // The machine was half as fast in the second turn, for both.
  assert.deepEqual(ratio(own, peers), { querytune: "own", peer: "fast", median: 2, min: 2, max: 2 });
});

test("turns that only one of two took do not count", () => {
  const own = variant("own", "querytune", [1, 100]);
  assert.equal(ratio(own, [variant("peer", "peer", [3])]).median, 3);
  const later = { ...variant("peer", "peer", [3]), turns: [{ turn: 7, items: 10, seconds: 3 }] };
  assert.throws(() => ratio(own, [later]), /no turn in common/);
});

test("only who is clearly slower than the fastest of its side is left out", () => {
  const [fast, near, far] = [[1], [1.2], [2]].map((seconds) => variant("peer", "peer", seconds));
  const side = [fast, near, far];
  assert.deepEqual(
    side.map((one) => lagsBehind(one, side)),
    [false, false, true],
  );
});

test("a key is the lowest ratio of its works, and null where nothing was measured", () => {
  const found = ratios({
    "cpu.1": { documents: { median: 3 }, queries: { median: 2.5 }, titles: { median: 4 } },
    webgpu: { queries: { median: 1.5 } },
  });
  assert.deepEqual(Object.keys(found), Object.keys(keys));
  assert.deepEqual(found, {
    "embed.cpu.1": 2.5,
    "score.cpu.1": 4,
    "embed.cpu.all": null,
    "score.cpu.all": null,
    "synthesize.cpu.all": null,
    "embed.webgpu": 1.5,
    "score.webgpu": null,
  });
});

test("of querytune's variants that count the fastest stands in a ratio, and beside it what is loaded without options", () => {
  const works = {
    titles: [
      variant("querytune", "querytune", [2]),
      variant("querytune int8", "querytune", [1.6]),
      variant("querytune fp32", "querytune", [1], { counts: false }),
      variant("peer", "peer", [4]),
    ],
    alone: [variant("querytune", "querytune", [2])],
  };
  const [fastest, asLoaded] = [ratiosByWork(works), ratiosAsLoaded(works)];
  assert.deepEqual([fastest.titles.querytune, fastest.titles.median], ["querytune int8", 2.5]);
  assert.deepEqual([asLoaded.titles.querytune, asLoaded.titles.median], ["querytune", 2]);
  assert.equal(fastest.alone, undefined);
});

test("vectors that point elsewhere, and ones that are no numbers, fail the benchmark", () => {
  const expected = [
    [1, 0],
    [0, 1],
  ];
  assert.equal(
    smallestCosine(
      [
        [2, 0],
        [0, 3],
      ],
      expected,
    ),
    1,
  );
  assert.deepEqual(checkVectors("one", "exact", expected, expected), { smallestCosine: 1 });
  const wrong = [
    [1, 0],
    [1, 10],
  ];
  assert.throws(() => checkVectors("one", "exact", wrong, expected), /one: a vector has a cosine of 0\.995/);
  assert.throws(
    () =>
      checkVectors(
        "one",
        "int8",
        [
          [1, 0],
          [Number.NaN, 1],
        ],
        expected,
      ),
    /cosine of -1/,
  );
  assert.throws(() => smallestCosine([], []), RangeError);
});

test("logits are compared by distance, and by order within a query where it is no tie", () => {
  const expected = [1, 2, 3, -5, -5.01, 7];
  assert.deepEqual(logitAgreement(expected, expected, 3), { largest: 0, sameOrder: 1 });
  assert.equal(logitAgreement([1, 2, 3, -5.01, -5, 7], expected, 3).sameOrder, 1, "a tie says nothing");
  assert.equal(logitAgreement([3, 2, 1, -5, -5.01, 7], expected, 3).sameOrder, 2 / 5);
  assert.throws(() => checkLogits("one", "exact", [1, 2, 3.1], [1, 2, 3], 3), /one: logits are up to 0\.1/);
  assert.throws(() => checkLogits("one", "exact", [1, 2, Number.NaN], [1, 2, 3], 3), /up to Infinity/);
  assert.throws(() => checkLogits("one", "int8", [3, 2, 1], [1, 2, 3], 3), /0\.0 % of the pairs/);
});

test("a job has to have the same candidates in like order", () => {
  const list = [{ document: 4, logit: 3 }, { document: 2, logit: 1 }, { document: 9 }];
  assert.deepEqual(checkJob("peer", [list], [list]), { sameCandidates: 1, sameOrder: 1, scoredByBoth: 2 });
  const other = [{ document: 4, logit: 1 }, { document: 2, logit: 3 }, { document: 9 }];
  assert.throws(() => checkJob("peer", [other], [list]), /came out otherwise/);
  assert.throws(() => checkJob("peer", [list.slice(0, 1)], [list]), /came out otherwise/);
});

test("operations of a layer are those of its products", () => {
  const { linear, attention } = operations({ layers: 1, dims: 2 }, 3);
  // Four products with [2, 2], one with [2, 8], one with [8, 2]; scores and mixing of 3 by 3 tokens.
  assert.equal(linear, 2 * 3 * (4 * 4 + 2 * 16));
  assert.equal(attention, 2 * (3 * 3 * 2) * 2);
});

test("figures have three digits that say something", () => {
  assert.deepEqual([12345.6, 123.45, 12.345, 0.012345, 0, null, Number.NaN].map(figure), [
    "12,346",
    "123",
    "12.3",
    "0.0123",
    "0",
    "-",
    "-",
  ]);
  assert.deepEqual(
    table([
      ["a", "bb"],
      ["ccc", "d"],
    ]),
    ["a    bb", "ccc   d"],
  );
});

test("CSV fields may be quoted, with commas, quotes and line ends in them", () => {
  assert.deepEqual(readCsv('id,text\n1,"a, ""b""\nc"\n2,\r\n3,d'), [
    { id: "1", text: 'a, "b"\nc' },
    { id: "2", text: "" },
    { id: "3", text: "d" },
  ]);
  assert.throws(() => readCsv('id\n"a"b\n'), SyntaxError);
});

test("texts are cut between words, at the last that fits", () => {
  const fits = (text) => text.length <= 9;
  assert.equal(cut("four five six", fits), "four five");
  assert.equal(cut("short", fits), "short");
  assert.equal(cut("onewordtoolong", fits), "");
});

test("every hand is dealt the same number and nearly the same size", () => {
  const sizes = Array.from({ length: 40 }, (_, i) => i * i);
  const hands = deal(sizes, 4, (size) => size);
  assert.deepEqual(
    hands.flat().toSorted((a, b) => a - b),
    sizes,
  );
  const totals = hands.map((hand) => hand.reduce((sum, size) => sum + size));
  assert.ok(hands.every((hand) => hand.length === 10));
  assert.ok(Math.max(...totals) / Math.min(...totals) < 1.03, totals.join(" "));
});

test("candidates are the documents that share the rarest words", () => {
  const documents = ["the cat", "the dog barks", "the the the", "a cat and a dog"];
  const [found] = candidates(["The barking DOG barks"], documents, 2);
  assert.deepEqual(found, { query: "The barking DOG barks", documents: ["the dog barks", "a cat and a dog"] });
});

test("parts come in their order, and unknown ones are refused with the list", () => {
  assert.deepEqual(readOptions([]).parts, parts);
  assert.deepEqual(readOptions(["--only", "cold, embed", "--no-publish"]).parts, ["embed", "cold"]);
  assert.equal(readOptions(["--no-publish"]).publish, false);
  assert.equal(readOptions(["--help"]), undefined);
  assert.throws(() => readOptions(["--only", "speed"]), /no part "speed".*embed, score/s);
  assert.throws(() => readOptions(["--webgpu", "fast"]), /hardware, software or off/);
  assert.throws(() => readOptions(["--fast"]), { name: "UsageError" });
});

test("the report has every promised key, whatever was measured, and its table says which peer was the best", () => {
  const works = { titles: [variant("querytune", "querytune", [1, 1]), variant("peer q8", "peer", [2, 3])] };
  const context = {
    machine: { processor: "P", processors: 2 },
    versions: { browser: "156", querytune: "0.1.0", commit: "abc" },
    seconds: { total: 61 },
  };
  const report = summarise({ ...context, stages: { "cpu.1": works }, measured: {} });
  for (const key of [
    "ratios",
    "medians",
    "wire_bytes",
    "kernel_share",
    "scaling",
    "top_k",
    "cold_start_ms",
    "memory",
  ]) {
    assert.ok(key in report, key);
  }
  assert.equal(report.medians["cpu.1.titles.querytune"], 10);
  assert.equal(report.ratios["score.cpu.1"], 2.5);
  const text = reportLines(report).join("\n");
  assert.match(
    text,
    /cpu\.1 titles +10\.0 \(10\.0 … 10\.0\) +4\.17 \(3\.33 … 5\.00\) +2\.50 \(2\.00 … 3\.00\) +querytune, peer q8/,
  );
  assert.match(text, /score\.cpu\.1 +2\.50/);
  assert.match(text, /embed\.webgpu +-/);
});
