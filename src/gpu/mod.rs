//! Arithmetic on a GPU: the kernels that a BERT needs, in WGSL, on burn's tensors.
//!
//! ```text
//! kernel      a kernel's text and what it is launched with
//! linear      products with weights, bias and activation in the same pass
//! attention   softmax(Q Kᵀ) V of every text, in one pass over the keys
//! norm        layer normalisation of a sum: of residual and output, or of an embedding's three parts
//! pool        one row a text: the mean over its tokens, or its first one
//! ```
//!
//! A layer takes seven launches. Texts are not padded: the tokens of all of them are stacked, and each token knows
//! where its text begins. Sizes that a model has for ever are constants in a kernel's text; how many tokens there are
//! shows in the number of workgroups alone, so that each kernel is compiled once.

mod attention;
mod kernel;
mod linear;
mod norm;
mod pool;

pub use attention::attend;
pub use kernel::Workgroup;
pub use linear::{Activation, COLUMNS, linear};
pub use norm::{Norm, add_and_normalize, embed};
pub use pool::{Pooled, pool};

/// Whether there are kernels for a model of these sizes; burn's own do the others.
pub fn supports(hidden: usize, intermediate: usize, heads: usize) -> bool {
    let head = hidden / heads;
    hidden.is_multiple_of(COLUMNS) && intermediate.is_multiple_of(COLUMNS) && head.is_multiple_of(4) && head <= 128
}
