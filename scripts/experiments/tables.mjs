// Results of experiments as tables in Markdown: one a group, one row a case, seeds taken together.

/** Mean of numbers. */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** .6451, +.0402, without the zero before the point. */
const figure = (value) => value.toFixed(4).replace(/^(-?)0\./, "$1.");
const change = (value) => `${value < 0 ? "" : "+"}${figure(value)}`;

/** A mean, and the lowest and highest of several seeds. */
function spread(values, format) {
  if (values.length === 1) return format(values[0]);
  return `${format(mean(values))} (${format(Math.min(...values))} … ${format(Math.max(...values))})`;
}

/** The rows of each case, in the order in which cases first appear. */
function byCase(rows) {
  const cases = new Map();
  for (const row of rows) cases.set(row.case, [...(cases.get(row.case) ?? []), row]);
  return [...cases.values()];
}

const table = (heads, rows) =>
  [heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/** How much a metric of a comparison has changed, in each of a case's rows. */
const changes = (rows, metric, of = (row) => row.judged) =>
  rows.map((row) => of(row)[metric].tuned - of(row)[metric].base);

const delivered = (rows) => `${rows.filter((row) => row.delivered).length} of ${rows.length}`;
const seconds = (rows) => mean(rows.map((row) => row.fitSeconds)).toFixed(0);

const tuned = (rows) => rows.map((row) => row.judged["ndcg@10"].tuned);

/** What a metric had to reach, and whether it did; that the base model does is no merit of the training. */
function held(rows, metric, target) {
  const least = target[metric];
  if (!least) return "";
  const of = rows.map((row) => row.judged[metric]);
  const [base, tuned] = [mean(of.map((one) => one.base)), mean(of.map((one) => one.tuned))];
  const shown = metric === "ndcg@10" ? figure(least) : `${figure(tuned)} of ${figure(least)}`;
  if (tuned < least) return `${shown} missed`;
  return base >= least ? `${shown} by the base` : `${shown} reached`;
}

function reference(cases, targets) {
  return table(
    ["case", "log", "base", "cross-encoder", "tuned", "target", "MRR@10", "recall@100", "delivered", "seconds"],
    cases.map((rows) => {
      const target = targets[rows[0].case] ?? {};
      return [
        rows[0].case,
        rows[0].queries,
        figure(rows[0].judged["ndcg@10"].base),
        figure(rows[0].judged["ndcg@10"].ceiling),
        spread(tuned(rows), figure),
        target["ndcg@10"] ? held(rows, "ndcg@10", target) : "",
        [change(mean(changes(rows, "mrr@10"))), held(rows, "mrr@10", target)].filter(Boolean).join(", "),
        [change(mean(changes(rows, "recall@100"))), held(rows, "recall@100", target)].filter(Boolean).join(", "),
        delivered(rows),
        seconds(rows),
      ];
    }),
  );
}

/** What was run on WebGPU, beside the same seeds on the CPU. */
function onWebgpu(cases, cpuRows, targets) {
  const onCpu = ({ case: name, seed }) => cpuRows.find((row) => row.case === name && row.seed === seed);
  const heads = [
    "case",
    "log",
    "documents",
    "base",
    "tuned",
    "target",
    "base, CPU",
    "tuned, CPU",
    "delivered",
    "seconds",
  ];
  return table(
    heads,
    cases.map((rows) => {
      const same = rows.map(onCpu).filter(Boolean);
      return [
        rows[0].case,
        rows[0].queries,
        rows[0].besideCpu?.documentsOfCpu ? "of the CPU" : "WebGPU",
        figure(rows[0].judged["ndcg@10"].base),
        spread(tuned(rows), figure),
        held(rows, "ndcg@10", targets[rows[0].case] ?? {}),
        same.length > 0 ? figure(same[0].judged["ndcg@10"].base) : "",
        same.length > 0 ? spread(tuned(same), figure) : "",
        delivered(rows),
        seconds(rows),
      ];
    }),
  );
}

/** Agreement that was predicted for queries left out, beside the judged change. */
const predicted = (rows, kind) => {
  const known = rows.filter((row) => row[kind]);
  return known.length === 0 ? "" : change(mean(known.map((row) => row[kind].tuned - row[kind].base)));
};

function besides(cases) {
  return table(
    ["case", "log", "base", "change", "95 % of the first seed", "agreement, random", "agreement, new", "delivered"],
    cases.map((rows) => {
      const [from, to] = rows[0].judged["ndcg@10"].ci95;
      return [
        rows[0].case,
        rows[0].queries,
        figure(rows[0].judged["ndcg@10"].base),
        spread(changes(rows, "ndcg@10"), change),
        `${change(from)} … ${change(to)}`,
        predicted(rows, "random"),
        predicted(rows, "grouped"),
        delivered(rows),
      ];
    }),
  );
}

const FIGURES = {
  ownQueries: "own queries",
  similarQueries: "left out at random",
  newQueries: "new queries",
  newDocuments: "new documents",
};
const KINDS = Object.keys(FIGURES);

/** Logs that are judged themselves: what to expect of which queries and documents. */
function sideBySide(cases) {
  const judged = cases.filter((rows) => KINDS.some((kind) => rows[0].figures?.[kind]));
  if (judged.length === 0) return undefined;
  return table(
    ["case", ...Object.values(FIGURES)],
    judged.map((rows) => [
      rows[0].case,
      ...KINDS.map((kind) => {
        const known = rows.filter((row) => row.figures?.[kind]);
        return known.length === 0
          ? ""
          : spread(
              changes(known, "ndcg@10", (row) => row.figures[kind]),
              change,
            );
      }),
    ]),
  );
}

function sizes(cases) {
  return table(
    ["log", "change on other queries", "accepted", "worse among these"],
    cases.map((rows) => {
      const accepted = rows.filter((row) => row.delivered);
      const worse = changes(accepted, "ndcg@10").filter((one) => one < 0).length;
      return [rows[0].queries, spread(changes(rows, "ndcg@10"), change), `${accepted.length} of ${rows.length}`, worse];
    }),
  );
}

/** Checkpoints of a training; of one with few epochs some fall together. */
const CHECKPOINTS = 4;

/** Trainings without folds: nDCG@10 after each checkpoint. */
function curves(cases) {
  const at = (rows, place) => rows.map((row) => row.curve[place].metrics["ndcg@10"]);
  return table(
    ["case", "base", ...Array.from({ length: CHECKPOINTS }, (_, at) => `checkpoint ${at + 1}`), "seconds"],
    cases.map((rows) => {
      const [{ curve }] = rows;
      const points = curve.slice(1).map(({ epoch }, place) => `${spread(at(rows, place + 1), figure)} after ${epoch}`);
      const cells = Array.from({ length: CHECKPOINTS }, (_, place) => points[place] ?? "");
      return [rows[0].case, figure(curve[0].metrics["ndcg@10"]), ...cells, seconds(rows)];
    }),
  );
}

/** The group of all that was run on WebGPU. */
const WEBGPU = "WebGPU";

/** What the mean of the seeds has to reach. */
const TARGETS = {
  "scifact, 20 candidates": { "ndcg@10": 0.682, "mrr@10": 0.645, "recall@100": 0.93 },
  "scifact, 10 candidates": { "ndcg@10": 0.672 },
  "ao, 20 candidates": { "ndcg@10": 0.73 },
  "stackfaq, 10 candidates": { "ndcg@10": 0.947 },
  "chorus, 20 candidates": { "ndcg@10": 0.7 },
};

/** Each group's table by the group's name; groups without results are left out. */
export function tables(rows, targets = TARGETS) {
  const groups = new Map();
  for (const row of rows) {
    const group = row.device?.kind === "webgpu" && !row.curve ? WEBGPU : row.group;
    groups.set(group, [...(groups.get(group) ?? []), row]);
  }
  const made = {};
  for (const [group, ofGroup] of groups) {
    const cases = byCase(ofGroup);
    if (group === WEBGPU) made[WEBGPU] = onWebgpu(cases, groups.get("reference") ?? [], targets);
    else if (group === "reference") {
      made.reference = reference(cases, targets);
      const figures = sideBySide(cases);
      if (figures) made.figures = figures;
    } else if (group === "size") made.size = sizes(cases);
    else if (ofGroup[0].curve) made[group] = curves(cases);
    else {
      made[group] = besides(cases);
      const figures = sideBySide(cases);
      if (figures) made[`${group}, figures`] = figures;
    }
  }
  return made;
}

/** The rows of a table in Markdown by what stands in their first cell, head and rule apart. */
function rowsOf(table) {
  const [head, rule, ...rows] = table.trim().split("\n");
  return { head: [head, rule], rows: new Map(rows.map((row) => [row.split(" | ")[0], row])) };
}

/**
 * A document with the tables between `<!-- NAME -->` and `<!-- /NAME -->` brought up to date, row by row: cases that
 * were not run this time keep theirs.
 */
export function filled(document, made) {
  let text = document;
  for (const [name, table] of Object.entries(made)) {
    const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    const [from, to] = [text.indexOf(start), text.indexOf(end)];
    if (from < 0 || to < from) continue;
    const [before, now] = [rowsOf(text.slice(from + start.length, to)), rowsOf(table)];
    const rows = new Map([...before.rows, ...now.rows]);
    text = `${text.slice(0, from + start.length)}\n\n${[...now.head, ...rows.values()].join("\n")}\n\n${text.slice(to)}`;
  }
  return text;
}
