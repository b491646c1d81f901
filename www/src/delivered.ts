/** Which model a job delivers and why, in words. */

import type { Report } from "querytune";

const WHY_BASE: Record<Report["fit"]["decidedBy"], string> = {
  agreement: "it is not shown that the tuned one agrees more with the cross-encoder on queries left out of training",
  judgements: "by your judgements the tuned one ranks worse",
  judging: "by your answers the tuned one ranks worse",
};

/** Why it is the base model, where it is. */
export const whyBase = ({ fit }: Pick<Report, "fit">) => WHY_BASE[fit.decidedBy];

/** What a notification says of the end of a job; without a report it failed. */
export function news(report: Pick<Report, "fit"> | undefined): string {
  if (!report) return "The job was stopped by an error. What is scored is kept.";
  return report.fit.delivered === "tuned"
    ? "The job is done: the tuned model is delivered. It agrees more with the cross-encoder on queries left out of training; whether it is better, judgements say."
    : `The job is done: the base model is delivered, as ${whyBase(report)}.`;
}
