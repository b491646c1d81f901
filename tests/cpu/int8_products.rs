//! Products in 8-bit integers: the kernel's scalar twin against sums in f64, and against the way without a kernel.

use querytune::cpu::Activation;
use querytune::cpu::int8::{Int8Matrix, Int8Scratch, Kernel};
use querytune::cpu::int16::{Int16Matrix, Int16Scratch};

use crate::products::{SHAPES, largest_distance, numbers, product};

/// A product by the kernel's scalar twin.
fn by_kernel(rows: &[f32], weights: &[f32], bias: &[f32], inputs: usize, wide: &[u32]) -> Vec<f32> {
    let matrix = Int8Matrix::pack(weights, bias, inputs, wide, Kernel::scalar()).expect("packed");
    let mut found = vec![f32::NAN; rows.len() / inputs * bias.len()];
    let (columns, scratch) = (0..bias.len(), &mut Int8Scratch::default());
    matrix.part(rows, Activation::Gelu, columns, &mut found, bias.len(), scratch);
    found
}

/// The same where there is no kernel.
fn without_kernel(rows: &[f32], weights: &[f32], bias: &[f32], inputs: usize, wide: &[u32]) -> Vec<f32> {
    let matrix = Int16Matrix::pack_coarsely(weights, bias.len(), inputs, wide).expect("packed");
    let mut found = vec![f32::NAN; rows.len() / inputs * bias.len()];
    matrix.product(rows, bias, Activation::Gelu, &mut found, &mut Int16Scratch::default());
    found
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

fn gelu(mut sums: Vec<f64>) -> Vec<f64> {
    for sum in &mut sums {
        let mut value = [*sum as f32];
        querytune::cpu::rows::gelu(&mut value);
        *sum = f64::from(value[0]);
    }
    sums
}

#[test]
fn the_kernel_and_the_way_without_one_have_the_same_bits() {
    let mut random = fastrand::Rng::with_seed(21);
    for (count, inputs, outputs) in SHAPES {
        let mut rows = numbers(count * inputs, &mut random);
        let (weights, bias) = (numbers(inputs * outputs, &mut random), numbers(outputs, &mut random));
        let wide: Vec<u32> = (0..inputs as u32).step_by(7).take(random.usize(0..9)).collect();
        for row in rows.chunks_exact_mut(inputs) {
            for &input in &wide {
                row[input as usize] *= random.f32() * 100.0;
            }
        }
        let found = by_kernel(&rows, &weights, &bias, inputs, &wide);
        let expected = without_kernel(&rows, &weights, &bias, inputs, &wide);
        assert_eq!(
            bits(&found),
            bits(&expected),
            "{count} x {inputs} x {outputs}, {} wide",
            wide.len()
        );
    }
}

#[test]
fn products_are_those_sums_but_for_the_rounding() {
    let mut random = fastrand::Rng::with_seed(22);
    for (count, inputs, outputs) in SHAPES {
        let (rows, weights) = (
            numbers(count * inputs, &mut random),
            numbers(inputs * outputs, &mut random),
        );
        let bias = numbers(outputs, &mut random);
        let found = by_kernel(&rows, &weights, &bias, inputs, &[]);
        let distance = largest_distance(&found, &gelu(product(&rows, &weights, &bias, inputs)));
        // Numbers up to 2, steps of some 4/126 and 2/127: errors of half a step each, which mostly cancel.
        let allowed = 5e-2 * (inputs as f64).sqrt();
        assert!(distance <= allowed, "{count} x {inputs} x {outputs}: {distance:e}");
    }
}

#[test]
fn wide_inputs_leave_the_others_as_exact_as_they_were() {
    let mut random = fastrand::Rng::with_seed(23);
    let (count, inputs, outputs) = (9, 384, 40);
    let mut rows = numbers(count * inputs, &mut random);
    let weights = numbers(inputs * outputs, &mut random);
    let bias = vec![0.0; outputs];
    let wide = [5, 77, 300];
    let error = |rows: &[f32], wide: &[u32]| {
        let expected = gelu(product(rows, &weights, &bias, inputs));
        largest_distance(&by_kernel(rows, &weights, &bias, inputs, wide), &expected)
    };
    let usual = error(&rows, &[]);
    // Whole numbers of the step would be too easy: a wide input's own weight is as coarse as every other one.
    for row in rows.chunks_exact_mut(inputs) {
        for input in wide {
            row[input as usize] *= 20.0;
        }
    }
    let (told, untold) = (error(&rows, &wide), error(&rows, &[]));
    assert!(told <= 3.0 * usual, "{told:e} beside {usual:e}");
    assert!(untold >= 3.0 * told, "{untold:e} where nobody told, {told:e} otherwise");
}

#[test]
fn rows_of_zeros_give_the_bias_and_what_is_no_number_makes_its_row_none() {
    let mut random = fastrand::Rng::with_seed(24);
    let (inputs, outputs) = (24, 10);
    let (weights, bias) = (numbers(inputs * outputs, &mut random), numbers(outputs, &mut random));
    let mut rows = vec![0.0; 6 * inputs];
    rows[inputs] = f32::NAN;
    rows[2 * inputs + 3] = f32::INFINITY;
    rows[3 * inputs + 5] = f32::NEG_INFINITY;
    rows[4 * inputs..5 * inputs].fill(1e-42);
    let biased: Vec<f64> = gelu(bias.iter().map(|bias| f64::from(*bias)).collect());
    for wide in [&[][..], &[0, 3, 5]] {
        for found in [
            by_kernel(&rows, &weights, &bias, inputs, wide),
            without_kernel(&rows, &weights, &bias, inputs, wide),
        ] {
            for (number, row) in found.chunks_exact(outputs).enumerate() {
                match number {
                    1..=3 => assert!(row.iter().all(|value| value.is_nan()), "row {number}: {row:?}"),
                    _ => assert!(largest_distance(row, &biased) <= 1e-4, "row {number}: {row:?}"),
                }
            }
        }
    }
    let damaged = [1.0, f32::NAN];
    assert!(Int8Matrix::pack(&damaged, &[0.0], 2, &[], Kernel::scalar()).is_err());
}

#[test]
fn a_part_of_the_columns_is_that_part() {
    let mut random = fastrand::Rng::with_seed(25);
    let (count, inputs, outputs) = (7, 50, 90);
    let (rows, weights) = (
        numbers(count * inputs, &mut random),
        numbers(inputs * outputs, &mut random),
    );
    let bias = numbers(outputs, &mut random);
    let all = by_kernel(&rows, &weights, &bias, inputs, &[1]);
    let matrix = Int8Matrix::pack(&weights, &bias, inputs, &[1], Kernel::scalar()).expect("packed");
    let (first, stride) = (24, 100);
    let mut found = vec![-7.0; count * stride];
    matrix.part(
        &rows,
        Activation::Gelu,
        first..outputs,
        &mut found,
        stride,
        &mut Int8Scratch::default(),
    );
    for (found, all) in found.chunks_exact(stride).zip(all.chunks_exact(outputs)) {
        let (part, others) = found.split_at(outputs - first);
        assert_eq!(part, &all[first..]);
        assert!(others.iter().all(|value| *value == -7.0), "beside the part: {others:?}");
    }
}
