//! Agreement with the cross-encoder on queries that were left out of training.

use serde::Serialize;

use super::ranker::Ranker;
use super::recipe::{Method, Recipe};
use super::trainer::{Training, shuffled_batches};
use super::training_set::softmax;
use crate::error::Result;
use crate::evaluate::{paired_bootstrap, soft_ndcg_10};
use crate::job::{Job, StageProgress};
use crate::relations::Relations;
use crate::search::Neighbour;

/// Mean agreement with the cross-encoder on queries left out: nDCG@10 of the ranking of the whole corpus (of scored
/// candidates alone where it says `pooled`), where a document's gain is the softmax of its logit among the query's scored
/// candidates, and 0 without a logit.
///
/// This says how far the cross-encoder is followed, not whether it is right.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Agreement {
    /// Of the base encoder.
    pub base: f64,
    /// Of the tuned one.
    pub tuned: f64,
    /// Standard error of the mean of tuned minus base over queries.
    pub standard_error: f64,
    /// 95 % confidence interval of that mean ([`paired_bootstrap`]).
    pub ci95: [f64; 2],
    /// Queries it was measured on.
    pub queries: usize,
    /// Groups of queries that were left out in turn.
    pub folds: usize,
    /// Whether only the scored candidates of the queries were ranked: such figures are higher than others.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pooled: bool,
    /// The same by traffic, each query as often as it was asked; absent where all were asked equally often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic: Option<TrafficAgreement>,
}

/// Agreement with each query as often as it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TrafficAgreement {
    /// Of the base encoder.
    pub base: f64,
    /// Of the tuned one.
    pub tuned: f64,
}

/// What became of the queries while they were left out; all lists are in the order of `queries`.
#[derive(Clone, Debug, Default)]
pub struct LeftOut {
    /// The log's queries by number.
    pub queries: Vec<usize>,
    /// Their agreement by the base encoder.
    pub base: Vec<f64>,
    /// Their agreement by the adapter that had not seen them.
    pub tuned: Vec<f64>,
    /// The base encoder's rankings.
    pub base_rankings: Vec<Vec<Neighbour>>,
    /// That adapter's rankings.
    pub tuned_rankings: Vec<Vec<Neighbour>>,
    /// How many folds were left out in turn.
    pub folds: usize,
    /// Whether only the scored candidates of the queries were ranked, not the whole corpus.
    pub pooled: bool,
}

impl LeftOut {
    /// The figures; `counts` says how often each of the log's queries was asked, the interval is drawn by `seed`.
    pub fn agreement(&self, counts: &[u32], seed: u64) -> Agreement {
        let changes: Vec<f64> = self
            .tuned
            .iter()
            .zip(&self.base)
            .map(|(tuned, base)| tuned - base)
            .collect();
        let weights: Vec<f64> = self.queries.iter().map(|&query| f64::from(counts[query])).collect();
        let by_traffic = |values: &[f64]| {
            let sum: f64 = values.iter().zip(&weights).map(|(value, weight)| value * weight).sum();
            sum / weights.iter().sum::<f64>()
        };
        let is_even = weights.iter().all(|weight| *weight == weights[0]);
        Agreement {
            base: mean(&self.base),
            tuned: mean(&self.tuned),
            standard_error: standard_error(&changes),
            ci95: paired_bootstrap(&changes, seed),
            queries: self.queries.len(),
            folds: self.folds,
            pooled: self.pooled,
            traffic: (!is_even).then(|| TrafficAgreement {
                base: by_traffic(&self.base),
                tuned: by_traffic(&self.tuned),
            }),
        }
    }
}

/// Mean of values of which there is one at least.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard error of the mean of such values: the root of their variance, with one degree of freedom less than there are
/// values, over their number.
pub fn standard_error(values: &[f64]) -> f64 {
    let (mean, count) = (mean(values), values.len() as f64);
    let variance = values.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    (variance / count).sqrt()
}

/// What became of the queries at each of some checkpoints.
pub struct CrossValidation {
    /// All but what the adapters have to do with.
    base: LeftOut,
    /// One a checkpoint.
    checkpoints: Vec<ByAdapter>,
}

/// What the adapters of a checkpoint, one a fold, made of the queries that they had not seen.
#[derive(Clone, Default)]
struct ByAdapter {
    agreement: Vec<f64>,
    rankings: Vec<Vec<Neighbour>>,
}

impl CrossValidation {
    /// The checkpoint with the highest mean agreement, the earliest of equals.
    pub fn best_checkpoint(&self) -> usize {
        let mean = |checkpoint: usize| self.mean(checkpoint);
        (0..self.checkpoints.len())
            .reduce(|best, next| if mean(next) > mean(best) { next } else { best })
            .unwrap_or(0)
    }

