//! Activations times weights.

use std::ops::Range;

use super::kernel::RowRounding;
use super::{COLUMNS, Int8Matrix};
use crate::cpu::processor::for_each_processor;
use crate::cpu::rows::{round_row_between, shift_and_narrow};
use crate::cpu::{Activation, BLOCK_ROWS, TILE_ROWS, tile};

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
            scratch.round(block, self);
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
        let length = COLUMNS * self.whole_inputs();
        let (panel, columns) = (&self.panels[number * length..][..length], &self.columns[number]);
        let Int8Scratch { tiles, roundings, .. } = scratch;
        let tile = TILE_ROWS * self.whole_inputs() / 4;
        // What a whole tile has a place for is written there.
        let whole = if width == COLUMNS { count - count % TILE_ROWS } else { 0 };
        if whole > 0 {
            let (rows, roundings) = (&tiles[..whole / TILE_ROWS * tile], &roundings[..whole]);
            self.kernel.multiply(rows, roundings, panel, columns, out, stride);
        }
        for first in (whole..count).step_by(TILE_ROWS) {
            let mut values = [0.0; TILE_ROWS * COLUMNS];
            let rows = &tiles[first / TILE_ROWS * tile..][..tile];
            let roundings = &roundings[first..][..TILE_ROWS];
            self.kernel
                .multiply(rows, roundings, panel, columns, &mut values, COLUMNS);
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
    /// One row, rounded.
    integers: Vec<i16>,
    /// Four rows, one after the other, as bytes: two in each number.
    rows: Vec<[i16; 2]>,
    /// All of a block's in tiles of four, four inputs after four of each row.
    tiles: Vec<[i16; 2]>,
    /// How each row is rounded, and those that fill the last tile.
    roundings: Vec<RowRounding>,
}

impl Int8Scratch {
    /// Rounds a block of rows.
    fn round(&mut self, block: &[f32], matrix: &Int8Matrix) {
        let (inputs, whole_inputs) = (matrix.inputs, matrix.whole_inputs());
        let rows = (block.len() / inputs).next_multiple_of(TILE_ROWS);
        self.integers.clear();
        self.integers.resize(whole_inputs, 0);
        self.rows.resize(TILE_ROWS * whole_inputs / 4, [0; 2]);
        self.tiles.resize(rows * whole_inputs / 4, [0; 2]);
        self.roundings.clear();
        let groups = block.chunks(TILE_ROWS * inputs);
        for (group, tile) in groups.zip(self.tiles.chunks_exact_mut(TILE_ROWS * whole_inputs / 4)) {
            let mut rows = group.chunks_exact(inputs);
            for bytes in self.rows.chunks_exact_mut(whole_inputs / 4) {
                let rounding = match rows.next() {
                    Some(row) => {
                        let (step, zero) = round_row_between(row, &mut self.integers[..inputs]);
                        shift_and_narrow(&self.integers, zero, bytes.as_flattened_mut());
                        RowRounding {
                            zero: i32::from(zero),
                            step,
                        }
                    }
                    None => {
                        bytes.fill([0; 2]);
                        RowRounding::default()
                    }
                };
                self.roundings.push(rounding);
            }
            tile::lay(&self.rows, TILE_ROWS, tile);
        }
    }
}
