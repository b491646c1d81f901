//! Products in 16-bit integers: nearly the numbers of f32 at a multiple of its speed.
//!
//! Activations are rounded as they come, with a step for each row; weights once, with a step for each output, unless
//! they were stored as 8-bit integers, which are kept as they are but for -128, which becomes -127. Products of up to
//! [`BLOCK_INPUTS`] inputs are added exactly in 32 bits, those sums in f32. What bounds the integers is [`strassen`],
//! which adds two of them before it multiplies, and that a sum has to fit into 32 bits: see [`Int16Matrix::pack`].
//!
//! ```text
//! strassen    seven products of quarters instead of eight
//! blocks      inputs whose products are added as integers
//! matrix      weights, rounded and packed
//! rounded     activations, rounded a block of rows at a time
//! product     activations times weights
//! attention   softmax(Q Kᵀ) V of one text
//! ```

pub mod attention;
mod blocks;
mod matrix;
mod product;
mod rounded;
mod strassen;

pub use matrix::Int16Matrix;
pub use product::Int16Scratch;