    /// Mean agreement at a checkpoint.
    pub fn mean(&self, checkpoint: usize) -> f64 {
        let tuned = &self.checkpoints[checkpoint].agreement;
        tuned.iter().sum::<f64>() / tuned.len().max(1) as f64
    }

    /// One checkpoint; the others are dropped.
    pub fn into_checkpoint(mut self, checkpoint: usize) -> LeftOut {
        let chosen = self.checkpoints.swap_remove(checkpoint);
        LeftOut {
            tuned: chosen.agreement,
            tuned_rankings: chosen.rankings,
            ..self.base
        }
    }
}

/// Trains once a fold on the other folds, up to the last of `checkpoints` (epochs), and measures the fold left out at each
/// of them; nothing with fewer than two folds.
///
/// Where every document would have to go through the encoder again for every measurement, only the first fold is left
/// out, and only the scored candidates of its queries are ranked, by base and tuned encoder alike.
///
/// # Errors
/// [`crate::Code::Cancelled`], [`crate::Code::DeviceFaulty`]
pub async fn cross_validate(
    training: &Training<'_>,
    ranker: &Ranker<'_>,
    folds: &[Vec<usize>],
    checkpoints: &[usize],
    job: &Job<'_>,
    progress: &StageProgress<'_>,
) -> Result<Option<CrossValidation>> {
    if folds.len() < 2 {
        return Ok(None);
    }
    let recipe = training.recipe;
    let mut validation = CrossValidation {
        base: LeftOut {
            folds: measured_folds(folds, recipe),
            pooled: encodes_corpus_anew(recipe),
            ..LeftOut::default()
        },
        checkpoints: vec![ByAdapter::default(); checkpoints.len()],
    };
    for left_out in &folds[..measured_folds(folds, recipe)] {
        let rest: Vec<usize> = folds
            .iter()
            .filter(|fold| *fold != left_out)
            .flatten()
            .copied()
            .collect();
        let batches = shuffled_batches(&rest, &training.set.counts, recipe);
        let start = training.student.start(recipe.seed);
        let trained = training
            .run(
                start,
                &batches,
                &keep(recipe, checkpoints, rest.len()),
                job,
                Some(progress),
            )
            .await?;
        let pool = validation.base.pooled.then(|| ranker.candidates(left_out));
        for (checkpoint, (_, adapter)) in validation.checkpoints.iter_mut().zip(&trained.adapters) {
            let tuned = ranker.rank(Some(adapter), left_out, pool.as_deref(), job).await?;
            checkpoint
                .agreement
                .extend(agreement(ranker.relations, left_out, &tuned));
            checkpoint.rankings.extend(tuned);
        }
        let ranked = ranker.rank(None, left_out, pool.as_deref(), job).await?;
        let base = &mut validation.base;
        base.base.extend(agreement(ranker.relations, left_out, &ranked));
        base.base_rankings.extend(ranked);
        base.queries.extend(left_out);
    }
    Ok(Some(validation))
}

/// Whether documents go through the encoder again after every training.
fn encodes_corpus_anew(recipe: &Recipe) -> bool {
    recipe.method == Method::Lora && !recipe.keeps_documents()
}

fn measured_folds(folds: &[Vec<usize>], recipe: &Recipe) -> usize {
    if encodes_corpus_anew(recipe) { 1 } else { folds.len() }
}

/// Checkpoints in steps of a training on that many queries.
pub fn keep(recipe: &Recipe, checkpoints: &[usize], queries: usize) -> Vec<usize> {
    checkpoints
        .iter()
        .map(|epochs| epochs * recipe.steps_per_epoch(queries))
        .collect()
}

/// Steps that cross-validation over these folds takes, up to the last of these checkpoints.
pub fn steps(folds: &[Vec<usize>], recipe: &Recipe, checkpoints: &[usize]) -> usize {
    let queries: usize = folds.iter().map(Vec::len).sum();
    let of = |fold: &Vec<usize>| {
        let kept = keep(recipe, checkpoints, queries - fold.len());
        kept.last().copied().unwrap_or(0)
    };
    if folds.len() < 2 {
        return 0;
    }
    folds[..measured_folds(folds, recipe)].iter().map(of).sum()
}

/// Agreement of rankings of some of the relations' queries.
pub fn agreement(relations: &Relations, queries: &[usize], rankings: &[Vec<Neighbour>]) -> Vec<f64> {
    let agreement = queries.iter().zip(rankings).map(|(&query, ranking)| {
        let ranking: Vec<u32> = ranking.iter().take(10).map(|neighbour| neighbour.document).collect();
        let (documents, logits): (Vec<u32>, Vec<f32>) = relations.scored(query).unzip();
        let gains: Vec<(u32, f32)> = documents.into_iter().zip(softmax(&logits)).collect();
        soft_ndcg_10(&ranking, &gains)
    });
    agreement.collect()
}
