/** The first rows of a file of judgements, taken apart by the rules of the engine, which says only how many there are. */

import { type Beginning, beginning, wholeLines } from "./beginning.js";

/** What is in the columns that are used; undefined where a row is too short. */
export interface Judgement<Cell = string | undefined> {
  query: Cell;
  document: Cell;
  relevance: Cell;
}

export interface JudgementRow extends Judgement {
  /** Counted from 1. */
  line: number;
  /** Whole, as a number; 1 and more is relevant. */
  grade: number | undefined;
}

export interface JudgementRows {
  encoding: string;
  /** Undefined where fields are separated by spaces. */
  delimiter: string | undefined;
  /** The columns in use, from 1. */
  columns: Judgement<number>;
  /** Their names, if the first row is a header. */
  header: Judgement | undefined;
  rows: JudgementRow[];
  /** Whether the first row is an object of JSON, which judgements cannot be read from. */
  isJson: boolean;
}

const PLAIN: Judgement<number> = { query: 1, document: 2, relevance: 3 };
/** TREC's second column is a constant that means nothing. */
const TREC: Judgement<number> = { query: 1, document: 3, relevance: 4 };

/** The first rows, at most `count`; none of a file without any. */
export async function judgementRows(file: File, count: number): Promise<JudgementRows | undefined> {
  const start = await beginning(file);
  const lines = wholeLines(start).map((text, i) => ({ text, line: i + 1 }));
  const first = lines.find(({ text }) => text.trim() !== "");
  if (!first) return undefined;
  const { delimiter, split } = splitter(start, first.text);
  const filled = lines.filter(({ text, line }) => line >= first.line && (delimiter ? text : text.trim()) !== "");
  const [head, ...below] = filled.map(({ text, line }) => ({ line, cells: split(text) }));
  const header = head && isHeader(head.cells) ? head.cells : undefined;
  const data = head && !header ? [head, ...below] : below;
  const columns = data[0] && isTrec(data[0].cells) ? TREC : PLAIN;
  return {
    encoding: start.encoding,
    delimiter,
    columns,
    header: header && inUse(header, columns),
    rows: data.slice(0, count).map(({ line, cells }) => {
      const used = inUse(cells, columns);
      return { line, ...used, grade: used.query && used.document ? whole(used.relevance) : undefined };
    }),
    isJson: /^\s*[[{]/.test(first.text),
  };
}

/** Tab, semicolon or comma, whichever the first line holds; else spaces. */
function splitter({ text }: Beginning, first: string) {
  const delimiter = ["\t", ";", ","].find((sign) => first.includes(sign));
  if (!delimiter) return { delimiter, split: (line: string) => line.trim().split(/\s+/u) };
  const lines = text.split(/\r\n|\r|\n/);
  // Quotes count only if all of them enclose fields within a line, as no id has a line's end in it.
  const quotes = lines.every((line) => quoted(line, delimiter));
  const split = (line: string) => (quotes && quoted(line, delimiter)) || line.split(delimiter);
  return { delimiter, split: (line: string) => split(line).map((cell) => cell.trim()) };
}

/** The fields of a line whose quotes enclose fields; undefined if they do not. */
function quoted(line: string, delimiter: string): string[] | undefined {
  const field = new RegExp(`(?:"((?:[^"]|"")*)" *|((?:[^"${delimiter}][^${delimiter}]*)?))(${delimiter}|$)`, "y");
  const fields: string[] = [];
  for (;;) {
    const found = field.exec(line);
    if (!found) return undefined;
    fields.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? "");
    if (!found[3]) return fields;
  }
}

function inUse(cells: string[], { query, document, relevance }: Judgement<number>): Judgement {
  return { query: cells[query - 1], document: cells[document - 1], relevance: cells[relevance - 1] };
}

/** A relevance is a number, the name of its column is a word. */
function isHeader([, , ...relevance]: string[]): boolean {
  const cells = relevance.slice(0, 2);
  return cells.length > 0 && cells.every((cell) => /^\p{Alphabetic}/u.test(cell));
}

function isTrec(cells: string[]): boolean {
  const [, second, third, fourth] = cells;
  if (cells.length !== 4 || whole(fourth) === undefined) return false;
  return second === "0" || second === "Q0" || whole(third) === undefined;
}

/** A whole number of 32 bits, also one that a table program wrote as `1.0`. */
function whole(cell: string | undefined): number | undefined {
  const digits = /^([+-]?\d+)(?:\.0*)?$/.exec(cell ?? "")?.[1];
  const number = Number(digits);
  return number >= -(2 ** 31) && number < 2 ** 31 ? number : undefined;
}

const NAMES: Judgement<RegExp> = {
  query: /^(q|qid|query.*|topic.*)$/,
  document: /^(d|did|pid|doc.*|corpus.*|passage.*|product.*|item.*|article.*|sku)$/,
  relevance: /^(rel.*|grade|score|label|rating)$/,
};
const KINDS = Object.keys(NAMES) as (keyof Judgement)[];

/** Whether a header names columns in another order than the one they are taken in, which no number can show. */
export function isMisnamed(header: Judgement): boolean {
  return KINDS.some((kind) => {
    const name = (header[kind] ?? "").toLowerCase();
    return !NAMES[kind].test(name) && KINDS.some((other) => NAMES[other].test(name));
  });
}
