//! The synthetic data set: each query's candidates with the cross-encoder's logits, and the forms it is saved in.

use std::rc::Rc;

use serde::Serialize;

use crate::error::Result;
use crate::input::{Text, Texts};
use crate::job::StageTime;
use crate::rows::written;
use crate::search::Neighbour;
use crate::vectors::Vectors;

/// A document that may answer a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// The document's number.
    pub document: u32,
    /// Cosine of query and document by the base encoder.
    pub cosine: f32,
    /// The cross-encoder's raw logit; absent beyond the depth that was scored, unless BM25 found the document too.
    pub logit: Option<f32>,
}

impl From<Neighbour> for Candidate {
    fn from(neighbour: Neighbour) -> Self {
        Self {
            document: neighbour.document,
            cosine: neighbour.score,
            logit: None,
        }
    }
}

/// What the stages up to the scores took.
#[derive(Clone, Copy, Debug, Default)]
pub struct StageTimes {
    /// Texts to vectors.
    pub encode: StageTime,
    /// Nearest documents.
    pub search: StageTime,
    /// Pairs to logits.
    pub score: StageTime,
    /// Pairs whose logit was there already.
    pub cached_pairs: usize,
    /// Pairs of these whose logit an earlier run has made.
    pub known_pairs: usize,
    /// Seconds that scoring was given, if it was given a time.
    pub budget_seconds: Option<f64>,
}

/// Queries, documents, their vectors, and which document the cross-encoder finds how good for which query.
pub struct Relations {
    /// The search log.
    pub queries: Rc<Texts>,
    /// The corpus.
    pub documents: Rc<Texts>,
    /// The base encoder's vectors of the queries.
    pub query_vectors: Vectors,
    /// The base encoder's vectors of the documents.
    pub document_vectors: Rc<Vectors>,
    /// Each query's candidates, nearest first.
    pub candidates: Vec<Vec<Candidate>>,
    /// How many of each query's candidates, from the nearest, were scored; as many as there are where there are fewer.
    pub depth: usize,
    /// How many documents of BM25's were scored besides, for each query.
    pub bm25: usize,
    /// Most relations of a query in Finetuner's rows; all scored ones if `None`.
    pub per_query: Option<usize>,
    /// What that took.
    pub times: StageTimes,
}

/// One row in Finetuner's form, texts by number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// The query's number.
    pub query: usize,
    /// The document the cross-encoder finds best among the query's relations.
    pub similar: u32,
    /// Another of them.
    pub dissimilar: u32,
    /// Logit of the similar document minus that of the dissimilar one, never negative.
    pub margin: f32,
}

/// The data set in figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Distinct queries.
    pub queries: usize,
    /// Distinct documents.
    pub documents: usize,
    /// Rows in Finetuner's form.
    pub rows: usize,
    /// Candidates in all.
    pub candidates: usize,
    /// Pairs with a logit.
    pub scored: usize,
    /// Pairs whose logit was there already.
    pub cached: usize,
    /// The logits' distribution.
    pub logit: LogitSummary,
    /// The logits in bins of equal width.
    pub histogram: Histogram,
}

/// Mean, standard deviation (of the population) and range of the logits; zeros where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct LogitSummary {
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub std: f64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
}

/// Counts in bins of equal width from `from` to `to`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Histogram {
    /// Lower edge of the first bin.
    pub from: f64,
    /// Upper edge of the last bin.
    pub to: f64,
    /// Values in each bin.
    pub counts: Vec<usize>,
}

const BINS: usize = 30;

