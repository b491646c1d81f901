//! Weights in 16-bit integers, packed for the product.

use super::blocks::{BLOCK_INPUTS, blocks};
use super::strassen;
use crate::cpu::finite_step;
use crate::cpu::int8::{round_activations, round_weights};
use crate::cpu::processor::Instructions;
use crate::cpu::rows::round_row;
use crate::error::Result;

/// The largest weight that was stored in 8 bits.
const STORED_LIMIT: i16 = 127;
/// The largest activation for weights that were stored in 8 bits: as many such products have room in 32 bits.
const ACTIVATION_LIMIT_OF_STORED: i16 = strassen::LIMIT;
/// The largest activation otherwise; half as much leaves the weights a bit more.
const ACTIVATION_LIMIT: i16 = 8191;

const _: () = assert!(BLOCK_INPUTS as i64 * STORED_LIMIT as i64 * ACTIVATION_LIMIT_OF_STORED as i64 <= i32::MAX as i64);

/// How a row of activations is rounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rounding {
    /// To integers of at most this size.
    UpTo(i16),
    /// As [`Int8Matrix`](crate::cpu::int8::Int8Matrix) does.
    AsIn8Bits {
        /// Numbers of wide inputs.
        wide: Vec<u32>,
    },
}

impl Rounding {
    /// Rounds a row and returns what one unit is worth. `values` is memory.
    pub(super) fn round(&self, row: &[f32], integers: &mut [i16], values: &mut Vec<f32>) -> f32 {
        match self {
            Self::UpTo(limit) => round_row(row, f32::from(*limit), integers),
            Self::AsIn8Bits { wide } => round_activations(row, wide, integers, values).0,
        }
    }
}

/// The weights of a linear layer, rounded and packed for this processor.
pub struct Int16Matrix {
    /// Of two panels of outputs after another, and in them of one block of inputs after another, the right operands.
    pub(super) operands: Vec<i16>,
    /// What one unit is worth, for each output; padded with 0 to whole panels.
    pub(super) steps: Vec<f32>,
    pub(super) inputs: usize,
    outputs: usize,
    pub(super) activations: Rounding,
}

impl Int16Matrix {
    /// Rounds and packs `weights` ([outputs, inputs], row by row).
    ///
    /// A weight has as many bits as its row leaves it: the absolute weights of a block of inputs may add up to what the
    /// largest sum is times the largest activation. That is some 11 to 13 bits and a sign.
    ///
    /// `stored_steps`: if the weights were 8-bit integers times a step, that step for each output.
    ///
    /// # Errors
    /// [`crate::Code::ModelWeights`] if a weight is infinite or not a number.
    pub fn pack(weights: &[f32], outputs: usize, inputs: usize, stored_steps: Option<&[f32]>) -> Result<Self> {
        let activation_limit = match stored_steps {
            Some(_) => ACTIVATION_LIMIT_OF_STORED,
            None => ACTIVATION_LIMIT,
        };
        Self::pack_rows(
            weights,
            outputs,
            inputs,
            Rounding::UpTo(activation_limit),
            |output, row, integers| match stored_steps {
                Some(stored) => stored_row(row, stored[output], integers),
                None => round_row(row, weight_limit(row), integers),
            },
        )
    }

    /// The same with as few bits as [`Int8Matrix`](crate::cpu::int8::Int8Matrix) has: its products are the very same.
    ///
    /// # Errors
    /// As [`Self::pack`].
    pub fn pack_coarsely(weights: &[f32], outputs: usize, inputs: usize, wide: &[u32]) -> Result<Self> {
        let activations = Rounding::AsIn8Bits { wide: wide.to_vec() };
        Self::pack_rows(weights, outputs, inputs, activations, |_, row, integers| {
            round_weights(row, integers)
        })
    }

