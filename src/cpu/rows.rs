//! What is done to rows of f32, one after another: GELU, softmax, layer normalisation.
//!
//! Written in a form that compilers turn into vector instructions: fixed groups of lanes, no branches, no calls. What is
//! more than a sum or a product is a [`formula`](super::formula).

use super::formula::{CoarsePower, Exponential, Gelu};
use super::lane::{
    LANES, Lane, add_scale_and_add, for_each_lane, largest, narrow, range, round_products, sum_each_lane,
};
use super::processor::{for_each_processor, multiply_add};

for_each_processor! {
    /// `x Φ(x)` of every number, Φ by erf: within 4e-7 of it for |x| up to 1, relative beyond.
    pub fn gelu(values: &mut [f32]) {
        for_each_lane!(values, gelu: Gelu, |x: Number| gelu.of::<FMA>(x));
    }
}

for_each_processor! {
    /// Turns scores into `e^(factor · (score - largest))` and returns their sum: softmax but for the division.
    pub fn exponentials(scores: &mut [f32], factor: f32) -> f32 {
        exponential_lanes::<FMA>(scores, factor)
    }
}

/// See [`exponentials`].
#[inline(always)]
pub(super) fn exponential_lanes<const FMA: bool>(scores: &mut [f32], factor: f32) -> f32 {
    let (groups, rest) = scores.as_chunks::<LANES>();
    let mut most = [f32::NEG_INFINITY; LANES];
    for group in groups {
        for (lane, score) in most.iter_mut().zip(group) {
            *lane = score.at_least(*lane);
        }
    }
    let most = most.iter().chain(rest).fold(f32::NEG_INFINITY, |a, b| b.at_least(a));
    for_each_lane!(scores, exponential: Exponential, |x: Number| {
        exponential.of::<FMA>(x.plus(Number::of(-most)).times(Number::of(factor)))
    });
    sum_of::<FMA>(scores, |value| value)
}

/// [`exponential_lanes`] to the exactness of 16 bits, of scores of which the `largest` is known.
#[inline(always)]
pub(super) fn coarse_exponential_lanes<const FMA: bool>(scores: &mut [f32], largest: f32, factor: f32) -> f32 {
    let factor = factor * std::f32::consts::LOG2_E;
    sum_each_lane!(scores, power: CoarsePower, |x: Number| {
        power.of::<FMA>(x.plus(Number::of(-largest)).times(Number::of(factor)))
    })
}

/// A layer normalisation's parameters.
pub struct LayerNorm {
    /// Factor of each column.
    pub gamma: Vec<f32>,
    /// Added to each column.
    pub beta: Vec<f32>,
    /// Added to the variance.
    pub epsilon: f32,
}

impl LayerNorm {
    /// Normalises `rows + added` row by row, in `rows`: to mean 0 and variance 1, then by the parameters.
    pub fn add_and_normalize(&self, rows: &mut [f32], added: &[f32]) {
        let width = self.gamma.len();
        for (row, added) in rows.chunks_exact_mut(width).zip(added.chunks_exact(width)) {
            add(row, added);
            normalize(row, &self.gamma, &self.beta, self.epsilon);
        }
    }

    /// Normalises row by row; returns what each row was scaled by, which is 1 over its standard deviation.
    pub fn normalize(&self, rows: &mut [f32]) -> Vec<f32> {
        let rows = rows.chunks_exact_mut(self.gamma.len());
        rows.map(|row| normalize(row, &self.gamma, &self.beta, self.epsilon))
            .collect()
    }

    /// What is linear in a normalisation: `gamma · (row - mean)`. Times a row's factor, plus beta, it is the row
    /// normalised; that of a sum is the sum of its parts'.
    pub fn center(&self, row: &mut [f32]) {
        center(row, &self.gamma);
    }
}

for_each_processor! {
    /// Adds a row to a row.
    pub fn add(row: &mut [f32], added: &[f32]) {
        for (value, added) in row.iter_mut().zip(added) {
            *value += added;
        }
    }
}

for_each_processor! {
    fn normalize(row: &mut [f32], gamma: &[f32], beta: &[f32], epsilon: f32) -> f32 {
        let width = row.len() as f32;
        let mean = sum_of::<FMA>(row, |value| value) / width;
        let variance = sum_of::<FMA>(row, |value| (value - mean) * (value - mean)) / width;
        let factor = 1.0 / (variance + epsilon).sqrt();
        for ((value, gamma), beta) in row.iter_mut().zip(gamma).zip(beta) {
            *value = multiply_add::<FMA>((*value - mean) * factor, *gamma, *beta);
        }
        factor
    }
}

for_each_processor! {
    fn center(row: &mut [f32], gamma: &[f32]) {
        let mean = sum_of::<FMA>(row, |value| value) / row.len() as f32;
        for (value, gamma) in row.iter_mut().zip(gamma) {
            *value = (*value - mean) * gamma;
        }
    }
}

for_each_processor! {
    /// `(first + second) · factor + terms` into `out`, place by place.
    pub fn combine(first: &[f32], second: &[f32], factor: f32, terms: &[f32], out: &mut [f32]) {
        add_scale_and_add::<FMA>(first, second, factor, terms, out);
    }
}

#[inline(always)]
pub(super) fn sum_of<const FMA: bool>(row: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let (groups, rest) = row.as_chunks::<LANES>();
    let mut sums = [0f32; LANES];
    for group in groups {
        for (sum, value) in sums.iter_mut().zip(group) {
            *sum += term(*value);
        }
    }
    sums.into_iter().chain(rest.iter().map(|value| term(*value))).sum()
}

for_each_processor! {
    /// Rounds a row to integers of at most `limit` in size and returns what one of them is worth.
    pub fn round_row(row: &[f32], limit: f32, integers: &mut [i16]) -> f32 {
        let largest = largest(row);
        if largest == 0.0 || !largest.is_finite() {
            integers.fill(0);
            // What is infinite or no number at all makes the whole row no number, so that it is noticed.
            return if largest == 0.0 { 0.0 } else { f32::NAN };
        }
        let step = largest / limit;
        let inverse = limit / largest;
        if !inverse.is_finite() {
            // Smaller than any number that matters: 1e-38 and the like.
            integers.fill(0);
            return 0.0;
        }
        round_products(row, inverse, integers);
        step
    }
}

for_each_processor! {
    /// The smallest and the largest number, zero being one of them; not finite if there is one that is not.
    pub fn range_with_zero(row: &[f32]) -> [f32; 2] {
        range(row)
    }
}

for_each_processor! {
    /// `row · factor`, rounded to the nearest integers (of two the even one), which have to fit into 16 bits.
    pub fn round_all(row: &[f32], factor: f32, integers: &mut [i16]) {
        round_products(row, factor, integers);
    }
}

for_each_processor! {
    /// Adds `zero` to integers, which then have to be from 0 to 127, and writes them as bytes, two in each of `pairs`.
    pub fn shift_and_narrow(integers: &[i16], zero: i16, pairs: &mut [i16]) {
        narrow(integers, zero, pairs);
    }
}
