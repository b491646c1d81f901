//! Products in f32: the exact path of linear layers, and nearest neighbours.

use std::ops::Range;

use super::processor::{Instructions, for_each_processor};
use super::{Activation, BLOCK_ROWS, TILE_ROWS, padded, tile, write};

/// The right-hand side of a product, packed for this processor: in panels of a few columns, `k` after `k`.
pub struct Fp32Matrix {
    panels: Vec<f32>,
    depth: usize,
    outputs: usize,
}

impl Default for Fp32Matrix {
    fn default() -> Self {
        Self {
            panels: Vec::new(),
            depth: 1,
            outputs: 0,
        }
    }
}

impl Fp32Matrix {
    /// Packs `weights` ([outputs, inputs], row by row).
    pub fn pack(weights: &[f32], outputs: usize, inputs: usize) -> Self {
        let mut matrix = Self::default();
        matrix.pack_rows(outputs, inputs, |output| &weights[output * inputs..][..inputs]);
        matrix
    }

    /// Packs `outputs` rows of `depth` numbers, each becoming a column; the memory of what was there is used again.
    pub fn pack_rows<'r>(&mut self, outputs: usize, depth: usize, row: impl Fn(usize) -> &'r [f32]) {
        let columns = Instructions::detect().panel_columns();
        self.panels.clear();
        self.panels.resize(outputs.next_multiple_of(columns) * depth, 0.0);
        (self.outputs, self.depth) = (outputs, depth);
        for output in 0..outputs {
            let panel = &mut self.panels[output / columns * (depth * columns)..][..depth * columns];
            for (target, value) in panel.chunks_exact_mut(columns).zip(row(output)) {
                target[output % columns] = *value;
            }
        }
    }

    /// Packs `depth` rows of `outputs` numbers, one for each `k`: the same matrix given by its other side.
    pub fn pack_columns<'r>(&mut self, outputs: usize, depth: usize, row: impl Fn(usize) -> &'r [f32]) {
        let columns = Instructions::detect().panel_columns();
        self.panels.clear();
        self.panels.resize(outputs.next_multiple_of(columns) * depth, 0.0);
        (self.outputs, self.depth) = (outputs, depth);
        for k in 0..depth {
            for (number, values) in row(k)[..outputs].chunks(columns).enumerate() {
                self.panels[(number * depth + k) * columns..][..values.len()].copy_from_slice(values);
            }
        }
    }

    /// Numbers in a row that is multiplied.
    pub fn inputs(&self) -> usize {
        self.depth
    }

    /// Numbers in a row of the result.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// `activation(input · packed + bias)` into `out`; `input` is [n, depth], `out` [n, outputs].
    pub fn product(&self, input: &[f32], bias: Option<&[f32]>, activation: Activation, out: &mut [f32]) {
        self.part(input, bias, activation, 0..self.outputs, out, self.outputs);
    }

    /// The same of some columns, which begin with a panel; rows of `out` begin every `stride` numbers.
    pub fn part(
        &self,
        input: &[f32],
        bias: Option<&[f32]>,
        activation: Activation,
        columns: Range<usize>,
        out: &mut [f32],
        stride: usize,
    ) {
        product(self, input, bias, activation, columns, out, stride);
    }
}

for_each_processor! {
    fn product(
        matrix: &Fp32Matrix,
        input: &[f32],
        bias: Option<&[f32]>,
        activation: Activation,
        columns: Range<usize>,
        out: &mut [f32],
        stride: usize,
    ) {
        let depth = matrix.depth;
        assert!(columns.start.is_multiple_of(COLUMNS) && columns.end <= matrix.outputs);
        for (block, out) in input.chunks(BLOCK_ROWS * depth).zip(out.chunks_mut(BLOCK_ROWS * stride)) {
            let count = block.len() / depth;
            for first in columns.clone().step_by(COLUMNS) {
                let panel = &matrix.panels[first * depth..][..depth * COLUMNS];
                let width = COLUMNS.min(columns.end - first);
                let bias: [f32; COLUMNS] = bias.map_or([0.0; COLUMNS], |bias| padded(&bias[first..][..width]));
                let mut row = 0;
                while row + TILE_ROWS <= count {
                    let sums = tile::fp32::<FMA, TILE_ROWS, COLUMNS>(&block[row * depth..], depth, panel, depth);
                    let to = &mut out[row * stride + first - columns.start..];
                    finish::<FMA, TILE_ROWS, COLUMNS>(sums, &bias, activation, to, stride, width);
                    row += TILE_ROWS;
                }
                while row < count {
                    let sums = tile::fp32::<FMA, 1, COLUMNS>(&block[row * depth..], depth, panel, depth);
                    let to = &mut out[row * stride + first - columns.start..];
                    finish::<FMA, 1, COLUMNS>(sums, &bias, activation, to, stride, width);
                    row += 1;
                }
            }
        }
    }
}

/// From sums to the layer's numbers, for some rows of a panel.
#[inline(always)]
fn finish<const FMA: bool, const ROWS: usize, const COLUMNS: usize>(
    mut sums: [[f32; COLUMNS]; ROWS],
    bias: &[f32; COLUMNS],
    activation: Activation,
    out: &mut [f32],
    stride: usize,
    width: usize,
) {
    for values in &mut sums {
        for (value, bias) in values.iter_mut().zip(bias) {
            *value += bias;
        }
    }
    activation.apply::<FMA>(sums.as_flattened_mut());
    for (row, values) in sums.iter().enumerate() {
        write(values, &mut out[row * stride..][..width]);
    }
}
