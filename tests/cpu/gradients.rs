//! Gradients of GELU, layer normalisation and attention against differences of their definitions in f64.

use querytune::cpu::gradients::{AttentionGradientScratch, attend_gradient, gelu_slopes};
use querytune::cpu::rows::LayerNorm;

fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..count).map(|_| 2.0 * random.f32() - 1.0).collect()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

/// How `function` changes with each of its inputs.
fn differences(inputs: &[f32], function: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    const STEP: f64 = 1e-5;
    let inputs = wide(inputs);
    let at = |place: usize, by: f64| {
        let mut moved = inputs.clone();
        moved[place] += by;
        function(&moved)
    };
    let slope = |place| (at(place, STEP) - at(place, -STEP)) / (2.0 * STEP);
    (0..inputs.len()).map(slope).collect()
}

fn assert_close(found: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    let most = expected.iter().fold(0f64, |most, value| most.max(value.abs()));
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        let distance = (f64::from(*found) - expected).abs();
        assert!(distance <= tolerance * most, "{place}: {found} is not {expected}");
    }
}

/// The density of the normal distribution, and by its integral (Simpson's rule) the distribution itself.
fn normal(x: f64) -> (f64, f64) {
    let density = |x: f64| (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let (pieces, from) = (4000, 0.0);
    let width = (x - from) / f64::from(pieces);
    let sum: f64 = (0..pieces)
        .map(|piece| {
            let start = from + f64::from(piece) * width;
            density(start) + 4.0 * density(start + width / 2.0) + density(start + width)
        })
        .sum();
    (density(x), 0.5 + sum * width / 6.0)
}

#[test]
fn the_slope_of_gelu_is_that_of_x_times_the_normal_distribution() {
    let inputs: Vec<f32> = (-400..=400)
        .map(|step| step as f32 / 50.0)
        .chain([-90.0, 90.0])
        .collect();
    let mut slopes = inputs.clone();
    gelu_slopes(&mut slopes);
    for (x, found) in wide(&inputs).into_iter().zip(slopes) {
        let (density, distribution) = normal(x.clamp(-40.0, 40.0));
        let expected = distribution + x * density;
        assert!(
            (f64::from(found) - expected).abs() <= 6e-7,
            "at {x}: {found} is not {expected}"
        );
    }
}

#[test]
fn layer_normalisation_has_the_gradient_of_its_formula() {
    // A width with a rest beyond whole vectors.
    let (rows, width) = (3, 37);
    let (inputs, added, of_out) = (
        numbers(rows * width, 1),
        numbers(rows * width, 2),
        numbers(rows * width, 3),
    );
    let norm = LayerNorm {
        gamma: numbers(width, 4),
        beta: numbers(width, 5),
        epsilon: 1e-5,
    };
    let loss = |inputs: &[f64]| -> f64 {
        let all = inputs
            .chunks_exact(width)
            .zip(added.chunks_exact(width))
            .zip(of_out.chunks_exact(width));
        all.map(|((row, added), of_out)| {
            let row: Vec<f64> = row
                .iter()
                .zip(wide(added))
                .map(|(value, added)| value + added)
                .collect();
            let mean = row.iter().sum::<f64>() / width as f64;
            let variance = row.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / width as f64;
            let out = row
                .iter()
                .zip(&norm.gamma)
                .zip(&norm.beta)
                .map(|((value, gamma), beta)| {
                    (value - mean) / (variance + f64::from(norm.epsilon)).sqrt() * f64::from(*gamma) + f64::from(*beta)
                });
            dot(&out.collect::<Vec<_>>(), &wide(of_out))
        })
        .sum()
    };
    let (mut traced, mut plain) = (inputs.clone(), inputs.clone());
    let trace = norm.add_and_normalize_traced(&mut traced, &added);
    norm.add_and_normalize(&mut plain, &added);
    assert_close(&traced, &wide(&plain), 1e-6);
    let mut gradient = of_out.clone();
    norm.gradient(&trace, &mut gradient);
    assert_close(&gradient, &differences(&inputs, loss), 2e-6);
}

/// `softmax(Q Kᵀ / √d) V` of every head, [length, hidden].
fn attention(states: &[f64], length: usize, heads: usize, hidden: usize) -> Vec<f64> {
    let size = hidden / heads;
    let part = |token: usize, which: usize, head: usize| &states[(3 * token + which) * hidden + head * size..][..size];
    let mut out = vec![0.0; length * hidden];
    for head in 0..heads {
        for token in 0..length {
            let score = |other| (dot(part(token, 0, head), part(other, 1, head)) / (size as f64).sqrt()).exp();
            let weights: Vec<f64> = (0..length).map(score).collect();
            let sum: f64 = weights.iter().sum();
            for k in 0..size {
                let values = (0..length).map(|other| weights[other] * part(other, 2, head)[k]);
                out[token * hidden + head * size + k] = values.sum::<f64>() / sum;
            }
        }
    }
    out
}

#[test]
fn attention_has_the_gradient_of_its_formula() {
    let mut scratch = AttentionGradientScratch::default();
    // Longer and shorter texts one after the other, heads of whole vectors and of less.
    for (length, heads, hidden) in [(9, 2, 12), (1, 2, 12), (18, 1, 16), (5, 3, 96)] {
        let (states, of_out) = (numbers(3 * length * hidden, 6), numbers(length * hidden, 7));
        let loss = |states: &[f64]| dot(&attention(states, length, heads, hidden), &wide(&of_out));
        // What is there before is overwritten.
        let mut found = vec![5.0; states.len()];
        attend_gradient(&states, &of_out, length, heads, &mut found, &mut scratch);
        assert_close(&found, &differences(&states, loss), 5e-6);
    }
}
