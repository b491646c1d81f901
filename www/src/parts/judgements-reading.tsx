import { useEffect, useState } from "preact/hooks";
import {
  type JudgementRow,
  type Judgements,
  QuerytuneError,
  type JudgementsReading as Reading,
  type ReadJudgementsOptions,
} from "querytune";
import { told } from "../columns.js";
import type { Slot } from "../data.js";
import { count, counted } from "../format.js";
import { Choice, chosen, DELIMITERS, ENCODINGS, UNKNOWN } from "./choices.js";
import { ErrorBox } from "./error-box.js";
import { JudgedIds } from "./judged-ids.js";
import { Rows } from "./reading.js";
import { useLayout } from "./use-layout.js";

const PREVIEW = 5;

/** What stands between two fields. */
const SEPARATORS: Record<string, string> = { ...DELIMITERS, " ": "spaces" };

type JudgementsSlot = Slot<Judgements, ReadJudgementsOptions>;

/** How judgements were read: how many, from which columns, the first of them, and the means to change it. */
export function JudgementsReading({ slot }: { slot: JudgementsSlot }) {
  const error = slot.error.value;
  const [open, setOpen] = useState(false);
  // The means to put it right. They stay in sight when it is, as the one that was used has the focus.
  useEffect(() => {
    if (error) setOpen(true);
  }, [error]);
  if (!slot.file.value) return null;
  const { reading, summary } = slot.content.value ?? {};
  // What is no text has no columns.
  const isText = !(error instanceof QuerytuneError && error.code === "input-binary");
  return (
    <div class="reading" data-testid="reading-qrels" aria-busy={slot.busy.value}>
      <ErrorBox error={error} testid="error-qrels" />
      {reading && summary && (
        <>
          <p data-testid="summary-qrels">
            <b>{counted(summary.judgements, "judgement")}</b> of {counted(summary.queries, "query", "queries")}:{" "}
            {count(summary.relevant)} relevant, {count(summary.judgements - summary.relevant)} not
            {summary.skippedTotal > 0 && `; ${counted(summary.skippedTotal, "row")} skipped`}.
          </p>
          {summary.relevant === 0 && (
            <p class="notice" data-testid="irrelevant-qrels">
              No document is relevant to its query, so no result can be better than another. Relevant is what has 1 or
              more.
            </p>
          )}
          <p class="quiet" data-testid="how-qrels">
            {howRead(reading)}
          </p>
          {reading.notes.map((note) => (
            <p class="notice" key={note}>
              {note}
            </p>
          ))}
          <JudgedIds />
          <Rows rows={summary.skipped} total={summary.skippedTotal} what="skipped row" testid="skipped-qrels" />
          <Preview
            rows={reading.first.slice(0, PREVIEW)}
            reasons={new Map(summary.skipped.map(({ line, reason }) => [line, reason]))}
          />
        </>
      )}
      {isText && (reading || error) && (
        <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
          <summary data-testid="change-qrels">Change how they are read</summary>
          <Controls slot={slot} reading={reading} />
          {Object.keys(slot.options.value).length > 0 && (
            <button type="button" class="link" data-testid="qrels-detect" onClick={() => slot.change({})}>
              Detect everything again
            </button>
          )}
        </details>
      )}
    </div>
  );
}

function howRead({ delimiter, hasHeader, encoding, columns, used }: Reading): string {
  const names = told(columns);
  const from = (column: string) => {
    const name = names.find(({ value }) => value === column)?.name ?? column;
    return hasHeader ? `“${name}”` : name;
  };
  return (
    `Delimited text, separated by ${SEPARATORS[delimiter] ?? delimiter}, ` +
    // A hyphen that no line ends after.
    `${hasHeader ? "first row is the header" : "no header"}, ${encoding.replaceAll("-", "\u2011")}. Columns: query id ` +
    `from ${from(used.query)}, document id from ${from(used.document)}, relevance from ${from(used.relevance)}.`
  );
}

const COLUMNS = [
  ["query", "Query id column"],
  ["document", "Document id column"],
  ["relevance", "Relevance column"],
] as const;

function Controls({ slot, reading }: { slot: JudgementsSlot; reading: Reading | undefined }) {
  const options = slot.options.value;
  const known = useLayout(slot, reading && { format: "csv", columns: told(reading.columns) }, "csv");
  // Another layout has other columns.
  const layout = (patch: ReadJudgementsOptions) => {
    const { delimiter, encoding, hasHeader, quotes } = options;
    void slot.change({ delimiter, encoding, hasHeader, quotes, ...patch });
  };
  const column = (name: `${(typeof COLUMNS)[number][0]}Column`, value: string) => {
    // A column is one thing: what it was chosen for before is looked for again.
    const others = Object.entries(options).filter(([key, taken]) => !(key.endsWith("Column") && taken === value));
    void slot.change({ ...Object.fromEntries(others), [name]: value });
  };
  const encoding = (options.encoding ?? reading?.encoding ?? "").toLowerCase();
  const delimiter = options.delimiter ?? reading?.delimiter ?? "";
  const offered = known.columns.map((one): [string, string] => [one.value, one.name]);
  return (
    <div class="fields">
      <Choice
        label="Encoding"
        testid="qrels-encoding"
        value={encoding}
        options={[...new Set([...ENCODINGS, encoding])].filter(Boolean).map((label) => [label, label])}
        onPick={(value) => layout({ encoding: value })}
      />
      <Choice
        label="Delimiter"
        testid="qrels-delimiter"
        value={delimiter}
        options={[...new Set([...Object.keys(SEPARATORS), delimiter])]
          .filter(Boolean)
          .map((sign) => [sign, SEPARATORS[sign] ?? sign])}
        onPick={(value) => layout({ delimiter: value })}
      />
      <Choice
        label="Quotes"
        testid="qrels-quotes"
        value={String(options.quotes ?? UNKNOWN)}
        options={[
          ["true", "enclose a field"],
          ["false", "are text like any other"],
        ]}
        onPick={(value) => layout({ quotes: value === "true" })}
      />
      <Choice
        label="First row"
        testid="qrels-header"
        value={String(options.hasHeader ?? reading?.hasHeader ?? UNKNOWN)}
        options={[
          ["true", "names the columns"],
          ["false", "is a judgement"],
        ]}
        onPick={(value) => layout({ hasHeader: value === "true" })}
      />
      {offered.length > 0 &&
        COLUMNS.map(([of, label]) => (
          <Choice
            key={of}
            label={label}
            testid={`qrels-${of}-column`}
            value={chosen(known.columns, reading?.used[of], options[`${of}Column`], reading !== undefined)}
            options={offered}
            onPick={(value) => column(`${of}Column`, value)}
          />
        ))}
    </div>
  );
}

function Preview({ rows, reasons }: { rows: JudgementRow[]; reasons: Map<number, string> }) {
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
          {rows.map(({ line, query, document, relevance, grade }) => (
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

function takenAs(grade: number | null | undefined, reason: string | undefined): string {
  if (grade == null) return `skipped: ${reason}`;
  return grade > 0 ? "relevant" : "not relevant";
}
