//! The real models against an independent fp32 forward (numpy), within the tolerances stated for the CPU.

use crate::common::{TestHost, block_on, cross_encoder_files, encoder_files, golden, numbers};
use querytune::device::{Device, Dtype};
use querytune::job::Job;
use querytune::model::{CrossEncoder, Encoder, TextKind};

fn ids(item: &serde_json::Value, key: &str) -> Vec<u32> {
    numbers(&item[key]).into_iter().map(|id| id as u32).collect()
}

/// Largest distance of a component from the reference's, and smallest cosine.
fn vectors_against_reference(dtype: Dtype) -> (f64, f64) {
    let host = TestHost::new();
    let job = Job::new(&host);
    let encoder = block_on(Encoder::load(&encoder_files(), &Device::cpu(dtype), &job)).expect("the encoder loads");
    let golden = golden("encoder.json");
    let items = golden["items"].as_array().expect("items");
    let texts: Vec<&str> = items
        .iter()
        .map(|item| item["text"].as_str().expect("a text"))
        .collect();
    for (item, text) in items.iter().zip(&texts) {
        let found = encoder.tokenize(text, TextKind::Document).expect("tokens").ids;
        assert_eq!(found, ids(item, "input_ids"), "ids of {text:.40?}");
    }
    let vectors = block_on(encoder.encode(&texts, TextKind::Document, &job)).expect("vectors");
    let (mut distance, mut cosine) = (0.0f64, 1.0f64);
    for (row, item) in items.iter().enumerate() {
        let expected = numbers(&item["embedding"]);
        let found = vectors.row(row).iter().map(|&value| f64::from(value));
        distance = found
            .clone()
            .zip(&expected)
            .map(|(a, b)| (a - b).abs())
            .fold(distance, f64::max);
        cosine = cosine.min(found.zip(&expected).map(|(a, b)| a * b).sum());
    }
    println!("{}: distance {distance:e}, 1 - cosine {:e}", dtype.name(), 1.0 - cosine);
    (distance, cosine)
}

#[test]
fn in_fp32_texts_have_the_reference_ids_and_vectors_within_1e_5() {
    let (distance, _) = vectors_against_reference(Dtype::Fp32);
    assert!(distance <= 1e-5, "{distance:e}");
}

#[test]
fn in_int16_vectors_are_the_reference_but_for_a_hundred_thousandth_of_the_cosine() {
    let (_, cosine) = vectors_against_reference(Dtype::Int16);
    assert!(cosine >= 0.999_99, "{cosine}");
}

#[test]
fn in_int8_vectors_are_the_reference_but_for_a_hundredth_of_the_cosine() {
    let (_, cosine) = vectors_against_reference(Dtype::Int8);
    assert!(cosine >= 0.99, "{cosine}");
}

/// Largest distance of a logit from the reference's.
fn logits_against_reference(dtype: Dtype) -> f64 {
    let host = TestHost::new();
    let job = Job::new(&host);
    let model = block_on(CrossEncoder::load(&cross_encoder_files(), &Device::cpu(dtype), &job)).expect("it loads");
    let golden = golden("cross_encoder.json");
    let items = golden["items"].as_array().expect("items");
    let text = |item: &serde_json::Value, key: &str| item[key].as_str().expect("a text").to_owned();
    let pairs: Vec<(String, String)> = items
        .iter()
        .map(|item| (text(item, "query"), text(item, "passage")))
        .collect();
    let pairs: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(query, passage)| (query.as_str(), passage.as_str()))
        .collect();
    for (item, (query, passage)) in items.iter().zip(&pairs) {
        let found = model.tokenize(query, passage).expect("tokens");
        assert_eq!(found.ids, ids(item, "input_ids"), "ids of {query:.40?}");
        assert_eq!(found.type_ids, ids(item, "type_ids"), "types of {query:.40?}");
    }
    let logits = block_on(model.score(&pairs, &job)).expect("logits");
    let expected = items.iter().map(|item| item["logit"].as_f64().expect("a logit"));
    let distances = expected
        .zip(&logits)
        .map(|(expected, found)| (f64::from(*found) - expected).abs());
    let distance = distances.fold(0.0, f64::max);
    println!("{}: {distance:e}", dtype.name());
    distance
}

#[test]
fn in_fp32_pairs_have_the_reference_ids_and_logits_within_2e_3() {
    let distance = logits_against_reference(Dtype::Fp32);
    assert!(distance <= 2e-3, "{distance:e}");
}

#[test]
fn in_int16_logits_are_the_reference_within_5e_3() {
    let distance = logits_against_reference(Dtype::Int16);
    assert!(distance <= 5e-3, "{distance:e}");
}

#[test]
fn in_int8_logits_are_the_reference_within_a_quarter() {
    let distance = logits_against_reference(Dtype::Int8);
    assert!(distance <= 0.25, "{distance:e}");
}

#[test]
fn cosines_are_those_of_the_models_card() {
    let host = TestHost::new();
    let job = Job::new(&host);
    let encoder =
        block_on(Encoder::load(&encoder_files(), &Device::cpu(Dtype::Fp32), &job)).expect("the encoder loads");
    let texts = [
        "The weather is lovely today.",
        "It's so sunny outside!",
        "He drove to the stadium.",
    ];
    let vectors = block_on(encoder.encode(&texts, TextKind::Document, &job)).expect("vectors");
    let cosine = |a: usize, b: usize| {
        vectors
            .row(a)
            .iter()
            .zip(vectors.row(b))
            .map(|(a, b)| a * b)
            .sum::<f32>()
    };
    assert!((cosine(0, 1) - 0.6660).abs() < 1e-4);
    assert!((cosine(0, 2) - 0.1046).abs() < 1e-4);
}
