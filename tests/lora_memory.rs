//! Training through the encoder takes no more memory than its micro-batches need. Alone in its process, whose highest
//! use of memory is what is looked at.
#![cfg(target_os = "linux")]

mod common;

use common::{TestHost, block_on, encoder_files};
use querytune::device::{Device, Dtype};
use querytune::job::Job;
use querytune::model::Encoder;
use querytune::tune::{LoraOptions, Method, RecipeOptions, Student, Trainable, Training, TrainingSet};
use querytune::vectors::Vectors;

const GIB: f64 = (1u64 << 30) as f64;
const BATCH: usize = 32;
const TOKENS: usize = 128;

/// The most memory that this process has had in use, in GiB.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("a peak");
    let kib: f64 = line.trim_end_matches("kB").trim().parse().expect("a number");
    kib * 1024.0 / GIB
}

/// Unit vectors of no meaning.
fn vectors(rows: usize) -> Vectors {
    let values = (0..rows * 384).map(|number| (number as f32 * 0.7).sin()).collect();
    let mut vectors = Vectors::from_rows(values, 384).expect("rows");
    vectors.normalize_rows();
    vectors
}

/// One step on a batch of queries that are longer than what is read of them.
fn step(micro_batch_tokens: Option<usize>) {
    let (host, files, device) = (TestHost::new(), encoder_files(), Device::cpu(Dtype::Int16));
    let job = Job::new(&host);
    let options = RecipeOptions {
        method: Method::Lora,
        batch_size: Some(BATCH),
        lora: LoraOptions {
            max_tokens: Some(TOKENS),
            micro_batch_tokens,
            ..LoraOptions::default()
        },
        ..RecipeOptions::default()
    };
    let recipe = options.recipe(BATCH).expect("a recipe");
    let candidates: Vec<Vec<u32>> = (0..BATCH as u32).map(|query| (query..query + 20).collect()).collect();
    let scores = candidates
        .iter()
        .map(|_| (0..20).map(|rank| -(rank as f32)).collect())
        .collect();
    let set = TrainingSet::new(vectors(BATCH), vectors(BATCH + 20), candidates, scores).expect("a training set");
    let queries: Vec<String> = (0..BATCH)
        .map(|number| format!("{number} {}", "tent ".repeat(2 * TOKENS)))
        .collect();
    let queries: Vec<&str> = queries.iter().map(String::as_str).collect();
    let encoder = block_on(Encoder::load(&files, &device, &job)).expect("the encoder");
    let trainable = block_on(Trainable::load(&files, &encoder, &device, &job)).expect("the encoder");
    let lora = recipe.lora.as_ref().expect("LoRA's part");
    let student = Student::changes_of(&trainable, &set, &queries, &[], lora).expect("a student");
    let training = Training {
        set: &set,
        student: &student,
        recipe: &recipe,
        device: &device,
        margin_scale: 1.0,
    };
    let batch = [(0..BATCH).collect()];
    let trained = block_on(training.run(student.start(1), &batch, &[1], &job, None)).expect("a training");
    assert!(trained.losses[0].total.is_finite());
}

#[test]
fn texts_of_128_tokens_train_within_two_gigabytes() {
    step(None);
    let bounded = peak();
    // The same batch in one piece: it is the micro-batches that keep it so low.
    step(Some(BATCH * TOKENS));
    let whole = peak();
    println!("{bounded:.2} GiB in micro-batches, {whole:.2} GiB in one piece");
    assert!(bounded < 2.0, "{bounded:.2} GiB");
    assert!(whole > 1.3 * bounded, "{bounded:.2} GiB, in one piece {whole:.2} GiB");
}
