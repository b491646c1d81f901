//! One training, from relations to a decision: the tuned head, or the base model.

use serde::Serialize;

use super::cross_validation::{Agreement, cross_validate, keep, steps};
use super::folds::{grouped_folds, random_folds};
use super::head::QueryHead;
use super::recipe::Recipe;
use super::trainer::{shuffled_batches, train};
use super::training_set::TrainingSet;
use crate::device::Device;
use crate::error::{Code, Error, Result};
use crate::job::{Job, Stage, StageTime};
use crate::relations::Relations;

/// A trained head and what was found out about it.
#[derive(Clone, Debug)]
pub struct Fit {
    /// Every constant.
    pub recipe: Recipe,
    /// The trained head, also where the base model is delivered.
    pub head: QueryHead,
    /// Whether the head is delivered; otherwise the base model is.
    pub delivered: bool,
    /// Why, for people.
    pub reason: String,
    /// What the person should know before trusting the result.
    pub warnings: Vec<String>,
    /// Optimizer steps of the final training.
    pub steps: usize,
    /// Steps after which `head` was taken.
    pub head_step: usize,
    /// The training curve.
    pub history: Vec<HistoryPoint>,
    /// On queries like the log's: left out at random.
    pub random: Option<Agreement>,
    /// On new queries: left out together with all that share their best document.
    pub grouped: Option<Agreement>,
    /// What it took.
    pub time: StageTime,
}

/// A step of the training curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryPoint {
    /// Steps taken; 0 is the base model.
    pub step: usize,
    /// Loss of the batch before the step that follows; absent after the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<f32>,
    /// Mean agreement on queries left out at this many steps, where it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_out: Option<f64>,
}

/// Under this many distinct queries, accepted runs were worse on *new* queries in 20 to 50 % of cases.
const EXPERIMENTAL_BELOW: usize = 200;
/// From this many on, no accepted run was.
const SOLID_FROM: usize = 400;

/// Trains the recipe's head on relations and decides by cross-validation over queries what is delivered.
///
/// # Errors
/// [`Code::Option`] if there is nothing to train on; [`Code::Cancelled`], [`Code::DeviceFaulty`]
pub async fn fit(relations: &Relations, recipe: Recipe, device: &Device, job: &Job<'_>) -> Result<Fit> {
    if relations.scored(0).next().is_none() {
        return Err(Error::new(
            Code::Option,
            "No pair has a score: synthesize with a depth of at least 1 first.",
        ));
    }
    let set = TrainingSet::from_relations(relations)?;
    let everyone: Vec<usize> = (0..set.len()).collect();
    let random = random_folds(set.len(), recipe.folds, recipe.seed);
    let grouped = grouped_folds(&set, recipe.folds, recipe.seed);
    let checkpoints = keep(&recipe, set.len());
    let total = steps(&random, &recipe) + steps(&grouped, &recipe) + checkpoints.last().copied().unwrap_or(0);
    let progress = job.stage(Stage::Tune, total, 0);

    let by_random = cross_validate(relations, &set, &random, &recipe, device, job, &progress).await?;
    let by_group = cross_validate(relations, &set, &grouped, &recipe, device, job, &progress).await?;
    let batches = shuffled_batches(&everyone, &recipe);
    let trained = train(&set, &batches, &checkpoints, &recipe, device, job, Some(&progress)).await?;

    let chosen = by_random
        .as_ref()
        .map_or(recipe.checkpoints.len() - 1, |validation| validation.best_checkpoint());
    let agreement = by_random.as_ref().map(|validation| validation.agreement(chosen));
    let delivered = agreement.is_some_and(|agreement| agreement.tuned > agreement.base);
    let (head_step, head) = trained
        .heads
        .into_iter()
        .nth(chosen)
        .ok_or_else(|| Error::new(Code::Internal, "The training kept no head."))?;
    let reason = match agreement {
        None => "There are too few queries to leave some out and check: the base model is delivered.".to_owned(),
        Some(agreement) if delivered => format!(
            "On queries left out of training, agreement with the cross-encoder rose from {:.4} to {:.4}.",
            agreement.base, agreement.tuned
        ),
        Some(agreement) => format!(
            "On queries left out of training, agreement with the cross-encoder did not rise (base {:.4}, best {:.4}): \
             the base model is delivered.",
            agreement.base, agreement.tuned
        ),
    };
    let mut history: Vec<HistoryPoint> = (0..=trained.losses.len())
        .map(|step| HistoryPoint {
            step,
            loss: trained.losses.get(step).map(|loss| loss.total),
            held_out: None,
        })
        .collect();
    if let (Some(validation), Some(base)) = (&by_random, agreement.map(|agreement| agreement.base)) {
        history[0].held_out = Some(base);
        for (checkpoint, &step) in checkpoints.iter().enumerate() {
            history[step].held_out = Some(validation.agreement(checkpoint).tuned);
        }
    }
    Ok(Fit {
        head,
        delivered,
        reason,
        warnings: warnings(set.len()),
        steps: trained.losses.len(),
        head_step,
        history,
        random: agreement,
        grouped: by_group.map(|validation| validation.agreement(chosen)),
        time: progress.finish(),
        recipe,
    })
}

/// What the person should know about the size of the log; the risks were measured on SciFact logs of different sizes.
fn warnings(queries: usize) -> Vec<String> {
    let own = "The log's own queries gain from far fewer, wherever the cross-encoder is right.";
    match queries {
        0..EXPERIMENTAL_BELOW => vec![format!(
            "Only {queries} distinct queries: for new queries this is an experiment. Under {EXPERIMENTAL_BELOW}, a \
             fifth to a half of the runs that looked better were a little worse on new queries. {own}"
        )],
        EXPERIMENTAL_BELOW..SOLID_FROM => vec![format!(
            "{queries} distinct queries: fewer than {SOLID_FROM}, so the gain on new queries is uncertain. {own}"
        )],
        _ => Vec::new(),
    }
}
