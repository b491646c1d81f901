/** What happens to single queries: the cross-encoder's opinion of both models' first ten documents. */

import type { Pair, SearchHit } from "querytune";
import type { Outcome } from "./job.js";

/** More would take minutes on a CPU. */
export const MOST_QUERIES = 200;
const TOP = 10;
/** Pairs that are scored at a time, and queries in between. */
const GROUP = 8;

export interface Change {
  query: string;
  /** Between 0 and 1. */
  base: number;
  tuned: number;
}

const gain = (rank: number) => 1 / Math.log2(rank + 2);
const WHOLE = Array.from({ length: TOP }, (_, rank) => gain(rank)).reduce((sum, one) => sum + one, 0);

/** Sigmoids of the logits, the first ranks counting most. */
function opinion(hits: SearchHit[], logits: Map<number, number>): number {
  const sum = hits.reduce((total, { document }, rank) => {
    const logit = logits.get(document) ?? Number.NEGATIVE_INFINITY;
    return total + gain(rank) / (1 + Math.exp(-logit));
  }, 0);
  return sum / WHOLE;
}

/** All changes, the largest gain first. Documents that were not scored yet are scored now. */
export async function compareQueries(
  { tuner, relations, run, queries }: Outcome,
  onDone: (queries: number) => void,
  signal: AbortSignal,
): Promise<Change[]> {
  const wanted = queries.slice(0, MOST_QUERIES);
  const changes: Change[] = [];
  for (let from = 0; from < wanted.length; from += GROUP) {
    const group = await Promise.all(
      wanted.slice(from, from + GROUP).map(async (query, i) => {
        const [found, candidates] = await Promise.all([
          run.search(query, { topK: TOP, signal }),
          relations.candidates(from + i),
        ]);
        const logits = new Map<number, number>();
        for (const { document, logit } of candidates) if (logit !== undefined) logits.set(document, logit);
        return { query, found, logits };
      }),
    );
    const pairs: Pair[] = [];
    const places: { logits: Map<number, number>; document: number }[] = [];
    for (const { query, found, logits } of group) {
      const shown = new Map([...found.base, ...found.tuned].map((hit) => [hit.document, hit.text]));
      for (const [document, text] of shown) {
        if (logits.has(document)) continue;
        pairs.push([query, text]);
        places.push({ logits, document });
      }
    }
    const scored = pairs.length > 0 ? await tuner.score(pairs, { signal }) : [];
    for (const [i, { logits, document }] of places.entries()) logits.set(document, scored[i] ?? 0);
    for (const { query, found, logits } of group) {
      changes.push({ query, base: opinion(found.base, logits), tuned: opinion(found.tuned, logits) });
    }
    onDone(changes.length);
  }
  return changes.sort((a, b) => b.tuned - b.base - (a.tuned - a.base));
}
