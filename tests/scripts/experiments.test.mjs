// Tables of experiments: what they say of results that are written down here by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { filled, tables } from "../../scripts/experiments/tables.mjs";

const comparison = (base, tuned) => ({ base, tuned, ceiling: 0.7, ci95: [-0.01, 0.03] });
const metrics = (base, tuned) => ({
  "ndcg@10": comparison(base, tuned),
  "mrr@10": comparison(base, tuned),
  "recall@100": comparison(0.9, 0.95),
});
const row = (group, name, seed, [base, tuned], more = {}) => ({
  case: name,
  group,
  seed,
  queries: 100,
  fitSeconds: 2 * seed,
  delivered: true,
  judged: metrics(base, tuned),
  ...more,
});
/** The cells of a table's rows below its head. */
const cells = (table) =>
  table
    .split("\n")
    .slice(2)
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

test("seeds of a case are one row, and the mean is held against the target", () => {
  const rows = [row("reference", "a", 0, [0.6, 0.69]), row("reference", "a", 1, [0.6, 0.71])];
  const [reached] = cells(tables(rows, { a: { "ndcg@10": 0.7 } }).reference);
  assert.deepEqual(reached.slice(0, 6), ["a", "100", ".6000", ".7000", ".7000 (.6900 … .7100)", ".7000 reached"]);
  assert.deepEqual(reached.slice(6), ["+.1000", "+.0500", "2 of 2", "1"]);
  const [missed] = cells(tables(rows, { a: { "ndcg@10": 0.7001 } }).reference);
  assert.equal(missed[5], ".7001 missed");
  const [easy] = cells(tables(rows, { a: { "ndcg@10": 0.55 } }).reference);
  assert.equal(easy[5], ".5500 by the base", "what the base model reaches is no merit of the training");
  const { "mrr@10": mrr } = rows[0].judged;
  const [other] = cells(tables(rows.slice(0, 1), { a: { "mrr@10": mrr.tuned } }).reference);
  assert.match(other[6], /^[+-]\.\d{4}, \.\d{4} of \.\d{4} reached$/);
});

test("figures side by side are there only for logs that are judged themselves", () => {
  const own = { figures: { ownQueries: metrics(0.5, 0.6), newQueries: metrics(0.5, 0.49) } };
  const rows = [
    row("reference", "others", 0, [0.6, 0.7], { figures: {} }),
    row("reference", "own", 0, [0.6, 0.7], own),
  ];
  assert.deepEqual(cells(tables(rows).figures), [["own", "+.1000", "", "-.0100", ""]]);
  assert.equal(tables(rows.slice(0, 1)).figures, undefined);
});

test("of a small log's runs those that were accepted and are worse are counted", () => {
  const runs = [
    row("size", "50 queries", 0, [0.6, 0.59]),
    row("size", "50 queries", 1, [0.6, 0.58], { delivered: false }),
    row("size", "50 queries", 2, [0.6, 0.61]),
  ];
  assert.deepEqual(cells(tables(runs).size), [["100", "-.0067 (-.0200 … +.0100)", "2 of 3", "1"]]);
});

test("agreement stands beside the judged change, and is empty where there was none", () => {
  const agreed = { random: { base: 0.4, tuned: 0.45 }, grouped: null };
  const [line] = cells(tables([row("controls", "inverted", 0, [0.6, 0.5], agreed)]).controls);
  assert.deepEqual(line, ["inverted", "100", ".6000", "-.1000", "-.0100 … +.0300", "+.0500", "", "1 of 1"]);
});

test("what was run on WebGPU stands beside the same seeds on the CPU, held against the same targets", () => {
  const device = { kind: "webgpu", dtype: "fp32" };
  const besideCpu = { documentsOfCpu: true };
  const rows = [
    row("reference", "a", 0, [0.6, 0.69], { device: { kind: "cpu", dtype: "int16" } }),
    row("reference", "a", 1, [0.6, 0.7], { device: { kind: "cpu", dtype: "int16" } }),
    row("reference", "a", 0, [0.6, 0.71], { device }),
    row("reference", "b", 0, [0.5, 0.52], { device, besideCpu }),
  ];
  const made = tables(rows, { a: { "ndcg@10": 0.7 } });
  assert.equal(cells(made.reference)[0][5], ".7000 missed");
  assert.deepEqual(cells(made.WebGPU), [
    ["a", "100", "WebGPU", ".6000", ".7100", ".7000 reached", ".6000", ".6900", "1 of 1", "0"],
    ["b", "100", "of the CPU", ".5000", ".5200", "", "", "", "1 of 1", "0"],
  ]);
});

test("a training without folds shows every checkpoint", () => {
  const point = (epoch, ndcg) => ({ epoch, metrics: { "ndcg@10": ndcg } });
  const rows = [
    { case: "short", group: "LoRA", fitSeconds: 5, curve: [point(0, 0.6), point(2, 0.61)] },
    { case: "long", group: "LoRA", fitSeconds: 8, curve: [point(0, 0.6), point(2, 0.62), point(4, 0.63)] },
    { case: "long", group: "LoRA", fitSeconds: 10, curve: [point(0, 0.6), point(2, 0.63), point(4, 0.63)] },
  ];
  assert.deepEqual(cells(tables(rows).LoRA), [
    ["short", ".6000", ".6100 after 2", "", "", "", "5"],
    ["long", ".6000", ".6250 (.6200 … .6300) after 2", ".6300 (.6300 … .6300) after 4", "", "", "9"],
  ]);
});

test("a document keeps its words around its tables", () => {
  const document = "Before\n<!-- a -->\nold\n<!-- /a -->\nbetween\n<!-- b --><!-- /b -->\n";
  const table = "| case |\n| --- |\n| new |";
  const once = filled(document, { a: table, unknown: "| lost |\n| --- |" });
  assert.equal(once, `Before\n<!-- a -->\n\n${table}\n\n<!-- /a -->\nbetween\n<!-- b --><!-- /b -->\n`);
  assert.equal(filled(once, { a: table }), once);
});

test("a case that was not run this time keeps its row, another gets the new one in its place", () => {
  const table = (...rows) => ["| case | figure |", "| --- | --- |", ...rows].join("\n");
  const document = filled("<!-- a --><!-- /a -->", { a: table("| x | 1 |", "| y | 2 |") });
  const updated = filled(document, { a: table("| z | 4 |", "| x | 3 |") });
  assert.equal(updated, filled("<!-- a --><!-- /a -->", { a: table("| x | 3 |", "| y | 2 |", "| z | 4 |") }));
});
