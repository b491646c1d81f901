//! Activations times weights.

use std::ops::Range;

use super::blocks::{BLOCK_INPUTS, blocks};
use super::matrix::Int16Matrix;
use super::rounded::{Group, Rounded, groups};
use super::strassen;
use crate::cpu::lane::{floats, scale_and_add};
use crate::cpu::processor::for_each_processor;
use crate::cpu::rows;
use crate::cpu::{Activation, BLOCK_ROWS, TILE_ROWS, padded};

/// Columns that a block of rows goes through together: several, so that what is written of a row is next to each other,
/// and not so many that their weights leave the second nearest cache.
const CHUNK_COLUMNS: usize = 64;

impl Int16Matrix {
    /// `activation(rows Wᵀ + bias)` into `out`; `rows` is [n, inputs], `out` [n, outputs].
    pub fn product(
        &self,
        rows: &[f32],
        bias: &[f32],
        activation: Activation,
        out: &mut [f32],
        scratch: &mut Int16Scratch,
    ) {
        self.part(rows, bias, activation, 0..self.outputs(), out, self.outputs(), scratch);
    }

    /// `rows Wᵀ + bias` in two products, of the rows as they are rounded and of what that leaves: as exact as the weights
    /// are. `rows` become what is left.
    pub fn exact_product(&self, rows: &mut [f32], bias: &[f32], out: &mut [f32], scratch: &mut Int16Scratch) {
        self.product(rows, bias, Activation::None, out, scratch);
        let mut integers = vec![0; self.inputs];
        for row in rows.chunks_exact_mut(self.inputs) {
            let step = self.activations.round(row, &mut integers, &mut Vec::new());
            for (value, integer) in row.iter_mut().zip(&integers) {
                *value -= f32::from(*integer) * step;
            }
        }
        let mut left = vec![0.0; out.len()];
        let no_bias = vec![0.0; bias.len()];
        self.product(rows, &no_bias, Activation::None, &mut left, scratch);
        rows::add(out, &left);
    }

    /// [`Self::product`] of some columns, which begin with a multiple of [`Instructions::part_columns`]; rows of `out` begin
    /// every `stride` numbers.
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
            scratch.rounded.round(block, self);
            product(self, scratch, bias, activation, columns.clone(), out, stride);
        }
    }
}

/// Memory of a product that is used again.
#[derive(Default)]
pub struct Int16Scratch {
    rounded: Rounded,
    sums: Sums,
}

/// The sums of two tiles with two panels.
#[derive(Default)]
struct Sums {
    /// Of one block of inputs.
    integers: Vec<i32>,
    /// Of all blocks.
    totals: Vec<f32>,
}

for_each_processor! {
    fn product(
        matrix: &Int16Matrix,
        scratch: &mut Int16Scratch,
        bias: &[f32],
        activation: Activation,
        columns: Range<usize>,
        out: &mut [f32],
        stride: usize,
    ) {
        let Int16Scratch { rounded, sums } = scratch;
        const { assert!(CHUNK_COLUMNS.is_multiple_of(2 * COLUMNS)) };
        assert!(columns.start.is_multiple_of(2 * COLUMNS) && columns.end <= matrix.outputs());
        sums.integers.resize(4 * TILE_ROWS * COLUMNS, 0);
        sums.totals.resize(4 * TILE_ROWS * COLUMNS, 0.0);
        for chunk in columns.clone().step_by(CHUNK_COLUMNS) {
            let width = CHUNK_COLUMNS.min(columns.end - chunk);
            let mut operands = &rounded.operands[..];
            for Group { first: row, tile_rows } in groups(rounded.steps.len()) {
                let steps = &rounded.steps[row..];
                let (own, others) = operands.split_at(2 * tile_rows * matrix.whole_inputs() / 4 * strassen::OPERANDS);
                operands = others;
                let out = &mut out[row * stride + chunk - columns.start..];
                for column in (0..width).step_by(2 * COLUMNS) {
                    let panels = Panels::<COLUMNS>::new(matrix, chunk + column, bias, columns.end);
                    let out = &mut out[column..];
                    match tile_rows {
                        TILE_ROWS => group::<TILE_ROWS, COLUMNS>(own, steps, &panels, out, stride, sums),
                        _ => group::<1, COLUMNS>(own, steps, &panels, out, stride, sums),
                    }
                }
                // Not two panels at a time: a formula's constants are loaded for each call.
                for row in 0..steps.len().min(2 * tile_rows) {
                    activation.apply_coarsely::<FMA>(&mut out[row * stride..][..width]);
                }
            }
        }
    }
}

