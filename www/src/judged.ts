/** How many of the judgements are of queries and documents that were read. */

import { computed, effect, signal } from "@preact/signals";
import type { JudgementsCoverage } from "querytune";
import { documents, previous, qrels, queries, testQueries } from "./data.js";

export interface Judged extends JudgementsCoverage {
  /** The names of the files whose ids they should be. */
  files: { queries: string; documents: string };
  /** Whether queries of an earlier run are joined, whose ids are not looked at. */
  isJoined: boolean;
}

/** Undefined while there is nothing to compare, or while it is compared. */
export const judged = signal<Judged | undefined>(undefined);

/** Whether a job could not be judged by what was chosen. */
export const strangers = computed(() => {
  const found = judged.value;
  if (!found || found.known > 0) return false;
  return found.documents.known === 0 || !found.isJoined;
});

let turn = 0;
effect(() => {
  const judgements = qrels.content.value;
  const own = testQueries.content.value ? testQueries : queries;
  const [log, corpus] = [own.content.value?.texts, documents.content.value?.texts];
  const files = { queries: own.file.value?.name ?? "", documents: documents.file.value?.name ?? "" };
  const isJoined = own === queries && previous.content.value !== undefined;
  turn += 1;
  const asked = turn;
  judged.value = undefined;
  if (!judgements || !log || !corpus) return;
  judgements
    .coverage(log, corpus)
    .then((coverage) => {
      if (asked === turn) judged.value = { ...coverage, files, isJoined };
    })
    // The session ended meanwhile: it is done again once the files are read again.
    .catch(() => {});
});
