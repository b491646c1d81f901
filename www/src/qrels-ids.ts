/** Which ids a file of judgements names. The engine reads the judgements themselves; it does not tell their ids. */

/** Pairs of a query's id and a document's. */
export type JudgedPairs = Map<string, Set<string>>;

/** Reads the ids, by the rules that the engine has for judgements. */
export async function judgedPairs(file: File): Promise<JudgedPairs> {
  const lines = decoded(await file.arrayBuffer())
    .split(/\r\n|\r|\n/)
    .filter((line) => line.trim() !== "");
  const delimiter = ["\t", ";", ","].find((one) => lines[0]?.includes(one));
  const pairs: JudgedPairs = new Map();
  let document: number | undefined;
  for (const [i, line] of lines.entries()) {
    const cells = delimiter ? split(line, delimiter) : line.trim().split(/\s+/);
    if (i === 0 && isHeader(cells)) continue;
    // The first row tells for all.
    document ??= isTrec(cells) ? 2 : 1;
    const [query, judged, relevance] = [cells[0], cells[document], cells[document + 1]];
    if (!query || !judged || relevance === undefined || !isWhole(relevance)) continue;
    pairs.set(query, (pairs.get(query) ?? new Set()).add(judged));
  }
  return pairs;
}

function decoded(bytes: ArrayBuffer): string {
  const [first, second] = new Uint8Array(bytes, 0, Math.min(2, bytes.byteLength));
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** The cells of a row; one in quotes may have the delimiter in it. */
function split(line: string, delimiter: string): string[] {
  const cells: string[] = [];
  let rest: string | undefined = line;
  while (rest !== undefined) {
    const quoted: RegExpExecArray | null = /^\s*"((?:[^"]|"")*)"\s*/.exec(rest);
    const after: string | undefined = quoted ? rest.slice(quoted[0].length) : undefined;
    if (quoted && (after === "" || after?.startsWith(delimiter))) {
      cells.push((quoted[1] ?? "").replaceAll('""', '"').trim());
      rest = after === "" ? undefined : after?.slice(delimiter.length);
      continue;
    }
    const end = rest.indexOf(delimiter);
    cells.push((end < 0 ? rest : rest.slice(0, end)).trim());
    rest = end < 0 ? undefined : rest.slice(end + delimiter.length);
  }
  return cells;
}

/** A relevance is a number, the name of its column is a word. */
function isHeader(cells: string[]): boolean {
  const isWord = (cell: string | undefined) => /^\p{Alphabetic}/u.test(cell ?? "");
  return cells.length === 3 ? isWord(cells[2]) : cells.length > 3 && isWord(cells[2]) && isWord(cells[3]);
}

/** TREC's second column is a constant that means nothing. */
function isTrec([, second, third, fourth, ...more]: string[]): boolean {
  if (fourth === undefined || more.length > 0 || !isWhole(fourth)) return false;
  return second === "0" || second === "Q0" || !isWhole(third ?? "");
}

/** A whole number, also one that a table program wrote as `1.0`. */
const isWhole = (cell: string) => /^[+-]?\d+(\.0*)?$/.test(cell);
