//! Attention in 16-bit integers: the formula of [`crate::cpu::attention`], nearly its numbers, in less time for long texts.
//!
//! Queries and keys are rounded with a step for each, as wide as their products have room for in 32 bits; values of a
//! head with one step, as they are added over the tokens. The weights of a query, exponentials of at most 1, are rounded
//! to 16 bits or to as many as leave the sum of all its products room.

use crate::cpu::lane::{Lane, largest, round_products, scale};
use crate::cpu::processor::for_each_processor;
use crate::cpu::rows::{coarse_exponential_lanes, round_row};
use crate::cpu::tile::{Use, four_rows, int16, interleave, lay};
use crate::cpu::{TILE_ROWS, write};

/// Memory of an attention that is used again.
#[derive(Default)]
pub struct Int16AttentionScratch {
    /// One head's keys in panels: of a few keys, pair after pair of numbers.
    keys: Vec<[i16; 2]>,
    /// What a unit of each key is worth.
    key_steps: Vec<f32>,
    /// One head's values, rounded, token after token.
    rounded_values: Vec<i16>,
    /// The same in panels: of a few numbers, pair after pair of tokens.
    values: Vec<[i16; 2]>,
    /// Some queries or keys, rounded, one after the other.
    rows: Vec<[i16; 2]>,
    /// Those of queries or their weights, side by side.
    tile: Vec<[i16; 2]>,
    /// Sums of products.
    sums: Vec<i32>,
    /// Some rows of scores, each padded to whole panels.
    scores: Vec<f32>,
    /// Those as weights, each padded to pairs.
    weights: Vec<[i16; 2]>,
}

/// The largest rounded value.
const VALUE_LIMIT: i16 = 8191;

/// What the rounded weights of a query may add up to.
const WEIGHTS_LIMIT: i32 = i32::MAX / VALUE_LIMIT as i32;

/// The largest query or key of so many numbers whose products have room in 32 bits.
fn score_limit(size: usize) -> f32 {
    (f64::from(i32::MAX) / size as f64)
        .sqrt()
        .floor()
        .min(f64::from(i16::MAX)) as f32
}

for_each_processor! {
    /// Attends within one text of `length` tokens, for the first `queries` of them; see [`crate::cpu::attention::attend`].
    pub fn attend_int16(
        states: &[f32],
        length: usize,
        queries: usize,
        heads: usize,
        out: &mut [f32],
        scratch: &mut Int16AttentionScratch,
    ) {
        let hidden = out.len() / queries;
        let size = hidden / heads;
        scratch.resize(length, size, COLUMNS);
        for head in 0..heads {
            let part = |token: usize, which: usize| &states[(3 * token + which) * hidden + head * size..][..size];
            pack_keys::<COLUMNS>(|token| part(token, 1), length, size, scratch);
            let value_step = pack_values::<COLUMNS>(|token| part(token, 2), length, size, scratch);
            let mut token = 0;
            while token + TILE_ROWS <= queries {
                let rows = std::array::from_fn(|row| part(token + row, 0));
                let out = &mut out[token * hidden + head * size..];
                rows_of_head::<FMA, TILE_ROWS, COLUMNS>(rows, length, value_step, hidden, out, scratch);
                token += TILE_ROWS;
            }
            while token < queries {
                let out = &mut out[token * hidden + head * size..];
                rows_of_head::<FMA, 1, COLUMNS>([part(token, 0)], length, value_step, hidden, out, scratch);
                token += 1;
            }
        }
    }
}

impl Int16AttentionScratch {
    fn resize(&mut self, length: usize, size: usize, columns: usize) {
        let (size_pairs, length_pairs) = (size.div_ceil(2), length.div_ceil(2));
        let padded = length.next_multiple_of(columns);
        self.keys.resize(padded * size_pairs, [0; 2]);
        self.key_steps.resize(padded, 0.0);
        self.rounded_values.resize(2 * length_pairs * size, 0);
        self.values
            .resize(size.next_multiple_of(columns) * length_pairs, [0; 2]);
        self.rows.resize(TILE_ROWS * size_pairs, [0; 2]);
        self.tile.resize(TILE_ROWS * size_pairs.max(length_pairs), [0; 2]);
        self.sums.resize(TILE_ROWS * columns, 0);
        self.scores.resize(TILE_ROWS * padded, 0.0);
        self.weights.resize(TILE_ROWS * length_pairs, [0; 2]);
    }
}

/// Rounds a few rows, one after the other, and returns what a unit of each is worth.
#[inline(always)]
fn round_rows<const ROWS: usize>(rows: [&[f32]; ROWS], to: &mut [[i16; 2]]) -> [f32; ROWS] {
    let size = rows[0].len();
    let limit = score_limit(size);
    let mut steps = [0.0; ROWS];
    for ((row, step), to) in rows
        .into_iter()
        .zip(&mut steps)
        .zip(to.chunks_exact_mut(size.div_ceil(2)))
    {
        let (to, odd) = to.as_flattened_mut().split_at_mut(size);
        odd.fill(0);
        *step = round_row(row, limit, to);
    }
    steps
}