impl Relations {
    /// A query's candidates that have a logit, nearest first.
    pub fn scored(&self, query: usize) -> impl Iterator<Item = (u32, f32)> + '_ {
        self.candidates[query]
            .iter()
            .filter_map(|candidate| candidate.logit.map(|logit| (candidate.document, logit)))
    }

    /// The rows in Finetuner's form: of each query's first `per_query` scored candidates the best one against
    /// each of the others.
    pub fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        let most = self.per_query.unwrap_or(usize::MAX);
        (0..self.candidates.len()).flat_map(move |query| {
            let scored: Vec<(u32, f32)> = self.scored(query).take(most).collect();
            let best = best_of(&scored);
            scored
                .iter()
                .enumerate()
                .filter(|&(index, _)| Some(index) != best)
                .filter_map(|(_, &(dissimilar, logit))| {
                    let (similar, top) = scored[best?];
                    Some(Row {
                        query,
                        similar,
                        dissimilar,
                        margin: top - logit,
                    })
                })
                .collect::<Vec<_>>()
        })
    }

    /// The data set in figures.
    pub fn summary(&self) -> Summary {
        let logits: Vec<f64> = self
            .candidates
            .iter()
            .flatten()
            .filter_map(|c| c.logit.map(f64::from))
            .collect();
        let count = logits.len().max(1) as f64;
        let mean = logits.iter().sum::<f64>() / count;
        let variance = logits.iter().map(|logit| (logit - mean).powi(2)).sum::<f64>() / count;
        let min = logits.iter().copied().reduce(f64::min).unwrap_or(0.0);
        let max = logits.iter().copied().reduce(f64::max).unwrap_or(0.0);
        let mut counts = vec![0; BINS];
        for logit in &logits {
            let bin = if max > min {
                (logit - min) / (max - min) * BINS as f64
            } else {
                0.0
            };
            counts[(bin as usize).min(BINS - 1)] += 1;
        }
        Summary {
            queries: self.queries.items.len(),
            documents: self.documents.items.len(),
            rows: self.rows().count(),
            candidates: self.candidates.iter().map(Vec::len).sum(),
            scored: logits.len(),
            cached: self.times.cached_pairs,
            logit: LogitSummary {
                mean,
                std: variance.sqrt(),
                min,
                max,
            },
            histogram: Histogram {
                from: min,
                to: max,
                counts,
            },
        }
    }

    /// Finetuner's rows as CSV: query, similar and dissimilar document with their ids, and the margin.
    ///
    /// # Errors
    /// [`crate::Code::Internal`]
    pub fn to_csv(&self) -> Result<String> {
        let header = [
            "query_id",
            "query",
            "similar_id",
            "similar",
            "dissimilar_id",
            "dissimilar",
            "margin",
        ];
        let cells = |row: Row| -> Vec<String> {
            let query = &self.queries.items[row.query];
            let similar = &self.documents.items[row.similar as usize];
            let dissimilar = &self.documents.items[row.dissimilar as usize];
            let texts = [
                &query.ids[0],
                &query.text,
                &similar.ids[0],
                &similar.text,
                &dissimilar.ids[0],
                &dissimilar.text,
            ];
            texts.into_iter().cloned().chain([row.margin.to_string()]).collect()
        };
        written(b',', Some(&header), self.rows().map(cells))
    }

    /// Finetuner's rows in the form GPL trains on: query id, positive id, negative id, margin; no header.
    ///
    /// # Errors
    /// [`crate::Code::Internal`]
    pub fn to_gpl_tsv(&self) -> Result<String> {
        let cells = |row: Row| {
            [
                self.queries.items[row.query].ids[0].clone(),
                self.documents.items[row.similar as usize].ids[0].clone(),
                self.documents.items[row.dissimilar as usize].ids[0].clone(),
                row.margin.to_string(),
            ]
        };
        written(b'\t', None, self.rows().map(cells))
    }

    /// Listwise rows, one JSON object a query, in FlagEmbedding's form: the best document in `pos`, the others in
    /// `neg`, their logits in `pos_scores` and `neg_scores`.
    pub fn to_jsonl(&self) -> String {
        let mut out = String::new();
        for query in 0..self.candidates.len() {
            let scored: Vec<(u32, f32)> = self.scored(query).collect();
            let Some(best) = best_of(&scored) else { continue };
            let text = |document: u32| self.documents.items[document as usize].text.as_str();
            let rest = || {
                scored
                    .iter()
                    .enumerate()
                    .filter(|&(index, _)| index != best)
                    .map(|(_, scored)| scored)
            };
            let row = serde_json::json!({
                "query": self.queries.items[query].text,
                "pos": [text(scored[best].0)],
                "neg": rest().map(|&(document, _)| text(document)).collect::<Vec<_>>(),
                "pos_scores": [scored[best].1],
                "neg_scores": rest().map(|&(_, logit)| logit).collect::<Vec<_>>(),
            });
            out.push_str(&row.to_string());
            out.push('\n');
        }
        out
    }

    /// All documents as BEIR's `corpus.jsonl`: `{"_id", "title", "text", "metadata": {"ids"}}`, where `ids` has the ids
    /// of all rows with this text, the one that stands in `_id` first.
    pub fn to_beir_corpus(&self) -> String {
        let mut out = String::new();
        for document in &self.documents.items {
            let (title, text) = apart(document);
            let row = serde_json::json!({
                "_id": document.ids[0],
                "title": title,
                "text": text,
                "metadata": { "ids": document.ids },
            });
            out.push_str(&row.to_string());
            out.push('\n');
        }
        out
    }

    /// All queries as BEIR's `queries.jsonl`: `{"_id", "text", "metadata": {"count", "ids"}}`, where `count` says how
    /// often the log has the query and `ids` is as in the corpus.
    pub fn to_beir_queries(&self) -> String {
        let mut out = String::new();
        for query in &self.queries.items {
            let row = serde_json::json!({
                "_id": query.ids[0],
                "text": query.text,
                "metadata": { "count": query.count, "ids": query.ids },
            });
            out.push_str(&row.to_string());
            out.push('\n');
        }
        out
    }

    /// Every candidate with rank (from 1, among the query's candidates), cosine and logit, tab-separated; the logit is
    /// empty where not scored.
    ///
    /// # Errors
    /// [`crate::Code::Internal`]
    pub fn to_scores_tsv(&self) -> Result<String> {
        let header = ["query-id", "corpus-id", "rank", "cosine", "logit"];
        let rows = self.candidates.iter().enumerate().flat_map(|(query, candidates)| {
            let ranked = (1..).zip(candidates);
            ranked.map(move |(rank, candidate): (usize, &Candidate)| {
                [
                    self.queries.items[query].ids[0].clone(),
                    self.documents.items[candidate.document as usize].ids[0].clone(),
                    rank.to_string(),
                    candidate.cosine.to_string(),
                    candidate.logit.map(|logit| logit.to_string()).unwrap_or_default(),
                ]
            })
        });
        written(b'\t', Some(&header), rows)
    }
}

/// Title and text of a document, which are encoded with one space between them.
fn apart(document: &Text) -> (&str, &str) {
    let title = document.title.as_deref().unwrap_or_default();
    match document.text.strip_prefix(title) {
        Some(text) => (title, text.strip_prefix(' ').unwrap_or(text)),
        None => ("", &document.text),
    }
}

/// The place of the highest logit; of the nearest document where several have it.
fn best_of(scored: &[(u32, f32)]) -> Option<usize> {
    (0..scored.len()).reduce(|best, index| if scored[index].1 > scored[best].1 { index } else { best })
}
