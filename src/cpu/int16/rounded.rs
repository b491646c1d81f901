//! Activations in 16-bit integers, a block of rows at a time.

use super::blocks::blocks;
use super::matrix::Int16Matrix;
use super::strassen;
use crate::cpu::{TILE_ROWS, tile};

/// Tiles of rows that are multiplied together, two by two: of [`TILE_ROWS`] rows, or of one for the last two of all.
pub struct Group {
    /// Number of the first row.
    pub first: usize,
    /// Rows of each of the two tiles.
    pub tile_rows: usize,
}

/// The groups of so many rows; the last one may have room for more.
pub fn groups(count: usize) -> impl Iterator<Item = Group> {
    let mut first = 0;
    std::iter::from_fn(move || {
        let left = count.checked_sub(first).filter(|left| *left > 0)?;
        // More than two are done sooner as eight, some of them empty, than two by two.
        let tile_rows = if left > 2 { TILE_ROWS } else { 1 };
        let group = Group { first, tile_rows };
        first += 2 * tile_rows;
        Some(group)
    })
}

/// A block of activations, rounded.
#[derive(Default)]
pub struct Rounded {
    /// A row that is changed before it is rounded.
    values: Vec<f32>,
    /// Of one group of rows, row by row.
    rows: Vec<[i16; 2]>,
    /// The group's two tiles, one after the other: all rows' first pairs, all second ones, and so on.
    tiles: Vec<[i16; 2]>,
    /// Of one group after another, and in it of one block of inputs after another, the left operands; behind them what
    /// is left of a larger block of rows.
    pub operands: Vec<i16>,
    /// What one unit is worth, for each row.
    pub steps: Vec<f32>,
}

impl Rounded {
    /// Rounds `block`, rows of as many numbers as the matrix has inputs.
    pub fn round(&mut self, block: &[f32], matrix: &Int16Matrix) {
        let inputs = matrix.whole_inputs();
        let count = block.len() / matrix.inputs;
        self.steps.clear();
        let mut done = 0;
        for Group { first, tile_rows } in groups(count) {
            self.rows.resize(2 * tile_rows * inputs / 2, [0; 2]);
            let mut rows = block[first * matrix.inputs..].chunks_exact(matrix.inputs);
            for integers in self.rows.chunks_exact_mut(inputs / 2) {
                let (integers, others) = integers.as_flattened_mut().split_at_mut(matrix.inputs);
                others.fill(0);
                match rows.next() {
                    Some(row) => self
                        .steps
                        .push(matrix.activations.round(row, integers, &mut self.values)),
                    None => integers.fill(0),
                }
            }
            self.tiles.resize(self.rows.len(), [0; 2]);
            let tiles = self.tiles.chunks_exact_mut(self.rows.len() / 2);
            for (rows, tile) in self.rows.chunks_exact(self.rows.len() / 2).zip(tiles) {
                tile::lay(rows, tile_rows, tile);
            }
            let tiles = self.tiles.as_flattened();
            for block in blocks(inputs) {
                let half = tile_rows * block.len() / 2;
                let quarter = |tile: usize, which: usize| {
                    &tiles[tile * tile_rows * inputs + tile_rows * block.start + which * half..][..half]
                };
                let start = done;
                done += half * strassen::OPERANDS;
                // What is there already is not set to zero first.
                if self.operands.len() < done {
                    self.operands.resize(done, 0);
                }
                strassen::left_operands(
                    [quarter(0, 0), quarter(0, 1), quarter(1, 0), quarter(1, 1)],
                    &mut self.operands[start..done],
                );
            }
        }
    }
}