#[inline(always)]
fn pack_keys<'a, const COLUMNS: usize>(
    key: impl Fn(usize) -> &'a [f32],
    length: usize,
    size: usize,
    scratch: &mut Int16AttentionScratch,
) {
    let panels = scratch.keys.chunks_exact_mut(COLUMNS * size.div_ceil(2));
    for (panel, first) in panels.zip((0..).step_by(COLUMNS)) {
        let panel = panel.as_chunks_mut::<COLUMNS>().0;
        for column in (0..COLUMNS).step_by(TILE_ROWS) {
            // Beyond the last key stands the last key; its scores are not looked at.
            let keys: [_; TILE_ROWS] = std::array::from_fn(|row| key((first + column + row).min(length - 1)));
            let steps = round_rows(keys, &mut scratch.rows);
            scratch.key_steps[first + column..][..TILE_ROWS].copy_from_slice(&steps);
            interleave(four_rows(&scratch.rows), panel, column);
        }
    }
}

/// Returns what a unit of a value is worth.
#[inline(always)]
fn pack_values<'a, const COLUMNS: usize>(
    value: impl Fn(usize) -> &'a [f32],
    length: usize,
    size: usize,
    scratch: &mut Int16AttentionScratch,
) -> f32 {
    let most = (0..length).map(|token| largest(value(token)));
    let largest = most.fold(
        0.0,
        |most: f32, value| if value > most || value.is_nan() { value } else { most },
    );
    let inverse = f32::from(VALUE_LIMIT) / largest;
    let rounded = &mut scratch.rounded_values;
    if !inverse.is_finite() || inverse == 0.0 {
        // As in `round_row`: nothing but zeros, or what is no number.
        rounded.fill(0);
        scratch.values.fill([0; 2]);
        return if largest.is_finite() { 0.0 } else { f32::NAN };
    }
    for (token, to) in rounded.chunks_exact_mut(size).enumerate() {
        match token < length {
            true => round_products(value(token), inverse, to),
            false => to.fill(0),
        }
    }
    for (panel, first) in scratch
        .values
        .chunks_exact_mut(COLUMNS * length.div_ceil(2))
        .zip((0..).step_by(COLUMNS))
    {
        let width = COLUMNS.min(size - first);
        for (pair, tokens) in panel
            .as_chunks_mut::<COLUMNS>()
            .0
            .iter_mut()
            .zip(rounded.chunks_exact(2 * size))
        {
            let (even, odd) = tokens.split_at(size);
            for ((pair, even), odd) in pair.iter_mut().zip(&even[first..][..width]).zip(&odd[first..]) {
                *pair = [*even, *odd];
            }
        }
    }
    largest / f32::from(VALUE_LIMIT)
}

/// Some rows of one head, from queries to the result.
#[inline(always)]
fn rows_of_head<const FMA: bool, const ROWS: usize, const COLUMNS: usize>(
    queries: [&[f32]; ROWS],
    length: usize,
    value_step: f32,
    hidden: usize,
    out: &mut [f32],
    scratch: &mut Int16AttentionScratch,
) {
    let size = queries[0].len();
    let (pairs, length_pairs) = (size.div_ceil(2), length.div_ceil(2));
    let padded = length.next_multiple_of(COLUMNS);
    let Int16AttentionScratch {
        keys,
        key_steps,
        values,
        rows,
        tile,
        sums,
        scores,
        weights,
        ..
    } = scratch;
    let steps = round_rows(queries, rows);
    lay(&rows[..ROWS * pairs], ROWS, tile);
    let mut largest = [[f32::NEG_INFINITY; COLUMNS]; ROWS];
    let panels = keys
        .chunks_exact(COLUMNS * pairs)
        .zip(key_steps.as_chunks::<COLUMNS>().0);
    for ((panel, key_steps), first) in panels.zip((0..).step_by(COLUMNS)) {
        int16::<ROWS, COLUMNS, 1>(tile.as_flattened(), panel.as_flattened(), pairs, [Use::Set], sums);
        for (row, (sums, largest)) in sums.as_chunks::<COLUMNS>().0.iter().zip(&mut largest).enumerate() {
            let scores = scores[row * padded + first..].as_chunks_mut::<COLUMNS>().0;
            scale(sums, key_steps, &mut scores[0], largest);
        }
    }
    let factor = 1.0 / (size as f32).sqrt();
    // Rounding may add half a unit to each, and the sum of so many f32 may be off by one in 10,000.
    let room = 0.999_9 * WEIGHTS_LIMIT as f32 - 0.5 * length as f32;
    let mut units = [0.0; ROWS];
    for (row, (unit, weights)) in units.iter_mut().zip(weights.chunks_exact_mut(length_pairs)).enumerate() {
        let scores = &mut scores[row * padded..][..length];
        let most = largest[row].iter().fold(f32::NEG_INFINITY, |a, b| b.at_least(a));
        let sum = coarse_exponential_lanes::<FMA>(scores, most, factor * steps[row]);
        let units = (room / sum).min(f32::from(i16::MAX));
        *unit = value_step / (units * sum);
        let (weights, odd) = weights.as_flattened_mut().split_at_mut(length);
        odd.fill(0);
        round_products(scores, units, weights);
    }
    lay(&weights[..ROWS * length_pairs], ROWS, tile);
    for (panel, first) in values.chunks_exact(COLUMNS * length_pairs).zip((0..).step_by(COLUMNS)) {
        let width = COLUMNS.min(size - first);
        int16::<ROWS, COLUMNS, 1>(
            tile.as_flattened(),
            panel.as_flattened(),
            length_pairs,
            [Use::Set],
            sums,
        );
        for (row, sums) in sums.as_chunks::<COLUMNS>().0.iter().enumerate().take(ROWS) {
            let mut numbers = [0.0; COLUMNS];
            for (number, sum) in numbers.iter_mut().zip(sums) {
                *number = *sum as f32 * units[row];
            }
            write(&numbers, &mut out[row * hidden + first..][..width]);
        }
    }
}
