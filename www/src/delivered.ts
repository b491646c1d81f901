/** Which model a job delivers and why, in words. */

import type { Report } from "querytune";
import { difference, localized, metric } from "./format.js";
import { numbers, ofTuned, tells } from "./judging.js";

const WHY_BASE: Record<Report["fit"]["decidedBy"], string> = {
  agreement: "it is not shown that the tuned one agrees more with the cross-encoder on queries left out of training",
  judgements: "by your judgements the tuned one ranks worse",
  judging: "by your answers the tuned one ranks worse",
};

/** Why it is the base model, where it is. */
export const whyBase = ({ fit }: Pick<Report, "fit">) => WHY_BASE[fit.decidedBy];

/** What a notification says of the end of a job; without a report it failed. `hasScored`: if a score was kept then. */
export function news(report: Pick<Report, "fit"> | undefined, hasScored: boolean): string {
  if (!report) return `The job was stopped by an error.${hasScored ? " What is scored is kept." : ""}`;
  return report.fit.delivered === "tuned"
    ? "The job is done: the tuned model is delivered. It agrees more with the cross-encoder on queries left out of training; whether it is better, judgements say."
    : `The job is done: the base model is delivered, as ${whyBase(report)}.`;
}

/** What it was decided by, in figures as the reader writes them. */
export function because(report: Report): string {
  const { fit, evaluation, judging } = report;
  const { random } = evaluation.agreement;
  const answers = fit.decidedBy === "judging" && tells(judging) ? `${ofTuned(judging)} ${numbers(judging)} ` : "";
  if (!random) return answers || localized(fit.reason);
  const [base, tuned] = [metric(random.base), metric(random.tuned)];
  const [low, high] = random.ci95;
  const chance =
    low > 0 ? "" : `; that may be chance (95 % interval of the change ${difference(low)} to ${difference(high)})`;
  // Answers and judgements only take back what agreement had delivered.
  return fit.delivered === "tuned" || fit.decidedBy !== "agreement"
    ? `${answers}On queries left out of training, agreement with the cross-encoder rose from ${base} to ${tuned}${chance}.`
    : `${answers}On queries left out of training, agreement with the cross-encoder did not rise (base ${base}, best ${tuned}).`;
}
