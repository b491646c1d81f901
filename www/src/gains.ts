/** What happened to single queries, as the package tells it of all of them. */

import { csvParseRows } from "d3-dsv";
import type { PerQueryKind, Report, Run } from "querytune";

export interface Change {
  id: string;
  query: string;
  /** nDCG@10, by judgements or by the cross-encoder's scores. */
  base: number;
  tuned: number;
}

/** A change in ten thousandths, which is what is shown of it: what is smaller is none. */
export const rise = ({ base, tuned }: Change) => Math.round(10_000 * (tuned - base));

/** What the queries can be compared by, the most telling first. */
export function kinds({ evaluation }: Report): PerQueryKind[] {
  const found: PerQueryKind[] = [];
  if (evaluation.judged) found.push("judged");
  if (evaluation.agreement.random) found.push("agreement");
  return found;
}

const COLUMN: Record<PerQueryKind, string> = { judged: "ndcg@10", agreement: "agreement" };

/** The table guards a text that a spreadsheet would take for a formula by an apostrophe. */
const asAsked = (query: string) => query.replace(/^'(?=[=+\-@＝＋－＠\t\r\n])/, "");

/** All queries that there are figures of, the largest rise first. */
export async function changes(run: Pick<Run, "perQueryCsv">, kind: PerQueryKind): Promise<Change[]> {
  const [header = [], ...rows] = csvParseRows(await run.perQueryCsv(kind));
  const [id, query, base, tuned] = ["query-id", "query", `${COLUMN[kind]} base`, `${COLUMN[kind]} tuned`].map((name) =>
    header.indexOf(name),
  ) as [number, number, number, number];
  return rows.map((row) => ({
    id: row[id] ?? "",
    query: asAsked(row[query] ?? ""),
    base: Number(row[base]),
    tuned: Number(row[tuned]),
  }));
}
