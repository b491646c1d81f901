/** The columns of a file, as they are offered to be chosen from. */

import { dsvFormat } from "d3-dsv";
import type { Reading, ReadOptions } from "querytune";
import { beginning } from "./beginning.js";

export interface Column {
  /** By which the engine knows it. */
  value: string;
  /** Tells it from all others. */
  name: string;
}

/** What is known of a file's layout. */
export interface Layout {
  format?: Reading["format"];
  columns: Column[];
}

/** Columns of a reading: the engine knows one by its name, or by its number from 1 where others have the same name. */
export function told(names: string[]): Column[] {
  return numbered(names).map((column, i) => {
    const name = names[i] ?? "";
    return names.indexOf(name) === names.lastIndexOf(name) ? { ...column, value: name } : column;
  });
}

/** Columns by their numbers, which hold whether or not the first row was taken for their names. */
function numbered(names: string[]): Column[] {
  return names.map((name, i) => {
    const value = String(i + 1);
    if (name === "" || name === value) return { value, name: `column ${value}` };
    return { value, name: names.indexOf(name) === names.lastIndexOf(name) ? name : `${name} (column ${value})` };
  });
}

const DELIMITERS = [",", ";", "\t", "|"];
const NAMED: Record<string, string> = { comma: ",", semicolon: ";", tab: "\t", pipe: "|" };

function keys(line: string): string[] | undefined {
  try {
    const row: unknown = JSON.parse(line);
    return row && typeof row === "object" && !Array.isArray(row) ? Object.keys(row) : undefined;
  } catch {
    return undefined;
  }
}

/** A look at the beginning of a file that could not be read as it is: another column may be the remedy. */
export async function glance(file: File, options: ReadOptions): Promise<Layout> {
  const { text } = await beginning(file, options.encoding);
  const first = text.split(/\r\n?|\n/).find((line) => line.trim() !== "") ?? "";
  if (options.format === "lines" || first === "") return { format: options.format, columns: [] };
  const names = options.format === "csv" ? undefined : keys(first);
  if (names || options.format === "jsonl") return { format: "jsonl", columns: numbered(names ?? []) };
  const asked = options.delimiter && (NAMED[options.delimiter] ?? options.delimiter);
  const rows = (asked ? [asked] : DELIMITERS).map((sign) => {
    if (sign === " ") return first.trim().split(/\s+/);
    const rows = dsvFormat(sign).parseRows(text);
    return rows.find((row) => row.some(Boolean)) ?? [];
  });
  const widest = rows.reduce((best, row) => (row.length > best.length ? row : best), []);
  const header = options.hasHeader === false ? widest.map((_, i) => String(i + 1)) : widest;
  return { format: "csv", columns: numbered(header.map((name) => name.trim())) };
}
