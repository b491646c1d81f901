//! Gradients: how a loss changes with the inputs of GELU, layer normalisation and attention, given how it changes with
//! their outputs. Those of products are products again.

use super::formula::{Erf, Exponential};
use super::lane::{LANES, Lane, for_each_lane};
use super::processor::{for_each_processor, multiply_add};
use super::rows::{LayerNorm, add, exponential_lanes, sum_of};

/// `Φ(x) + x φ(x)`, where Φ is the normal distribution and φ its density.
struct GeluSlope<L> {
    exponential: Exponential<L>,
    erf: Erf<L>,
    half: L,
    minus_half: L,
    /// `1 / √(2π)`
    density: L,
}

impl<L: Lane> GeluSlope<L> {
    #[inline(always)]
    fn new() -> Self {
        let [half, minus_half, density] = L::constants(&[0.5, -0.5, 0.398_942_3]);
        Self {
            exponential: Exponential::new(),
            erf: Erf::new(),
            half,
            minus_half,
            density,
        }
    }

    #[inline(always)]
    fn of<const FMA: bool>(&self, x: L) -> L {
        let density = self
            .exponential
            .of::<FMA>(x.times(x).times(self.minus_half))
            .times(self.density);
        let distribution = self.erf.of::<FMA>(x).times_plus::<FMA>(self.half, self.half);
        x.times_plus::<FMA>(density, distribution)
    }
}

for_each_processor! {
    /// Replaces every number by the slope of GELU there.
    pub fn gelu_slopes(values: &mut [f32]) {
        for_each_lane!(values, slope: GeluSlope, |x: Number| slope.of::<FMA>(x));
    }
}

for_each_processor! {
    /// Multiplies a row by a row, place by place.
    pub fn multiply(row: &mut [f32], factors: &[f32]) {
        for (value, factor) in row.iter_mut().zip(factors) {
            *value *= factor;
        }
    }
}

/// What a layer normalisation leaves behind for its gradient.
#[derive(Default)]
pub struct Normalized {
    /// The rows before the parameters: of mean 0 and variance 1.
    standard: Vec<f32>,
    /// Of each row, what its distances from the mean were multiplied by: 1 over the standard deviation.
    factors: Vec<f32>,
}

impl LayerNorm {
    /// As [`LayerNorm::add_and_normalize`], with what the gradient needs.
    pub fn add_and_normalize_traced(&self, rows: &mut [f32], added: &[f32]) -> Normalized {
        let width = self.gamma.len();
        let mut trace = Normalized::default();
        trace.factors.reserve(rows.len() / width);
        for (row, added) in rows.chunks_exact_mut(width).zip(added.chunks_exact(width)) {
            add(row, added);
            trace.factors.push(standardize(row, self.epsilon));
        }
        trace.standard.extend_from_slice(rows);
        for row in rows.chunks_exact_mut(width) {
            scale_and_shift(row, &self.gamma, &self.beta);
        }
        trace
    }

    /// From the gradient of the normalised rows, in `gradient`, to that of the rows before.
    pub fn gradient(&self, trace: &Normalized, gradient: &mut [f32]) {
        let width = self.gamma.len();
        let rows = gradient.chunks_exact_mut(width);
        for ((row, standard), factor) in rows.zip(trace.standard.chunks_exact(width)).zip(&trace.factors) {
            multiply(row, &self.gamma);
            standardize_gradient(row, standard, *factor);
        }
    }
}

for_each_processor! {
    /// To mean 0 and variance 1; returns what distances from the mean were multiplied by.
    fn standardize(row: &mut [f32], epsilon: f32) -> f32 {
        let width = row.len() as f32;
        let mean = sum_of::<FMA>(row, |value| value) / width;
        let variance = sum_of::<FMA>(row, |value| (value - mean) * (value - mean)) / width;
        let factor = 1.0 / (variance + epsilon).sqrt();
        for value in row.iter_mut() {
            *value = (*value - mean) * factor;
        }
        factor
    }
}

for_each_processor! {
    fn scale_and_shift(row: &mut [f32], gamma: &[f32], beta: &[f32]) {
        for ((value, gamma), beta) in row.iter_mut().zip(gamma).zip(beta) {
            *value = multiply_add::<FMA>(*value, *gamma, *beta);
        }
    }
}