/// Two panels of a matrix, and what follows the product with them.
struct Panels<'a, const COLUMNS: usize> {
    operands: &'a [i16],
    /// Inputs, a multiple of four.
    inputs: usize,
    /// Columns that are asked for.
    width: usize,
    /// What a unit of a column is worth.
    steps: [[f32; COLUMNS]; 2],
    bias: [[f32; COLUMNS]; 2],
}

impl<'a, const COLUMNS: usize> Panels<'a, COLUMNS> {
    #[inline(always)]
    fn new(matrix: &'a Int16Matrix, first: usize, bias: &[f32], end: usize) -> Self {
        let inputs = matrix.whole_inputs();
        let length = COLUMNS * inputs / 2 * strassen::OPERANDS;
        let width = (2 * COLUMNS).min(end - first);
        Self {
            operands: &matrix.operands[first / (2 * COLUMNS) * length..][..length],
            inputs,
            width,
            steps: both(&matrix.steps[first..][..width]),
            bias: both(&bias[first..][..width]),
        }
    }
}

/// As many numbers as two panels have columns; zeros where there are none.
#[inline(always)]
fn both<const COLUMNS: usize>(numbers: &[f32]) -> [[f32; COLUMNS]; 2] {
    let (first, second) = numbers.split_at(COLUMNS.min(numbers.len()));
    [padded(first), padded(second)]
}

/// Two tiles of rows times two panels.
#[inline(always)]
fn group<const ROWS: usize, const COLUMNS: usize>(
    mut left: &[i16],
    row_steps: &[f32],
    panels: &Panels<COLUMNS>,
    out: &mut [f32],
    stride: usize,
    sums: &mut Sums,
) {
    let mut right = panels.operands;
    let integers = &mut sums.integers[..4 * ROWS * COLUMNS];
    let totals = &mut sums.totals[..4 * ROWS * COLUMNS];
    for block in blocks(panels.inputs) {
        let pairs = block.len() / 4;
        strassen::product::<ROWS, COLUMNS>(left, right, pairs, integers);
        left = &left[strassen::OPERANDS * 2 * ROWS * pairs..];
        right = &right[strassen::OPERANDS * 2 * COLUMNS * pairs..];
        if panels.inputs > BLOCK_INPUTS {
            for (total, sum) in totals.iter_mut().zip(&*integers) {
                *total = if block.start == 0 { 0.0 } else { *total } + *sum as f32;
            }
        }
    }
    let (integers, totals) = (integers.as_chunks::<COLUMNS>().0, totals.as_chunks::<COLUMNS>().0);
    for (row, step) in row_steps.iter().enumerate().take(2 * ROWS) {
        let mut values = [[0.0; COLUMNS]; 2];
        for (panel, values) in values.iter_mut().enumerate() {
            let place = (row / ROWS * 2 + panel) * ROWS + row % ROWS;
            if panels.inputs > BLOCK_INPUTS {
                *values = totals[place];
            } else {
                floats(&integers[place], values);
            }
            scale_and_add(values, *step, &panels.steps[panel], &panels.bias[panel]);
        }
        let out = &mut out[row * stride..][..panels.width];
        match out.as_chunks_mut::<COLUMNS>() {
            ([first, second], []) => [*first, *second] = values,
            _ => out.copy_from_slice(&values.as_flattened()[..panels.width]),
        }
    }
}
