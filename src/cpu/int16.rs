//! Products in 16-bit integers: nearly the numbers of f32 at a multiple of its speed.
//!
//! Weights are rounded once to 13 bits (±4,095) with a step of their own for each output; activations to 14 bits
//! (±8,191) with a step for each row, as they come. 64 products at a time are added exactly in 32 bits, those sums in
//! f32. Weights that were stored as 8-bit integers are kept as they are, but for -128, which becomes -127: that leaves
//! more bits for the activations, up to 16, and all products of an output are added exactly.

use std::ops::Range;

use super::lane::scale_and_add;
use super::processor::{Instructions, for_each_processor};
use super::rows::round_row;
use super::{Activation, BLOCK_ROWS, TILE_ROWS, padded, tile, write};
use crate::error::{Code, Error, Result};

/// The largest weight, unless they were stored in 8 bits.
const WEIGHT_LIMIT: i16 = 4095;
/// The largest weight that was stored in 8 bits.
const STORED_LIMIT: i16 = 127;
/// The largest activation if nothing allows more.
const ACTIVATION_LIMIT: i16 = 8191;

/// How many pairs of products of such numbers a sum of 32 bits can take.
const fn pairs_at_most(weight: i16, activation: i16) -> usize {
    (i32::MAX as i64 / (weight as i64 * activation as i64) / 2) as usize
}

/// The weights of a linear layer, rounded and packed for this processor.
pub struct Int16Matrix {
    panels: Vec<i16>,
    /// What one unit is worth, for each output; padded with 0 to whole panels.
    steps: Vec<f32>,
    inputs: usize,
    outputs: usize,
    /// The largest integer that activations are rounded to.
    activation_limit: f32,
    /// Pairs of inputs whose products are added as integers.
    pairs_at_once: usize,
}

impl Int16Matrix {
    /// Rounds and packs `weights` ([outputs, inputs], row by row).
    ///
    /// `stored_steps`: if the weights were 8-bit integers times a step, that step for each output.
    ///
    /// # Errors
    /// [`Code::ModelWeights`] if a weight is infinite or not a number.
    pub fn pack(weights: &[f32], outputs: usize, inputs: usize, stored_steps: Option<&[f32]>) -> Result<Self> {
        let columns = Instructions::detect().panel_columns();
        let pairs = inputs.div_ceil(2);
        let padded = outputs.next_multiple_of(columns);
        let mut panels = vec![0i16; padded * pairs * 2];
        let mut steps = vec![0f32; padded];
        let mut integers = vec![0i16; inputs];
        for (output, row) in weights.chunks_exact(inputs).enumerate() {
            let step = match stored_steps {
                Some(stored) => stored_row(row, stored[output], &mut integers),
                None => round_row(row, f32::from(WEIGHT_LIMIT), &mut integers),
            };
            if !step.is_finite() {
                return Err(Error::new(
                    Code::ModelWeights,
                    "A weight is infinite or not a number: the file is damaged. Fetch the model again.",
                ));
            }
            steps[output] = step;
            let panel = &mut panels[output / columns * (pairs * 2 * columns)..];
            for (k, integer) in integers.iter().enumerate() {
                panel[k / 2 * (2 * columns) + 2 * (output % columns) + k % 2] = *integer;
            }
        }
        let weight_limit = if stored_steps.is_some() {
            STORED_LIMIT
        } else {
            WEIGHT_LIMIT
        };
        let pairs_at_once = pairs.clamp(1, pairs_at_most(weight_limit, ACTIVATION_LIMIT));
        let room = i32::MAX as usize / (2 * pairs_at_once * weight_limit as usize);
        Ok(Self {
            panels,
            steps,
            inputs,
            outputs,
            // Without stored weights the products stay as short as those of long rows, so that results do not depend
            // on the width of a layer's input.
            activation_limit: match stored_steps {
                Some(_) => room.min(i16::MAX as usize) as f32,
                None => f32::from(ACTIVATION_LIMIT),
            },
            pairs_at_once,
        })
    }

    /// Numbers in a row of the result.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// `activation(rows Wᵀ + bias)` into `out`; `rows` is [n, inputs], `out` [n, outputs].
    pub fn product(
        &self,
        rows: &[f32],
        bias: &[f32],
        activation: Activation,
        out: &mut [f32],
        scratch: &mut Int16Scratch,
    ) {
        self.part(rows, bias, activation, 0..self.outputs, out, self.outputs, scratch);
    }

    /// The same of some columns, which begin with a panel; rows of `out` begin every `stride` numbers.
    #[allow(clippy::too_many_arguments, reason = "a product, and where it goes")]
    pub fn part(
        &self,
        rows: &[f32],
        bias: &[f32],
        activation: Activation,
        columns: Range<usize>,
        out: &mut [f32],
        stride: usize,
        scratch: &mut Int16Scratch,
    ) {
        for (block, out) in rows
            .chunks(BLOCK_ROWS * self.inputs)
            .zip(out.chunks_mut(BLOCK_ROWS * stride))
        {
            scratch.round(block, self);
            product(self, scratch, bias, activation, columns.clone(), out, stride);
        }
    }
}

/// Memory of a product that is used again: a block of activations, rounded.
#[derive(Default)]
pub struct Int16Scratch {
    /// Of one group of rows, row by row.
    rows: Vec<[i16; 2]>,
    /// Groups of [`TILE_ROWS`] rows, and at the end of single ones: of a group all rows' first pairs, and so on.
    groups: Vec<[i16; 2]>,
    /// What one unit is worth, for each row.
    steps: Vec<f32>,
}

