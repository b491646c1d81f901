import { useState } from "preact/hooks";
import type { Report } from "querytune";
import { type Outcome, outcome } from "../job.js";
import { ErrorBox } from "../parts/error-box.js";
import { Section } from "../parts/section.js";
import { json, save } from "../save.js";
import { noteFailure } from "../session.js";

interface Offer {
  testid: string;
  name: string;
  file: string;
  meaning: string;
  make: (outcome: Outcome) => Promise<Blob>;
  /** The lines that load it. */
  code: string;
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
    code: `from sentence_transformers import SentenceTransformer  # 5 or newer

model = SentenceTransformer("model")  # the folder in artifact.zip
queries = model.encode_query(["a query"])
documents = model.encode_document(["a document"])
scores = model.similarity(queries, documents)`,
  },
  {
    testid: "download-adapter",
    name: "Adapter",
    file: "query_head.safetensors",
    meaning: "the trained head alone; documents keep their vectors, so nothing is indexed again",
    make: async ({ run }) => new Blob([(await run.adapter()) as Uint8Array<ArrayBuffer>]),
    code: `import numpy as np
from safetensors.numpy import load_file

weight = load_file("query_head.safetensors")["weight"]
tuned = queries @ weight.T  # normalised query vectors of the base encoder, one a row
tuned /= np.linalg.norm(tuned, axis=1, keepdims=True)`,
  },
  {
    testid: "download-csv",
    name: "Data set, CSV",
    file: "relations.csv",
    meaning: "query, similar and dissimilar document with their ids, margin",
    make: text("text/csv", ({ relations }) => relations.toCsv()),
    code: `from datasets import load_dataset

rows = load_dataset("csv", data_files="relations.csv", split="train")
rows = rows.select_columns(["query", "similar", "dissimilar", "margin"]).rename_column("margin", "label")
# what sentence_transformers.losses.MarginMSELoss trains on`,
  },
  {
    testid: "download-gpl",
    name: "Data set, GPL",
    file: "relations.gpl.tsv",
    meaning: "the file that GPL trains on",
    make: text("text/tab-separated-values", ({ relations }) => relations.toGplTsv()),
    code: `for line in open("relations.gpl.tsv", encoding="utf-8"):
    query_id, positive_id, negative_id, margin = line.rstrip("\\n").split("\\t")
# for GPL itself: put it into the folder of the generated data as gpl-training-data.tsv`,
  },
  {
    testid: "download-jsonl",
    name: "Data set, JSON lines",
    file: "relations.jsonl",
    meaning: "the file that FlagEmbedding trains on",
    make: text("application/jsonl", ({ relations }) => relations.toJsonl()),
    code: `import json

rows = [json.loads(line) for line in open("relations.jsonl", encoding="utf-8")]
print(rows[0]["query"], rows[0]["pos"], rows[0]["neg"])
# for FlagEmbedding itself: --train_data relations.jsonl`,
  },
  {
    testid: "download-scores",
    name: "Scores",
    file: "scores.tsv",
    meaning: "every candidate with its cosine and logit",
    make: text("text/tab-separated-values", ({ relations }) => relations.toScoresTsv()),
    code: `import pandas as pd

scores = pd.read_csv("scores.tsv", sep="\\t")  # query-id, corpus-id, rank, cosine, logit`,
  },
  {
    testid: "download-report",
    name: "Report",
    file: "report.json",
    meaning: "every figure, every constant of the recipe, what was skipped and why",
    make: async ({ run }) => json(run.report),
    code: `import json

report = json.load(open("report.json", encoding="utf-8"))
print(report["fit"]["delivered"], report["evaluation"])`,
  },
];

/** Which model artifact.zip has. */
function holds({ fit, judging }: Report): string {
  const answers = judging ? " Your answers are in data/judgements.tsv." : "";
  if (fit.delivered === "tuned") return `The folder model in artifact.zip is the tuned model.${answers}`;
  const why = fit.decidedBy === "judging" ? "by your answers the tuned one ranks worse" : "nothing was gained";
  return `The folder model in artifact.zip is the base model as it was: ${why}. What was trained is in the folder adapter.${answers}`;
}

/** The files to take away. */
export function DownloadSection() {
  const result = outcome.value;
  const [busy, setBusy] = useState("");
  const [error, setError] = useState<unknown>();
  const take = async (offer: Offer) => {
    if (!result) return;
    setBusy(offer.testid);
    setError(undefined);
    try {
      save(await offer.make(result), offer.file);
    } catch (thrown) {
      noteFailure(thrown);
      setError(thrown);
    }
    setBusy("");
  };
  return (
    <Section
      number={8}
      title="Download"
      state={result ? "ready" : ""}
      sentence="Take the model to where your search runs; each file comes with the lines of Python that load it."
    >
      {result ? (
        <p data-testid="download-delivered" data-delivered={result.run.report.fit.delivered}>
          {holds(result.run.report)}
        </p>
      ) : (
        <p class="quiet">There is nothing to download yet: run a job first.</p>
      )}
      <ErrorBox error={error} testid="error-download" />
      <ul class="downloads">
        {OFFERS.map((offer) => (
          <li key={offer.testid}>
            <button
              type="button"
              class={offer.file === "artifact.zip" ? "primary" : ""}
              data-testid={offer.testid}
              disabled={!result || busy !== ""}
              onClick={() => void take(offer)}
            >
              {busy === offer.testid ? "Preparing …" : offer.name}
            </button>
            <div>
              <code>{offer.file}</code> <span class="quiet">{offer.meaning}</span>
              <details open={offer.file === "artifact.zip"}>
                <summary>
                  Load it<span class="hidden"> ({offer.file})</span>
                </summary>
                {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region has to be reachable by keyboard. */}
                <section class="scroll" tabIndex={0} aria-label={`Code for ${offer.file}`}>
                  <pre>
                    <code>{offer.code}</code>
                  </pre>
                </section>
              </details>
            </div>
          </li>
        ))}
      </ul>
    </Section>
  );
}
