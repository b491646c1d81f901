/** The synthetic data set. */

import type { TextItem } from "./texts.js";
import type { Watch } from "./watch.js";

/** How the synthetic data set is made. */
export interface SynthesizeOptions extends Watch {
  /** Documents retrieved for each query. Default 100. */
  candidates?: number;
  /** How many of them, from the first, the cross-encoder scores, however long it takes. Default 20, or all if there are fewer. */
  depth?: number;
  /**
   * Seconds that scoring may take, counted from its start. While they last, candidates after the first `depth` are scored
   * too, of every query equally many, up to `candidates`. What is in the store of these takes no time and is taken in any
   * case, so the same call again goes on from there: a training may lie between. How deep it came is in the report; it
   * depends on the machine's speed. Default: none; `depth` are scored and no more.
   */
  budgetSeconds?: number;
  /**
   * How many documents BM25 adds for each query, to be scored as well: its best that are not among the first `depth`. For
   * words that the encoder does not know, such as part numbers. Default 0.
   */
  bm25?: number;
  /** Rows for each query are `relations - 1`. Default: as many relations as are scored. */
  relations?: number;
  /**
   * An earlier run's download (of `saveArtifact`), to go on from, for example every night with the day's log. Its queries
   * are joined to these, counts added, after them in number; pairs it has scores for are not scored again, if the
   * cross-encoder is the same; `documents` are the ones there are now. It has to be of the same encoder. The training is
   * on all queries, and the report compares its outcome with the earlier run's model.
   */
  previous?: Blob | Uint8Array;
}

/** The data set in figures. */
export interface RelationsSummary {
  queries: number;
  documents: number;
  rows: number;
  candidates: number;
  /** Pairs with a logit. */
  scored: number;
  /** Pairs of these that came from the store. */
  cached: number;
  logit: { mean: number; std: number; min: number; max: number };
  /** Logits in bins of equal width. */
  histogram: { from: number; to: number; counts: number[] };
}

/** One row of the data set: the query is nearer to `similar` than to `dissimilar`, by `margin` in logits. */
export interface RelationRow {
  query: string;
  similar: string;
  dissimilar: string;
  margin: number;
}

/** One candidate of a query. */
export interface CandidateRow {
  /** Its number among the documents, from 0. */
  document: number;
  /** Its id, or its number from 1 where there are no ids. */
  id: string;
  /** Its title alone, where there is one. */
  title?: string;
  /** What was scored: title and text joined by one space. */
  text: string;
  /** Of the base model's vectors of query and document. */
  cosine: number;
  /** Absent where the cross-encoder did not score it. */
  logit?: number;
}

/** The synthetic data set: each query with its candidates and the cross-encoder's logits. */
export interface Relations {
  /** The data set in figures. */
  summary(): RelationsSummary;
  /** Some rows, for display. */
  rows(from: number, count: number): Promise<RelationRow[]>;
  /** Some of the queries, the distinct ones in the order of their numbers. With `previous` the earlier ones are the last. */
  queries(from: number, count: number): Promise<TextItem[]>;
  /** The candidates of a query, by its number from 0, nearest first; those that only BM25 has found at the end. */
  candidates(query: number): Promise<CandidateRow[]>;
  /** Rows as CSV: query_id, query, similar_id, similar, dissimilar_id, dissimilar, margin. */
  toCsv(): Promise<string>;
  /** The file GPL trains on. */
  toGplTsv(): Promise<string>;
  /** The file FlagEmbedding trains on. */
  toJsonl(): Promise<string>;
  /** Every candidate: query-id, corpus-id, rank (among the query's candidates, from 1), cosine, logit. */
  toScoresTsv(): Promise<string>;
  /** Frees the memory. */
  dispose(): void;
}
