/** What quick judging came to, in words. */

import type { JudgingComparison, JudgingVerdict } from "querytune";
import { counted, difference, metric } from "./format.js";

const TUNED: Record<JudgingComparison["conclusion"], string> = {
  better: "The tuned model ranks your log better than the base model, by more than chance explains.",
  worse: "The tuned model ranks your log worse than the base model: keep the base model.",
  "no-difference-shown":
    "It is not shown that tuned and base model differ: there may be no difference, or one too small for so few queries.",
};

const CROSS_ENCODER: Record<JudgingComparison["conclusion"], string> = {
  better: "The cross-encoder ranks better than the base model: there is something to learn from it.",
  worse: "Your reranker (the cross-encoder) is worse than your encoder here: do not train on it.",
  "no-difference-shown": "It is not shown that the cross-encoder and the base model differ.",
};

/** Whether anything can be said at all. */
export function tells(verdict: JudgingVerdict | undefined): verdict is JudgingVerdict {
  return verdict !== undefined && verdict.queries > 0;
}

/** What is shown of the tuned model. */
export const ofTuned = ({ tuned }: JudgingVerdict) => TUNED[tuned.conclusion];

/** What is shown of the cross-encoder. */
export const ofCrossEncoder = ({ crossEncoder }: JudgingVerdict) => CROSS_ENCODER[crossEncoder.conclusion];

const change = ({ judged, p }: JudgingComparison) =>
  `${difference(judged.difference)}, 95 % interval ${difference(judged.ci95[0])} to ${difference(judged.ci95[1])}, p ${metric(p)}`;

/** The figures that it is said by. */
export function numbers(verdict: JudgingVerdict): string {
  const { queries, tuned, crossEncoder } = verdict;
  const means = verdict["ndcg@10"];
  return (
    `nDCG@10 on ${counted(queries, "query", "queries")} with a relevant document: base ${metric(means.base)}, ` +
    `tuned ${metric(means.tuned)} (${change(tuned)}), cross-encoder ${metric(means.crossEncoder)} (${change(crossEncoder)}).`
  );
}

/** What was left out, if anything. */
export function leftOut({ noneRelevant, skipped, open }: JudgingVerdict): string {
  const parts = [
    [noneRelevant, "without a relevant document"],
    [skipped, "with a document you would not judge"],
    [open, "not answered in full yet"],
  ] as const;
  const named = parts
    .filter(([queries]) => queries > 0)
    .map(([queries, why]) => `${counted(queries, "query", "queries")} ${why}`);
  return named.length > 0 ? `Left out: ${named.join(", ")}.` : "";
}
