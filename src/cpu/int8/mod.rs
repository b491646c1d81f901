//! Products in 8-bit integers: fewer bits for more speed, by an instruction that not every browser has.
//!
//! Activations are rounded as they come to integers from 0 to [`ACTIVATION_LIMIT`], with a step for each row and an
//! integer that stands for zero; weights once to 8 bits and a sign, with a step for each output. All sums are exact in 32
//! bits; what the activations' zero adds to them is subtracted in the end.
//!
//! ```text
//! kernel      rows times one panel of weights: what the instruction is used for
//! matrix      weights, rounded and packed
//! product     activations times weights
//! ```
//!
//! Where the instruction is not, [`Int16Matrix::pack_coarsely`](super::int16::Int16Matrix::pack_coarsely) has the same
//! weights and computes the same numbers.

mod kernel;
mod matrix;
mod product;

pub use kernel::{Kernel, PanelColumns, RawKernel, RowRounding, kernel, set_kernel};
pub use matrix::Int8Matrix;
pub(super) use matrix::round_weights;
pub use product::Int8Scratch;

/// The largest rounded activation: what the instruction takes without a sign has 7 bits.
pub(super) const ACTIVATION_LIMIT: i16 = 127;

/// The largest rounded weight.
const WEIGHT_LIMIT: i16 = 127;

/// Columns of a panel.
const COLUMNS: usize = 8;

/// Inputs that are multiplied together: products of four of them are added in 16 bits.
const OCTET: usize = 8;
