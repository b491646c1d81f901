//! One training, from relations to a decision: the tuned encoder, or the base model.

use std::rc::Rc;

use serde::Serialize;

use super::adapter::{Adapted, Adapter, files_missing};
use super::cross_validation::{Agreement, LeftOut, cross_validate, keep, steps};
use super::folds::{grouped_folds, random_folds};
use super::ranker::Ranker;
use super::recipe::{Loss, Method, Recipe};
use super::student::{Student, Trainable};
use super::trainer::{Trained, Training, shuffled_batches};
use super::training_set::TrainingSet;
use crate::device::Device;
use crate::error::{Code, Error, Result};
use crate::job::{Job, Stage, StageProgress, StageTime};
use crate::model::{Encoder, ModelFiles};
use crate::relations::Relations;

/// A trained adapter and what was found out about it.
pub struct Fit {
    /// Every constant.
    pub recipe: Recipe,
    /// The trained adapter, ready for use, also where the base model is delivered.
    pub adapted: Rc<Adapted>,
    /// Whether it is delivered; otherwise the base model is.
    pub delivered: bool,
    /// Why, for people.
    pub reason: String,
    /// What the person should know before trusting the result.
    pub warnings: Vec<String>,
    /// Whether the log is so small that the result is an experiment as to new queries.
    pub experimental: bool,
    /// Optimizer steps of the final training.
    pub steps: usize,
    /// Steps after which the adapter was taken.
    pub adapter_step: usize,
    /// Epochs after which the adapter was taken.
    pub adapter_epoch: usize,
    /// The training curve.
    pub history: Vec<HistoryPoint>,
    /// On queries like the log's: left out at random.
    pub random: Option<Agreement>,
    /// On new queries: left out together with all that share their best document.
    pub grouped: Option<Agreement>,
    /// The queries one by one, left out at random.
    pub left_out_at_random: Option<LeftOut>,
    /// The queries one by one, left out in groups.
    pub left_out_in_groups: Option<LeftOut>,
    /// What it took.
    pub time: StageTime,
}

impl Fit {
    /// What was trained.
    pub fn adapter(&self) -> &Adapter {
        self.adapted.adapter()
    }
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

/// The encoder that is tuned: what trains it beyond its vectors.
#[derive(Clone, Copy)]
pub struct BaseEncoder<'b> {
    /// As it is used for everything else.
    pub encoder: &'b Encoder,
    /// The files it was loaded from. Only [`Method::Lora`] needs them.
    pub files: Option<&'b ModelFiles>,
}

/// Under this many distinct queries, accepted runs were worse on *new* queries in 20 to 50 % of cases.
const EXPERIMENTAL_BELOW: usize = 200;
/// From this many on, no accepted run was.
const SOLID_FROM: usize = 400;

/// What every training on the same relations shares.
struct Trainer<'t> {
    relations: &'t Relations,
    recipe: &'t Recipe,
    base: BaseEncoder<'t>,
    device: &'t Device,
    trainable: Option<Trainable<'t>>,
}

impl<'t> Trainer<'t> {
    async fn new(
        relations: &'t Relations,
        recipe: &'t Recipe,
        base: BaseEncoder<'t>,
        device: &'t Device,
        job: &Job<'_>,
    ) -> Result<Self> {
        let trainable = match (recipe.method, base.files) {
            (Method::QueryHead | Method::Head, _) => None,
            (Method::Lora, Some(files)) => Some(Trainable::load(files, base.encoder, device, job).await?),
            (Method::Lora, None) => return Err(files_missing()),
        };
        Ok(Self {
            relations,
            recipe,
            base,
            device,
            trainable,
        })
    }

    fn set(&self, allowed: impl Fn(u32) -> bool) -> Result<TrainingSet> {
        TrainingSet::from_relations(self.relations, self.recipe, allowed)
    }

