//! A low-rank change of a linear layer.

use burn::tensor::Tensor;

/// A low-rank change that is being trained: `factor · (x Aᵀ) Bᵀ` is added to the outputs of a linear layer.
#[derive(Clone)]
pub struct LowRank {
    /// The layer's full name, such as `encoder.layer.0.attention.self.query`.
    pub module: String,
    /// A, [rank, in].
    pub a: Tensor<2>,
    /// B, [out, rank].
    pub b: Tensor<2>,
    /// `alpha / rank`.
    pub factor: f32,
}
