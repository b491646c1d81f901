//! The products of the kernels against the same sums in f64, for shapes that fill no tile, panel or block.

use querytune::cpu::Activation;
use querytune::cpu::attention::attend;
use querytune::cpu::fp32::Fp32Matrix;
use querytune::cpu::int16::attention::{Int16AttentionScratch, attend_int16};
use querytune::cpu::int16::{Int16Matrix, Int16Scratch};
use querytune::cpu::rows::gelu;

/// Rows, inputs, outputs.
pub const SHAPES: [(usize, usize, usize); 8] = [
    (1, 1, 1),
    (1, 384, 1),
    (3, 7, 5),
    (4, 128, 8),
    (5, 129, 33),
    (66, 300, 70),
    (2, 1537, 9),
    (130, 64, 100),
];

pub fn numbers(count: usize, random: &mut fastrand::Rng) -> Vec<f32> {
    (0..count).map(|_| (random.f32() - 0.5) * 4.0).collect()
}

pub fn product(rows: &[f32], weights: &[f32], bias: &[f32], inputs: usize) -> Vec<f64> {
    let dot = |row: &[f32], weights: &[f32]| -> f64 {
        row.iter()
            .zip(weights)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum()
    };
    let one_row = |row| {
        let outputs = weights.chunks_exact(inputs).zip(bias);
        outputs
            .map(move |(weights, bias)| dot(row, weights) + f64::from(*bias))
            .collect::<Vec<_>>()
    };
    rows.chunks_exact(inputs).flat_map(one_row).collect()
}

pub fn largest_distance(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    found
        .iter()
        .zip(expected)
        .map(|(a, b)| (f64::from(*a) - b).abs())
        .fold(0.0, f64::max)
}

#[test]
fn fp32_products_are_those_sums() {
    let mut random = fastrand::Rng::with_seed(1);
    for (count, inputs, outputs) in SHAPES {
        let (rows, weights) = (
            numbers(count * inputs, &mut random),
            numbers(inputs * outputs, &mut random),
        );
        let bias = numbers(outputs, &mut random);
        let mut found = vec![f32::NAN; count * outputs];
        Fp32Matrix::pack(&weights, outputs, inputs).product(&rows, Some(&bias), Activation::None, &mut found);
        let distance = largest_distance(&found, &product(&rows, &weights, &bias, inputs));
        assert!(
            distance <= 4e-7 * inputs as f64 + 1e-6,
            "{count} x {inputs} x {outputs}: {distance:e}"
        );
    }
}

#[test]
fn a_matrix_packed_by_its_columns_is_the_same() {
    let mut random = fastrand::Rng::with_seed(9);
    for (count, inputs, outputs) in SHAPES {
        let (rows, weights) = (
            numbers(count * inputs, &mut random),
            numbers(inputs * outputs, &mut random),
        );
        let column = |k: usize| (0..outputs).map(move |output| output * inputs + k);
        let columns: Vec<f32> = (0..inputs).flat_map(column).map(|place| weights[place]).collect();
        let mut by_columns = Fp32Matrix::default();
        by_columns.pack_columns(outputs, inputs, |k| &columns[k * outputs..]);
        let mut found = [vec![0.0; count * outputs], vec![1.0; count * outputs]];
        Fp32Matrix::pack(&weights, outputs, inputs).product(&rows, None, Activation::None, &mut found[0]);
        by_columns.product(&rows, None, Activation::None, &mut found[1]);
        assert_eq!(found[0], found[1]);
    }
}

#[test]
fn int16_products_are_those_sums_but_for_the_rounding() {
    let mut random = fastrand::Rng::with_seed(2);
    for (count, inputs, outputs) in SHAPES {
        let (rows, weights) = (
            numbers(count * inputs, &mut random),
            numbers(inputs * outputs, &mut random),
        );
        let bias = numbers(outputs, &mut random);
        let mut found = vec![f32::NAN; count * outputs];
        let matrix = Int16Matrix::pack(&weights, outputs, inputs, None).expect("packed");
        matrix.product(&rows, &bias, Activation::None, &mut found, &mut Int16Scratch::default());
        let distance = largest_distance(&found, &product(&rows, &weights, &bias, inputs));
        // Numbers up to 2, steps of some 2/1364 and 2/8191: errors of half a step each, which mostly cancel.
        let allowed = 2.5e-3 * (inputs as f64).sqrt();
        assert!(distance <= allowed, "{count} x {inputs} x {outputs}: {distance:e}");
    }
}

