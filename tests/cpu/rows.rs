//! GELU, softmax's exponentials, layer normalisation and rounding against their definitions in f64.

use querytune::cpu::rows::{LayerNorm, exponentials, gelu, round_row};

/// erf by its Maclaurin series, exact to f64 for |x| up to 3; by 1 minus the continued fraction of erfc beyond.
fn erf(x: f64) -> f64 {
    let a = x.abs();
    let value = if a < 3.0 {
        let (mut term, mut sum) = (a, a);
        for n in 1..200 {
            let n = f64::from(n);
            term *= -a * a / n;
            sum += term / (2.0 * n + 1.0);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    } else {
        let fraction = (1..=60).rev().fold(0.0, |rest, n| f64::from(n) / 2.0 / (a + rest));
        1.0 - (-a * a).exp() / (a + fraction) / std::f64::consts::PI.sqrt()
    };
    value.copysign(x)
}

fn grid(from: f32, to: f32, count: u16) -> Vec<f32> {
    (0..=count)
        .map(|i| from + (to - from) * f32::from(i) / f32::from(count))
        .collect()
}

#[test]
fn gelu_is_x_times_the_normal_distribution_to_f32_accuracy() {
    let inputs = grid(-8.0, 8.0, 20_011);
    let mut values = inputs.clone();
    gelu(&mut values);
    for (x, found) in inputs.into_iter().zip(values) {
        let x = f64::from(x);
        let expected = 0.5 * x * (1.0 + erf(x / std::f64::consts::SQRT_2));
        let allowed = 2.5e-7 * x.abs().max(1.0);
        assert!(
            (f64::from(found) - expected).abs() <= allowed,
            "gelu({x}) is {found}, not {expected}"
        );
    }
}

#[test]
fn exponentials_are_softmax_but_for_the_division() {
    for length in [1, 5, 16, 33, 512] {
        let scores: Vec<f32> = grid(-30.0, 40.0, 511).into_iter().rev().take(length).collect();
        let mut values = scores.clone();
        let sum = exponentials(&mut values, 0.5);
        let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let expected: Vec<f64> = scores.iter().map(|s| (0.5 * f64::from(s - most)).exp()).collect();
        for (found, expected) in values.iter().zip(&expected) {
            assert!(
                (f64::from(*found) / expected - 1.0).abs() <= 3e-7 + 1e-6 * (1.0 - expected),
                "{found}, not {expected}"
            );
        }
        assert!((f64::from(sum) / expected.iter().sum::<f64>() - 1.0).abs() <= 1e-6);
    }
}

#[test]
fn layer_normalisation_follows_its_formula() {
    let width = 50;
    let row: Vec<f32> = grid(-3.0, 9.0, 49).into_iter().map(|x| x * x).collect();
    let added: Vec<f32> = grid(1.0, -2.0, 49);
    let norm = LayerNorm {
        gamma: grid(0.5, 1.5, 49),
        beta: grid(-0.1, 0.1, 49),
        epsilon: 1e-12,
    };
    let mut found = row.clone();
    norm.add_and_normalize(&mut found, &added);
    let sum: Vec<f64> = row.iter().zip(&added).map(|(a, b)| f64::from(a + b)).collect();
    let mean = sum.iter().sum::<f64>() / f64::from(width);
    let variance = sum.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(width);
    for (column, found) in found.iter().enumerate() {
        let normal = (sum[column] - mean) / variance.sqrt();
        let expected = normal * f64::from(norm.gamma[column]) + f64::from(norm.beta[column]);
        assert!((f64::from(*found) - expected).abs() <= 1e-6);
    }
}

#[test]
fn rounded_rows_are_off_by_half_a_step_at_most() {
    let row = grid(-1.7, 0.9, 100);
    let mut integers = vec![0; row.len()];
    let step = round_row(&row, 8191.0, &mut integers);
    assert_eq!(integers[0], -8191);
    for (integer, value) in integers.iter().zip(&row) {
        assert!((f32::from(*integer) * step - value).abs() <= 0.5001 * step);
    }
}

#[test]
fn rows_of_zeros_and_of_the_smallest_numbers_become_zeros() {
    for value in [0.0, f32::MIN_POSITIVE / 8.0] {
        let mut integers = vec![1; 20];
        let step = round_row(&[value; 20], 8191.0, &mut integers);
        assert!(step == 0.0 && integers.iter().all(|&integer| integer == 0), "{value:e}");
    }
}

#[test]
fn what_is_infinite_or_no_number_is_not_hidden_by_rounding() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut row = vec![0.5; 20];
        row[17] = value;
        assert!(round_row(&row, 8191.0, &mut [0; 20]).is_nan(), "{value}");
    }
}
