//! Products in 8-bit integers: fewer bits for more speed, by an instruction that not every browser has.
//!
//! Activations are rounded as they come to integers from 0 to [`ACTIVATION_LIMIT`], with a step for each row and an
//! integer that stands for zero; weights once to 8 bits and a sign, with a step for each output. All sums are exact in 32
//! bits; what the activations' zero adds to them is subtracted in the end.
//!
//! A few inputs of every layer are many times as large as all others, in every text the same ones. With a step that is wide
//! enough for them nothing would be left of the others, so these wide inputs are rounded with the others' step, to 16
//! bits (Dettmers et al. 2022, *LLM.int8()*, which has them in floating point).
//!
//! ```text
//! kernel      rows times one panel of weights: what the instruction is used for
//! matrix      weights, rounded and packed
//! rounded     activations, rounded row by row
//! product     activations times weights
//! ```
//!
//! Where the instruction is not, [`Int16Matrix::pack_coarsely`](super::int16::Int16Matrix::pack_coarsely) has the same
//! weights and computes the same numbers.

mod kernel;
mod matrix;
mod product;
mod rounded;

pub use kernel::{Kernel, Panel, PanelColumns, RawKernel, RowRounding, Tiles, kernel, set_kernel};
pub use matrix::Int8Matrix;
pub(super) use matrix::round_weights;
pub use product::Int8Scratch;
pub(super) use rounded::round_activations;

/// The largest rounded activation: what the instruction takes without a sign has 7 bits.
const ACTIVATION_LIMIT: i16 = 127;

/// The largest rounded activation of a wide input.
const WIDE_LIMIT: i16 = 8191;

/// The largest rounded weight.
const WEIGHT_LIMIT: i16 = 127;

/// Columns of a panel.
const COLUMNS: usize = 8;

/// Inputs that are multiplied together: products of four of them are added in 16 bits.
const OCTET: usize = 8;
