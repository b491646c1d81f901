/** A report's figures, brought into one shape for plot and table. */

import type { Agreement, Comparison, JudgingVerdict, Report } from "querytune";
import { counted } from "./format.js";
import { ofCrossEncoder, ofTuned, tells } from "./judging.js";

/** One comparison of base and tuned. */
export interface Figure {
  key: string;
  name: string;
  base: number;
  tuned: number;
  /** The cross-encoder's own ranking, where it was judged. */
  ceiling?: number;
  /** 95 % interval of the change. */
  interval: [number, number];
  /** 95 % interval of the ceiling's distance from base. */
  ceilingInterval?: [number, number];
  p?: number;
  queries?: number;
  /** The means with each query as often as it was asked, where that is not the same. */
  traffic?: { base: number; tuned: number; ceiling?: number | null };
}

/** Figures that are to be seen together. */
export interface FigureGroup {
  key: "judged" | "judging" | "groups" | "agreement";
  figures: Figure[];
}

export const METRICS: [key: "ndcg@10" | "mrr@10" | "map@100" | "recall@100", name: string, meaning: string][] = [
  ["ndcg@10", "nDCG@10", "how good the first ten results are, the first ones counting most"],
  ["mrr@10", "MRR@10", "how early the first relevant result comes"],
  ["map@100", "MAP@100", "how early all relevant results come"],
  ["recall@100", "Recall@100", "which part of the relevant documents is among the first hundred"],
];

const GROUPS = [
  ["ownQueries", "Queries of the log"],
  ["similarQueries", "Queries like the log’s"],
  ["newQueries", "New queries"],
  ["newDocuments", "New documents"],
] as const;

function compared(key: string, name: string, comparison: Comparison, queries?: number): Figure {
  const { base, tuned, ceiling, ci95, ceilingCi95, p, traffic } = comparison;
  const means = { base, tuned, ceiling: ceiling ?? undefined, interval: ci95, ceilingInterval: ceilingCi95 };
  return { key, name, ...means, p, queries, traffic };
}

function agreed(key: string, name: string, figures: Agreement): Figure {
  const { base, tuned, ci95, queries, traffic } = figures;
  return { key, name, base, tuned, interval: [ci95[0], ci95[1]], queries, traffic };
}

function answered(verdict: JudgingVerdict): Figure {
  const { base, tuned, crossEncoder } = verdict["ndcg@10"];
  const { judged, p } = verdict.tuned;
  const intervals = { interval: judged.ci95, ceilingInterval: verdict.crossEncoder.judged.ci95 };
  const means = { base, tuned, ceiling: crossEncoder, ...intervals, p };
  return { key: "judging-ndcg@10", name: "nDCG@10, your answers", ...means, queries: verdict.queries };
}

/** All that a report compares, the most telling first. */
export function figures({ evaluation, judging }: Report): FigureGroup[] {
  const { judged, agreement } = evaluation;
  const all: FigureGroup[] = [];
  if (judged) {
    const found = METRICS.flatMap(([key, name]) => {
      const one = judged[key];
      return one ? [compared(`metric-${key}`, name, one)] : [];
    });
    all.push({ key: "judged", figures: found });
  }
  if (tells(judging)) all.push({ key: "judging", figures: [answered(judging)] });
  const grouped = GROUPS.flatMap(([key, name]) => {
    const group = evaluation.figures?.[key];
    const one = group?.["ndcg@10"];
    return one ? [compared(`group-${key}`, name, one, group.queries)] : [];
  });
  if (grouped.length > 0) all.push({ key: "groups", figures: grouped });
  const sides = [
    ["random", "Queries like the log’s"],
    ["grouped", "New queries"],
  ] as const;
  const agreements = sides.flatMap(([key, name]) => {
    const one = agreement[key];
    return one ? [agreed(`agreement-${key}`, name, one)] : [];
  });
  if (agreements.length > 0) all.push({ key: "agreement", figures: agreements });
  return all;
}

/** What the judged queries are: "query of the log", "test queries". */
export function judgedQueries({ evaluation: { on } }: Report, number: number): string {
  const query = number === 1 ? "query" : "queries";
  return on === "test queries" ? `test ${query}` : on === "own queries" ? `${query} of the log` : query;
}

/** Which documents the cross-encoder scored, in words. */
export function scored({ relations: { depth, bm25 } }: Report): string {
  const besides = bm25 > 0 ? `, and up to ${counted(bm25, "document")} that BM25 found by their words` : "";
  return `the first ${counted(depth, "candidate")} of each query${besides}`;
}

const TRAINED_ON = "The judged queries were trained on, as most queries of tomorrow will have been.";

/** The page is in English, wherever it is read. */
const list = new Intl.ListFormat("en-GB");

/** Judged figures of what was not trained on. */
const UNSEEN = [
  ["similarQueries", "queries like the log’s"],
  ["newQueries", "new queries"],
  ["newDocuments", "new documents"],
] as const;

/** Harm that judgements show beyond what was trained on, and harm that agreement leads to expect. */
function harm({ evaluation: { figures, agreement } }: Report): string[] {
  const found: string[] = [];
  const worse = UNSEEN.filter(([key]) => (figures?.[key]?.["ndcg@10"]?.ci95[1] ?? 0) < 0).map(([, name]) => name);
  if (worse.length > 0) {
    found.push(
      `On ${list.format(worse)} the tuned model ranks worse by your judgements, by more than chance explains.`,
    );
  }
  if ((agreement.grouped?.ci95[1] ?? 0) < 0) {
    found.push(
      "On queries unlike those of the log it agrees less with the cross-encoder than the base model: it may do harm there.",
    );
  }
  return found;
}

/** Where every measurement would encode all documents again, only some were ranked. */
function pooled({ evaluation: { agreement } }: Report): string[] {
  const isPooled = agreement.random?.pooled === true;
  return isPooled
    ? ["Agreement was measured among scored documents alone: its figures are higher than those of all documents."]
    : [];
}

/** What the most telling figure says, in words that promise nothing. */
export function verdict(report: Report): string {
  const main = report.evaluation.judged?.["ndcg@10"];
  const elsewhere = [...harm(report), ...pooled(report)];
  if (!main && tells(report.judging)) {
    return [
      `By your answers: ${ofTuned(report.judging)} ${ofCrossEncoder(report.judging)}`,
      TRAINED_ON,
      ...elsewhere,
    ].join(" ");
  }
  if (!main) {
    return [
      "Nothing was judged. What is compared is agreement with the cross-encoder, which is what was trained for; whether people find more it does not say. About 50 judged queries would tell: judge some below.",
      ...elsewhere,
    ].join(" ");
  }
  const { base, tuned, ceiling, p } = main;
  const parts: string[] = [];
  // The same test decides what is delivered.
  if (p < 0.05 && tuned > base) {
    parts.push("By your judgements the tuned model ranks better, by more than chance explains.");
  } else if (p < 0.05 && tuned < base) {
    parts.push("By your judgements the tuned model ranks worse, by more than chance explains. Do not use it.");
  } else {
    const side = tuned > base ? "a little better" : tuned < base ? "a little worse" : "equally well";
    parts.push(`By your judgements the tuned model ranks ${side}; that may be chance.`);
  }
  if (typeof ceiling === "number" && ceiling <= base) {
    // It may have taught something all the same: on one measured set it did.
    parts.push(
      "The cross-encoder itself ranks no better than the base model here: look at the judged figures before you trust what it taught.",
    );
  }
  if (report.evaluation.on === "own queries") parts.push(TRAINED_ON);
  return [...parts, ...elsewhere].join(" ");
}
