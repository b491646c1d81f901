//! The two short files that say what is where.

use serde_json::Value;

use super::heads::Side;
use super::model_card::{DecidedBy, decided_by, warnings};
use super::{Adapter, Artifact, Delivered, load};

/// Files of `data/` that are not in every download.
const MORE: [(&str, &str); 3] = [
    (
        "per-query-agreement.csv",
        "each query's agreement with the cross-encoder while it was left out of training; not quality",
    ),
    (
        "per-query-judged.csv",
        "each judged query's figures by base, tuned and cross-encoder",
    ),
    (
        "judgements.tsv",
        "a person's answers as judgements: query id, document id, 0, 1 or 2",
    ),
];

/// `README.md` at the top of the download.
pub fn of_the_download(artifact: &Artifact) -> String {
    let report = artifact.report;
    let version = report
        .get("version")
        .and_then(Value::as_str)
        .map_or(String::new(), |version| format!(" {version}"));
    let model = match (artifact.delivered, &artifact.adapter) {
        (Delivered::Base, _) => match decided_by(report) {
            DecidedBy::Judging => {
                "the base encoder, unchanged: by a person's answers the tuned one ranks worse (see `model/README.md`)"
            }
            DecidedBy::Judgements => {
                "the base encoder, unchanged: by the judgements the tuned one ranks worse (see `model/README.md`)"
            }
            DecidedBy::Nothing => {
                "the base encoder, unchanged: there were too few queries to tell whether the trained one is better (see \
                 `model/README.md`)"
            }
            DecidedBy::Agreement => {
                "the base encoder, unchanged: training brought no more agreement with the cross-encoder on queries left \
                 out of it (see `model/README.md`)"
            }
        },
        (Delivered::Tuned, Adapter::Lora(lora)) if lora.documents => {
            "the tuned encoder: `SentenceTransformer(\"model\")` loads it; documents have to be indexed again with it"
        }
        (Delivered::Tuned, adapter) if adapter.keeps_documents() => {
            "the tuned encoder: `SentenceTransformer(\"model\")` loads it (sentence-transformers 5 or newer), then \
             `encode_query` and `encode_document`; documents keep their vectors"
        }
        _ => {
            "the tuned encoder: `SentenceTransformer(\"model\")` loads it (sentence-transformers 5 or newer), then \
             `encode_query` and `encode_document`; documents have to be indexed again with it"
        }
    };
    let adapter = match artifact.adapter {
        Adapter::Heads { document: None, .. } => "the trained head alone, a single matrix for the queries' vectors",
        Adapter::Heads { .. } => {
            "the trained heads alone, a matrix for the queries' vectors and one for the documents'"
        }
        Adapter::Lora(_) => "the trained changes alone, as an adapter for PEFT",
    };
    let has = |file: &str| artifact.data.iter().any(|(name, _)| name == file);
    let more: String = MORE
        .iter()
        .filter(|(file, _)| has(file))
        .map(|(file, text)| format!("| `data/{file}` | {text} |\n"))
        .collect();
    format!(
        "# Made by querytune{version}\n\n\
         {}\
         | | |\n\
         |---|---|\n\
         | `model/` | {model} |\n\
         | `model/README.md` | the model card: figures, data, recipe, limits, how to load it |\n\
         | `adapter/` | {adapter} |\n\
         | `report.json` | every figure and constant |\n\
         | `data/` | what was trained on: queries, documents and the cross-encoder's scores |\n\
         | `data/beir/` | all documents, and the queries with their counts in the log, in BEIR's form |\n\
         {more}\n\
         This zip can be searched with as it is: `npx querytune search` in a terminal, `loadArtifact` of the npm \
         package `querytune`\nin JavaScript. querytune reads it again to go on from it with a newer log.\n",
        warnings(report)
    )
}

/// `adapter/README.md`.
pub fn of_the_adapter(adapter: &Adapter, report: &Value) -> String {
    match adapter {
        Adapter::Heads { dims, document, .. } => {
            let query = Side::Query.file_name();
            let file = Side::Document.file_name();
            let text = match document {
                None => format!(
                    "# The query head\n\n\
                     `{query}` holds one tensor, `weight`: F32, {dims} x {dims}, the identity plus the trained W. It \
                     changes\nqueries only: q' = normalize(q + W q), where q is the base encoder's normalised vector. \
                     Documents keep theirs, so an\nexisting vector database stays as it is.\n\n"
                ),
                Some(_) => format!(
                    "# The heads\n\n\
                     `{query}` and `{file}` each hold one tensor, `weight`: F32, {dims} x {dims}, the identity\nplus \
                     the trained W: q' = normalize(q + Wq q) and d' = normalize(d + Wd d), where q and d are the base \
                     encoder's\nnormalised vectors. The vectors in a database have to be changed too; texts need not \
                     be encoded again for it.\n\n"
                ),
            };
            let file = document.is_some().then_some(file);
            text + &load::the_heads(*dims, "weight", &query, file.as_deref())
        }
        Adapter::Lora(lora) => {
            let sides = if lora.documents {
                "Queries and documents go through the changed encoder: documents have to be indexed again."
            } else {
                "It is for queries only. Documents keep the base encoder's vectors, so an existing vector database \
                 stays as it is."
            };
            format!(
                "# The low-rank changes\n\n\
                 LoRA of rank {}, alpha {}, on {} linear layers of the base encoder: W' = W + {} B A. {sides}\n\n{}",
                lora.rank,
                lora.alpha,
                lora.matrices.len(),
                lora.factor(),
                load::the_lora(lora, report)
            )
        }
    }
}
