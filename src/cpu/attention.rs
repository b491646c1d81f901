//! Attention within one text: `softmax(Q Kᵀ / √d) V` of each head (Vaswani et al. 2017, formula 1).
//!
//! A few rows of scores at a time are made, turned into weights and used, so that they never leave the nearest cache.

use super::processor::for_each_processor;
use super::rows::exponential_lanes;
use super::{TILE_ROWS, tile, write};

/// Memory of an attention that is used again.
#[derive(Default)]
pub struct AttentionScratch {
    /// One head's keys in panels: of a few keys, number after number.
    keys: Vec<f32>,
    /// Its values in panels: of a few numbers, value after value.
    values: Vec<f32>,
    /// Some rows of scores, each padded to whole panels.
    scores: Vec<f32>,
}

for_each_processor! {
    /// Attends within one text of `length` tokens, for the first `queries` of them.
    ///
    /// `states` holds queries, keys and values side by side ([length, 3 · hidden]); `out` becomes [queries, hidden].
    pub fn attend(
        states: &[f32],
        length: usize,
        queries: usize,
        heads: usize,
        out: &mut [f32],
        scratch: &mut AttentionScratch,
    ) {
        let hidden = out.len() / queries;
        let size = hidden / heads;
        let AttentionScratch { keys, values, scores } = scratch;
        let padded = length.next_multiple_of(COLUMNS);
        keys.resize(padded * size, 0.0);
        values.resize(size.next_multiple_of(COLUMNS) * length, 0.0);
        scores.resize(TILE_ROWS * padded, 0.0);
        for head in 0..heads {
            let part = |token: usize, which: usize| &states[(3 * token + which) * hidden + head * size..][..size];
            for (panel, first) in keys.chunks_exact_mut(COLUMNS * size).zip((0..).step_by(COLUMNS)) {
                // Beyond the last key stands the last key; its scores are not looked at.
                let rows: [&[f32]; COLUMNS] = std::array::from_fn(|key| part((first + key).min(length - 1), 1));
                for (k, column) in panel.as_chunks_mut::<COLUMNS>().0.iter_mut().enumerate() {
                    for (target, row) in column.iter_mut().zip(&rows) {
                        *target = row[k];
                    }
                }
            }
            for (panel, first) in values.chunks_exact_mut(COLUMNS * length).zip((0..).step_by(COLUMNS)) {
                let width = COLUMNS.min(size - first);
                for (token, row) in panel.as_chunks_mut::<COLUMNS>().0.iter_mut().enumerate() {
                    let value = &part(token, 2)[first..][..width];
                    match value.as_array::<COLUMNS>() {
                        Some(value) => *row = *value,
                        None => row[..width].copy_from_slice(value),
                    }
                }
            }
            let mut token = 0;
            while token + TILE_ROWS <= queries {
                let states = &states[3 * token * hidden..];
                let out = &mut out[token * hidden..];
                rows::<FMA, TILE_ROWS, COLUMNS>(states, length, hidden, head, size, keys, values, scores, out);
                token += TILE_ROWS;
            }
            while token < queries {
                let states = &states[3 * token * hidden..];
                let out = &mut out[token * hidden..];
                rows::<FMA, 1, COLUMNS>(states, length, hidden, head, size, keys, values, scores, out);
                token += 1;
            }
        }
    }
}

/// Some rows of one head, from queries to the result.
#[inline(always)]
#[allow(
    clippy::too_many_arguments,
    reason = "a loop's body, written once for two numbers of rows"
)]
fn rows<const FMA: bool, const ROWS: usize, const COLUMNS: usize>(
    states: &[f32],
    length: usize,
    hidden: usize,
    head: usize,
    size: usize,
    keys: &[f32],
    values: &[f32],
    scores: &mut [f32],
    out: &mut [f32],
) {
    let factor = 1.0 / (size as f32).sqrt();
    let padded = length.next_multiple_of(COLUMNS);
    let queries = &states[head * size..];
    for (panel, first) in keys.chunks_exact(COLUMNS * size).zip((0..).step_by(COLUMNS)) {
        let sums = tile::fp32::<FMA, ROWS, COLUMNS>(queries, 3 * hidden, panel, size);
        for (row, sums) in sums.iter().enumerate() {
            write(sums, &mut scores[row * padded + first..][..COLUMNS]);
        }
    }
    // No closure: one that is not inlined is compiled without this function's instructions.
    let mut inverse = [0.0; ROWS];
    for (row, inverse) in inverse.iter_mut().enumerate() {
        *inverse = 1.0 / exponential_lanes::<FMA>(&mut scores[row * padded..][..length], factor);
    }
    for (panel, first) in values.chunks_exact(COLUMNS * length).zip((0..).step_by(COLUMNS)) {
        let width = COLUMNS.min(size - first);
        let mut sums = tile::fp32::<FMA, ROWS, COLUMNS>(scores, padded, panel, length);
        for ((row, sums), inverse) in sums.iter_mut().enumerate().zip(inverse) {
            for sum in sums.iter_mut() {
                *sum *= inverse;
            }
            write(sums, &mut out[row * hidden + head * size + first..][..width]);
        }
    }
}