    /// Packs rows of weights as `round` rounds them, which returns what one unit is worth.
    fn pack_rows(
        weights: &[f32],
        outputs: usize,
        inputs: usize,
        activations: Rounding,
        round: impl Fn(usize, &[f32], &mut [i16]) -> f32,
    ) -> Result<Self> {
        let columns = Instructions::detect().panel_columns();
        let whole_inputs = inputs.next_multiple_of(4);
        let whole_outputs = outputs.next_multiple_of(2 * columns);
        let mut operands = vec![0; whole_outputs * whole_inputs / 4 * strassen::OPERANDS];
        let mut steps = vec![0.0; whole_outputs];
        // Two panels' rows, one after the other, and the quarters of a block.
        let mut rows = vec![0; 2 * columns * whole_inputs];
        let mut quarters = vec![0; 2 * columns * BLOCK_INPUTS.min(whole_inputs)];
        for first in (0..outputs).step_by(2 * columns) {
            rows.fill(0);
            for (output, integers) in (first..outputs).zip(rows.chunks_exact_mut(whole_inputs).take(2 * columns)) {
                let (row, integers) = (&weights[output * inputs..][..inputs], &mut integers[..inputs]);
                let step = finite_step(round(output, row, integers))?;
                steps[output] = step;
            }
            for block in blocks(whole_inputs) {
                let length = columns * block.len() / 2;
                let (quarters, half) = (&mut quarters[..4 * length], block.len() / 2);
                for (number, quarter) in quarters.chunks_exact_mut(length).enumerate() {
                    let (beside, inputs) = (number % 2, block.start + number / 2 * half);
                    for column in 0..columns {
                        let row = &rows[(beside * columns + column) * whole_inputs + inputs..][..half];
                        for (pair, integers) in row.as_chunks::<2>().0.iter().enumerate() {
                            quarter[2 * (pair * columns + column)..][..2].copy_from_slice(integers);
                        }
                    }
                }
                let mut quarters = quarters.chunks_exact(length);
                let start = (first * whole_inputs + 2 * columns * block.start) / 4 * strassen::OPERANDS;
                strassen::right_operands(
                    std::array::from_fn(|_| quarters.next().expect("four of them")),
                    &mut operands[start..][..length * strassen::OPERANDS],
                );
            }
        }
        Ok(Self {
            operands,
            steps,
            inputs,
            outputs,
            activations,
        })
    }

    /// Inputs with those that are added so that there are halves of pairs; their weights are zero.
    pub(super) fn whole_inputs(&self) -> usize {
        self.inputs.next_multiple_of(4)
    }

    /// Numbers in a row of the result.
    pub fn outputs(&self) -> usize {
        self.outputs
    }
}

/// The largest integer of a row of weights with which no sum can overflow.
fn weight_limit(row: &[f32]) -> f32 {
    let largest = row
        .iter()
        .fold(0.0, |most: f64, weight| most.max(f64::from(weight.abs())));
    let sum = |block: &[f32]| block.iter().map(|weight| f64::from(weight.abs())).sum();
    let most = row.chunks(BLOCK_INPUTS).map(sum).fold(0.0, f64::max);
    // Rounding may add half a unit to each.
    let room = f64::from(i32::MAX) / f64::from(ACTIVATION_LIMIT) - 0.5 * BLOCK_INPUTS as f64;
    let limit = if most > 0.0 { room * (largest / most) } else { room };
    limit.floor().min(f64::from(strassen::LIMIT)) as f32
}

/// The 8-bit integers that a row was stored as.
fn stored_row(row: &[f32], step: f32, integers: &mut [i16]) -> f32 {
    if step == 0.0 {
        integers.fill(0);
        return 0.0;
    }
    let limit = f32::from(STORED_LIMIT);
    for (integer, value) in integers.iter_mut().zip(row) {
        *integer = (value / step).round().clamp(-limit, limit) as i16;
    }
    step
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest sum of absolute integers of a row within a block, of weights that are as `weight` says.
    fn largest_sum(inputs: usize, stored: bool, weight: impl Fn(usize) -> f32) -> (i64, Int16Matrix) {
        let row: Vec<f32> = (0..inputs).map(weight).collect();
        let mut integers = vec![0; inputs];
        match stored {
            true => stored_row(&row, 1.0, &mut integers),
            false => round_row(&row, weight_limit(&row), &mut integers),
        };
        let most = integers
            .iter()
            .map(|integer| integer.abs())
            .max()
            .expect("there are some");
        assert!(most <= strassen::LIMIT, "{most}");
        let sum = |block: &[i16]| block.iter().map(|integer| i64::from(integer.abs())).sum();
        let matrix = Int16Matrix::pack(&row, 1, inputs, stored.then_some(&[1.0])).expect("packed");
        (
            integers.chunks(BLOCK_INPUTS).map(sum).max().expect("there are some"),
            matrix,
        )
    }

    #[test]
    fn no_sum_of_integers_can_overflow() {
        let mut random = fastrand::Rng::with_seed(13);
        let numbers: Vec<f32> = (0..65_536).map(|_| random.f32() * 254.0 - 127.0).collect();
        for inputs in [1, 2, 64, 384, 1536, 2064, 3072, 65_536] {
            for stored in [false, true] {
                for (sum, matrix) in [
                    largest_sum(inputs, stored, |_| 127.0),
                    largest_sum(inputs, stored, |i| if i == 0 { 127.0 } else { 0.0 }),
                    largest_sum(inputs, stored, |i| numbers[i]),
                ] {
                    let Rounding::UpTo(limit) = matrix.activations else {
                        panic!("not as in 8 bits");
                    };
                    let most = sum * i64::from(limit);
                    assert!(most <= i64::from(i32::MAX), "{inputs} inputs: {most}");
                    assert!(limit >= ACTIVATION_LIMIT);
                }
            }
        }
    }
}
