// What a job tells between its stages, as lines for a person.
import { readingLines } from "./report.mjs";

/** Takes the notes of `runJob` and hands lines to `say`; `view` shows the progress between them. */
export function noteTaker(view, say) {
  return (kind, data) => {
    view.end();
    if (kind === "reading") for (const line of readingLines(data.reading, data)) say(line);
    if (kind === "judgements") {
      say(`  ${data.file}: ${data.judgements} judgements, ${data.relevant} relevant, of ${data.queries} queries`);
      const { query, document, relevance } = data.used;
      say(`    query id from ${query}, document id from ${document}, relevance from ${relevance}`);
      for (const { line, reason } of data.skipped.slice(0, 3)) say(`    line ${line}: ${reason}`);
      if (data.skippedTotal > 3) say(`    and ${data.skippedTotal - 3} more`);
    }
    if (kind === "engine") {
      const { device, models } = data;
      say(`  ${models.encoder.id} and ${models.crossEncoder.id} on ${device.kind}: ${device.reason}`);
    }
    if (kind === "relations") {
      say(
        `  data set: ${data.rows} rows of ${data.queries} queries, ${data.scored} pairs scored (${data.cached} from the store)`,
      );
    }
    if (kind === "warning") say(`  Warning: ${data}`);
  };
}
