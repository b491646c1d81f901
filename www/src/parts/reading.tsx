import { useEffect, useState } from "preact/hooks";
import type { Reading as ReadingInfo, ReadOptions, Skipped } from "querytune";
import { told } from "../columns.js";
import type { Previewed, Slot } from "../data.js";
import { count, counted } from "../format.js";
import { withoutTitle } from "../text.js";
import { Choice, chosen, DELIMITERS, ENCODINGS, UNKNOWN } from "./choices.js";
import { ErrorBox } from "./error-box.js";
import { useLayout } from "./use-layout.js";

const FORMATS = { csv: "Delimited (CSV, TSV)", jsonl: "JSON lines", lines: "One text a line" };

/** How a file was read, and the means to change it. */
export function Reading({ slot, name, isDocuments }: { slot: Slot<Previewed>; name: string; isDocuments: boolean }) {
  const file = slot.file.value;
  const error = slot.error.value;
  const [open, setOpen] = useState(false);
  // The means to put it right. They stay in sight when it is, as the one that was used has the focus.
  useEffect(() => {
    if (error) setOpen(true);
  }, [error]);
  if (!file) return null;
  const reading = slot.content.value?.texts.reading;
  const changed = Object.keys(slot.options.value).length > 0;
  return (
    <div class="reading" data-testid={`reading-${name}`} aria-busy={slot.busy.value}>
      <ErrorBox error={error} testid={`error-${name}`} />
      {reading && (
        <>
          <p data-testid={`summary-${name}`}>
            <b>{counted(reading.texts, isDocuments ? "document" : "query", isDocuments ? "documents" : "queries")}</b>{" "}
            from {counted(reading.rows, "row")}
            {reading.duplicates > 0 && `; ${counted(reading.duplicates, "duplicate")} merged`}
            {reading.skippedTotal > 0 && `; ${counted(reading.skippedTotal, "row")} skipped`}
            {reading.longTotal > 0 && `; ${counted(reading.longTotal, "very long text")}`}.
          </p>
          <p class="quiet">{howRead(reading)}</p>
          {reading.notes?.map((note) => (
            <p class="notice" key={note}>
              {note}
            </p>
          ))}
          <Rows rows={reading.skipped} total={reading.skippedTotal} what="skipped row" testid={`skipped-${name}`} />
          <Rows rows={reading.merged} total={reading.duplicates} what="merged duplicate" testid={`merged-${name}`} />
          <Rows rows={reading.long} total={reading.longTotal} what="very long text" testid={`long-${name}`} />
          <Preview of={slot.content.value} name={name.replace("-", " ")} />
        </>
      )}
      <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary data-testid={`change-${name}`}>Change how it is read</summary>
        <Controls slot={slot} reading={reading} name={name} isDocuments={isDocuments} />
        {changed && (
          <button type="button" class="link" data-testid={`${name}-detect`} onClick={() => slot.change({})}>
            Detect everything again
          </button>
        )}
      </details>
    </div>
  );
}

function howRead(reading: ReadingInfo): string {
  const parts: string[] = [];
  if (reading.format === "csv") {
    const by = reading.delimiter ? `separated by ${DELIMITERS[reading.delimiter] ?? reading.delimiter}` : "one column";
    parts.push(`Delimited text, ${by}`, reading.hasHeader ? "first row is the header" : "no header");
  } else {
    parts.push(reading.format === "jsonl" ? "JSON, one object a line" : "One text a line");
    if (reading.hasHeader && reading.format === "lines") parts.push("first line is the header");
  }
  // A hyphen that no line ends after.
  if (reading.encoding) parts.push(reading.encoding.replaceAll("-", "\u2011"));
  const columns = told(reading.columns);
  const named = (used: string | null | undefined) => columns.find(({ value }) => value === used)?.name ?? used;
  const [id, title, text, frequency] = (["id", "title", "text", "count"] as const).map((of) => named(reading.used[of]));
  const used = [
    id && `id from “${id}”`,
    title && `title from “${title}”`,
    text && `text from “${text}”`,
    frequency && `frequency from “${frequency}”`,
  ].filter(Boolean);
  return `${parts.join(", ")}. ${used.length > 0 ? `Columns: ${used.join(", ")}.` : ""}`;
}

