//! RoBERTas against transformers: small ones with random weights, with a vocabulary and positions as XLM-RoBERTa's.

use crate::common::{TestHost, block_on, golden, golden_model, numbers};
use querytune::device::{Device, Dtype};
use querytune::job::Job;
use querytune::model::{CrossEncoder, Encoder, TextKind, TrainableEncoder};
use serde_json::Value;

const ENCODER: &str = "tiny-xlm-roberta";
const CROSS_ENCODER: &str = "tiny-xlm-roberta-cross-encoder";

fn reference(key: &str) -> Vec<Value> {
    golden("roberta.json")[key].as_array().expect("items").clone()
}

fn string<'a>(item: &'a Value, key: &str) -> &'a str {
    item[key].as_str().expect("a text")
}

fn ids(item: &Value) -> Vec<u32> {
    numbers(&item["ids"]).into_iter().map(|id| id as u32).collect()
}

/// Largest distance of a component of the vectors from the reference's.
fn distance<'v>(vectors: impl Iterator<Item = &'v [f32]>, items: &[Value]) -> f64 {
    let rows = vectors.zip(items).map(|(found, item)| {
        let expected = numbers(&item["vector"]);
        assert_eq!(found.len(), expected.len());
        let distances = found.iter().zip(expected).map(|(a, b)| (f64::from(*a) - b).abs());
        distances.fold(0.0, f64::max)
    });
    rows.fold(0.0, f64::max)
}

fn assert_vectors(dtype: Dtype, tolerance: f64) {
    let host = TestHost::new();
    let job = Job::new(&host);
    let encoder = block_on(Encoder::load(&golden_model(ENCODER), &Device::cpu(dtype), &job)).expect("it loads");
    let items = reference("texts");
    let texts: Vec<&str> = items.iter().map(|item| string(item, "text")).collect();
    for (item, text) in items.iter().zip(&texts) {
        let found = encoder.tokenize(text, TextKind::Document).expect("tokens").ids;
        assert_eq!(found, ids(item), "ids of {text:.40?}");
    }
    let vectors = block_on(encoder.encode(&texts, TextKind::Document, &job)).expect("vectors");
    let distance = distance((0..texts.len()).map(|row| vectors.row(row)), &items);
    assert!(distance <= tolerance, "{distance:e}");
}

#[test]
fn in_fp32_texts_have_the_reference_ids_and_vectors_within_2e_6() {
    assert_vectors(Dtype::Fp32, 2e-6);
}

#[test]
fn in_int16_vectors_are_the_reference_within_a_thousandth() {
    assert_vectors(Dtype::Int16, 1e-3);
}

fn assert_logits(dtype: Dtype, tolerance: f64) {
    let host = TestHost::new();
    let job = Job::new(&host);
    let files = golden_model(CROSS_ENCODER);
    let model = block_on(CrossEncoder::load(&files, &Device::cpu(dtype), &job)).expect("it loads");
    let items = reference("pairs");
    let pairs: Vec<(&str, &str)> = items
        .iter()
        .map(|item| (string(item, "query"), string(item, "document")))
        .collect();
    for (item, (query, document)) in items.iter().zip(&pairs) {
        let found = model.tokenize(query, document).expect("tokens");
        assert_eq!(found.ids, ids(item), "ids of {query:.40?}");
        assert_eq!(found.type_ids, vec![0; found.ids.len()]);
    }
    let logits = block_on(model.score(&pairs, &job)).expect("logits");
    let expected = items.iter().map(|item| item["logit"].as_f64().expect("a logit"));
    let distances = logits.iter().zip(expected).map(|(a, b)| (f64::from(*a) - b).abs());
    let distance = distances.fold(0.0, f64::max);
    assert!(distance <= tolerance, "{distance:e}");
}

#[test]
fn in_fp32_pairs_have_the_reference_ids_and_logits_within_2e_5() {
    assert_logits(Dtype::Fp32, 2e-5);
}

#[test]
fn in_int16_logits_are_the_reference_within_a_hundredth() {
    assert_logits(Dtype::Int16, 1e-2);
}

#[test]
fn the_encoder_that_is_trained_has_the_same_vectors() {
    let host = TestHost::new();
    let job = Job::new(&host);
    let (files, device) = (golden_model(ENCODER), Device::cpu(Dtype::Fp32));
    let encoder = block_on(Encoder::load(&files, &device, &job)).expect("it loads");
    let trainable = block_on(TrainableEncoder::load(&files, &device, &job)).expect("it loads");
    let items = reference("texts");
    let inputs: Vec<_> = items
        .iter()
        .map(|item| {
            encoder
                .tokenize(string(item, "text"), TextKind::Document)
                .expect("tokens")
        })
        .collect();
    let pass = block_on(trainable.forward(&inputs, &[], 4096, &job)).expect("vectors");
    let values: Vec<f32> = pass.vectors().into_data().try_to_vec().expect("numbers");
    let distance = distance(values.chunks_exact(values.len() / items.len()), &items);
    assert!(distance <= 2e-6, "{distance:e}");
}