    fn student(&self, set: &TrainingSet) -> Result<Student<'_>> {
        match (&self.trainable, &self.recipe.lora) {
            (Some(trainable), Some(lora)) => Student::changes(trainable, set, self.relations, lora),
            _ => Ok(Student::heads(set, self.recipe.method == Method::Head, self.device)),
        }
    }

    fn training<'a>(&'a self, set: &'a TrainingSet, student: &'a Student<'a>) -> Training<'a> {
        Training {
            set,
            student,
            recipe: self.recipe,
            device: self.device,
            margin_scale: self.recipe.margin_scale.unwrap_or_else(|| set.margin_scale()),
        }
    }

    fn ranker(&self) -> Ranker<'_> {
        Ranker {
            relations: self.relations,
            base: self.base.files,
            device: self.device,
        }
    }
}

/// Trains the recipe's adapter on relations and decides by cross-validation over queries what is delivered.
///
/// # Errors
/// [`Code::Option`] if there is nothing to train on; [`Code::Cancelled`], [`Code::DeviceFaulty`]
pub async fn fit(
    relations: &Relations,
    recipe: Recipe,
    base: BaseEncoder<'_>,
    device: &Device,
    job: &Job<'_>,
) -> Result<Fit> {
    let trainer = Trainer::new(relations, &recipe, base, device, job).await?;
    let set = trainer.set(|_| true)?;
    let everyone = set.trainable();
    if everyone.is_empty() {
        return Err(Error::new(
            Code::Option,
            "No pair has a score: synthesize with a depth of at least 1 first.",
        ));
    }
    let random = random_folds(&set, recipe.folds, recipe.seed);
    let grouped = grouped_folds(&set, recipe.folds, recipe.seed);
    let epochs = &recipe.checkpoints;
    let checkpoints = keep(&recipe, epochs, everyone.len());
    // What is left out in groups is trained to the chosen checkpoint only; to the last one at most.
    let total = |grouped_epochs: &[usize]| {
        steps(&random, &recipe, epochs)
            + steps(&grouped, &recipe, grouped_epochs)
            + checkpoints.last().copied().unwrap_or(0)
    };
    let progress = job.stage(Stage::Tune, total(epochs), 0);

    let student = trainer.student(&set)?;
    let training = trainer.training(&set, &student);
    let ranker = trainer.ranker();
    let by_random = cross_validate(&training, &ranker, &random, epochs, job, &progress).await?;
    let chosen = by_random
        .as_ref()
        .map_or(epochs.len() - 1, |validation| validation.best_checkpoint());
    let held_out: Option<Vec<f64>> = by_random.as_ref().map(|validation| {
        (0..epochs.len())
            .map(|checkpoint| validation.mean(checkpoint))
            .collect()
    });
    let left_out_at_random = by_random.map(|validation| validation.into_checkpoint(chosen));
    let chosen_epochs = &epochs[chosen..=chosen];
    progress.expect(total(chosen_epochs));
    let by_group = cross_validate(&training, &ranker, &grouped, chosen_epochs, job, &progress).await?;
    let left_out_in_groups = by_group.map(|validation| validation.into_checkpoint(0));
    let trained = final_training(&training, &everyone, &checkpoints, job, &progress).await?;

    let mut history: Vec<HistoryPoint> = (0..=trained.losses.len())
        .map(|step| HistoryPoint {
            step,
            loss: trained.losses.get(step).map(|loss| loss.total),
            held_out: None,
        })
        .collect();
    for (&step, mean) in checkpoints.iter().zip(held_out.into_iter().flatten()) {
        history[step].held_out = Some(mean);
    }
    let figures = |left_out: &LeftOut| left_out.agreement(&set.counts, recipe.seed);
    let agreement = left_out_at_random.as_ref().map(figures);
    history[0].held_out = agreement.map(|agreement| agreement.base);
    let (delivered, reason) = decide(agreement);
    let (adapter_step, adapter) = trained
        .adapters
        .into_iter()
        .nth(chosen)
        .ok_or_else(|| Error::new(Code::Internal, "The training kept no adapter."))?;
    Ok(Fit {
        adapted: Rc::new(Adapted::new(adapter, base.files, device, job).await?),
        delivered,
        reason,
        warnings: warnings(set.len()),
        experimental: set.len() < EXPERIMENTAL_BELOW,
        steps: trained.losses.len(),
        adapter_step,
        adapter_epoch: recipe.checkpoints[chosen],
        history,
        random: agreement,
        grouped: left_out_in_groups.as_ref().map(figures),
        left_out_at_random,
        left_out_in_groups,
        time: progress.finish(),
        recipe: Recipe {
            // As it was fitted, where it was.
            margin_scale: (recipe.loss == Loss::MarginMse).then_some(training.margin_scale),
            ..recipe.clone()
        },
    })
}