function Controls({
  slot,
  reading,
  name,
  isDocuments,
}: {
  slot: Slot<Previewed>;
  reading: ReadingInfo | undefined;
  name: string;
  isDocuments: boolean;
}) {
  const options = slot.options.value;
  // Another layout has other columns.
  const layout = (patch: Partial<ReadOptions>) => {
    const { format, delimiter, encoding, hasHeader, quotes } = options;
    void slot.change({ format, delimiter, encoding, hasHeader, quotes, ...patch });
  };
  const column = (patch: Partial<ReadOptions>) => void slot.change({ ...options, ...patch });
  const known = useLayout(slot, reading && { format: reading.format, columns: told(reading.columns) });
  const format = options.format ?? reading?.format ?? known.format;
  const encoding = (options.encoding ?? reading?.encoding ?? "").toLowerCase();
  const delimiter = options.delimiter ?? reading?.delimiter ?? "";
  const { columns } = known;
  const offered = columns.map((one): [string, string] => [one.value, one.name]);
  const inUse = (of: "text" | "id" | "title" | "count") =>
    chosen(columns, reading?.used[of], options[`${of}Column`], reading !== undefined);
  return (
    <div class="fields">
      <Choice
        label="Format"
        testid={`${name}-format`}
        value={format ?? ""}
        options={Object.entries(FORMATS)}
        onPick={(value) =>
          layout({ format: value as ReadOptions["format"], delimiter: undefined, hasHeader: undefined })
        }
      />
      <Choice
        label="Encoding"
        testid={`${name}-encoding`}
        value={encoding}
        options={[...new Set([...ENCODINGS, encoding])].filter(Boolean).map((label) => [label, label])}
        onPick={(value) => layout({ encoding: value })}
      />
      {format === "csv" && (
        <Choice
          label="Delimiter"
          testid={`${name}-delimiter`}
          value={delimiter}
          options={[...new Set([...Object.keys(DELIMITERS), delimiter])]
            .filter(Boolean)
            .map((sign) => [sign, DELIMITERS[sign] ?? sign])}
          onPick={(value) => layout({ delimiter: value })}
        />
      )}
      {format === "csv" && (
        <Choice
          label="Quotes"
          testid={`${name}-quotes`}
          value={String(options.quotes ?? UNKNOWN)}
          options={[
            ["true", "enclose a field"],
            ["false", "are text like any other"],
          ]}
          onPick={(value) => layout({ quotes: value === "true" })}
        />
      )}
      {(format === "csv" || format === "lines") && (
        <Choice
          label={format === "lines" ? "First line" : "First row"}
          testid={`${name}-header`}
          value={String(options.hasHeader ?? reading?.hasHeader ?? UNKNOWN)}
          options={[
            ["true", format === "lines" ? "is a header" : "names the columns"],
            ["false", format === "lines" ? "is a text" : "is data"],
          ]}
          onPick={(value) => layout({ hasHeader: value === "true" })}
        />
      )}
      {columns.length > 0 && (
        <>
          <Choice
            label="Text column"
            testid={`${name}-text-column`}
            value={inUse("text")}
            options={offered}
            onPick={(value) => column({ textColumn: value })}
          />
          <Choice
            label="Id column"
            testid={`${name}-id-column`}
            value={inUse("id")}
            options={[["", "none: row numbers"], ...offered]}
            onPick={(value) => column({ idColumn: value })}
          />
          {isDocuments ? (
            <Choice
              label="Title column"
              testid={`${name}-title-column`}
              value={inUse("title")}
              options={[["", "none"], ...offered]}
              onPick={(value) => column({ titleColumn: value })}
            />
          ) : (
            <Choice
              label="Frequency column"
              testid={`${name}-count-column`}
              value={inUse("count")}
              options={[["", "none"], ...offered]}
              onPick={(value) => column({ countColumn: value })}
            />
          )}
        </>
      )}
    </div>
  );
}

interface RowsProps {
  rows: Skipped[];
  total: number;
  /** What one of them is called. */
  what: string;
  testid: string;
}

/** Rows that were not used as they are, with their lines and the reasons. */
export function Rows({ rows, total, what, testid }: RowsProps) {
  if (total === 0) return null;
  const name = counted(total, what);
  return (
    <details data-testid={testid}>
      <summary>{name}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region has to be reachable by keyboard. */}
      <ul class="lines" tabIndex={0} aria-label={name}>
        {rows.map((row) => (
          <li key={`${row.line} ${row.reason}`}>
            Line {count(row.line)}: {row.reason}
          </li>
        ))}
      </ul>
      {total > rows.length && <p class="quiet">And {count(total - rows.length)} more.</p>}
    </details>
  );
}

function Preview({ of, name }: { of: Previewed | undefined; name: string }) {
  if (!of || of.first.length === 0) return null;
  const titles = of.first.some((item) => item.title);
  const counts = of.first.some((item) => item.count > 1);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region has to be reachable by keyboard.
    <section class="scroll preview" tabIndex={0} aria-label={`The first ${name}`}>
      <table data-testid={`preview-${name}`}>
        <thead>
          <tr>
            <th scope="col">Id</th>
            {titles && <th scope="col">Title</th>}
            <th scope="col">Text</th>
            {counts && (
              <th scope="col" class="number-cell">
                Times
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {of.first.map((item) => (
            <tr key={item.ids[0]}>
              <td>{item.ids[0]}</td>
              {titles && <td>{item.title}</td>}
              <td>
                <span class="clamp">{withoutTitle(item)}</span>
              </td>
              {counts && <td class="number-cell">{count(item.count)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
