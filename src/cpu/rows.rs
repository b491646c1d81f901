//! What is done to rows of f32, one after another: GELU, softmax, layer normalisation.
//!
//! Written in a form that compilers turn into vector instructions: fixed groups of lanes, no branches, no calls. Formulas
//! are in `lane`'s numbers, which are vectors by name on wasm.

use super::lane::{LANES, Lane, ROUND, for_each_lane, largest, round_products, sum_each_lane};
use super::processor::{for_each_processor, multiply_add};

/// `erf(x)` as `x P(x²) / Q(x²)`, which is odd as erf is; beyond 3.9 erf is 1 in f32.
///
/// Fitted by iterated weighted least squares to the least largest error (4e-8) on that interval; evaluated in f32 the
/// largest error is 3.2e-7. `tests/cpu/rows.rs` holds it against the series.
const ERF_P: [f32; 7] = [
    1.128_378_7,
    0.204_227_03,
    0.051_149_2,
    0.003_896_379_6,
    0.000_147_477_91,
    -1.996_948_4e-6,
    2.011_882_6e-8,
];
const ERF_Q: [f32; 5] = [1.0, 0.514_320_5, 0.116_786_41, 0.014_730_685, 0.001_006_629_5];
const ERF_LIMIT: f32 = 3.9;

/// `erf(x / √2)`
#[inline(always)]
pub(super) fn erf_lane<L: Lane, const FMA: bool>(x: L) -> L {
    let limit = ERF_LIMIT;
    let z = x.times(L::of(std::f32::consts::FRAC_1_SQRT_2));
    let z = z.at_least(L::of(-limit)).at_most(L::of(limit));
    let t = z.times(z);
    z.times(t.polynomial::<FMA, 7>(&ERF_P))
        .over(t.polynomial::<FMA, 5>(&ERF_Q))
}

#[inline(always)]
pub(super) fn gelu_lane<L: Lane, const FMA: bool>(x: L) -> L {
    let half = x.times(L::of(0.5));
    half.times_plus::<FMA>(erf_lane::<L, FMA>(x), half)
}

/// `e^x`: 2^n by the exponent's bits, the rest by a polynomial (Cody and Waite's reduction, Cephes' coefficients).
///
/// For `x` from -87 to 88 within 2 units in the last place; below, 2^-126 or so instead of a smaller number.
#[inline(always)]
pub(super) fn exp_lane<L: Lane, const FMA: bool>(x: L) -> L {
    const POLYNOMIAL: [f32; 6] = [
        0.5,
        1.666_666_5e-1,
        4.166_579_6e-2,
        8.333_452e-3,
        1.398_199_9e-3,
        1.987_569_1e-4,
    ];
    let x = x.at_least(L::of(-87.0)).at_most(L::of(88.0));
    let shifted = x.times_plus::<FMA>(L::of(std::f32::consts::LOG2_E), L::of(ROUND));
    let n = shifted.plus(L::of(-ROUND));
    let rest = n.times_plus::<FMA>(L::of(-0.693_359_4), x);
    let rest = n.times_plus::<FMA>(L::of(2.121_944_4e-4), rest);
    let tail = rest.polynomial::<FMA, 6>(&POLYNOMIAL);
    let mantissa = tail.times_plus::<FMA>(rest.times(rest), rest.plus(L::of(1.0)));
    mantissa.times(shifted.power_of_two())
}

for_each_processor! {
    /// `x Φ(x)` of every number, Φ by erf: within 4e-7 of it for |x| up to 1, relative beyond.
    pub fn gelu(values: &mut [f32]) {
        for_each_lane!(values, |x: Number| gelu_lane::<Number, FMA>(x));
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
    for_each_lane!(scores, |x: Number| {
        exp_lane::<Number, FMA>(x.plus(Number::of(-most)).times(Number::of(factor)))
    });
    sum_of::<FMA>(scores, |value| value)
}

/// `2^x` of numbers up to 0 or little more, within 3e-6 of it: as exact as 16 bits are. Below 2^-126 it is that.
#[inline(always)]
fn coarse_power_lane<L: Lane, const FMA: bool>(x: L) -> L {
    // Fitted to the least largest relative error on [-0.5, 0.5], by iterated weighted least squares.
    const POLYNOMIAL: [f32; 5] = [0.999_999_3, 0.693_121_8, 0.240_247_44, 0.055_917_863, 0.009_570_102];
    let x = x.at_least(L::of(-126.0));
    let shifted = x.plus(L::of(ROUND));
    let rest = x.plus(shifted.plus(L::of(-ROUND)).times(L::of(-1.0)));
    rest.polynomial::<FMA, 5>(&POLYNOMIAL).times(shifted.power_of_two())
}

/// [`exponential_lanes`] to the exactness of 16 bits, of scores of which the `largest` is known.
#[inline(always)]
pub(super) fn coarse_exponential_lanes<const FMA: bool>(scores: &mut [f32], largest: f32, factor: f32) -> f32 {
    let factor = factor * std::f32::consts::LOG2_E;
    sum_each_lane!(scores, |x: Number| {
        coarse_power_lane::<Number, FMA>(x.plus(Number::of(-largest)).times(Number::of(factor)))
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

    /// Normalises row by row.
    pub fn normalize(&self, rows: &mut [f32]) {
        for row in rows.chunks_exact_mut(self.gamma.len()) {
            normalize(row, &self.gamma, &self.beta, self.epsilon);
        }
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
    fn normalize(row: &mut [f32], gamma: &[f32], beta: &[f32], epsilon: f32) {
        let width = row.len() as f32;
        let mean = sum_of::<FMA>(row, |value| value) / width;
        let variance = sum_of::<FMA>(row, |value| (value - mean) * (value - mean)) / width;
        let factor = 1.0 / (variance + epsilon).sqrt();
        for ((value, gamma), beta) in row.iter_mut().zip(gamma).zip(beta) {
            *value = multiply_add::<FMA>((*value - mean) * factor, *gamma, *beta);
        }
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
