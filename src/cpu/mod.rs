//! Arithmetic on the CPU: the kernels that a BERT needs, for wasm's SIMD and for native processors.
//!
//! ```text
//! processor   which instructions there are, and functions compiled for each
//! int16       products and attention in 16-bit integers: weights packed, activations rounded row by row
//! int8        products in 8-bit integers, where a kernel for them is
//! fp32        products of f32: the exact path, nearest neighbours
//! lane        numbers that formulas are written in
//! formula     the error function, GELU, exponentials
//! rows        what is done to one row after another: GELU, softmax, layer normalisation
//! attention   softmax(Q Kᵀ) V of one text
//! gradients   how a loss changes with what goes into rows and attention
//! tile        the innermost loops of them all
//! ```
//!
//! Every number of a result depends on its own row and the weights only, never on the rows beside it: the sums over
//! `k` are made in one order whatever the shape of the product. So a text has the same vector in every batch.

use formula::{CoarseGelu, Gelu};
use lane::for_each_lane;

use crate::error::{Code, Error, Result};

pub mod attention;
mod formula;
pub mod fp32;
pub mod gradients;
pub mod int16;
pub mod int8;
mod lane;
pub mod processor;
pub mod rows;
mod tile;

/// Rows of a product that are computed together.
const TILE_ROWS: usize = 4;

/// Rows that go through a product before the next ones: their integers and the panel stay in the nearest caches.
const BLOCK_ROWS: usize = 64;

/// As many numbers of a row as a panel has columns; zeros where the row ends before.
#[inline(always)]
fn padded<const COLUMNS: usize>(row: &[f32]) -> [f32; COLUMNS] {
    match row.as_array() {
        Some(row) => *row,
        None => {
            let mut all = [0.0; COLUMNS];
            all[..row.len()].copy_from_slice(row);
            all
        }
    }
}

/// Writes as many of a panel's numbers as there is room for. Whole panels go without the call that copies of a length
/// known at run time only are on wasm.
#[inline(always)]
fn write<const COLUMNS: usize>(values: &[f32; COLUMNS], out: &mut [f32]) {
    match out.as_mut_array() {
        Some(out) => *out = *values,
        None => out.copy_from_slice(&values[..out.len()]),
    }
}

/// What a unit of a rounded row of weights is worth, which is no number where a weight is none.
///
/// # Errors
/// [`Code::ModelWeights`] then.
fn finite_step(step: f32) -> Result<f32> {
    if step.is_finite() {
        return Ok(step);
    }
    let text = "A weight is infinite or not a number: the file is damaged. Fetch the model again.";
    Err(Error::new(Code::ModelWeights, text))
}

/// What follows a product, while its numbers are still in a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    None,
    /// `x Φ(x)`, see [`rows::gelu`].
    Gelu,
}

impl Activation {
    #[inline(always)]
    fn apply<const FMA: bool>(self, values: &mut [f32]) {
        match self {
            Self::None => {}
            Self::Gelu => for_each_lane!(values, gelu: Gelu, |x: Number| gelu.of::<FMA>(x)),
        }
    }

    /// The same, as exact as numbers are that 16 bits are made of.
    #[inline(always)]
    fn apply_coarsely<const FMA: bool>(self, values: &mut [f32]) {
        match self {
            Self::None => {}
            Self::Gelu => for_each_lane!(values, gelu: CoarseGelu, |x: Number| gelu.of::<FMA>(x)),
        }
    }
}
