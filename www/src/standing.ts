/** How far a stage is, in words. */

import { bytes, count, duration, metric, percent, percents, rate } from "./format.js";
import { busy } from "./job.js";
import type { Stage, StageState } from "./progress.js";
import { NAMES } from "./stages.js";

/** Of their few items a rate says nothing. */
const FEW: Stage[] = ["load", "self-test"];

/** Whether it is not known how much is still to come. */
export const isOpen = (stage: Stage, at: StageState) => stage === "download" && at.total === 0;

export function numbers(stage: Stage, at: StageState, finished: boolean): string {
  const parts: string[] = [];
  if (stage === "download") {
    parts.push(at.total > 0 ? `${bytes(at.done)} of ${bytes(at.total)}` : bytes(at.done));
    if (!finished && at.perSecond > 0) parts.push(`${bytes(at.perSecond)}/s`);
  } else {
    parts.push(`${count(at.done)} of ${count(at.total)} ${at.unit ?? NAMES[stage][1]}`);
    if (at.cached > 0) parts.push(`${count(at.cached)} kept from before`);
    if (at.perSecond > 0 && !FEW.includes(stage)) parts.push(`${rate(at.perSecond)} a second`);
  }
  if (at.loss !== undefined && at.loss !== null) parts.push(`loss ${metric(at.loss)}`);
  const left = at.secondsLeft ?? 0;
  if (!finished && busy.value && left >= 1) parts.push(`${duration(left)} left`);
  return parts.join(" · ");
}

/** How much of it is done; the bytes that are here where it is not known how many there are. */
export function share(stage: Stage, at: StageState): string {
  return isOpen(stage, at) ? bytes(at.done) : percents(at.done, at.total);
}

/** For a screen reader: changes with every tenth only; a word for each event would be too much. */
export function inTenths(stage: Stage, at: StageState): string {
  if (isOpen(stage, at)) return NAMES[stage][0];
  return `${NAMES[stage][0]}: ${percents(10 * Math.floor(percent(at.done, at.total) / 10), 100)}`;
}
