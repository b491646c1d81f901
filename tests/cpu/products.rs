//! The products of the kernels against the same sums in f64, for shapes that fill no tile, panel or block.

use querytune::cpu::Activation;
use querytune::cpu::attention::attend;
use querytune::cpu::fp32::Fp32Matrix;
use querytune::cpu::int16::{Int16Matrix, Int16Scratch};
use querytune::cpu::rows::gelu;

/// Rows, inputs, outputs.
const SHAPES: [(usize, usize, usize); 8] = [
    (1, 1, 1),
    (1, 384, 1),
    (3, 7, 5),
    (4, 128, 8),
    (5, 129, 33),
    (66, 300, 70),
    (2, 1537, 9),
    (130, 64, 100),
];

fn numbers(count: usize, random: &mut fastrand::Rng) -> Vec<f32> {
    (0..count).map(|_| (random.f32() - 0.5) * 4.0).collect()
}

fn product(rows: &[f32], weights: &[f32], bias: &[f32], inputs: usize) -> Vec<f64> {
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

fn largest_distance(found: &[f32], expected: &[f64]) -> f64 {
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
        // Numbers up to 2, steps of 2/4095 and 2/8191: errors of half a step each, which mostly cancel.
        let allowed = 1.5e-3 * (inputs as f64).sqrt();
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
        // Activations have all the bits that a sum of 32 bits has room for, 16 at most.
        let most = (i32::MAX as usize / (127 * inputs.next_multiple_of(2))).min(32_767) as i16;
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
            // The sum is exact; it becomes an f32 of 24 bits.
            assert!((f64::from(*found) - expected).abs() <= 2e-7 * expected.abs());
        }
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

#[test]
fn attention_follows_its_formula() {
    let mut random = fastrand::Rng::with_seed(6);
    let (heads, size) = (3, 20);
    let hidden = heads * size;
    for length in [1, 4, 9, 65] {
        let states = numbers(length * 3 * hidden, &mut random);
        let mut found = vec![f32::NAN; length * hidden];
        attend(&states, length, length, heads, &mut found, &mut Default::default());
        let part = |token: usize, which: usize, head: usize, i: usize| {
            f64::from(states[token * 3 * hidden + which * hidden + head * size + i])
        };
        for head in 0..heads {
            for token in 0..length {
                let scores: Vec<f64> = (0..length)
                    .map(|other| {
                        (0..size)
                            .map(|i| part(token, 0, head, i) * part(other, 1, head, i))
                            .sum::<f64>()
                    })
                    .map(|score| (score / (size as f64).sqrt()).exp())
                    .collect();
                let total: f64 = scores.iter().sum();
                for i in 0..size {
                    let expected: f64 = (0..length)
                        .map(|other| scores[other] / total * part(other, 2, head, i))
                        .sum();
                    let found = f64::from(found[token * hidden + head * size + i]);
                    assert!(
                        (found - expected).abs() <= 1e-5,
                        "{found} is not {expected} ({length} tokens)"
                    );
                }
            }
        }
    }
}
