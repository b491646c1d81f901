//! Attention within one text: `softmax(Q Kᵀ / √d) V` of each head (Vaswani et al. 2017, formula 1).
//!
//! A few rows of scores at a time are made, turned into weights and used, so that they never leave the nearest cache.

use super::fp32::Fp32Matrix;
use super::processor::for_each_processor;
use super::{TILE_ROWS, rows};

/// Memory of an attention that is used again.
#[derive(Default)]
pub struct AttentionScratch {
    keys: Fp32Matrix,
    values: Fp32Matrix,
    scores: Vec<f32>,
}

/// Attends within one text of `length` tokens.
///
/// `states` holds queries, keys and values side by side ([length, 3 · hidden]); `out` becomes [length, hidden].
pub fn attend(states: &[f32], length: usize, heads: usize, out: &mut [f32], scratch: &mut AttentionScratch) {
    let hidden = out.len() / length;
    let size = hidden / heads;
    let factor = 1.0 / (size as f32).sqrt();
    let AttentionScratch { keys, values, scores } = scratch;
    scores.resize(TILE_ROWS * length, 0.0);
    for head in 0..heads {
        let part = |token: usize, which: usize| &states[token * 3 * hidden + which * hidden + head * size..][..size];
        keys.pack_rows(length, size, |token| part(token, 1));
        values.pack_columns(size, length, |token| part(token, 2));
        for token in (0..length).step_by(TILE_ROWS) {
            let count = TILE_ROWS.min(length - token);
            let queries = &states[token * 3 * hidden + head * size..];
            keys.tile(count, queries, 3 * hidden, |row, first, sums| {
                scores[row * length + first..][..sums.len()].copy_from_slice(sums);
            });
            let mut totals = [0f32; TILE_ROWS];
            for (total, scores) in totals.iter_mut().zip(scores.chunks_exact_mut(length)).take(count) {
                *total = rows::exponentials(scores, factor);
            }
            values.tile(count, scores, length, |row, first, sums| {
                let out = &mut out[(token + row) * hidden + head * size + first..][..sums.len()];
                divide(sums, totals[row], out);
            });
        }
    }
}

for_each_processor! {
    fn divide(values: &[f32], divisor: f32, out: &mut [f32]) {
        let factor = 1.0 / divisor;
        for (out, value) in out.iter_mut().zip(values) {
            *out = value * factor;
        }
    }
}
