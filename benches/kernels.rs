//! The kernels alone, on the sizes of a MiniLM: `cargo bench`. In a browser `npm run bench -- --only roofline` does it.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use querytune::cpu::Activation;
use querytune::cpu::attention::{AttentionScratch, attend};
use querytune::cpu::fp32::Fp32Matrix;
use querytune::cpu::int16::attention::{Int16AttentionScratch, attend_int16};
use querytune::cpu::int16::{Int16Matrix, Int16Scratch};
use querytune::cpu::rows::{LayerNorm, exponentials, gelu};

/// Tokens that go through a layer together.
const ROWS: usize = 512;
const HIDDEN: usize = 384;

/// Inputs and outputs of a layer's products.
const SHAPES: [(usize, usize); 3] = [(384, 384), (384, 1536), (1536, 384)];

fn main() {
    divan::main();
}

fn numbers(count: usize) -> Vec<f32> {
    let mut random = fastrand::Rng::with_seed(7);
    (0..count).map(|_| random.f32() - 0.5).collect()
}

/// Items are operations: an addition and a multiplication are two.
fn operations(rows: usize, inputs: usize, outputs: usize) -> ItemsCount {
    ItemsCount::new(2 * rows * inputs * outputs)
}

#[divan::bench(args = SHAPES)]
fn int16(bencher: Bencher, (inputs, outputs): (usize, usize)) {
    let matrix = Int16Matrix::pack(&numbers(inputs * outputs), outputs, inputs, None).expect("packed");
    let (rows, bias) = (numbers(ROWS * inputs), numbers(outputs));
    let (mut out, mut scratch) = (vec![0.0; ROWS * outputs], Int16Scratch::default());
    bencher
        .counter(operations(ROWS, inputs, outputs))
        .bench_local(|| matrix.product(black_box(&rows), &bias, Activation::None, &mut out, &mut scratch));
}

#[divan::bench(args = SHAPES)]
fn int16_of_8_bit_weights(bencher: Bencher, (inputs, outputs): (usize, usize)) {
    let mut random = fastrand::Rng::with_seed(8);
    let weights: Vec<f32> = (0..inputs * outputs)
        .map(|_| f32::from(random.i8(-127..=127)))
        .collect();
    let matrix = Int16Matrix::pack(&weights, outputs, inputs, Some(&vec![1.0; outputs])).expect("packed");
    let (rows, bias) = (numbers(ROWS * inputs), numbers(outputs));
    let (mut out, mut scratch) = (vec![0.0; ROWS * outputs], Int16Scratch::default());
    bencher
        .counter(operations(ROWS, inputs, outputs))
        .bench_local(|| matrix.product(black_box(&rows), &bias, Activation::None, &mut out, &mut scratch));
}

#[divan::bench(args = SHAPES)]
fn fp32(bencher: Bencher, (inputs, outputs): (usize, usize)) {
    let matrix = Fp32Matrix::pack(&numbers(inputs * outputs), outputs, inputs);
    let (rows, bias) = (numbers(ROWS * inputs), numbers(outputs));
    let mut out = vec![0.0; ROWS * outputs];
    bencher
        .counter(operations(ROWS, inputs, outputs))
        .bench_local(|| matrix.product(black_box(&rows), Some(&bias), Activation::None, &mut out));
}

/// One text of that many tokens, 12 heads.
#[divan::bench(args = [16, 64, 256])]
fn attention(bencher: Bencher, length: usize) {
    let states = numbers(length * 3 * HIDDEN);
    let (mut out, mut scratch) = (vec![0.0; length * HIDDEN], AttentionScratch::default());
    bencher
        .counter(operations(length, length, 2 * HIDDEN))
        .bench_local(|| attend(black_box(&states), length, length, 12, &mut out, &mut scratch));
}

/// The same in integers.
#[divan::bench(args = [16, 64, 256])]
fn attention_int16(bencher: Bencher, length: usize) {
    let states = numbers(length * 3 * HIDDEN);
    let (mut out, mut scratch) = (vec![0.0; length * HIDDEN], Int16AttentionScratch::default());
    bencher
        .counter(operations(length, length, 2 * HIDDEN))
        .bench_local(|| attend_int16(black_box(&states), length, length, 12, &mut out, &mut scratch));
}

/// Items are numbers.
#[divan::bench]
fn gelu_of_a_wide_row(bencher: Bencher) {
    let mut row = numbers(4 * HIDDEN);
    bencher
        .counter(ItemsCount::new(row.len()))
        .bench_local(|| gelu(black_box(&mut row)));
}

/// Items are numbers.
#[divan::bench]
fn softmax_of_256_scores(bencher: Bencher) {
    let mut row = numbers(256);
    bencher
        .counter(ItemsCount::new(row.len()))
        .bench_local(|| exponentials(black_box(&mut row), 0.2));
}

/// Items are numbers.
#[divan::bench]
fn normalizing_a_row(bencher: Bencher) {
    let norm = LayerNorm {
        gamma: numbers(HIDDEN),
        beta: numbers(HIDDEN),
        epsilon: 1e-12,
    };
    let mut row = numbers(HIDDEN);
    bencher
        .counter(ItemsCount::new(row.len()))
        .bench_local(|| norm.normalize(black_box(&mut row)));
}