impl Int16Scratch {
    fn round(&mut self, block: &[f32], matrix: &Int16Matrix) {
        let pairs = matrix.inputs.div_ceil(2);
        let count = block.len() / matrix.inputs;
        self.rows.resize(TILE_ROWS * pairs, [0; 2]);
        self.groups.resize(count * pairs, [0; 2]);
        self.steps.clear();
        let whole = count / TILE_ROWS * TILE_ROWS;
        let mut rows = block.chunks_exact(matrix.inputs);
        for (number, group) in self.groups.chunks_mut(TILE_ROWS * pairs).enumerate() {
            for integers in self.rows.chunks_exact_mut(pairs).take(count - number * TILE_ROWS) {
                let integers = integers.as_flattened_mut();
                if let Some(last) = integers.get_mut(matrix.inputs) {
                    *last = 0;
                }
                let Some(row) = rows.next() else { break };
                let step = round_row(row, matrix.activation_limit, &mut integers[..matrix.inputs]);
                self.steps.push(step);
            }
            if number * TILE_ROWS < whole {
                interleave(&self.rows, group);
            } else {
                let length = group.len();
                group.copy_from_slice(&self.rows[..length]);
            }
        }
    }
}

/// [`TILE_ROWS`] rows of pairs, one after the other, to all first pairs, all second ones, and so on.
fn interleave(rows: &[[i16; 2]], group: &mut [[i16; 2]]) {
    let pairs = rows.len() / TILE_ROWS;
    let rows: [&[[i16; 2]]; TILE_ROWS] = std::array::from_fn(|row| &rows[row * pairs..][..pairs]);
    for (pair, target) in group.as_chunks_mut::<TILE_ROWS>().0.iter_mut().enumerate() {
        for (target, row) in target.iter_mut().zip(&rows) {
            *target = row[pair];
        }
    }
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

for_each_processor! {
    fn product(
        matrix: &Int16Matrix,
        rounded: &Int16Scratch,
        bias: &[f32],
        activation: Activation,
        columns: Range<usize>,
        out: &mut [f32],
        stride: usize,
    ) {
        assert!(columns.start.is_multiple_of(COLUMNS) && columns.end <= matrix.outputs);
        let pairs = matrix.inputs.div_ceil(2);
        let at_once = matrix.pairs_at_once;
        let count = rounded.steps.len();
        let groups = rounded.groups.as_flattened();
        for first in columns.clone().step_by(COLUMNS) {
            let panel = &matrix.panels[first * 2 * pairs..][..COLUMNS * 2 * pairs];
            let width = COLUMNS.min(columns.end - first);
            let steps: [f32; COLUMNS] = padded(&matrix.steps[first..][..width]);
            let bias: [f32; COLUMNS] = padded(&bias[first..][..width]);
            let mut row = 0;
            while row + TILE_ROWS <= count {
                let group = &groups[row * 2 * pairs..];
                let sums = tile::int16::<TILE_ROWS, COLUMNS>(group, panel, pairs, at_once);
                let to = &mut out[row * stride + first - columns.start..];
                finish::<FMA, TILE_ROWS, COLUMNS>(sums, &rounded.steps[row..], &steps, &bias, activation, to, stride, width);
                row += TILE_ROWS;
            }
            while row < count {
                let sums = tile::int16::<1, COLUMNS>(&groups[row * 2 * pairs..], panel, pairs, at_once);
                let to = &mut out[row * stride + first - columns.start..];
                finish::<FMA, 1, COLUMNS>(sums, &rounded.steps[row..], &steps, &bias, activation, to, stride, width);
                row += 1;
            }
        }
    }
}

/// From sums of integers to the layer's numbers, for some rows of a panel.
#[inline(always)]
#[allow(
    clippy::too_many_arguments,
    reason = "a loop's body, written once for two numbers of rows"
)]
fn finish<const FMA: bool, const ROWS: usize, const COLUMNS: usize>(
    mut sums: [[f32; COLUMNS]; ROWS],
    row_steps: &[f32],
    steps: &[f32; COLUMNS],
    bias: &[f32; COLUMNS],
    activation: Activation,
    out: &mut [f32],
    stride: usize,
    width: usize,
) {
    for (values, row_step) in sums.iter_mut().zip(row_steps) {
        scale_and_add(values, *row_step, steps, bias);
    }
    activation.apply::<FMA>(sums.as_flattened_mut());
    for (row, values) in sums.iter().enumerate() {
        write(values, &mut out[row * stride..][..width]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sum_of_integers_can_overflow() {
        for inputs in [1, 2, 64, 384, 1536, 2064, 3072, 65_536] {
            for stored in [None, Some(&[1.0][..])] {
                let matrix = Int16Matrix::pack(&vec![1.0; inputs], 1, inputs, stored).expect("packed");
                let weight = if stored.is_some() { STORED_LIMIT } else { WEIGHT_LIMIT };
                let most = 2 * matrix.pairs_at_once as i64 * i64::from(weight) * matrix.activation_limit as i64;
                assert!(most <= i64::from(i32::MAX), "{inputs} inputs: {most}");
                assert!(matrix.activation_limit >= f32::from(ACTIVATION_LIMIT));
            }
        }
    }
}
