//! Arithmetic on the CPU: the kernels that a BERT needs, for wasm's SIMD and for native processors.
//!
//! ```text
//! processor   which instructions there are, and functions compiled for each
//! int16       products of 16-bit integers: weights packed, activations rounded row by row
//! fp32        products of f32: the exact path, attention, nearest neighbours
//! rows        what is done to one row after another: GELU, softmax, layer normalisation
//! attention   softmax(Q Kᵀ) V of one text
//! ```
//!
//! Every number of a result depends on its own row and the weights only, never on the rows beside it: the sums over
//! `k` are made in one order whatever the shape of the product. So a text has the same vector in every batch.

pub mod attention;
pub mod fp32;
pub mod int16;
pub mod processor;
pub mod rows;
mod tile;

/// Rows of a product that are computed together.
const TILE_ROWS: usize = 4;

/// Rows that go through a product before the next ones: their integers and the panel stay in the nearest caches.
const BLOCK_ROWS: usize = 64;

/// What follows a product, while its numbers are still in a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    None,
    /// `x Φ(x)`, see [`rows::gelu`].
    Gelu,
}
