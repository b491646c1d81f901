//! The loss of a batch of queries.
//!
//! For the queries b of a batch, each with K candidates:
//! - student: `S[b, slot] = scale · cos(q'_b, d_slot)` over all slots of the batch, b's own and the other queries';
//!   another query's slot is left out if its document is one of b's own candidates.
//! - teacher: `P[b, ·] = softmax(logits of b)` over b's own slots, 0 elsewhere.
//! - `KL = 1/B Σ_b Σ_slot P log(P / softmax(S))` (listwise distillation with in-batch negatives).
//! - `MNRL = 1/B Σ_b -log softmax_j(scale · cos(q'_b, best_j))[b]`, where `best_j` is the cross-encoder's top candidate
//!   of query j, and j ≠ b with the same document is left out (Henderson et al. 2017, section 4.4).
//! - ridge: `||W||²_F`.

use burn::tensor::{Int, Tensor, TensorData, activation};

use super::head::adapt;
use super::recipe::Recipe;
use super::training_set::TrainingSet;

/// A training set on a device.
pub struct DeviceSet<'s> {
    set: &'s TrainingSet,
    queries: Tensor<2>,
    documents: Tensor<2>,
}

/// The parts of a batch's loss, each a single number on the device.
pub struct BatchLoss {
    /// What is minimised.
    pub total: Tensor<1>,
    /// The divergence, unweighted.
    pub kl: Tensor<1>,
    /// The ranking loss, unweighted.
    pub ranking: Tensor<1>,
    /// The squared norm, unweighted.
    pub ridge: Tensor<1>,
}

/// Added to a score that is left out: its share of a softmax is 0 in f32, its gradient too.
const LEFT_OUT: f32 = -1e9;

impl<'s> DeviceSet<'s> {
    /// Moves the vectors to the device.
    pub fn new(set: &'s TrainingSet, device: &burn::tensor::Device) -> Self {
        let matrix = |vectors: &crate::vectors::Vectors| -> Tensor<2> {
            let data = TensorData::new(vectors.as_slice().to_vec(), [vectors.len(), vectors.dims()]);
            Tensor::from_data(data, device)
        };
        Self {
            set,
            queries: matrix(&set.queries),
            documents: matrix(&set.documents),
        }
    }

    /// The loss of the head `weight` on the queries of `batch`.
    pub fn loss(&self, weight: Tensor<2>, batch: &[usize], recipe: &Recipe) -> BatchLoss {
        let set = self.set;
        let (size, depth) = (batch.len(), set.depth());
        let device = weight.device();
        let indices = |values: Vec<i32>| -> Tensor<1, Int> {
            let length = values.len();
            Tensor::from_data(TensorData::new(values, [length]), &device)
        };
        let matrix = |values: Vec<f32>, columns: usize| -> Tensor<2> {
            Tensor::from_data(TensorData::new(values, [size, columns]), &device)
        };

        let slots: Vec<i32> = batch
            .iter()
            .flat_map(|&q| &set.candidates[q])
            .map(|&d| d as i32)
            .collect();
        let width = size * depth;
        let (mut teacher, mut masked) = (vec![0.0; size * width], vec![0.0; size * width]);
        let mut entropy = 0.0f64;
        for (row, &query) in batch.iter().enumerate() {
            let own = row * depth..(row + 1) * depth;
            let probabilities = set.teacher(query);
            entropy += probabilities
                .iter()
                .filter(|p| **p > 0.0)
                .map(|&p| f64::from(p) * f64::from(p).ln())
                .sum::<f64>();
            teacher[row * width..][own.clone()].copy_from_slice(&probabilities);
            for slot in (0..width).filter(|slot| !own.contains(slot)) {
                if set.candidates[query].contains(&(slots[slot] as u32)) {
                    masked[row * width + slot] = LEFT_OUT;
                }
            }
        }
        let best: Vec<i32> = batch
            .iter()
            .enumerate()
            .map(|(row, &q)| slots[row * depth + set.best(q)])
            .collect();
        let (mut same, mut diagonal) = (vec![0.0; size * size], vec![0.0; size * size]);
        for row in 0..size {
            diagonal[row * size + row] = 1.0;
            for other in (0..size).filter(|&other| other != row && best[other] == best[row]) {
                same[row * size + other] = LEFT_OUT;
            }
        }

        let adapted = adapt(
            self.queries
                .clone()
                .select(0, indices(batch.iter().map(|&q| q as i32).collect())),
            weight.clone(),
        );
        let cosines = |documents: Vec<i32>| {
            adapted
                .clone()
                .matmul(self.documents.clone().select(0, indices(documents)).transpose())
                * recipe.scale
        };
        let batch_size = size as f32;
        let student = activation::log_softmax(cosines(slots) + matrix(masked, width), 1);
        let kl = (matrix(teacher, width) * student).sum().neg() / batch_size + (entropy / f64::from(batch_size)) as f32;
        let chosen = activation::log_softmax(cosines(best) + matrix(same, size), 1) * matrix(diagonal, size);
        let ranking = chosen.sum().neg() / batch_size;
        let ridge = weight.powi_scalar(2).sum();
        let total =
            kl.clone() * recipe.kl_weight + ranking.clone() * recipe.ranking_weight + ridge.clone() * recipe.ridge;
        BatchLoss {
            total,
            kl,
            ranking,
            ridge,
        }
    }
}
