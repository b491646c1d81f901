//! What a BERT is made of, whatever it is loaded for: its embeddings, its layers, and what becomes of their states.

use super::config::Pooling;
use super::weights::Weights;
use crate::error::Result;

/// Loads the parts of a BERT.
pub trait Parts {
    /// `x Wᵀ + b`.
    type Linear;
    /// A layer normalisation.
    type Norm;
    /// Rows that are looked up.
    type Table;
    /// What is kept of the first layer's queries, keys and values; nothing where they are always computed.
    type FirstProjections: Default;

    /// Loads `NAME.weight` ([outputs, inputs], PyTorch's order) and `NAME.bias` of every name; layers of several
    /// names have their outputs side by side.
    ///
    /// # Errors
    /// As [`Weights::vector`].
    fn linear(&self, weights: &Weights<'_>, names: &[String], inputs: usize, outputs: usize) -> Result<Self::Linear>;

    /// The same, where exactness costs nothing: what is computed once for many inputs, or of few rows.
    ///
    /// # Errors
    /// As [`Weights::vector`].
    fn exact_linear(
        &self,
        weights: &Weights<'_>,
        names: &[String],
        inputs: usize,
        outputs: usize,
    ) -> Result<Self::Linear> {
        self.linear(weights, names, inputs, outputs)
    }

    /// Loads `NAME.weight` and `NAME.bias`, `size` numbers each.
    ///
    /// # Errors
    /// As [`Weights::vector`].
    fn norm(&self, weights: &Weights<'_>, name: &str, size: usize, epsilon: f64) -> Result<Self::Norm>;

    /// A table of rows of `columns` numbers, one after the other in `values`.
    fn table(&self, values: Vec<f32>, columns: usize) -> Self::Table;
}

/// What a token's first state is made of.
pub struct Embeddings<P: Parts> {
    /// By token id.
    pub words: P::Table,
    /// By place in the input.
    pub positions: P::Table,
    /// By token type.
    pub types: P::Table,
    /// Applied to the sum.
    pub norm: P::Norm,
    /// What the first layer makes of words and positions.
    pub first_projections: P::FirstProjections,
}

/// One transformer layer.
pub struct Layer<P: Parts> {
    /// Queries, keys and values, side by side.
    pub projections: P::Linear,
    /// After the heads.
    pub attention_output: P::Linear,
    /// After the attention's residual.
    pub attention_norm: P::Norm,
    /// Into the wide layer, followed by GELU.
    pub intermediate: P::Linear,
    /// Out of it.
    pub output: P::Linear,
    /// After the feed-forward's residual.
    pub output_norm: P::Norm,
}

/// What becomes of the last layer's states.
pub enum Head<P: Parts> {
    /// A vector.
    Pool {
        /// Of which tokens.
        pooling: Pooling,
        /// Whether it is scaled to length 1.
        normalize: bool,
    },
    /// A logit: `classifier(tanh(pooler(first token)))`, whatever the model's files call the two.
    Classify {
        /// [hidden] to [hidden].
        pooler: P::Linear,
        /// [hidden] to [1].
        classifier: P::Linear,
    },
}

impl<P: Parts> Head<P> {
    /// Whether the last layer's states of other tokens than the inputs' first ones are never used.
    pub fn reads_first_tokens_only(&self) -> bool {
        match self {
            Self::Pool { pooling, .. } => *pooling == Pooling::Cls,
            Self::Classify { .. } => true,
        }
    }
}
