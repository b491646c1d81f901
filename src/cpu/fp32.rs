//! Products in f32: the exact path of linear layers, attention's two products, and nearest neighbours.

use super::processor::Instructions;
use super::{Activation, BLOCK_ROWS, TILE_ROWS, rows, tile};

/// The right-hand side of a product, packed for this processor: in panels of a few columns, `k` after `k`.
pub struct Fp32Matrix {
    panels: Vec<f32>,
    depth: usize,
    outputs: usize,
    instructions: Instructions,
}

impl Default for Fp32Matrix {
    fn default() -> Self {
        Self {
            panels: Vec::new(),
            depth: 0,
            outputs: 0,
            instructions: Instructions::detect(),
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
        let columns = self.resize(outputs, depth);
        for output in 0..outputs {
            let panel = &mut self.panels[output / columns * (depth * columns)..][..depth * columns];
            for (target, value) in panel.chunks_exact_mut(columns).zip(row(output)) {
                target[output % columns] = *value;
            }
        }
    }

    /// Packs `depth` rows of `outputs` numbers, which stay rows.
    pub fn pack_columns<'r>(&mut self, outputs: usize, depth: usize, row: impl Fn(usize) -> &'r [f32]) {
        let columns = self.resize(outputs, depth);
        for k in 0..depth {
            for (number, part) in row(k)[..outputs].chunks(columns).enumerate() {
                self.panels[(number * depth + k) * columns..][..part.len()].copy_from_slice(part);
            }
        }
    }

    fn resize(&mut self, outputs: usize, depth: usize) -> usize {
        let columns = self.instructions.panel_columns();
        self.panels.clear();
        self.panels.resize(outputs.next_multiple_of(columns) * depth, 0.0);
        (self.outputs, self.depth) = (outputs, depth);
        columns
    }

    /// Numbers in a row of the result.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The product of 1 to 4 rows with every panel: `each` receives the row's number, the first column, and the sums.
    ///
    /// The first row is where `rows` begins, the next one `stride` numbers further on.
    #[inline]
    pub(super) fn tile(&self, count: usize, rows: &[f32], stride: usize, mut each: impl FnMut(usize, usize, &[f32])) {
        let columns = self.instructions.panel_columns();
        for (panel, first) in self
            .panels
            .chunks_exact((self.depth * columns).max(1))
            .zip((0..).step_by(columns))
        {
            let width = columns.min(self.outputs - first);
            let mut sums = [0f32; TILE_ROWS * 32];
            tile::fp32(self.instructions, count, rows, stride, panel, self.depth, &mut sums);
            for (row, sums) in sums.chunks_exact(columns).take(count).enumerate() {
                each(row, first, &sums[..width]);
            }
        }
    }

    /// `activation(input · packed + bias)` into `out`; `input` is [n, depth], `out` [n, outputs].
    pub fn product(&self, input: &[f32], bias: Option<&[f32]>, activation: Activation, out: &mut [f32]) {
        let columns = self.instructions.panel_columns();
        let depth = self.depth;
        for (block, out) in input
            .chunks(BLOCK_ROWS * depth)
            .zip(out.chunks_mut(BLOCK_ROWS * self.outputs))
        {
            let count = block.len() / depth;
            for (panel, first) in self.panels.chunks_exact(depth * columns).zip((0..).step_by(columns)) {
                let width = columns.min(self.outputs - first);
                for row in (0..count).step_by(TILE_ROWS) {
                    let tile_rows = TILE_ROWS.min(count - row);
                    let mut sums = [0f32; TILE_ROWS * 32];
                    tile::fp32(
                        self.instructions,
                        tile_rows,
                        &block[row * depth..],
                        depth,
                        panel,
                        depth,
                        &mut sums,
                    );
                    for (r, sums) in sums.chunks_exact(columns).take(tile_rows).enumerate() {
                        let out = &mut out[(row + r) * self.outputs + first..][..width];
                        out.copy_from_slice(&sums[..width]);
                        if let Some(bias) = bias {
                            rows::add(out, &bias[first..][..width]);
                        }
                        if activation == Activation::Gelu {
                            rows::gelu(out);
                        }
                    }
                }
            }
        }
    }
}
