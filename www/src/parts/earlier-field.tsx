import { previous } from "../data.js";
import { counted } from "../format.js";
import { ErrorBox } from "./error-box.js";
import { FileField } from "./file-field.js";

/** The download of an earlier run, to be gone on from. */
export function EarlierField() {
  const run = previous.content.value;
  return (
    <details open={Boolean(previous.file.value)} data-testid="earlier">
      <summary>Go on from an earlier download (optional)</summary>
      <p class="quiet">
        Its queries are joined to those above, and only pairs that are new are scored: a run every night on the day’s
        log costs little, and what was scored tonight is not lost tomorrow. The documents are those above. It needs the
        same encoder.
      </p>
      <FileField
        label="Earlier download"
        hint="The artifact.zip that this page, the command or the package saved."
        optional
        accept=".zip"
        slot={previous}
        testid="file-previous"
        onChoose={(file) => void previous.choose(file)}
      />
      <ErrorBox error={previous.error.value} testid="error-previous" />
      {run && (
        <div class="reading" data-testid="reading-previous">
          <p>
            <b>
              {counted(run.queries, "query", "queries")} and {counted(run.documents, "document")}
            </b>{" "}
            with {counted(run.scored, "score")};{" "}
            {run.delivered === "tuned" ? "the tuned model was delivered" : "the base model was delivered"}.
          </p>
          <p class="quiet">
            Encoder {run.encoder}, cross-encoder {run.crossEncoder}.
          </p>
        </div>
      )}
    </details>
  );
}