for_each_processor! {
    /// `factor · (g - mean(g) - x mean(g x))`, x the standardised row.
    fn standardize_gradient(row: &mut [f32], standard: &[f32], factor: f32) {
        let width = row.len() as f32;
        let mean = sum_of::<FMA>(row, |value| value) / width;
        let along = dot::<FMA>(row, standard) / width;
        for (value, x) in row.iter_mut().zip(standard) {
            *value = factor * (*value - multiply_add::<FMA>(*x, along, mean));
        }
    }
}

#[inline(always)]
fn dot<const FMA: bool>(one: &[f32], other: &[f32]) -> f32 {
    let ((groups, rest), (others, other_rest)) = (one.as_chunks::<LANES>(), other.as_chunks::<LANES>());
    let mut sums = [0f32; LANES];
    for (group, other) in groups.iter().zip(others) {
        for ((sum, a), b) in sums.iter_mut().zip(group).zip(other) {
            *sum = multiply_add::<FMA>(*a, *b, *sum);
        }
    }
    let rest = rest.iter().zip(other_rest).map(|(a, b)| a * b);
    sums.into_iter().chain(rest).sum()
}

/// `row + factor · added`
#[inline(always)]
fn add_scaled<const FMA: bool>(row: &mut [f32], factor: f32, added: &[f32]) {
    for (value, added) in row.iter_mut().zip(added) {
        *value = multiply_add::<FMA>(factor, *added, *value);
    }
}

/// Memory of an attention's gradient that is used again: of one head at a time.
#[derive(Default)]
pub struct AttentionGradientScratch {
    /// Keys and values, number after number, so that all of a query's scores are made at once: [size, length] each.
    keys: Vec<f32>,
    values: Vec<f32>,
    /// A query's weights of all tokens, and their gradients.
    weights: Vec<f32>,
    of_weights: Vec<f32>,
}

for_each_processor! {
    /// The gradient of [`attend`](super::attention::attend) within one text of `length` tokens.
    ///
    /// `states` is what it was computed from ([length, 3 · hidden]), `of_out` the gradient of its result
    /// ([length, hidden]); `of_states` becomes that of `states`.
    pub fn attend_gradient(
        states: &[f32],
        of_out: &[f32],
        length: usize,
        heads: usize,
        of_states: &mut [f32],
        scratch: &mut AttentionGradientScratch,
    ) {
        let hidden = of_out.len() / length;
        let size = hidden / heads;
        let factor = 1.0 / (size as f32).sqrt();
        let AttentionGradientScratch { keys, values, weights, of_weights } = scratch;
        keys.resize(size * length, 0.0);
        values.resize(size * length, 0.0);
        weights.resize(length, 0.0);
        of_weights.resize(length, 0.0);
        of_states.fill(0.0);
        for head in 0..heads {
            let place = |token: usize, which: usize| (3 * token + which) * hidden + head * size;
            for token in 0..length {
                for k in 0..size {
                    keys[k * length + token] = states[place(token, 1) + k];
                    values[k * length + token] = states[place(token, 2) + k];
                }
            }
            for token in 0..length {
                let query = &states[place(token, 0)..][..size];
                let of_result = &of_out[token * hidden + head * size..][..size];
                weights.fill(0.0);
                of_weights.fill(0.0);
                for k in 0..size {
                    add_scaled::<FMA>(weights, query[k], &keys[k * length..][..length]);
                    add_scaled::<FMA>(of_weights, of_result[k], &values[k * length..][..length]);
                }
                let inverse = 1.0 / exponential_lanes::<FMA>(weights, factor);
                for weight in weights.iter_mut() {
                    *weight *= inverse;
                }
                let mean = dot::<FMA>(weights, of_weights);
                for other in 0..length {
                    let weight = weights[other];
                    let of_score = weight * (of_weights[other] - mean) * factor;
                    add_scaled::<FMA>(&mut of_states[place(token, 0)..][..size], of_score, &states[place(other, 1)..][..size]);
                    add_scaled::<FMA>(&mut of_states[place(other, 1)..][..size], of_score, query);
                    add_scaled::<FMA>(&mut of_states[place(other, 2)..][..size], weight, of_result);
                }
            }
        }
    }
}