async fn final_training(
    training: &Training<'_>,
    queries: &[usize],
    keep: &[usize],
    job: &Job<'_>,
    progress: &StageProgress<'_>,
) -> Result<Trained> {
    let recipe = training.recipe;
    let batches = shuffled_batches(queries, &training.set.counts, recipe);
    let start = training.student.start(recipe.seed);
    training.run(start, &batches, keep, job, Some(progress)).await
}

/// Trains once more as a fit was trained, on candidates that are `allowed` only; nothing if there are none. The steps are
/// added to the stage that this is a part of.
///
/// # Errors
/// As [`fit`].
pub async fn retrain(
    relations: &Relations,
    fit: &Fit,
    base: BaseEncoder<'_>,
    device: &Device,
    allowed: impl Fn(u32) -> bool,
    job: &Job<'_>,
    progress: &StageProgress<'_>,
) -> Result<Option<Adapter>> {
    let trainer = Trainer::new(relations, &fit.recipe, base, device, job).await?;
    let set = trainer.set(allowed)?;
    let queries = set.trainable();
    if queries.is_empty() {
        return Ok(None);
    }
    let steps = fit.adapter_epoch * fit.recipe.steps_per_epoch(queries.len());
    progress.expect_more(steps);
    let student = trainer.student(&set)?;
    let training = trainer.training(&set, &student);
    let trained = final_training(&training, &queries, &[steps], job, progress).await?;
    Ok(trained.adapters.into_iter().next_back().map(|(_, adapter)| adapter))
}

/// What agreement has to rise by: less is none in the figures that people are shown.
const LEAST_RISE: f64 = 1e-4;

/// Whether the adapter is delivered, and why.
fn decide(agreement: Option<Agreement>) -> (bool, String) {
    match agreement {
        None => (
            false,
            "There are too few queries to leave some out and check: the base model is delivered.".to_owned(),
        ),
        Some(agreement) if agreement.tuned - agreement.base >= LEAST_RISE => (
            true,
            format!(
                "On queries left out of training, agreement with the cross-encoder rose from {:.4} to {:.4}{}.",
                agreement.base,
                agreement.tuned,
                perhaps_by_chance(agreement.ci95)
            ),
        ),
        Some(agreement) => (
            false,
            format!(
                "On queries left out of training, agreement with the cross-encoder did not rise (base {:.4}, best \
                 {:.4}): the base model is delivered.",
                agreement.base, agreement.tuned
            ),
        ),
    }
}

/// What is said of a rise whose interval reaches to 0 and below.
fn perhaps_by_chance([low, high]: [f64; 2]) -> String {
    if low > 0.0 {
        return String::new();
    }
    format!("; that may be chance (95 % interval of the change {low:+.4} to {high:+.4})")
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
            "{queries} distinct queries, fewer than {SOLID_FROM}: new queries gain little. Of five parts of SciFact's \
             log with 200 queries none made new queries worse, but nDCG@10 rose by one hundredth only; with 400 by two \
             to three. {own}"
        )],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreement(base: f64, tuned: f64) -> Agreement {
        Agreement {
            base,
            tuned,
            standard_error: 0.0,
            ci95: [0.0, 0.0],
            queries: 20,
            folds: 5,
            pooled: false,
            traffic: None,
        }
    }

    #[test]
    fn a_rise_that_no_figure_shows_is_none() {
        let (delivered, reason) = decide(Some(agreement(0.999_99, 1.0)));
        assert!(!delivered);
        assert!(reason.contains("did not rise (base 1.0000, best 1.0000)"), "{reason}");
        let (delivered, reason) = decide(Some(agreement(0.99, 0.9902)));
        assert!(delivered);
        assert!(reason.contains("rose from 0.9900 to 0.9902"), "{reason}");
    }
}
