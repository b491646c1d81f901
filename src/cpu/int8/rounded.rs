//! Activations in 8-bit integers, row by row.

use super::kernel::{RowRounding, Tiles};
use super::{ACTIVATION_LIMIT, OCTET, WIDE_LIMIT};
use crate::cpu::rows::{range_with_zero, round_all, shift_and_narrow};
use crate::cpu::{TILE_ROWS, tile};

/// Rounds a row: `integer · step` is nearly the number. Returns the step, and what makes none of the integers negative
/// and none larger than the limit if it is added to them, wide inputs left out. `values` is memory.
pub fn round_activations(row: &[f32], wide: &[u32], integers: &mut [i16], values: &mut Vec<f32>) -> (f32, i16) {
    values.clear();
    values.extend_from_slice(row);
    let mut widest = 0f32;
    for &input in wide {
        let value = &mut values[input as usize];
        // What is no number stays one of the others, so that it is noticed.
        if value.is_finite() {
            widest = widest.max(value.abs());
            *value = 0.0;
        }
    }
    let [low, high] = range_with_zero(values);
    // Both ends of the others may be rounded up, by half a unit each.
    let step = ((high - low) / f32::from(ACTIVATION_LIMIT - 1)).max(widest / f32::from(WIDE_LIMIT));
    let inverse = 1.0 / step;
    let is_finite = (high - low).is_finite();
    if !is_finite || !inverse.is_finite() {
        integers.fill(0);
        // What is infinite or no number at all makes the whole row no number; what is next to nothing is nothing.
        return (if is_finite { 0.0 } else { f32::NAN }, 0);
    }
    round_all(values, inverse, integers);
    for &input in wide {
        round_all(
            &row[input as usize..][..1],
            inverse,
            &mut integers[input as usize..][..1],
        );
    }
    let mut zero = [0];
    round_all(&[-low], inverse, &mut zero);
    (step, zero[0])
}

/// A block of activations, rounded.
#[derive(Default)]
pub struct Rounded {
    values: Vec<f32>,
    /// One row's integers.
    integers: Vec<i16>,
    /// Four rows, one after the other, as bytes: two in each number.
    rows: Vec<[i16; 2]>,
    /// The same rows' wide inputs.
    wide_rows: Vec<[i16; 2]>,
    /// See [`Tiles`].
    tiles: Vec<[i16; 2]>,
    wide_tiles: Vec<[i16; 2]>,
    /// Of each row, and of those that fill the last tile.
    roundings: Vec<RowRounding>,
}

impl Rounded {
    /// Rounds `block`, rows of so many inputs.
    pub fn round(&mut self, block: &[f32], inputs: usize, wide: &[u32]) {
        let fours = inputs.next_multiple_of(OCTET) / 4;
        let pairs = wide.len().div_ceil(2);
        let count = (block.len() / inputs).next_multiple_of(TILE_ROWS);
        self.integers.clear();
        self.integers.resize(4 * fours, 0);
        self.rows.resize(TILE_ROWS * fours, [0; 2]);
        self.wide_rows.resize(TILE_ROWS * pairs, [0; 2]);
        self.tiles.resize(count * fours, [0; 2]);
        self.wide_tiles.resize(count * pairs, [0; 2]);
        self.roundings.clear();
        for (tile, group) in block.chunks(TILE_ROWS * inputs).enumerate() {
            let mut rows = group.chunks_exact(inputs);
            for row in 0..TILE_ROWS {
                let bytes = &mut self.rows[row * fours..][..fours];
                let wide_row = self.wide_rows[row * pairs..][..pairs].as_flattened_mut();
                let Some(row) = rows.next() else {
                    bytes.fill([0; 2]);
                    wide_row.fill(0);
                    self.roundings.push(RowRounding::default());
                    continue;
                };
                let (step, zero) = round_activations(row, wide, &mut self.integers[..inputs], &mut self.values);
                for (&input, to) in wide.iter().zip(wide_row) {
                    // Among the others it is nothing.
                    *to = std::mem::take(&mut self.integers[input as usize]);
                }
                shift_and_narrow(&self.integers, zero, bytes.as_flattened_mut());
                let zero = i32::from(zero);
                self.roundings.push(RowRounding { zero, step });
            }
            tile::lay(
                &self.rows,
                TILE_ROWS,
                &mut self.tiles[tile * TILE_ROWS * fours..][..TILE_ROWS * fours],
            );
            let wide_tile = &mut self.wide_tiles[tile * TILE_ROWS * pairs..][..TILE_ROWS * pairs];
            tile::lay(&self.wide_rows, TILE_ROWS, wide_tile);
        }
    }

    /// Some of the tiles, so many rows from a tile's first one on.
    pub fn tiles(&self, first: usize, rows: usize) -> Tiles<'_> {
        let of = |all: &'_ [[i16; 2]]| -> std::ops::Range<usize> {
            let row = all.len() / self.roundings.len();
            first * row..(first + rows) * row
        };
        Tiles {
            narrow: &self.tiles[of(&self.tiles)],
            wide: &self.wide_tiles[of(&self.wide_tiles)],
            roundings: &self.roundings[first..][..rows],
        }
    }
}
