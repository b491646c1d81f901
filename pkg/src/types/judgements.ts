/** Relevance judgements, and how they are read. */

import type { Skipped, Texts, TextsInput } from "./texts.js";
import type { Watch } from "./watch.js";

/**
 * How to read judgements; what is absent is detected. A column is named by its header, or by its number from 1. Without
 * names that tell them apart, the columns are query id, document id and relevance, or the four of TREC.
 */
export interface ReadJudgementsOptions {
  /** One character, or `"tab"`, `"comma"`, `"semicolon"`, `"pipe"`, `"space"` (any number of spaces and tabs). */
  delimiter?: string;
  /** A label of the Encoding Standard, such as `"utf-8"` or `"windows-1252"`. */
  encoding?: string;
  /** Whether the first row names the columns. */
  hasHeader?: boolean;
  /** Whether `"` encloses fields. */
  quotes?: boolean;
  /** Ids of queries. */
  queryColumn?: string;
  /** Ids of documents. */
  documentColumn?: string;
  /** Relevances: whole numbers, 1 and more for "relevant". */
  relevanceColumn?: string;
}

/** How one file of judgements is read, and what watches it. */
export interface JudgementsCall extends ReadJudgementsOptions, Watch {
  /** The name that messages give it; by default a `File`'s own. */
  file?: string;
}

/** What a qrels file holds. */
export interface JudgementsSummary {
  queries: number;
  judgements: number;
  relevant: number;
  /** At most 1,000 rows. */
  skipped: Skipped[];
  skippedTotal: number;
}

/** How judgements were read. */
export interface JudgementsReading {
  file: string;
  /** A space stands for any number of spaces and tabs. */
  delimiter: string;
  encoding: string;
  hasHeader: boolean;
  /** By name, or by number where there is no header. */
  columns: string[];
  /** The columns in use. */
  used: { query: string; document: string; relevance: string };
  /** Rows in the file, the header not counted: `judgements + skippedTotal`. */
  rows: number;
  /** The first rows, at most 10. */
  first: JudgementRow[];
  /** Decisions that are worth a look, in words. */
  notes: string[];
}

/** A row of judgements as it was understood; a cell is empty where the row does not reach that far. */
export interface JudgementRow {
  /** Counted from 1. */
  line: number;
  query: string;
  document: string;
  /** As it is written. */
  relevance: string;
  /** The relevance as a number; absent if the row was skipped. */
  grade?: number | null;
}

/** Judgements held against the queries and documents that they should be of. */
export interface JudgementsCoverage {
  judgements: number;
  /** Those whose query and document are both among the texts; a model cannot be judged by none. */
  known: number;
  queries: NamedIds;
  documents: NamedIds;
}

/** The queries, or the documents, that judgements name. */
export interface NamedIds {
  /** Number of distinct ids in the judgements. */
  ids: number;
  /** Those that a text has. */
  known: number;
  /** The first three of those that no text has. */
  unknown: string[];
  /** The first three ids of the texts. */
  texts: string[];
}

/** Relevance judgements (qrels), read and held by the engine. */
export interface Judgements {
  /** How they were read. */
  readonly reading: JudgementsReading;
  readonly summary: JudgementsSummary;
  /**
   * How many judgements are of these texts, which the same session has read: unlike ids are the usual reason why a
   * model cannot be judged.
   */
  coverage(queries: Texts, documents: Texts): Promise<JudgementsCoverage>;
  /** Frees the memory. */
  dispose(): void;
}

/** Judgements to compare the rankings by. */
export interface JudgementsInput {
  /** A qrels file (query id, document id, relevance), its bytes, or what `readJudgements` gave. */
  qrels: Blob | Uint8Array | Judgements;
  /** The queries judged; by default the log's own. */
  queries?: TextsInput | Texts;
}
