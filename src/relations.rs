//! The synthetic data set: each query's candidates with the cross-encoder's logits.

use std::rc::Rc;

use serde::Serialize;

use crate::input::Texts;
use crate::job::StageTime;
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
        (0..self.candidates.len()).flat_map(|query| self.rows_of(query))
    }

    /// Those of one query.
    pub fn rows_of(&self, query: usize) -> Vec<Row> {
        let most = self.per_query.unwrap_or(usize::MAX);
        let scored: Vec<(u32, f32)> = self.scored(query).take(most).collect();
        let Some(best) = best_of(&scored) else {
            return Vec::new();
        };
        let (similar, top) = scored[best];
        let others = scored.iter().enumerate().filter(|&(index, _)| index != best);
        others
            .map(|(_, &(dissimilar, logit))| Row {
                query,
                similar,
                dissimilar,
                margin: top - logit,
            })
            .collect()
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
}

/// The place of the highest logit; of the nearest document where several have it.
pub fn best_of(scored: &[(u32, f32)]) -> Option<usize> {
    (0..scored.len()).reduce(|best, index| if scored[index].1 > scored[best].1 { index } else { best })
}
