/** What is new since an earlier run, in words. */

import type { SincePrevious } from "querytune";
import { counted } from "./format.js";

/** How the log and the documents have grown. */
export function whatIsNew({ queries, documents, newQueries, newDocuments, scores }: SincePrevious): string {
  const before = `${counted(queries, "query", "queries")} and ${counted(documents, "document")}`;
  const added = `${counted(newQueries, "query", "queries")} and ${counted(newDocuments, "document")}`;
  return `The earlier run had ${before}; ${added} are new. ${counted(scores, "score was", "scores were")} taken over from it.`;
}

/** Which way an interval of a change points. */
function side([low, high]: [number, number], more: string, less: string, none: string): string {
  return low > 0 ? more : high < 0 ? less : none;
}

/** What its model and this run's differ in, in words that promise nothing; `on`: which queries were judged. */
export function sinceVerdict(since: SincePrevious, on?: "own queries" | "test queries"): string {
  const { delivered, newQueries, agreement, judged } = since;
  const parts: string[] = [];
  if (delivered === "base") parts.push("The earlier run delivered the base model: “earlier” is the base model here.");
  const main = judged?.["ndcg@10"];
  if (main) {
    parts.push(
      side(
        main.ci95,
        "By your judgements this run’s tuned model ranks better than the earlier one, by more than chance explains.",
        "By your judgements this run’s tuned model ranks worse than the earlier one: keep the earlier one.",
        "By your judgements it is not shown that this run’s tuned model and the earlier one differ.",
      ),
    );
    if (on === "own queries" && newQueries > 0) {
      parts.push("The judged queries were trained on now; those that are new were not then.");
    }
  }
  if (agreement) {
    const on = "On new queries, while they were left out of training, this run’s tuned model agrees";
    parts.push(
      side(
        agreement.ci95,
        `${on} more with the cross-encoder than the earlier one.`,
        `${on} less with the cross-encoder than the earlier one.`,
        "On new queries, while they were left out of training, it is not shown that this run’s tuned model agrees more or less with the cross-encoder than the earlier one.",
      ),
      "Agreement is not quality.",
    );
  } else {
    parts.push(
      newQueries > 0
        ? "None of the new queries was left out of training, so that agreement on them cannot be compared."
        : "There are no new queries to compare agreement on.",
    );
  }
  return parts.join(" ");
}
