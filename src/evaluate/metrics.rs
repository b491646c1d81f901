//! Ranking metrics, by trec_eval's definitions.

use std::collections::BTreeMap;

use serde::Serialize;

/// What a system found: for each query its documents with their scores, in any order, no document twice.
pub type Run = BTreeMap<String, Vec<(String, f32)>>;

/// What people found: for each query its judged documents with their relevance; above 0 is relevant.
pub type Judgements = BTreeMap<String, BTreeMap<String, i32>>;

/// How much each query counts: for figures by traffic, how often it was asked. Queries that are not named count 1.
pub type Weights = BTreeMap<String, f64>;

/// One value for each metric: a figure in 0..=1 by default, or what is made of such figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Metrics<T = f64> {
    /// Normalised discounted cumulative gain of the first 10: the gain is the relevance itself, the discount
    /// log2(1 + rank), the ideal is the judged documents in order of relevance (trec_eval's `ndcg_cut_10`).
    #[serde(rename = "ndcg@10")]
    pub ndcg_10: T,
    /// 1 / rank of the first relevant document, 0 where that rank is above 10 (trec_eval's `recip_rank`, cut).
    #[serde(rename = "mrr@10")]
    pub mrr_10: T,
    /// Sum of the precisions at the ranks of the relevant documents among the first 100, divided by the number
    /// of all relevant documents (trec_eval's `map_cut_100`).
    #[serde(rename = "map@100")]
    pub map_100: T,
    /// The part of the relevant documents that is among the first 100 (trec_eval's `recall_100`).
    #[serde(rename = "recall@100")]
    pub recall_100: T,
}

impl<T: Copy> Metrics<T> {
    /// The same metrics, each value turned into another. A metric is named by how it is taken from a `Metrics<f64>`.
    pub(super) fn each(mut make: impl FnMut(fn(&Metrics) -> f64) -> T) -> Self {
        Self {
            ndcg_10: make(|metrics| metrics.ndcg_10),
            mrr_10: make(|metrics| metrics.mrr_10),
            map_100: make(|metrics| metrics.map_100),
            recall_100: make(|metrics| metrics.recall_100),
        }
    }

    /// The same metrics, each value turned into another.
    pub fn map<U>(self, make: impl Fn(T) -> U) -> Metrics<U> {
        Metrics {
            ndcg_10: make(self.ndcg_10),
            mrr_10: make(self.mrr_10),
            map_100: make(self.map_100),
            recall_100: make(self.recall_100),
        }
    }
}

/// How well a run answers the judged queries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judged {
    /// Each query's metrics: those that are both in the run and in the judgements.
    pub queries: BTreeMap<String, Metrics>,
    /// The mean over [`Judged::queries`]; 0 where there are none.
    pub mean: Metrics,
    /// Judged queries that the run does not have; they are not in the mean.
    pub missing: usize,
}

impl Judged {
    fn from_queries(queries: BTreeMap<String, Metrics>, missing: usize) -> Self {
        let count = queries.len().max(1) as f64;
        let mean = Metrics::each(|metric| queries.values().map(metric).sum::<f64>() / count);
        Self { queries, mean, missing }
    }

    /// The figures of those queries only that `other` has too.
    pub fn of_queries(mut self, other: &Self) -> Self {
        self.queries.retain(|query, _| other.queries.contains_key(query));
        Self::from_queries(self.queries, self.missing)
    }

    /// Each query's mean over the parts that have it.
    pub fn mean_of(parts: &[Self]) -> Self {
        let mut all: BTreeMap<String, Vec<&Metrics>> = BTreeMap::new();
        for (query, metrics) in parts.iter().flat_map(|part| &part.queries) {
            all.entry(query.clone()).or_default().push(metrics);
        }
        let mean = |of: &Vec<&Metrics>| {
            Metrics::each(|metric| of.iter().map(|metrics| metric(metrics)).sum::<f64>() / of.len() as f64)
        };
        let queries = all.iter().map(|(query, of)| (query.clone(), mean(of))).collect();
        Self::from_queries(queries, 0)
    }

    /// The mean over [`Judged::queries`], each as often as its weight says: what a person who searches gets, where
    /// [`Judged::mean`] is what a query gets. Weights below 0, or not finite, count as 0; 0 if all are.
    ///
    /// ```
    /// use querytune::evaluate::{Judged, Metrics, Weights};
    ///
    /// let of = |mrr_10| Metrics { mrr_10, ..Metrics::default() };
    /// let judged = Judged { queries: [("often".into(), of(1.0)), ("once".into(), of(0.2))].into(), ..Judged::default() };
    /// assert!((judged.weighted_mean(&Weights::from([("often".into(), 3.0)])).mrr_10 - 0.8).abs() < 1e-12);
    /// ```
    pub fn weighted_mean(&self, weights: &Weights) -> Metrics {
        let weighted: Vec<(f64, &Metrics)> = self
            .queries
            .iter()
            .map(|(query, metrics)| (weight(weights, query), metrics))
            .collect();
        let total: f64 = weighted.iter().map(|(weight, _)| weight).sum();
        Metrics::each(|metric| {
            let sum: f64 = weighted.iter().map(|(weight, metrics)| weight * metric(metrics)).sum();
            if total > 0.0 { sum / total } else { 0.0 }
        })
    }
}

