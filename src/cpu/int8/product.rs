//! Activations times weights.

use std::ops::Range;

use super::rounded::Rounded;
use super::{COLUMNS, Int8Matrix};
use crate::cpu::processor::for_each_processor;
use crate::cpu::{Activation, BLOCK_ROWS, TILE_ROWS};

/// Columns that a block of rows goes through together: several, so that what is written of a row is next to each other.
const CHUNK_COLUMNS: usize = 64;

const _: () = assert!(CHUNK_COLUMNS.is_multiple_of(COLUMNS));

impl Int8Matrix {
    /// `activation(rows Wᵀ + bias)` of some columns, which begin with a multiple of eight; `rows` is [n, inputs], rows
    /// of `out` begin every `stride` numbers.
    pub fn part(
        &self,
        rows: &[f32],
        activation: Activation,
        columns: Range<usize>,
        out: &mut [f32],
        stride: usize,
        scratch: &mut Int8Scratch,
    ) {
        assert!(columns.start.is_multiple_of(COLUMNS) && columns.end <= self.outputs());
        for (block, out) in rows
            .chunks(BLOCK_ROWS * self.inputs)
            .zip(out.chunks_mut(BLOCK_ROWS * stride))
        {
            let count = block.len() / self.inputs;
            scratch.rounded.round(block, self.inputs, &self.wide);
            for chunk in columns.clone().step_by(CHUNK_COLUMNS) {
                let width = CHUNK_COLUMNS.min(columns.end - chunk);
                let out = &mut out[chunk - columns.start..];
                for first in (0..width).step_by(COLUMNS) {
                    let width = COLUMNS.min(width - first);
                    self.panel(
                        (chunk + first) / COLUMNS,
                        count,
                        &mut out[first..],
                        width,
                        stride,
                        scratch,
                    );
                }
                apply(activation, out, count, width, stride);
            }
        }
    }

    /// One panel's columns of `count` rows, as many of them as `width`.
    fn panel(&self, number: usize, count: usize, out: &mut [f32], width: usize, stride: usize, scratch: &Int8Scratch) {
        let (panel, rounded) = (self.panel_of(number), &scratch.rounded);
        // What a whole tile has a place for is written there.
        let whole = if width == COLUMNS { count - count % TILE_ROWS } else { 0 };
        if whole > 0 {
            self.kernel.multiply(rounded.tiles(0, whole), panel, out, stride);
        }
        for first in (whole..count).step_by(TILE_ROWS) {
            let mut values = [0.0; TILE_ROWS * COLUMNS];
            self.kernel
                .multiply(rounded.tiles(first, TILE_ROWS), panel, &mut values, COLUMNS);
            for (row, values) in (first..count).zip(values.chunks_exact(COLUMNS)) {
                out[row * stride..][..width].copy_from_slice(&values[..width]);
            }
        }
    }
}

for_each_processor! {
    /// Applies an activation to the first `width` numbers of rows.
    fn apply(activation: Activation, out: &mut [f32], count: usize, width: usize, stride: usize) {
        for row in 0..count {
            activation.apply_coarsely::<FMA>(&mut out[row * stride..][..width]);
        }
    }
}

/// Memory of a product that is used again.
#[derive(Default)]
pub struct Int8Scratch {
    rounded: Rounded,
}
