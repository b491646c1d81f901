/** The files that a finished job offers, with the lines that load them. */

import type { PerQueryKind, Report, Run } from "querytune";
import type { Outcome } from "./outcome.js";
import { json } from "./save.js";

export interface Offer {
  testid: string;
  name: string;
  file: string;
  meaning: string;
  make: (outcome: Outcome) => Promise<Blob>;
  /** Whether what was trained is in it. */
  isModel?: boolean;
  /** The lines of Python that load it. */
  code: string;
  /** The lines of JavaScript that do, where the package loads it. */
  javascript?: string;
}

const text = (type: string, make: (outcome: Outcome) => Promise<string>) => async (outcome: Outcome) =>
  new Blob([await make(outcome)], { type });

/** A file of the adapter, by its name. */
const adapterFile = async (run: Run, name: string) => {
  const files = await run.adapterFiles();
  const bytes = files.find((file) => file.name === name)?.bytes;
  if (!bytes) throw new Error(`The adapter has no ${name}.`);
  return new Blob([bytes as Uint8Array<ArrayBuffer>]);
};

const adapter = (number: number, file: string, meaning: string, code: string): Offer => ({
  testid: number === 1 ? "download-adapter" : `download-adapter-${number}`,
  name: number === 1 ? "Adapter" : `Adapter, file ${number}`,
  file,
  meaning,
  make: ({ run }) => adapterFile(run, file),
  isModel: true,
  code,
});

const head = (number: number, side: "query" | "document", meaning: string) => {
  const vectors = side === "query" ? "queries" : "documents";
  return adapter(
    number,
    `${side}_head.safetensors`,
    meaning,
    `import numpy as np
from safetensors.numpy import load_file

weight = load_file("${side}_head.safetensors")["weight"]
tuned = ${vectors} @ weight.T  # normalised ${side} vectors of the base encoder, one a row
tuned /= np.linalg.norm(tuned, axis=1, keepdims=True)`,
  );
};

/** What was trained, alone. */
function adapters(report: Report | undefined): Offer[] {
  const encoder = report?.models.encoder.id ?? "";
  switch (report?.fit.method) {
    case "head":
      return [
        head(1, "query", "the trained head of queries"),
        head(2, "document", "the trained head of documents, whose vectors in an index it changes"),
      ];
    case "lora":
      return [
        adapter(
          1,
          "adapter_model.safetensors",
          "LoRA’s matrices as PEFT has them; documents keep their vectors, so nothing is indexed again",
          `from sentence_transformers import SentenceTransformer

tuned = SentenceTransformer(${JSON.stringify(encoder)})
tuned.load_adapter("adapter")  # a folder with both files
queries = tuned.encode_query(["a query"], normalize_embeddings=True)`,
        ),
        adapter(
          2,
          "adapter_config.json",
          "which layers they change; goes with the file above",
          `from peft import PeftModel
from transformers import AutoModel

encoder = AutoModel.from_pretrained(${JSON.stringify(encoder)})
tuned = PeftModel.from_pretrained(encoder, "adapter")  # a folder with both files`,
        ),
      ];
    default:
      return [head(1, "query", "the trained head alone; documents keep their vectors, so nothing is indexed again")];
  }
}

const ALL: Offer = {
  testid: "download-artifact",
  name: "Model and all else",
  file: "artifact.zip",
  meaning:
    "the model for sentence-transformers, the adapter, the data set, the report, a model card; a later run can go on from it",
  make: ({ run }) => run.saveArtifact(),
  isModel: true,
  code: `from sentence_transformers import SentenceTransformer  # 5 or newer

model = SentenceTransformer("model")  # the folder in artifact.zip
queries = model.encode_query(["a query"])
documents = model.encode_document(["a document"])
scores = model.similarity(queries, documents)`,
  javascript: `import { loadArtifact } from "querytune";

const model = await loadArtifact(await (await fetch("artifact.zip")).blob());
const index = await model.index(["a document", "another one"]);
const hits = await index.search("a query");`,
};

const DATA: Offer[] = [
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
    meaning:
      "ids with their margins, the file that GPL trains on; the texts of the ids are in data/beir of artifact.zip",
    make: text("text/tab-separated-values", ({ relations }) => relations.toGplTsv()),
    code: `import json

def texts(name):  # the folder beir in data of artifact.zip
    lines = map(json.loads, open(f"beir/{name}.jsonl", encoding="utf-8"))
    return {line["_id"]: f'{line.get("title", "")} {line["text"]}'.strip() for line in lines}

queries, documents = texts("queries"), texts("corpus")
rows = [line.rstrip("\\n").split("\\t") for line in open("relations.gpl.tsv", encoding="utf-8")]
rows = [(queries[query], documents[similar], documents[dissimilar], float(margin)) for query, similar, dissimilar, margin in rows]
# for GPL itself: data/beir of artifact.zip with this file in it as gpl-training-data.tsv, and an empty file
# hard-negatives.jsonl, is what gpl.train(path_to_generated_data="beir", use_train_qrels=True, …) takes`,
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
    code: `import csv

scores = list(csv.DictReader(open("scores.tsv", encoding="utf-8", newline=""), delimiter="\\t"))
print(scores[0])  # query-id, corpus-id, rank, cosine, logit`,
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

const perQuery = (kind: PerQueryKind, name: string, meaning: string): Offer => ({
  testid: `download-per-query-${kind}`,
  name,
  file: `per-query-${kind}.csv`,
  meaning,
  make: text("text/csv", ({ run }) => run.perQueryCsv(kind)),
  code: `import csv

queries = list(csv.DictReader(open("per-query-${kind}.csv", encoding="utf-8", newline="")))
print(queries[:20], queries[-20:])  # which rose and which fell most`,
});

/** Figures of single queries, as far as a job has them. */
function perQueries(report: Report | undefined): Offer[] {
  const { judged, agreement } = report?.evaluation ?? {};
  const found: Offer[] = [];
  if (judged) {
    const meaning = "each judged query’s figures by base, tuned and cross-encoder, the largest rise first";
    found.push(perQuery("judged", "Judged queries", meaning));
  }
  if (agreement?.random) {
    const meaning =
      "each query’s agreement with the cross-encoder while it was left out of training, the largest rise first; not quality";
    found.push(perQuery("agreement", "Queries’ agreement", meaning));
  }
  return found;
}

/** What can be taken away of a job with that report; before there is one, of a job with the default method. */
export function offers(report: Report | undefined): Offer[] {
  return [ALL, ...adapters(report), ...DATA, ...perQueries(report)];
}
