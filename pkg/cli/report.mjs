// What a job's report says, as a person reads it on the terminal.
import { duration } from "./terminal.mjs";

const figure = (value) => (typeof value === "number" ? value.toFixed(4) : "");
const signed = (value) => `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(4)}`;
const count = (number) => number.toLocaleString("en-US");

/** Rows of cells as lines: the first column to the left, the others to the right. */
function table(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join("  ")
      .trimEnd(),
  );
}

/** Text in lines of at most so many characters, where its words allow. */
function wrap(text, width = 100) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === "") lines[lines.length - 1] = word;
    else if (last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/**
 * How a file was read, in one line, what of it is worth a look, and what was skipped; `isReported`: whether the job's report
 * has all of that, too.
 */
export function readingLines(reading, { isReported = false } = {}) {
  const columns = Object.entries(reading.used ?? {})
    .filter(([, column]) => column !== undefined && column !== null)
    .map(([role, column]) => `${role}: ${column}`);
  const { file, format, rows, texts, duplicates, skippedTotal, skipped, notes = [] } = reading;
  const lines = [
    `  ${file}: ${format}, ${[`${count(rows)} rows`, `${count(texts)} texts`, duplicates && `${count(duplicates)} duplicates`, skippedTotal && `${count(skippedTotal)} skipped`].filter(Boolean).join(", ")}${columns.length ? ` (${columns.join(", ")})` : ""}`,
  ];
  // A guess that is wrong is seen here or nowhere.
  lines.push(...notes.flatMap((note) => wrap(note).map((line) => `    ${line}`)));
  for (const { line, reason } of skipped.slice(0, 3)) lines.push(`    line ${line}: ${reason}`);
  if (skippedTotal > 3)
    lines.push(`    and ${count(skippedTotal - 3)} more${isReported ? "; report.json has them" : ""}`);
  return lines;
}

/** An interval, where there is one. */
const between = (ci95) => (ci95 ? `${signed(ci95[0])} … ${signed(ci95[1])}` : "");

/** What the tuned model is worse at, beyond chance: a table of intervals is easily read past. */
function harm(figures) {
  const groups = {
    similarQueries: "queries like the log's",
    newQueries: "new queries",
    newDocuments: "new documents",
  };
  return Object.entries(groups)
    .filter(([kind]) => figures[kind]?.["ndcg@10"]?.ci95?.[1] < 0)
    .map(([, group]) => `  On ${group} the tuned model ranks worse, by more than chance explains.`);
}

/** What to expect of which queries of the log, and of others, where it could be measured. */
function byQueries({ figures = {}, on }) {
  const labels = {
    // Else they are the ones that are shown already.
    ...(on === "own queries" ? {} : { ownQueries: "the log's own queries, trained on" }),
    similarQueries: "queries like the log's, left out of training",
    newQueries: "new queries, left out with all that share their best document",
    newDocuments: "new documents, unseen in training",
  };
  const rows = [["nDCG@10 for", "queries", "base", "tuned", "tuned - base", "95 % interval"]];
  for (const [kind, label] of Object.entries(labels)) {
    const found = figures[kind]?.["ndcg@10"];
    if (!found) continue;
    const { base, tuned, ci95, traffic } = found;
    rows.push([label, count(figures[kind].queries), figure(base), figure(tuned), signed(tuned - base), between(ci95)]);
    if (traffic) {
      const [name, ...figures] = byTraffic(traffic, [], [""]);
      rows.push([name, "", ...figures]);
    }
  }
  return rows.length > 1 ? ["", ...table(rows).map((line) => `  ${line}`), ...harm(figures)] : [];
}

/** The row below another: the same with each query as often as it was asked. */
const byTraffic = ({ base, tuned }, beside, rest) => [
  "  as often as asked",
  figure(base),
  figure(tuned),
  ...beside,
  signed(tuned - base),
  ...rest,
];

function judged(evaluation) {
  const rows = [["", "base", "tuned", "ceiling", "change", "95 % interval", "p"]];
  for (const [name, { base, tuned, ceiling, ci95, ceilingCi95, p, traffic }] of Object.entries(evaluation.judged)) {
    const test = p?.toFixed(3) ?? "";
    rows.push([name, figure(base), figure(tuned), figure(ceiling), signed(tuned - base), between(ci95), test]);
    if (traffic) rows.push(byTraffic(traffic, [figure(traffic.ceiling)], ["", ""]));
    if (ceilingCi95) rows.push(["  ceiling", "", "", "", signed(ceiling - base), between(ceilingCi95), ""]);
  }
  const on = [evaluation.queries && `${count(evaluation.queries)} queries`, evaluation.on && `(${evaluation.on})`];
  const { missingQueries, missingDocuments } = evaluation;
  const missing = [
    missingQueries && `${count(missingQueries)} judged queries`,
    missingDocuments && `${count(missingDocuments)} judged documents`,
  ].filter(Boolean);
  return [
    `By your judgements, ${on.filter(Boolean).join(" ")}; ceiling: the cross-encoder's own ranking`,
    ...table(rows).map((line) => `  ${line}`),
    ...(evaluation.on === "own queries"
      ? ["  Trained on, without their judgements: this says nothing of other queries."]
      : []),
    ...(missing.length ? [`  Not in the files, and so not counted: ${missing.join(", ")}.`] : []),
    ...byQueries(evaluation),
  ];
}

function agreement(evaluation) {
  const rows = [["", "base", "tuned", "tuned - base", "95 % interval"]];
  const labels = { random: "queries left out at random", grouped: "queries of one top document left out together" };
  for (const [kind, label] of Object.entries(labels)) {
    const found = evaluation.agreement?.[kind];
    if (!found) continue;
    const { base, tuned, ci95, traffic } = found;
    rows.push([label, figure(base), figure(tuned), signed(tuned - base), between(ci95)]);
    if (traffic) rows.push(byTraffic(traffic, [], [""]));
  }
  if (rows.length === 1)
    return evaluation.judged ? [] : ["No queries could be held out: there is no figure to compare."];
  return [
    "Agreement with the cross-encoder on held-out queries (nDCG@10; not a measure of quality)",
    ...table(rows).map((line) => `  ${line}`),
    ...(evaluation.agreement.random?.pooled
      ? ["  Only their scored candidates were ranked: these figures are higher than those of a whole corpus."]
      : []),
  ];
}

/** What is new since the earlier run, and how its model compares. */
function since({ queries, documents, newQueries, newDocuments, scores, delivered, agreement, judged }) {
  const lines = [
    "",
    `Since the earlier run of ${count(queries)} queries and ${count(documents)} documents: ${count(newQueries)} queries and ` +
      `${count(newDocuments)} documents are new; ${count(scores)} scores taken over.`,
  ];
  const earlier = delivered === "tuned" ? "the earlier model" : "the earlier run (it delivered the base model)";
  const rows = [["", "queries", "base", "earlier", "tuned", "tuned - earlier"]];
  if (agreement) {
    const { queries: on, base, previous, tuned } = agreement;
    const difference = signed(tuned - previous);
    rows.push([
      "agreement, new queries left out",
      count(on),
      figure(base),
      figure(previous),
      figure(tuned),
      difference,
    ]);
  }
  const ndcg = judged?.["ndcg@10"];
  if (ndcg) {
    const { previous, tuned, ci95, p } = ndcg;
    const difference = `${signed(tuned - previous)} (${signed(ci95[0])} … ${signed(ci95[1])}, p ${p.toFixed(3)})`;
    rows.push(["nDCG@10 by your judgements", "", "", figure(previous), figure(tuned), difference]);
  }
  if (rows.length > 1) lines.push(`Against ${earlier}:`, ...table(rows).map((line) => `  ${line}`));
  return lines;
}

/** How deep the cross-encoder has come in its time. */
function depthReached({ relations, stages }) {
  const { seconds, budgetSeconds } = stages.score;
  const pooled = relations.bm25 ? ` and ${count(relations.bm25)} of BM25's` : "";
  const time = `${duration(seconds)} of the ${duration(budgetSeconds)} there were`;
  return `Scored: ${count(relations.depth)} candidates of each query${pooled}, in ${time}`;
}

/** The end of a job: figures, what is delivered, time by stage. */
export function reportLines(report) {
  const { device, evaluation, fit, stages } = report;
  const delivered = fit.delivered === "tuned" ? "the tuned model" : "the base model, unchanged";
  const times = Object.entries(stages)
    .filter(([, stage]) => stage?.seconds >= 0.05)
    .map(([name, stage]) => `${name} ${duration(stage.seconds)}`);
  return [
    ...(evaluation.judged ? [...judged(evaluation), ""] : []),
    ...agreement(evaluation),
    ...(report.previous ? since(report.previous) : []),
    "",
    ...wrap(`Delivered: ${delivered}.${fit.reason ? ` ${fit.reason}` : ""}`),
    ...(fit.warnings ?? []).flatMap((warning) => wrap(`Warning: ${warning}`)),
    ...(stages.score?.budgetSeconds ? [depthReached(report)] : []),
    `Device: ${device.kind}${device.adapter ? ` (${device.adapter})` : ""}`,
    `Time: ${times.join(", ")}`,
  ];
}
