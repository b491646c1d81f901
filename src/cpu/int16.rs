//! Products in 16-bit integers: nearly the numbers of f32 at a multiple of its speed.
//!
//! Weights are rounded once to 13 bits (±4,095) with a step of their own for each output; activations to 14 bits
//! (±8,191) with a step for each row, as they come. 64 products at a time are added exactly in 32 bits, those sums in
//! f32. Weights that were stored as 8-bit integers are kept exactly.

use super::processor::{Instructions, for_each_processor};
use super::rows::{gelu_lane, round_row};
use super::{Activation, BLOCK_ROWS, TILE_ROWS, tile};
use crate::error::{Code, Error, Result};

/// The weights of a linear layer, rounded and packed for this processor.
pub struct Int16Matrix {
    panels: Vec<i16>,
    /// What one unit is worth, for each output; padded with 0 to whole panels.
    steps: Vec<f32>,
    inputs: usize,
    outputs: usize,
    instructions: Instructions,
}

impl Int16Matrix {
    /// Rounds and packs `weights` ([outputs, inputs], row by row).
    ///
    /// `stored_steps`: if the weights were 8-bit integers times a step, that step for each output.
    ///
    /// # Errors
    /// [`Code::ModelWeights`] if a weight is infinite or not a number.
    pub fn pack(weights: &[f32], outputs: usize, inputs: usize, stored_steps: Option<&[f32]>) -> Result<Self> {
        let instructions = Instructions::detect();
        let columns = instructions.panel_columns();
        let pairs = inputs.div_ceil(2);
        let padded = outputs.next_multiple_of(columns);
        let mut panels = vec![0i16; padded * pairs * 2];
        let mut steps = vec![0f32; padded];
        let mut integers = vec![0i16; inputs];
        for (output, row) in weights.chunks_exact(inputs).enumerate() {
            let step = match stored_steps {
                Some(stored) => exact_row(row, stored[output], &mut integers),
                None => round_row(row, f32::from(tile::WEIGHT_LIMIT), &mut integers),
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
        Ok(Self {
            panels,
            steps,
            inputs,
            outputs,
            instructions,
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
        let columns = self.instructions.panel_columns();
        let pairs = self.inputs.div_ceil(2);
        let depth = 2 * pairs;
        scratch.integers.resize(BLOCK_ROWS * depth, 0);
        let blocks = rows.chunks(BLOCK_ROWS * self.inputs);
        for (block, out) in blocks.zip(out.chunks_mut(BLOCK_ROWS * self.outputs)) {
            let count = block.len() / self.inputs;
            for (row, (values, integers)) in block
                .chunks_exact(self.inputs)
                .zip(scratch.integers.chunks_exact_mut(depth))
                .enumerate()
            {
                scratch.steps[row] = round_row(values, f32::from(tile::ACTIVATION_LIMIT), &mut integers[..self.inputs]);
                integers[self.inputs..].fill(0);
            }
            for (panel, first) in self.panels.chunks_exact(depth * columns).zip((0..).step_by(columns)) {
                let width = columns.min(self.outputs - first);
                for row in (0..count).step_by(TILE_ROWS) {
                    let tile_rows = TILE_ROWS.min(count - row);
                    let mut sums = [0f32; TILE_ROWS * 32];
                    let integers = &scratch.integers[row * depth..];
                    let of_count = match tile_rows {
                        1 => tile::int16::<1>,
                        2 => tile::int16::<2>,
                        3 => tile::int16::<3>,
                        _ => tile::int16::<4>,
                    };
                    of_count(self.instructions, integers, depth, panel, pairs, &mut sums);
                    for (r, sums) in sums.chunks_exact(columns).take(tile_rows).enumerate() {
                        let out = &mut out[(row + r) * self.outputs + first..][..width];
                        let (steps, bias) = (&self.steps[first..][..width], &bias[first..][..width]);
                        finish(&sums[..width], scratch.steps[row + r], steps, bias, activation, out);
                    }
                }
            }
        }
    }
}

/// Memory of a product that is used again.
pub struct Int16Scratch {
    integers: Vec<i16>,
    steps: [f32; BLOCK_ROWS],
}

impl Default for Int16Scratch {
    fn default() -> Self {
        Self {
            integers: Vec::new(),
            steps: [0.0; BLOCK_ROWS],
        }
    }
}

/// 8-bit integers times 32: they use the range and are exact.
fn exact_row(row: &[f32], stored_step: f32, integers: &mut [i16]) -> f32 {
    if stored_step == 0.0 {
        integers.fill(0);
        return 0.0;
    }
    for (integer, value) in integers.iter_mut().zip(row) {
        let stored = (value / stored_step).round().clamp(-127.0, 127.0);
        *integer = (stored * 32.0) as i16;
    }
    stored_step / 32.0
}

for_each_processor! {
    fn finish(sums: &[f32], row_step: f32, steps: &[f32], bias: &[f32], activation: Activation, out: &mut [f32]) {
        for (((out, sum), step), bias) in out.iter_mut().zip(sums).zip(steps).zip(bias) {
            *out = sum * (row_step * step) + bias;
        }
        if activation == Activation::Gelu {
            for out in out {
                *out = gelu_lane::<FMA>(*out);
            }
        }
    }
}
