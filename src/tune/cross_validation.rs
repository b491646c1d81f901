//! Agreement with the cross-encoder on queries that were left out of training.

use serde::Serialize;

use super::recipe::Recipe;
use super::trainer::{shuffled_batches, train};
use super::training_set::TrainingSet;
use crate::device::Device;
use crate::error::Result;
use crate::evaluate::soft_ndcg_10;
use crate::job::{Job, StageProgress};
use crate::relations::Relations;
use crate::search::top_k;
use crate::vectors::Vectors;

/// Mean agreement with the cross-encoder on queries left out: nDCG@10 of the ranking of the whole corpus, where a
/// document's gain is the softmax of its logit among the query's scored candidates, and 0 without a logit.
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
    /// Queries it was measured on.
    pub queries: usize,
    /// Groups the queries were left out in.
    pub folds: usize,
}

/// Agreement of every query while it was left out.
pub struct CrossValidation {
    /// Of the base encoder, one number a query.
    pub base: Vec<f64>,
    /// For each checkpoint of the recipe, one number a query.
    pub tuned: Vec<Vec<f64>>,
    /// How many folds there were.
    pub folds: usize,
}

impl CrossValidation {
    /// The figures at one of the recipe's checkpoints.
    pub fn agreement(&self, checkpoint: usize) -> Agreement {
        let (base, tuned) = (&self.base, &self.tuned[checkpoint]);
        let count = base.len() as f64;
        let changes: Vec<f64> = tuned.iter().zip(base).map(|(tuned, base)| tuned - base).collect();
        let mean = changes.iter().sum::<f64>() / count;
        let variance = changes.iter().map(|change| (change - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
        Agreement {
            base: base.iter().sum::<f64>() / count,
            tuned: tuned.iter().sum::<f64>() / count,
            standard_error: (variance / count).sqrt(),
            queries: base.len(),
            folds: self.folds,
        }
    }

    /// The checkpoint with the highest mean agreement, the earliest of equals.
    pub fn best_checkpoint(&self) -> usize {
        let mean = |checkpoint: usize| self.agreement(checkpoint).tuned;
        (0..self.tuned.len())
            .reduce(|best, next| if mean(next) > mean(best) { next } else { best })
            .unwrap_or(0)
    }
}

/// Trains once a fold on the other folds and measures the fold left out; nothing with fewer than two folds.
///
/// # Errors
/// [`crate::Code::Cancelled`], [`crate::Code::DeviceFaulty`]
pub async fn cross_validate(
    relations: &Relations,
    set: &TrainingSet,
    folds: &[Vec<usize>],
    recipe: &Recipe,
    device: &Device,
    job: &Job<'_>,
    progress: &StageProgress<'_>,
) -> Result<Option<CrossValidation>> {
    if folds.len() < 2 {
        return Ok(None);
    }
    let everyone: Vec<usize> = (0..set.len()).collect();
    let base = query_agreement(relations, &everyone, &set.queries, device, job).await?;
    let mut tuned = vec![vec![0.0; set.len()]; recipe.checkpoints.len()];
    for left_out in folds {
        let rest: Vec<usize> = folds
            .iter()
            .filter(|fold| *fold != left_out)
            .flatten()
            .copied()
            .collect();
        let trained = train(
            set,
            &shuffled_batches(&rest, recipe),
            &keep(recipe, rest.len()),
            recipe,
            device,
            job,
            Some(progress),
        )
        .await?;
        let queries = set.queries.select(left_out.iter().copied());
        for (checkpoint, (_, head)) in trained.heads.iter().enumerate() {
            let adapted = head.apply(&queries, device).await?;
            let agreement = query_agreement(relations, left_out, &adapted, device, job).await?;
            for (&query, agreement) in left_out.iter().zip(agreement) {
                tuned[checkpoint][query] = agreement;
            }
        }
    }
    Ok(Some(CrossValidation {
        base,
        tuned,
        folds: folds.len(),
    }))
}

/// The numbers of steps after which a head trained on that many queries is kept.
pub fn keep(recipe: &Recipe, queries: usize) -> Vec<usize> {
    recipe
        .checkpoints
        .iter()
        .map(|epochs| epochs * recipe.steps_per_epoch(queries))
        .collect()
}

/// Steps that cross-validation over these folds takes.
pub fn steps(folds: &[Vec<usize>], recipe: &Recipe) -> usize {
    let queries: usize = folds.iter().map(Vec::len).sum();
    let of = |fold: &Vec<usize>| keep(recipe, queries - fold.len()).last().copied().unwrap_or(0);
    if folds.len() < 2 { 0 } else { folds.iter().map(of).sum() }
}

/// Agreement of some of the relations' queries, given their (adapted) vectors.
async fn query_agreement(
    relations: &Relations,
    queries: &[usize],
    vectors: &Vectors,
    device: &Device,
    job: &Job<'_>,
) -> Result<Vec<f64>> {
    let rankings = top_k(vectors, &relations.document_vectors, 10, device, job, |_| {}).await?;
    let agreement = queries.iter().zip(rankings).map(|(&query, ranking)| {
        let ranking: Vec<u32> = ranking.iter().map(|neighbour| neighbour.document).collect();
        let (documents, logits): (Vec<u32>, Vec<f32>) = relations.scored(query).unzip();
        let gains: Vec<(u32, f32)> = documents
            .into_iter()
            .zip(super::training_set::softmax(&logits))
            .collect();
        soft_ndcg_10(&ranking, &gains)
    });
    Ok(agreement.collect())
}
