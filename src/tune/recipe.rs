//! The constants of a training, all in one place and all in the report.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};

/// What is trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// A linear head on query vectors; documents keep theirs, so that nothing is indexed again.
    #[default]
    QueryHead,
}

/// How a query head is trained.
///
/// The loss of a batch is
/// `kl_weight · KL(softmax(logits) || softmax(scale · cos)) + ranking_weight · MNRL + ridge · ||W||²_F`;
/// `loss.rs` has the formulas.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Recipe {
    /// What is trained.
    pub method: Method,
    /// What the shuffles and folds are drawn from.
    pub seed: u64,
    /// Queries in a batch.
    pub batch_size: usize,
    /// Passes over the queries.
    pub epochs: usize,
    /// Epochs after which the head is tried on queries left out; 0, the base model, is always tried.
    pub checkpoints: Vec<usize>,
    /// Highest learning rate, reached at the end of the warm-up.
    pub learning_rate: f64,
    /// Share of the steps in which the learning rate rises linearly.
    pub warmup: f64,
    /// Share of the highest learning rate that is left at the last step, after a linear fall.
    pub final_learning_rate: f64,
    /// AdamW's first decay.
    pub beta_1: f32,
    /// AdamW's second decay.
    pub beta_2: f32,
    /// AdamW's epsilon.
    pub epsilon: f32,
    /// AdamW's weight decay.
    pub weight_decay: f32,
    /// Factor of the cosines before the student's softmax.
    pub scale: f32,
    /// Weight of the divergence between cross-encoder and student.
    pub kl_weight: f32,
    /// Weight of the multiple negatives ranking loss.
    pub ranking_weight: f32,
    /// Weight of the head's squared Frobenius norm.
    pub ridge: f32,
    /// Folds of the cross-validation over queries.
    pub folds: usize,
}

impl Recipe {
    /// The recipe for a log of that many distinct queries.
    ///
    /// Small logs (under 300) take smaller batches and twice the epochs, so that there are enough steps.
    pub fn for_queries(queries: usize, seed: u64) -> Self {
        let small = queries < 300;
        Self {
            method: Method::QueryHead,
            seed,
            batch_size: if small { 32 } else { 64 },
            epochs: if small { 30 } else { 15 },
            checkpoints: if small { vec![4, 10, 20, 30] } else { vec![2, 5, 10, 15] },
            learning_rate: 1e-3,
            warmup: 0.1,
            final_learning_rate: 0.02,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            scale: 20.0,
            kl_weight: 1.0,
            ranking_weight: 1.0,
            ridge: 0.03,
            folds: 5,
        }
    }

    /// The same recipe with another number of epochs, the last of which is then the last checkpoint.
    ///
    /// # Errors
    /// [`Code::Option`] if it is 0.
    pub fn with_epochs(mut self, epochs: usize) -> Result<Self> {
        if epochs == 0 {
            return Err(Error::new(Code::Option, "epochs is 0; it has to be at least 1."));
        }
        self.epochs = epochs;
        self.checkpoints.retain(|&checkpoint| checkpoint < epochs);
        self.checkpoints.push(epochs);
        Ok(self)
    }

    /// The same recipe with another number of folds.
    ///
    /// # Errors
    /// [`Code::Option`] if it is less than 2.
    pub fn with_folds(mut self, folds: usize) -> Result<Self> {
        if folds < 2 {
            return Err(Error::new(
                Code::Option,
                format!("folds is {folds}; cross-validation needs at least 2."),
            ));
        }
        self.folds = folds;
        Ok(self)
    }

    /// Optimizer steps in an epoch over that many queries.
    pub fn steps_per_epoch(&self, queries: usize) -> usize {
        queries.div_ceil(self.batch_size)
    }
}
