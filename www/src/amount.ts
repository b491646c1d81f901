/** How much a job on the chosen files has to do. */

import { computed } from "@preact/signals";
import { documents, previous, queries } from "./data.js";
import type { Job } from "./jobs.js";
import { depthWithin, estimate, type Speed } from "./measurement.js";
import { bm25, candidates, depth, minutes, timed } from "./settings.js";

/** What is there to be encoded and scored. */
export interface Amount {
  /** Distinct queries; with an earlier run at most so many, as it may have had some of them. */
  queries: number;
  /** How many of them are of an earlier run that is gone on from. */
  earlier: number;
  documents: number;
  /** Bytes of the files. */
  files: number;
  /** Candidates that a query can have. */
  most: number;
  /** Of these, how many are scored in any case. */
  depth: number;
  /** Documents that BM25 adds for each query, at most. */
  bm25: number;
  /** Pairs that need a score in any case; with BM25 or an earlier run at most so many. */
  pairs: number;
  /** Pairs of these that an earlier run has scored, at most. */
  known: number;
}

/** Of the chosen files, with the chosen settings; undefined while there are none. */
export const amount = computed<Amount | undefined>(() => {
  const [log, corpus] = [queries.content.value?.texts, documents.content.value?.texts];
  if (!log || !corpus) return undefined;
  const run = previous.content.value;
  const most = Math.min(candidates.value, corpus.length);
  const scored = Math.min(depth.value, most);
  const besides = Math.min(bm25.value, corpus.length - scored);
  const earlier = run?.queries ?? 0;
  const files = [queries, documents, previous].reduce((sum, slot) => sum + (slot.file.value?.size ?? 0), 0);
  return {
    queries: log.length + earlier,
    earlier,
    documents: corpus.length,
    files,
    most,
    depth: scored,
    bm25: besides,
    pairs: (log.length + earlier) * (scored + besides),
    known: Math.min(run?.scored ?? 0, earlier * (scored + besides)),
  };
});

/** What is left of it where a job on these files was run before: what that encoded and scored is kept. */
export function left(job: Amount, former: Job | undefined): { texts: number; pairs: number } {
  const scored = Math.max(former?.scored ?? 0, job.known);
  return { texts: former ? 0 : job.queries + job.documents, pairs: Math.max(0, job.pairs - scored) };
}

/** Seconds of all that is left; until the time is over where scoring goes on so long. */
export function secondsLeft(of: Speed, job: Amount, former: Job | undefined): number {
  const { texts, pairs } = left(job, former);
  const all = job.queries * (job.most + job.bm25);
  const scored = timed.value ? Math.max(pairs, Math.min(60 * minutes.value * of.pairsPerSecond, all)) : pairs;
  return estimate(of, texts, job.queries, scored);
}

/** Candidates of each query that can be scored in the time that somebody has, BM25's documents included in the time. */
export function depthInTime(of: Speed, { most, queries, documents }: Amount): number {
  const besides = Math.min(bm25.value, documents);
  return Math.min(most, depthWithin(of, 60 * minutes.value, queries + documents, queries, besides));
}
