//! Gradients of LoRA's matrices by the CPU's own kernels against burn's automatic ones, and what they do not depend on.

use burn::tensor::{Tensor, TensorData};

use crate::common::{TestHost, block_on, encoder_files, golden_model};
use querytune::device::{Device, Dtype};
use querytune::job::Job;
use querytune::model::{Encoder, LowRank, ModelFiles, TextKind, Tokenized, TrainableEncoder};

const TEXTS: [&str; 5] = [
    "tent for two",
    "a light tent that keeps dry in a storm and packs small, for two people and a dog",
    "rain",
    "boots that do not let water in, whatever the weather, for walks of more than a day",
    "",
];

/// Every linear layer of a transformer layer.
const ALL: [&str; 6] = [
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
];

/// Numbers of no meaning around 0.
fn matrix(encoder: &TrainableEncoder, rows: usize, columns: usize, seed: u64) -> Tensor<2> {
    let mut random = fastrand::Rng::with_seed(seed);
    let values = (0..rows * columns).map(|_| 0.4 * (random.f32() - 0.5)).collect();
    Tensor::from_data(TensorData::new(values, [rows, columns]), encoder.device()).require_grad()
}

/// Changes of rank 3 of some layers, A and B both other than 0.
fn changes(encoder: &TrainableEncoder, layers: &[usize], parts: &[&str]) -> Vec<LowRank> {
    let places = layers
        .iter()
        .flat_map(|layer| parts.iter().map(move |part| (*layer, *part)));
    let change = |(number, (layer, part)): (usize, (usize, &str))| {
        let (inputs, outputs) = encoder.size(part);
        LowRank {
            module: format!("encoder.layer.{layer}.{part}"),
            a: matrix(encoder, 3, inputs, 2 * number as u64),
            b: matrix(encoder, outputs, 3, 2 * number as u64 + 1),
            factor: 2.0,
        }
    };
    places.enumerate().map(change).collect()
}

/// Vectors, and the gradients of all matrices for some gradient of the vectors.
fn pass(encoder: &TrainableEncoder, texts: &[Tokenized], changes: &[LowRank], tokens: usize) -> Vec<Vec<f32>> {
    let host = TestHost::new();
    let job = Job::new(&host);
    let pass = block_on(encoder.forward(texts, changes, tokens, &job)).expect("vectors");
    let vectors = pass.vectors();
    let [rows, columns] = vectors.dims();
    let of_vectors = matrix(encoder, rows, columns, 99).inner();
    let gradients = block_on(pass.gradients(of_vectors, &job)).expect("gradients");
    let all = std::iter::once(vectors).chain(gradients.into_iter().flatten());
    all.map(|tensor| tensor.into_data().try_to_vec().expect("numbers"))
        .collect()
}

fn tokens(files: &ModelFiles, device: &Device) -> Vec<Tokenized> {
    let host = TestHost::new();
    let encoder = block_on(Encoder::load(files, device, &Job::new(&host))).expect("the encoder");
    let tokens = TEXTS.iter().map(|text| encoder.tokenize(text, TextKind::Query));
    tokens.collect::<Result<_, _>>().expect("tokens")
}

/// Every vector and gradient is burn's, within `tolerance` of the largest number of its kind.
fn assert_same(files: &ModelFiles, layers: &[usize], parts: &[&str], tokens_in_memory: usize, tolerance: f32) {
    let (host, device) = (TestHost::new(), Device::cpu(Dtype::Fp32));
    let job = Job::new(&host);
    let texts = tokens(files, &device);
    let kernels = block_on(TrainableEncoder::load(files, &device, &job)).expect("the encoder");
    let burn = block_on(TrainableEncoder::load_on_tensors(files, &device, &job)).expect("the encoder");
    let changes = changes(&kernels, layers, parts);
    let found = pass(&kernels, &texts, &changes, tokens_in_memory);
    let expected = pass(&burn, &texts, &changes, 4096);
    assert_eq!(found.len(), 1 + 2 * changes.len());
    for (number, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_eq!(found.len(), expected.len());
        let most = expected.iter().fold(0f32, |most, value| most.max(value.abs()));
        assert!(most > 0.0, "gradient {number} is 0");
        for (a, b) in found.iter().zip(expected) {
            assert!(
                (a - b).abs() <= tolerance * most,
                "{number}: {a} is not {b} (largest {most})"
            );
        }
    }
}

#[test]
fn of_every_layer_they_are_the_same() {
    let files = golden_model("tiny-encoder");
    assert_same(&files, &[0, 1], &ALL, 4096, 2e-5);
}

#[test]
fn of_texts_that_go_through_twice_they_are_the_same() {
    let files = golden_model("tiny-encoder");
    assert_same(&files, &[0, 1], &ALL, 8, 2e-5);
}

#[test]
fn of_some_layers_they_are_the_same() {
    let files = golden_model("tiny-encoder");
    assert_same(&files, &[1], &["attention.self.value"], 4096, 2e-5);
    assert_same(&files, &[0], &["attention.self.key", "output.dense"], 4096, 2e-5);
}

#[test]
fn of_a_model_that_pools_its_first_token_they_are_the_same() {
    let mut files = golden_model("tiny-encoder");
    let pooling =
        br#"{"word_embedding_dimension": 32, "pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#;
    files.files.insert("1_Pooling/config.json".into(), pooling.to_vec());
    assert_same(&files, &[0, 1], &ALL, 4096, 2e-5);
}

#[test]
fn of_a_roberta_they_are_the_same() {
    assert_same(&golden_model("tiny-xlm-roberta"), &[0, 1], &ALL, 4096, 2e-5);
}

#[test]
fn of_real_weights_they_are_the_same() {
    assert_same(&encoder_files(), &[0, 3, 5], &ALL, 4096, 1e-4);
}

#[test]
fn their_bytes_do_not_depend_on_the_number_of_processors() {
    let (host, device, files) = (TestHost::new(), Device::cpu(Dtype::Fp32), golden_model("tiny-encoder"));
    // Many pieces of a few texts each.
    let texts: Vec<Tokenized> = tokens(&files, &device).into_iter().cycle().take(100).collect();
    let encoder = block_on(TrainableEncoder::load(&files, &device, &Job::new(&host))).expect("the encoder");
    let changes = changes(&encoder, &[0, 1], &ALL);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("a pool");
        pool.install(|| pass(&encoder, &texts, &changes, 600))
    };
    assert_eq!(with(1), with(3));
}
