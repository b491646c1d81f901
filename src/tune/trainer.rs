//! The optimizer loop.

use burn::module::{Module, Param};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Tensor, TensorData, Transaction};

use super::head::QueryHead;
use super::loss::DeviceSet;
use super::recipe::Recipe;
use super::training_set::TrainingSet;
use crate::device::Device;
use crate::error::Result;
use crate::job::{Job, StageProgress};

/// The loss of one step, before the step was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepLoss {
    /// What is minimised.
    pub total: f32,
    /// The divergence from the cross-encoder, unweighted.
    pub kl: f32,
    /// The ranking loss, unweighted.
    pub ranking: f32,
    /// The squared Frobenius norm of W, unweighted.
    pub ridge: f32,
}

/// What a training gives.
#[derive(Clone, Debug)]
pub struct Trained {
    /// One entry a step.
    pub losses: Vec<StepLoss>,
    /// The head after each number of steps that was asked for.
    pub heads: Vec<(usize, QueryHead)>,
}

#[derive(Module, Debug)]
struct Weight {
    matrix: Param<Tensor<2>>,
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
pub fn shuffled_batches(queries: &[usize], recipe: &Recipe) -> Vec<Vec<usize>> {
    let mut random = fastrand::Rng::with_seed(recipe.seed);
    let mut order = queries.to_vec();
    let mut batches = Vec::new();
    for _ in 0..recipe.epochs {
        random.shuffle(&mut order);
        batches.extend(order.chunks(recipe.batch_size).map(<[usize]>::to_vec));
    }
    batches
}

/// Trains a head from zero on `batches` (rows of the set's queries) with AdamW, and keeps it after each number of
/// steps in `keep` (ascending; training ends after the last). The learning rate is that of a training over all batches.
///
/// # Errors
/// [`crate::Code::Cancelled`], [`crate::Code::DeviceFaulty`]
pub async fn train(
    set: &TrainingSet,
    batches: &[Vec<usize>],
    keep: &[usize],
    recipe: &Recipe,
    device: &Device,
    job: &Job<'_>,
    progress: Option<&StageProgress<'_>>,
) -> Result<Trained> {
    let dims = set.queries.dims();
    let tracked = device.tensors().clone().autodiff();
    let on_device = DeviceSet::new(set, &tracked);
    let mut weight = Weight {
        matrix: Param::from_data(TensorData::new(vec![0.0f32; dims * dims], [dims, dims]), &tracked),
    };
    let mut optimizer = AdamWConfig::new()
        .with_beta_1(recipe.beta_1)
        .with_beta_2(recipe.beta_2)
        .with_epsilon(recipe.epsilon)
        .with_weight_decay(recipe.weight_decay)
        .init();
    let mut trained = Trained {
        losses: Vec::new(),
        heads: Vec::new(),
    };
    let mut flying = Transaction::default();
    let mut in_flight = 0;
    let steps = keep.last().copied().unwrap_or(0).min(batches.len());
    for (step, batch) in batches.iter().take(steps).enumerate() {
        job.breathe().await?;
        let loss = on_device.loss(weight.matrix.val(), batch, recipe);
        for part in [&loss.total, &loss.kl, &loss.ranking, &loss.ridge] {
            flying = flying.register(part.clone().inner());
        }
        in_flight += 1;
        let gradients = GradientsParams::from_grads(loss.total.backward(), &weight);
        weight = optimizer.step(learning_rate(recipe, step, batches.len()), weight, gradients);
        let kept = keep.contains(&(step + 1));
        if in_flight == STEPS_IN_FLIGHT || kept {
            if kept {
                flying = flying.register(weight.matrix.val().inner());
            }
            let mut values = device.read(std::mem::take(&mut flying)).await?;
            if kept && let Some(weight) = values.pop() {
                trained.heads.push((step + 1, QueryHead { weight, dims }));
            }
            trained.losses.extend(values.chunks_exact(4).map(|parts| StepLoss {
                total: parts[0][0],
                kl: parts[1][0],
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