#[test]
fn int16_products_of_8_bit_weights_and_whole_activations_are_exact() {
    let mut random = fastrand::Rng::with_seed(3);
    for (count, inputs, outputs) in SHAPES {
        let weights: Vec<f32> = (0..inputs * outputs)
            .map(|_| f32::from(random.i8(-127..=127)) * 0.25)
            .collect();
        // Activations have 15 bits: the sum of two has 16.
        let most = 16_383;
        let mut rows: Vec<f32> = (0..count * inputs)
            .map(|_| f32::from(random.i16(-most..=most)))
            .collect();
        // The largest integer is in every row, so that a step is 1.
        rows.iter_mut()
            .step_by(inputs)
            .for_each(|value| *value = f32::from(most));
        let bias = vec![0.0; outputs];
        let mut found = vec![f32::NAN; count * outputs];
        let matrix = Int16Matrix::pack(&weights, outputs, inputs, Some(&vec![0.25; outputs])).expect("packed");
        matrix.product(&rows, &bias, Activation::None, &mut found, &mut Int16Scratch::default());
        for (found, expected) in found.iter().zip(product(&rows, &weights, &bias, inputs)) {
            // Sums of 768 inputs are exact; they become f32 of 24 bits.
            let allowed = if inputs <= 768 {
                2e-7 * expected.abs()
            } else {
                1e-7 * 16_383.0 * 127.0 * 768.0
            };
            assert!((f64::from(*found) - expected).abs() <= allowed);
        }
    }
}

/// Weights of 8 bits are exact, and what rounding leaves of a row is as small beside it as a row is beside f32's last digit.
#[test]
fn an_exact_product_is_that_of_f32() {
    let mut random = fastrand::Rng::with_seed(14);
    let (count, inputs, outputs) = (5, 200, 40);
    let mut rows = numbers(count * inputs, &mut random);
    let weights: Vec<f32> = (0..inputs * outputs)
        .map(|_| f32::from(random.i8(-127..=127)))
        .collect();
    let bias = numbers(outputs, &mut random);
    let matrix = Int16Matrix::pack(&weights, outputs, inputs, Some(&vec![1.0; outputs])).expect("packed");
    let expected = product(&rows, &weights, &bias, inputs);
    let mut found = vec![0.0; count * outputs];
    matrix.exact_product(&mut rows, &bias, &mut found, &mut Int16Scratch::default());
    let most = expected.iter().fold(0.0, |most: f64, sum| most.max(sum.abs()));
    for (found, expected) in found.iter().zip(expected) {
        let distance = (f64::from(*found) - expected).abs();
        assert!(distance <= 1e-6 * most, "{found} is off by {distance:e}");
    }
}

#[test]
fn the_largest_integers_do_not_overflow() {
    let (inputs, outputs) = (1536, 8);
    for sign in [1.0, -1.0] {
        let mut found = vec![0.0; outputs];
        let matrix = Int16Matrix::pack(&vec![sign; inputs * outputs], outputs, inputs, None).expect("packed");
        matrix.product(
            &vec![1.0; inputs],
            &[0.0; 8],
            Activation::None,
            &mut found,
            &mut Int16Scratch::default(),
        );
        assert!(
            found.iter().all(|value| (value - sign * 1536.0).abs() < 0.01),
            "{found:?}"
        );
    }
}

#[test]
fn a_row_has_the_same_result_whatever_is_beside_it() {
    let mut random = fastrand::Rng::with_seed(4);
    let (count, inputs, outputs) = (70, 200, 40);
    let (rows, weights) = (
        numbers(count * inputs, &mut random),
        numbers(inputs * outputs, &mut random),
    );
    let bias = numbers(outputs, &mut random);
    let int16 = Int16Matrix::pack(&weights, outputs, inputs, None).expect("packed");
    let fp32 = Fp32Matrix::pack(&weights, outputs, inputs);
    let mut scratch = Int16Scratch::default();
    let mut both = |rows: &[f32]| {
        let mut found = [
            vec![0.0; rows.len() / inputs * outputs],
            vec![0.0; rows.len() / inputs * outputs],
        ];
        int16.product(rows, &bias, Activation::Gelu, &mut found[0], &mut scratch);
        fp32.product(rows, Some(&bias), Activation::Gelu, &mut found[1]);
        found
    };
    let together = both(&rows);
    for (number, row) in rows.chunks_exact(inputs).enumerate() {
        for (alone, together) in both(row).iter().zip(&together) {
            assert_eq!(alone[..], together[number * outputs..][..outputs], "row {number}");
        }
    }
}

#[test]
fn an_activation_is_applied_to_the_finished_sums() {
    let mut random = fastrand::Rng::with_seed(5);
    let (rows, weights, bias) = (
        numbers(6 * 20, &mut random),
        numbers(20 * 9, &mut random),
        numbers(9, &mut random),
    );
    let matrix = Fp32Matrix::pack(&weights, 9, 20);
    let [mut plain, mut activated] = [vec![0.0; 54], vec![0.0; 54]];
    matrix.product(&rows, Some(&bias), Activation::None, &mut plain);
    matrix.product(&rows, Some(&bias), Activation::Gelu, &mut activated);
    gelu(&mut plain);
    for (plain, activated) in plain.iter().zip(&activated) {
        assert!((plain - activated).abs() <= 1e-6 * plain.abs().max(1.0));
    }
}

#[test]
fn weights_that_are_no_numbers_are_refused() {
    let error = Int16Matrix::pack(&[1.0, f32::NAN], 1, 2, None).err().expect("refused");
    assert_eq!(error.code(), querytune::Code::ModelWeights);
}

