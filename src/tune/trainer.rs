//! The optimizer loop.

use burn::optim::AdamWConfig;
use burn::tensor::Transaction;

use super::adapter::Adapter;
use super::batch::Batch;
use super::recipe::{Recipe, Sampling};
use super::student::{Student, Weights};
use super::training_set::TrainingSet;
use crate::device::Device;
use crate::error::{Code, Error, Result};
use crate::job::{Job, StageProgress};
use crate::random::Random;

/// The loss of one step, before the step was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepLoss {
    /// What is minimised.
    pub total: f32,
    /// The distance from the teacher, unweighted: KL, or MarginMSE.
    pub distillation: f32,
    /// The ranking loss, unweighted.
    pub ranking: f32,
    /// The heads' squared Frobenius norms, weighted.
    pub ridge: f32,
}

/// What a training gives.
#[derive(Clone, Debug)]
pub struct Trained {
    /// One entry a step.
    pub losses: Vec<StepLoss>,
    /// The adapter after each number of steps that was asked for.
    pub adapters: Vec<(usize, Adapter)>,
}

/// What stays the same over the steps of a training.
pub struct Training<'t> {
    /// What is learned from.
    pub set: &'t TrainingSet,
    /// What learns.
    pub student: &'t Student<'t>,
    /// How.
    pub recipe: &'t Recipe,
    /// Where.
    pub device: &'t Device,
    /// MarginMSE's factor of the cosines.
    pub margin_scale: f32,
}

/// Steps whose losses are read back in one go; reading them also keeps the queue to the device short.
const STEPS_IN_FLIGHT: usize = 8;

/// The learning rate of a step, counted from 0: a linear rise over the warm-up, then a linear fall.
pub fn learning_rate(recipe: &Recipe, step: usize, steps: usize) -> f64 {
    let warmup = (recipe.warmup * steps as f64).ceil();
    let step = step as f64;
    if step < warmup {
        return recipe.learning_rate * (step + 1.0) / warmup;
    }
    let gone = (step - warmup) / (steps as f64 - warmup).max(1.0);
    recipe.learning_rate * (1.0 - (1.0 - recipe.final_learning_rate) * gone)
}

/// The batches of all epochs: the queries in a new random order each epoch, cut into pieces of the batch size.
/// `counts` says how often each query of the set was asked.
pub fn shuffled_batches(queries: &[usize], counts: &[u32], recipe: &Recipe) -> Vec<Vec<usize>> {
    let mut random = Random::with_seed(recipe.seed);
    let mut order = queries.to_vec();
    let mut batches = Vec::new();
    for _ in 0..recipe.epochs {
        if recipe.sampling == Sampling::Traffic {
            order = drawn_by_count(queries, counts, random.share());
        }
        random.shuffle(&mut order);
        batches.extend(order.chunks(recipe.batch_size).map(<[usize]>::to_vec));
    }
    batches
}

/// As many draws as there are queries, each query in proportion to its count, rounded up or down (systematic sampling):
/// a marker is set at `offset` of each equal part of all counts laid end to end.
fn drawn_by_count(queries: &[usize], counts: &[u32], offset: f64) -> Vec<usize> {
    let total: f64 = queries.iter().map(|&query| f64::from(counts[query])).sum();
    let part = total / queries.len().max(1) as f64;
    let mut drawn = Vec::with_capacity(queries.len());
    let (mut passed, mut marker) = (0.0, offset * part);
    for &query in queries {
        passed += f64::from(counts[query]);
        while marker < passed && drawn.len() < queries.len() {
            drawn.push(query);
            marker += part;
        }
    }
    drawn
}

/// An adapter has to be made of numbers.
fn check(matrices: &[Vec<f32>]) -> Result<()> {
    if matrices.iter().flatten().all(|value| value.is_finite()) {
        return Ok(());
    }
    Err(Error::new(
        Code::Option,
        "The training went astray: what it learned is not finite any more. Choose a lower learningRate.",
    ))
}

impl Training<'_> {
    /// Trains with AdamW on `batches` (rows of the set's queries), and keeps the adapter after each number of steps in
    /// `keep` (ascending; training ends after the last). The learning rate is that of a training over all batches.
    ///
    /// # Errors
    /// [`Code::Option`] if what is learned is not finite; [`Code::Cancelled`], [`Code::DeviceFaulty`]
    pub async fn run(
        &self,
        start: Weights,
        batches: &[Vec<usize>],
        keep: &[usize],
        job: &Job<'_>,
        progress: Option<&StageProgress<'_>>,
    ) -> Result<Trained> {
        let recipe = self.recipe;
        let mut weights = start;
        let mut optimizer = AdamWConfig::new()
            .with_beta_1(recipe.beta_1)
            .with_beta_2(recipe.beta_2)
            .with_epsilon(recipe.epsilon)
            .with_weight_decay(recipe.weight_decay)
            .init();
        let mut trained = Trained {
            losses: Vec::new(),
            adapters: Vec::new(),
        };
        let mut flying = Transaction::default();
        let mut in_flight = 0;
        let steps = keep.last().copied().unwrap_or(0).min(batches.len());
        for (step, queries) in batches.iter().take(steps).enumerate() {
            job.breathe().await?;
            let batch = Batch::new(self.set, queries);
            let (loss, gradients) = self
                .student
                .gradients(&weights, &batch, recipe, self.margin_scale, job)
                .await?;
            for part in [&loss.total, &loss.distillation, &loss.ranking, &loss.ridge] {
                flying = flying.register(part.clone().inner());
            }
            in_flight += 1;
            weights = optimizer.step(learning_rate(recipe, step, batches.len()), weights, gradients);
            let kept = keep.contains(&(step + 1));
            if in_flight == STEPS_IN_FLIGHT || kept {
                if kept {
                    for matrix in &weights.matrices {
                        flying = flying.register(matrix.val().inner());
                    }
                }
                let mut values = self.device.read(std::mem::take(&mut flying)).await?;
                let matrices = values.split_off(4 * in_flight);
                if kept {
                    check(&matrices)?;
                    trained.adapters.push((step + 1, self.student.adapter(matrices)?));
                }
                trained.losses.extend(values.chunks_exact(4).map(|parts| StepLoss {
                    total: parts[0][0],
                    distillation: parts[1][0],
                    ranking: parts[2][0],
                    ridge: parts[3][0],
                }));
                if let Some(progress) = progress {
                    progress.advance_with(in_flight, trained.losses.last().map(|loss| loss.total));
                }
                in_flight = 0;
            }
        }
        Ok(trained)
    }
}
