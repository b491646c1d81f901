/** Queries and documents, and how they are read. */

import type { Watch } from "./watch.js";

/**
 * How a file is read; whatever is left out is detected. A column is named by its header, or by its number from 1
 * (`"3"`); the empty string means "none".
 */
export interface ReadOptions {
  /** Delimited columns, an object a line, or a text a line. */
  format?: "csv" | "jsonl" | "lines";
  /** One character, or `"tab"`, `"comma"`, `"semicolon"`, `"pipe"`. */
  delimiter?: string;
  /** A label of the Encoding Standard, such as `"utf-8"` or `"windows-1252"`. */
  encoding?: string;
  /** Whether the first row names the columns. */
  hasHeader?: boolean;
  /** Whether `"` encloses fields. */
  quotes?: boolean;
  /** What judgements call a text by. Without ids a text's number stands for it, from 1. */
  idColumn?: string;
  /** Titles of documents; they are read before the text. */
  titleColumn?: string;
  /** The text of a query or document. */
  textColumn?: string;
  /** How often a query was asked. */
  countColumn?: string;
}

/** How one file is read, and what watches it. What is read after `signal` is aborted is dropped. */
export interface ReadCall extends ReadOptions, Watch {
  /** The name that messages give it; by default a `File`'s own. */
  file?: string;
}

/** One text given as an object. */
export interface InputItem {
  /** A number is taken for its digits. Default: its place in the list, from 1. */
  id?: string | number;
  /** It is read before the text. */
  title?: string;
  /** The text itself. */
  text: string;
  /** How often it occurs; default 1. */
  count?: number;
}

/**
 * Queries or documents as they may be given: a file, its bytes, texts, or objects. A `Texts` handle (from
 * `readQueries` or `readDocuments`) may stand wherever texts are asked for.
 */
export type TextsInput = Blob | Uint8Array | readonly string[] | readonly InputItem[];

/** One text as it was read. */
export interface TextItem {
  /** The first is the one that is used; the others are of merged duplicates. */
  ids: string[];
  title?: string;
  /** What is encoded: title and text joined by one space. */
  text: string;
  count: number;
}

/** A row that could not be used, and why; or one that there is something else to say about. */
export interface Skipped {
  file: string;
  /** Counted from 1. */
  line: number;
  reason: string;
}

/** How a file was read. */
export interface Reading {
  file: string;
  format: "csv" | "jsonl" | "lines" | "array";
  /** Absent where there is but one column. */
  delimiter?: string | null;
  encoding?: string | null;
  hasHeader: boolean;
  /** By name, or by number where there is no header; empty for plain lines. */
  columns: string[];
  /** The columns in use. */
  used: { id?: string | null; title?: string | null; text?: string | null; count?: string | null };
  /** Rows in the file, the header not counted: `texts + duplicates + skippedTotal`. */
  rows: number;
  /** Distinct texts. */
  texts: number;
  /** Rows merged into an equal text. */
  duplicates: number;
  /** Those rows, at most 100. */
  merged: Skipped[];
  /** At most 1,000 rows. */
  skipped: Skipped[];
  skippedTotal: number;
  /** Texts of more than 1,500 characters, at most 100: they are used, but a model may not read to their end. */
  long: Skipped[];
  longTotal: number;
  /** Decisions that are worth a look, in words. */
  notes?: string[];
}

/** Queries or documents, read and held by the engine. */
export interface Texts {
  /** How they were read. */
  readonly reading: Reading;
  /** Number of distinct texts. */
  readonly length: number;
  /** Some of them, for display. */
  items(from: number, count: number): Promise<TextItem[]>;
  /** Frees the memory. */
  dispose(): void;
}
