//! Gradients of LoRA's matrices by the CPU's own kernels against burn's automatic ones, and what they do not depend on.

use std::cell::Cell;
use std::ops::Range;

use burn::tensor::{Tensor, TensorData};

use crate::common::crew::{HostWithCrew, yield_once};
use crate::common::{TestHost, block_on, encoder_files, golden_model};
use querytune::device::{Device, Dtype};
use querytune::job::{Crew, Host, Job, LocalFuture, Work};
use querytune::model::{Encoder, Learner, LowRank, ModelFiles, TextKind, Tokenized, TrainableEncoder};
use querytune::{Code, Error, Result};

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
    pass_by(&TestHost::new(), encoder, texts, changes, tokens)
}

fn pass_by(
    host: &dyn Host,
    encoder: &TrainableEncoder,
    texts: &[Tokenized],
    changes: &[LowRank],
    tokens: usize,
) -> Vec<Vec<f32>> {
    let job = Job::new(host);
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
    tokens.collect::<Result<_>>().expect("tokens")
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

/// Members that hold the same encoder; each part of a step takes as many turns as its number says.
struct Learners {
    all: [Learner; 2],
    turns: fn(usize) -> usize,
    /// Numbers of parts that a member fails at.
    fails: Range<usize>,
    parts: Cell<usize>,
}

impl Crew for Learners {
    fn size(&self) -> usize {
        0
    }

    fn run<'a>(&'a self, _: Work, _: &[&str]) -> LocalFuture<'a, Result<Vec<f32>>> {
        unreachable!("they only help trainings")
    }

    fn learners(&self) -> Vec<usize> {
        vec![0, 1]
    }

    fn learn<'a>(&'a self, learner: Option<usize>, lesson: Vec<u8>) -> LocalFuture<'a, Result<Vec<f32>>> {
        let number = self.parts.replace(self.parts.get() + 1);
        Box::pin(async move {
            for _ in 0..(self.turns)(number) {
                yield_once().await;
            }
            if self.fails.contains(&number) {
                return Err(Error::new(Code::Internal, "A member is gone."));
            }
            let host = TestHost::new();
            let learner = &self.all[learner.unwrap_or(number % 2)];
            learner.learn(&lesson, &Job::new(&host)).await
        })
    }
}

/// Vectors and gradients with the help of others, of many pieces in groups of 600 tokens; and how many parts they did.
fn pass_with_help(turns: fn(usize) -> usize, fails: Range<usize>) -> ([Vec<Vec<f32>>; 2], usize) {
    let (host, device, files) = (TestHost::new(), Device::cpu(Dtype::Fp32), golden_model("tiny-encoder"));
    let texts: Vec<Tokenized> = tokens(&files, &device).into_iter().cycle().take(200).collect();
    let encoder = block_on(TrainableEncoder::load(&files, &device, &Job::new(&host))).expect("the encoder");
    let learner = || block_on(Learner::load(&files, &Job::new(&host))).expect("the encoder");
    let all = [learner(), learner()];
    let changes = changes(&encoder, &[0, 1], &ALL);
    let host = HostWithCrew {
        host: TestHost::new(),
        crew: Learners {
            all,
            turns,
            fails,
            parts: Cell::new(0),
        },
    };
    let alone = pass(&encoder, &texts, &changes, 600);
    let together = pass_by(&host, &encoder, &texts, &changes, 600);
    ([alone, together], host.crew.parts.get())
}

#[test]
fn their_bytes_do_not_depend_on_who_does_which_part_of_a_step_and_when() {
    // One member is slow, so that later pieces are done before earlier ones.
    for turns in [
        |_: usize| 2,
        |number: usize| if number.is_multiple_of(2) { 25 } else { 1 },
    ] {
        let ([alone, together], parts) = pass_with_help(turns, 0..0);
        assert_eq!(alone, together);
        assert!(parts >= 10, "{parts} parts were done by others");
    }
}

#[test]
fn a_part_of_a_step_that_a_member_fails_at_is_done_without_it() {
    let (_, all) = pass_with_help(|_| 1, 0..0);
    let one_by_one = (0..all).map(|number| number..number + 1);
    for fails in one_by_one.chain(std::iter::once(0..usize::MAX)) {
        let ([alone, together], parts) = pass_with_help(|_| 1, fails.clone());
        assert!(alone == together, "{fails:?} of {all} parts");
        assert!(parts > 0);
    }
}

#[test]
fn what_is_no_part_of_a_step_is_refused() {
    let (host, files) = (TestHost::new(), golden_model("tiny-encoder"));
    let learner = block_on(Learner::load(&files, &Job::new(&host))).expect("the encoder");
    let error = block_on(learner.learn(b"no lesson", &Job::new(&host))).expect_err("nothing to learn");
    assert_eq!(error.code(), Code::Internal);
}
