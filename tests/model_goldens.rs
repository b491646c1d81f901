//! The real models against an independent fp32 forward (numpy), within the tolerances stated for the CPU.

mod common;

use common::{TestHost, block_on, cross_encoder_files, encoder_files, golden, numbers};
use querytune::device::Device;
use querytune::job::Job;
use querytune::model::{CrossEncoder, Encoder, TextKind};

fn ids(item: &serde_json::Value, key: &str) -> Vec<u32> {
    numbers(&item[key]).into_iter().map(|id| id as u32).collect()
}

#[test]
fn texts_have_the_reference_ids_and_vectors_within_1e_5() {
    let host = TestHost::new();
    let job = Job::new(&host);
    let encoder = block_on(Encoder::load(&encoder_files(), &Device::cpu(), &job)).expect("the encoder loads");
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
    for (row, (item, text)) in items.iter().zip(&texts).enumerate() {
        for (found, expected) in vectors.row(row).iter().zip(numbers(&item["embedding"])) {
            assert!(
                (f64::from(*found) - expected).abs() <= 1e-5,
                "{found} is not {expected} in {text:.40?}"
            );
        }
    }
}

#[test]
fn pairs_have_the_reference_ids_and_logits_within_2e_3() {
    let host = TestHost::new();
    let job = Job::new(&host);
    let model = block_on(CrossEncoder::load(&cross_encoder_files(), &Device::cpu(), &job)).expect("it loads");
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
    for ((item, found), (query, _)) in items.iter().zip(&logits).zip(&pairs) {
        let expected = item["logit"].as_f64().expect("a logit");
        assert!(
            (f64::from(*found) - expected).abs() <= 2e-3,
            "{found} is not {expected} for {query:.40?}"
        );
    }
}

#[test]
fn cosines_are_those_of_the_models_card() {
    let host = TestHost::new();
    let job = Job::new(&host);
    let encoder = block_on(Encoder::load(&encoder_files(), &Device::cpu(), &job)).expect("the encoder loads");
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
