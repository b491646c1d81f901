import { useState } from "preact/hooks";
import { type Outcome, outcome } from "../job.js";
import { ErrorBox } from "../parts/error-box.js";
import { Section } from "../parts/section.js";
import { noteFailure } from "../session.js";

interface Offer {
  testid: string;
  name: string;
  file: string;
  meaning: string;
  make: (outcome: Outcome) => Promise<Blob>;
}

const text = (type: string, make: (outcome: Outcome) => Promise<string>) => async (outcome: Outcome) =>
  new Blob([await make(outcome)], { type });

const OFFERS: Offer[] = [
  {
    testid: "download-artifact",
    name: "Model and all else",
    file: "artifact.zip",
    meaning: "the model for sentence-transformers, the adapter, the data set, the report, a model card",
    make: ({ run }) => run.saveArtifact(),
  },
  {
    testid: "download-adapter",
    name: "Adapter",
    file: "query_head.safetensors",
    meaning: "the trained head alone; documents keep their vectors",
    make: async ({ run }) => new Blob([(await run.adapter()) as Uint8Array<ArrayBuffer>]),
  },
  {
    testid: "download-csv",
    name: "Data set, CSV",
    file: "relations.csv",
    meaning: "query, similar and dissimilar document with their ids, margin",
    make: text("text/csv", ({ relations }) => relations.toCsv()),
  },
  {
    testid: "download-gpl",
    name: "Data set, GPL",
    file: "relations.gpl.tsv",
    meaning: "the file that GPL trains on",
    make: text("text/tab-separated-values", ({ relations }) => relations.toGplTsv()),
  },
  {
    testid: "download-jsonl",
    name: "Data set, JSON lines",
    file: "relations.jsonl",
    meaning: "the file that FlagEmbedding trains on",
    make: text("application/jsonl", ({ relations }) => relations.toJsonl()),
  },
  {
    testid: "download-scores",
    name: "Scores",
    file: "scores.tsv",
    meaning: "every candidate with its cosine and logit",
    make: text("text/tab-separated-values", ({ relations }) => relations.toScoresTsv()),
  },
  {
    testid: "download-report",
    name: "Report",
    file: "report.json",
    meaning: "every figure, every constant of the recipe, what was skipped and why",
    make: async ({ run }) => new Blob([`${JSON.stringify(run.report, null, 2)}\n`], { type: "application/json" }),
  },
];

const CODE = `from sentence_transformers import SentenceTransformer
model = SentenceTransformer("model")  # the folder in artifact.zip
scores = model.similarity(model.encode_query(["a query"]), model.encode_document(["a document"]))`;

/** The files to take away. */
export function DownloadSection() {
  const result = outcome.value;
  const [busy, setBusy] = useState("");
  const [error, setError] = useState<unknown>();
  const save = async (offer: Offer) => {
    if (!result) return;
    setBusy(offer.testid);
    setError(undefined);
    try {
      const url = URL.createObjectURL(await offer.make(result));
      const link = document.createElement("a");
      link.href = url;
      link.download = offer.file;
      link.click();
      // The browser reads the file after this task.
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (thrown) {
      noteFailure(thrown);
      setError(thrown);
    }
    setBusy("");
  };
  return (
    <Section number={6} title="Download" sentence="Take the model to where your search runs.">
      {!result && <p class="quiet">There is nothing to download yet: run a job first.</p>}
      <ErrorBox error={error} testid="error-download" />
      <ul class="downloads">
        {OFFERS.map((offer) => (
          <li key={offer.testid}>
            <button
              type="button"
              class={offer.file === "artifact.zip" ? "primary" : ""}
              data-testid={offer.testid}
              disabled={!result || busy !== ""}
              onClick={() => void save(offer)}
            >
              {busy === offer.testid ? "Preparing …" : offer.name}
            </button>
            <span>
              <code>{offer.file}</code> <span class="quiet">{offer.meaning}</span>
            </span>
          </li>
        ))}
      </ul>
      <h3>Use it in Python</h3>
      <pre>
        <code>{CODE}</code>
      </pre>
    </Section>
  );
}
