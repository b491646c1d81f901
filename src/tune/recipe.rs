//! The constants of a training, all in one place and all in the report.

use serde::{Deserialize, Serialize};

/// What is trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// A linear head on query vectors, `q' = normalize(q + W q)`; documents keep their vectors, so that nothing is
    /// indexed again.
    #[default]
    QueryHead,
    /// A linear head on either side, each with its own matrix; documents have to be indexed again.
    Head,
    /// Low-rank changes of the encoder's own layers (LoRA), by default for queries only.
    Lora,
}

/// What a batch of queries is trained to do; `loss.rs` has the formulas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// The cross-encoder's distribution over a query's candidates, with those of the batch's other queries as
    /// negatives, and the ranking loss beside it.
    #[default]
    Listwise,
    /// The cross-encoder's margins between a query's best candidate and each other one, as Finetuner and GPL train.
    MarginMse,
    /// Multiple negatives ranking: a query's best candidate before those of the batch's other queries.
    Mnrl,
}

/// How often a query is seen in an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    /// Once, whatever its frequency in the log.
    #[default]
    Query,
    /// In proportion to its frequency in the log; as many draws an epoch as there are queries.
    Traffic,
}

/// The linear layers of a transformer layer that LoRA may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoraTarget {
    /// The attention's queries.
    Query,
    /// The attention's keys.
    Key,
    /// The attention's values.
    Value,
    /// All other linear layers: after the attention, and both of the feed-forward part.
    Dense,
}

impl LoraTarget {
    /// Every linear layer.
    pub const ALL: [Self; 4] = [Self::Query, Self::Key, Self::Value, Self::Dense];
}

/// What LoRA has beyond the other methods.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoraRecipe {
    /// Columns of B and rows of A.
    pub rank: usize,
    /// The change of a layer is `alpha / rank · B A`.
    pub alpha: f32,
    /// Which layers are changed.
    pub targets: Vec<LoraTarget>,
    /// Whether documents go through the changed encoder too, and have to be indexed again.
    pub documents: bool,
    /// Tokens that a text is cut at while training.
    pub max_tokens: usize,
    /// Tokens, padding included, that are kept in memory with what their gradients need.
    pub micro_batch_tokens: usize,
}

/// How an adapter is trained. The defaults are [`super::RecipeOptions`]'s.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Recipe {
    /// What is trained.
    pub method: Method,
    /// To do what.
    pub loss: Loss,
    /// How often a query is seen.
    pub sampling: Sampling,
    /// What the shuffles and folds are drawn from.
    pub seed: u64,
    /// Queries in a batch.
    pub batch_size: usize,
    /// Passes over the queries.
    pub epochs: usize,
    /// Epochs after which the adapter is tried on queries left out; 0, the base model, is always tried.
    pub checkpoints: Vec<usize>,
    /// Highest learning rate, reached at the end of the warm-up.
    pub learning_rate: f64,
    /// Share of the steps in which the learning rate rises linearly.
    pub warmup: f64,
    /// Share of the highest learning rate that its linear fall ends at, one step after the last.
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
    /// Weight of the query head's squared Frobenius norm.
    pub ridge: f32,
    /// Weight of the document head's squared Frobenius norm.
    pub document_ridge: f32,
    /// Factor of the cosines' margins in MarginMSE; fitted to the base model's margins by least squares if `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin_scale: Option<f32>,
    /// `a` of the teacher `logit + a · cos`, cos by the base encoder.
    pub teacher_cosine: f32,
    /// Folds of the cross-validation over queries.
    pub folds: usize,
    /// LoRA's part; absent for the other methods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lora: Option<LoraRecipe>,
}

impl Recipe {
    /// The default recipe for a log of that many distinct queries.
    pub fn for_queries(queries: usize, seed: u64) -> Self {
        super::RecipeOptions {
            seed,
            ..Default::default()
        }
        .defaults(queries)
    }

    /// Optimizer steps in an epoch over that many queries.
    pub fn steps_per_epoch(&self, queries: usize) -> usize {
        queries.div_ceil(self.batch_size)
    }

    /// Whether documents keep the base encoder's vectors.
    pub fn keeps_documents(&self) -> bool {
        match self.method {
            Method::QueryHead => true,
            Method::Head => false,
            Method::Lora => !self.lora.as_ref().is_some_and(|lora| lora.documents),
        }
    }
}
