//! The loss of a batch of queries.
//!
//! For the B queries of a batch with all their candidates in slots (see [`Batch`]), `cos(b, slot)` being the cosine of
//! the adapted vectors of query b and of the slot's document:
//! - `KL = 1/B Σ_b Σ_slot P log(P / softmax(scale · cos))`, where `P` is the softmax of the teacher's scores over b's own
//!   slots and 0 elsewhere; another query's slot is left out if its document is one of b's own candidates (listwise
//!   distillation with in-batch negatives).
//! - `MNRL = 1/B Σ_b -log softmax_j(scale · cos(b, best_j))[b]`, where `best_j` is the teacher's top candidate of query
//!   j, and j ≠ b with the same document is left out (Henderson et al. 2017, section 4.4).
//! - `MarginMSE = mean over b and its own slots s but the best of
//!   (margin_scale · (cos(b, best_b) - cos(b, s)) - (score(best_b) - score(s)))²` (Hofstätter et al. 2020).
//! - `ridge = ||W||²_F` of a head's matrix.
//!
//! | [`Loss`] | what is minimised, beside the ridges |
//! |---|---|
//! | `Listwise` | `kl_weight · KL + ranking_weight · MNRL` |
//! | `MarginMse` | `MarginMSE` |
//! | `Mnrl` | `ranking_weight · MNRL` |

use burn::tensor::{Int, Tensor, TensorData, activation};

use super::batch::Batch;
use super::recipe::{Loss, Recipe};

/// The parts of a batch's loss, each a single number on the device.
pub struct BatchLoss {
    /// What is minimised.
    pub total: Tensor<1>,
    /// The distance from the teacher, unweighted: KL, or MarginMSE; 0 for MNRL alone.
    pub distillation: Tensor<1>,
    /// The ranking loss, unweighted; 0 for MarginMSE.
    pub ranking: Tensor<1>,
    /// The weighted squares of the heads' matrices; 0 for LoRA.
    pub ridge: Tensor<1>,
}

/// Added to a score that is left out: its share of a softmax is 0 in f32, its gradient too.
const LEFT_OUT: f32 = -1e9;

impl BatchLoss {
    /// The loss of adapted vectors of length 1: `queries` [B, dims], `slots` [slots, dims]. `margin_scale` is
    /// MarginMSE's.
    pub fn new(
        batch: &Batch,
        queries: Tensor<2>,
        slots: Tensor<2>,
        ridge: Option<Tensor<1>>,
        recipe: &Recipe,
        margin_scale: f32,
    ) -> Self {
        let cosines = queries.matmul(slots.transpose());
        let device = cosines.device();
        let zero = || Tensor::<1>::zeros([1], &device);
        let (distillation, weight) = match recipe.loss {
            Loss::Listwise => (divergence(batch, cosines.clone(), recipe.scale), recipe.kl_weight),
            Loss::MarginMse => (margin_error(batch, cosines.clone(), margin_scale), 1.0),
            Loss::Mnrl => (zero(), 0.0),
        };
        let ranking = match recipe.loss {
            Loss::Listwise | Loss::Mnrl => ranking(batch, cosines, recipe.scale),
            Loss::MarginMse => zero(),
        };
        let ridge = ridge.unwrap_or_else(zero);
        let total = distillation.clone() * weight + ranking.clone() * recipe.ranking_weight + ridge.clone();
        Self {
            total,
            distillation,
            ranking,
            ridge,
        }
    }
}

fn matrix(values: Vec<f32>, batch: &Batch, like: &Tensor<2>) -> Tensor<2> {
    let rows = batch.queries.len();
    let columns = values.len() / rows.max(1);
    Tensor::from_data(TensorData::new(values, [rows, columns]), &like.device())
}

fn left_out(masked: impl Iterator<Item = bool>) -> Vec<f32> {
    masked.map(|masked| if masked { LEFT_OUT } else { 0.0 }).collect()
}

/// KL of the teacher's distributions and the student's.
fn divergence(batch: &Batch, cosines: Tensor<2>, scale: f32) -> Tensor<1> {
    let size = batch.queries.len() as f32;
    let (teacher, negative_entropy) = batch.teacher();
    let teacher = matrix(teacher, batch, &cosines);
    let masked = matrix(left_out(batch.repeated()), batch, &cosines);
    let student = activation::log_softmax(cosines * scale + masked, 1);
    (teacher * student).sum().neg() / size + (negative_entropy / f64::from(size)) as f32
}

/// Multiple negatives ranking over the queries' best documents.
fn ranking(batch: &Batch, cosines: Tensor<2>, scale: f32) -> Tensor<1> {
    let size = batch.queries.len();
    let best: Vec<i32> = batch.best.iter().map(|&slot| slot as i32).collect();
    let best = Tensor::<1, Int>::from_data(TensorData::new(best, [size]), &cosines.device());
    let masked = matrix(left_out(batch.same_best()), batch, &cosines);
    let diagonal = Tensor::<2>::eye(size, &cosines.device());
    let chances = activation::log_softmax(cosines.select(1, best) * scale + masked, 1);
    (chances * diagonal).sum().neg() / size as f32
}

/// The mean squared error of the cosines' margins.
fn margin_error(batch: &Batch, cosines: Tensor<2>, scale: f32) -> Tensor<1> {
    let width = batch.slots.len();
    let (margins, compared) = batch.margins();
    let rows = compared.iter().sum::<f32>().max(1.0);
    let mut is_best = vec![0.0; batch.queries.len() * width];
    for (row, &best) in batch.best.iter().enumerate() {
        is_best[row * width + best] = 1.0;
    }
    let best = (cosines.clone() * matrix(is_best, batch, &cosines)).sum_dim(1);
    let compared = matrix(compared, batch, &cosines);
    let margins = matrix(margins, batch, &cosines);
    let error = ((best - cosines) * scale - margins) * compared;
    error.powi_scalar(2).sum() / rows
}