/// A query's weight, as it counts.
pub(super) fn weight(weights: &Weights, query: &str) -> f64 {
    let weight = weights.get(query).copied().unwrap_or(1.0);
    if weight.is_finite() { weight.max(0.0) } else { 0.0 }
}

/// Measures `run` against `judgements`.
///
/// As trec_eval does unless told otherwise, the mean is over the queries that are in both: a query without
/// judgements has no figure, a judged query that the run lacks is counted in [`Judged::missing`]. A query with
/// an empty ranking, or without any relevant document, is in the mean with 0. Documents without a judgement and
/// those judged below 1 are not relevant.
///
/// ```
/// use querytune::evaluate::{Judgements, Run, judge};
///
/// let judgements = Judgements::from([("q".into(), [("b".into(), 1)].into())]);
/// let run = Run::from([("q".into(), vec![("a".into(), 0.9), ("b".into(), 0.8)])]);
/// assert_eq!(judge(&judgements, &run).mean.mrr_10, 0.5);
/// ```
pub fn judge(judgements: &Judgements, run: &Run) -> Judged {
    let mut queries = BTreeMap::new();
    let mut missing = 0;
    for (query, relevance) in judgements {
        match run.get(query) {
            Some(ranking) => drop(queries.insert(query.clone(), judge_query(relevance, &ranked(ranking)))),
            None => missing += 1,
        }
    }
    Judged::from_queries(queries, missing)
}

/// A query's documents in trec_eval's order: by descending score, equal scores by descending document id (bytes).
///
/// A score that is not a number comes last.
pub fn ranked(ranking: &[(String, f32)]) -> Vec<&str> {
    // Adding 0 makes -0 equal to 0, as it is to trec_eval; total_cmp tells them apart.
    let score = |score: f32| if score.is_nan() { f32::NEG_INFINITY } else { score + 0.0 };
    let mut order: Vec<(f32, &str)> = ranking.iter().map(|(id, s)| (score(*s), id.as_str())).collect();
    order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then_with(|| b.1.as_bytes().cmp(a.1.as_bytes())));
    order.into_iter().map(|(_, id)| id).collect()
}

fn judge_query(relevance: &BTreeMap<String, i32>, ranking: &[&str]) -> Metrics {
    let gain = |id: &&str| f64::from(relevance.get(*id).copied().unwrap_or(0).max(0));
    let relevant = relevance.values().filter(|&&level| level > 0).count();
    if relevant == 0 {
        return Metrics::default();
    }

    let mut ideal: Vec<f64> = relevance.values().map(|&level| f64::from(level.max(0))).collect();
    ideal.sort_unstable_by(|a, b| b.total_cmp(a));
    let ndcg_10 = dcg_10(ranking.iter().map(gain)) / dcg_10(ideal.into_iter());

    let mut found = 0.0;
    let mut precisions = 0.0;
    let mut mrr_10 = 0.0;
    for (index, _) in ranking.iter().take(100).enumerate().filter(|(_, id)| gain(id) > 0.0) {
        let rank = (index + 1) as f64;
        if found == 0.0 && index < 10 {
            mrr_10 = 1.0 / rank;
        }
        found += 1.0;
        precisions += found / rank;
    }
    let relevant = relevant as f64;
    Metrics {
        ndcg_10,
        mrr_10,
        map_100: precisions / relevant,
        recall_100: found / relevant,
    }
}

/// Discounted cumulative gain of the first 10.
fn dcg_10(gains: impl Iterator<Item = f64>) -> f64 {
    gains
        .take(10)
        .zip(2u32..)
        .map(|(gain, rank_and_1)| gain / f64::from(rank_and_1).log2())
        .sum()
}

/// nDCG@10 with gains that are real numbers: how well a ranking agrees with a softer teacher than judgements.
///
/// `ranking` holds document numbers, best first; only the first 10 count. `gains` holds (document, gain), each
/// document once, gains not negative; a document without a gain has 0. The ideal is the gains in descending
/// order. The result is in 0..=1, and 0 where no gain is above 0.
pub fn soft_ndcg_10(ranking: &[u32], gains: &[(u32, f32)]) -> f64 {
    let gain = |document: &u32| {
        gains
            .iter()
            .find(|(known, _)| known == document)
            .map_or(0.0, |&(_, gain)| f64::from(gain))
    };
    let mut ideal: Vec<f64> = gains.iter().map(|&(_, gain)| f64::from(gain)).collect();
    ideal.sort_unstable_by(|a, b| b.total_cmp(a));
    let ideal = dcg_10(ideal.into_iter());
    if ideal > 0.0 {
        dcg_10(ranking.iter().take(10).map(gain)) / ideal
    } else {
        0.0
    }
}
