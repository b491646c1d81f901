/** What came out of the last job: it lasts until another takes its place, and is not stored. */

import { computed, signal } from "@preact/signals";
import type { RelationRow, Relations, Run } from "querytune";
import { type Choice, chosen, difference } from "./choice.js";
import { giveUp, type Loaded } from "./engine.js";
import type { Unjudged } from "./unjudged.js";

export const ROWS_SHOWN = 20;
/** Query texts that are at hand to look up candidates. */
export const QUERIES_SHOWN = 10_000;
export interface Outcome {
  /** The number of its job. */
  job: string;
  /** What it is a result of. */
  of: Choice;
  /** The models it was made with, by which it is searched, judged and downloaded. */
  engine: Loaded;
  relations: Relations;
  rows: RelationRow[];
  run: Run;
  /** Why there are no judged figures although there are judgements, if so. */
  unjudged?: Unjudged;
  /** The first queries' texts. */
  queries: string[];
  /** How many of a query's candidates the encoder found; those after them are BM25's. */
  retrieved: number;
}
export const outcome = signal<Outcome | undefined>(undefined);
/** What was chosen since the outcome was made and has not been run, if anything. */
export const changed = computed(() => outcome.value && difference(outcome.value.of, chosen.value));
/** The outcome that is gone because its session failed, and why. */
export const lost = signal<{ of: Choice; reason: unknown } | undefined>(undefined);

/** Whether what there is to download of the outcome was downloaded: its model is not stored. */
export const taken = signal(false);
/** Whether closing the page, or another job, would lose the outcome. */
export const unsaved = computed(() => outcome.value !== undefined && !taken.value);

/** Gives up the result that is shown. */
export function release(): void {
  const replaced = outcome.value;
  outcome.value = undefined;
  replaced?.run.dispose();
  replaced?.relations.dispose();
  if (replaced) giveUp(replaced.engine);
}
