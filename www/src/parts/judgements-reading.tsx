import { useEffect, useState } from "preact/hooks";
import { type Judgements, QuerytuneError } from "querytune";
import type { Slot } from "../data.js";
import { count, counted } from "../format.js";
import { isMisnamed, type JudgementRows, judgementRows } from "../judgement-rows.js";
import { ErrorBox } from "./error-box.js";
import { JudgedIds } from "./judged-ids.js";
import { DELIMITERS, Rows } from "./reading.js";

const PREVIEW = 5;

/** How judgements were read: how many, from which columns, and the first of them. */
export function JudgementsReading({ slot }: { slot: Slot<Judgements> }) {
  const error = slot.error.value;
  const judged = slot.content.value?.summary;
  const first = useFirst(slot);
  if (!slot.file.value || (!judged && !error)) return null;
  // Without a single judgement the rows show why.
  const isNone = error instanceof QuerytuneError && error.code === "input-qrels";
  const reasons = new Map(judged?.skipped.map(({ line, reason }) => [line, reason]));
  return (
    <div class="reading" data-testid="reading-qrels" aria-busy={slot.busy.value}>
      <ErrorBox error={error} testid="error-qrels" />
      {isNone && <p data-testid="expected-qrels">{expected(first)}</p>}
      {judged && (
        <>
          <p data-testid="summary-qrels">
            <b>{counted(judged.judgements, "judgement")}</b> of {counted(judged.queries, "query", "queries")}:{" "}
            {count(judged.relevant)} relevant, {count(judged.judgements - judged.relevant)} not
            {judged.skippedTotal > 0 && `; ${counted(judged.skippedTotal, "row")} skipped`}.
          </p>
          {judged.relevant === 0 && (
            <p class="notice" data-testid="irrelevant-qrels">
              No document is relevant to its query, so no result can be better than another. Relevant is what has 1 or
              more.
            </p>
          )}
        </>
      )}
      {first && (judged || isNone) && (
        <>
          <p class="quiet" data-testid="how-qrels">
            {howRead(first)}
          </p>
          {first.header && isMisnamed(first.header) && (
            <p class="notice" data-testid="misnamed-qrels">
              The first row names the columns in another order. They are taken by their places, not by their names: put
              the query id first, then the document id, then the relevance.
            </p>
          )}
        </>
      )}
      {judged && (
        <>
          <JudgedIds />
          <Rows rows={judged.skipped} total={judged.skippedTotal} what="skipped row" testid="skipped-qrels" />
        </>
      )}
      {first && (judged || isNone) && <Preview of={first} reasons={reasons} />}
    </div>
  );
}

/** The first rows of the file that was read last; undefined while they are looked at. */
function useFirst(slot: Slot<Judgements>): JudgementRows | undefined {
  const file = slot.file.value;
  const [found, setFound] = useState<{ of: File; rows: JudgementRows | undefined }>();
  useEffect(() => {
    if (!file) return;
    let wanted = true;
    judgementRows(file, PREVIEW).then(
      (rows) => wanted && setFound({ of: file, rows }),
      // What cannot be read is said by the engine.
      () => {},
    );
    return () => {
      wanted = false;
    };
  }, [file]);
  return found?.of === file && !slot.busy.value ? found?.rows : undefined;
}

function expected(first: JudgementRows | undefined): string {
  const columns =
    "Expected are columns in this order: query id, document id, relevance as a whole number; separated by tabs, " +
    "semicolons, commas or spaces. TREC’s four columns (query id, 0, document id, relevance) are read, too.";
  return first?.isJson ? `The file is JSON, which judgements are not read from. ${columns}` : columns;
}

function howRead({ delimiter, header, encoding, columns }: JudgementRows): string {
  const by = delimiter ? (DELIMITERS[delimiter] ?? delimiter) : "spaces";
  const from = (kind: keyof typeof columns) => {
    const name = header?.[kind];
    return name ? `“${name}”` : `column ${columns[kind]}`;
  };
  return (
    `Delimited text, separated by ${by}, ${header ? "first row is the header" : "no header"}, ` +
    // A hyphen that no line ends after.
    `${encoding.replaceAll("-", "\u2011")}. Columns: query id from ${from("query")}, document id from ` +
    `${from("document")}, relevance from ${from("relevance")}.`
  );
}

function Preview({ of, reasons }: { of: JudgementRows; reasons: Map<number, string> }) {
  if (of.rows.length === 0) return null;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region has to be reachable by keyboard.
    <section class="scroll preview" tabIndex={0} aria-label="The first judgements">
      <table data-testid="preview-qrels">
        <thead>
          <tr>
            <th scope="col" class="number-cell">
              Line
            </th>
            <th scope="col">Query id</th>
            <th scope="col">Document id</th>
            <th scope="col">Relevance</th>
          </tr>
        </thead>
        <tbody>
          {of.rows.map(({ line, query, document, relevance, grade }) => (
            <tr key={line}>
              <td class="number-cell">{count(line)}</td>
              <td>{query}</td>
              <td>{document}</td>
              <td>
                {relevance} <span class="quiet">{takenAs(grade, reasons.get(line))}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function takenAs(grade: number | undefined, reason: string | undefined): string {
  if (reason) return `skipped: ${reason}`;
  if (grade === undefined) return "no judgement";
  return grade > 0 ? "relevant" : "not relevant";
}