/// The largest distance of an attention from its formula in f64; of `queries` first tokens.
fn distance_of_attention(states: &[f32], found: &[f32], [length, queries, heads, size]: [usize; 4]) -> f64 {
    let hidden = heads * size;
    let part = |token: usize, which: usize, head: usize, i: usize| {
        f64::from(states[token * 3 * hidden + which * hidden + head * size + i])
    };
    let mut distance = 0.0;
    for head in 0..heads {
        for token in 0..queries {
            let score = |other: usize| -> f64 {
                let products = (0..size).map(|i| part(token, 0, head, i) * part(other, 1, head, i));
                (products.sum::<f64>() / (size as f64).sqrt()).exp()
            };
            let scores: Vec<f64> = (0..length).map(score).collect();
            let total: f64 = scores.iter().sum();
            for i in 0..size {
                let weighted = scores
                    .iter()
                    .enumerate()
                    .map(|(other, score)| score / total * part(other, 2, head, i));
                let found = f64::from(found[token * hidden + head * size + i]);
                assert!(found.is_finite());
                distance = f64::max(distance, (found - weighted.sum::<f64>()).abs());
            }
        }
    }
    distance
}

/// Tokens of a text, queries, heads and numbers of a head: odd ones, and those of a MiniLM.
const ATTENTIONS: [[usize; 4]; 7] = [
    [1, 1, 3, 20],
    [4, 4, 3, 20],
    [9, 9, 2, 7],
    [65, 65, 3, 20],
    [300, 1, 2, 32],
    [301, 6, 2, 64],
    [512, 512, 1, 32],
];

#[test]
fn attention_follows_its_formula() {
    let mut random = fastrand::Rng::with_seed(6);
    for shape @ [length, queries, heads, size] in ATTENTIONS {
        let states = numbers(length * 3 * heads * size, &mut random);
        let mut found = vec![f32::NAN; queries * heads * size];
        attend(&states, length, queries, heads, &mut found, &mut Default::default());
        let distance = distance_of_attention(&states, &found, shape);
        assert!(distance <= 1e-5, "{shape:?}: {distance:e}");
    }
}

#[test]
fn attention_in_integers_follows_its_formula_but_for_the_rounding() {
    let mut random = fastrand::Rng::with_seed(6);
    // The same scratch for all, so that what is left of a longer text would be noticed.
    let mut scratch = Int16AttentionScratch::default();
    // Scores from nearly equal to one that outweighs all others.
    for sharpness in [0.1, 1.0, 5.0] {
        for shape @ [length, queries, heads, size] in ATTENTIONS.into_iter().rev() {
            let mut states = numbers(length * 3 * heads * size, &mut random);
            for queries in states.chunks_exact_mut(heads * size).step_by(3) {
                queries.iter_mut().for_each(|value| *value *= sharpness);
            }
            let mut found = vec![f32::NAN; queries * heads * size];
            attend_int16(&states, length, queries, heads, &mut found, &mut scratch);
            let distance = distance_of_attention(&states, &found, shape);
            // Values up to 2 in steps of 2/8191; scores are off by some ten-thousandths of the largest product.
            assert!(distance <= 2e-3, "{shape:?}, {sharpness}: {distance:e}");
        }
    }
}

#[test]
fn a_query_attends_in_the_same_way_whatever_is_beside_it() {
    let mut random = fastrand::Rng::with_seed(7);
    let (length, heads, hidden) = (70, 12, 384);
    let states = numbers(length * 3 * hidden, &mut random);
    let attended = |queries: usize| {
        let mut out = vec![0.0; queries * hidden];
        attend_int16(&states, length, queries, heads, &mut out, &mut Default::default());
        out
    };
    let all = attended(length);
    for queries in [1, 2, 5, 69] {
        assert_eq!(attended(queries), all[..queries * hidden], "{queries} queries");
    }
}

#[test]
fn the_largest_values_do_not_overflow_in_attention() {
    // Scores are all the same, so that every weight is large and the values add up.
    let (length, size) = (512, 32);
    for value in [3.0, -3.0] {
        let mut states = vec![0.0; length * 3 * size];
        for token in states.chunks_exact_mut(3 * size) {
            token[2 * size..].fill(value);
        }
        let mut found = vec![0.0; length * size];
        attend_int16(&states, length, length, 1, &mut found, &mut Default::default());
        assert!(
            found.iter().all(|found| (found - value).abs() < 0.003),
            "{:?}",
            &found[..4]
        );
    }
}

#[test]
fn what_is_no_number_is_not_hidden_by_attention_in_integers() {
    let (length, size) = (40, 32);
    for which in 0..3 {
        for bad in [f32::NAN, f32::INFINITY] {
            let mut states = vec![0.5; length * 3 * size];
            states[which * size + 3] = bad;
            let mut found = vec![0.0; length * size];
            attend_int16(&states, length, length, 1, &mut found, &mut Default::default());
            assert!(
                found[..size].iter().any(|value| value.is_nan()),
                "{bad} in part {which}"
            );
        }
    }
}
