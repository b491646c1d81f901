//! Where a text is cut: sentence-transformers has kept the length in different files.

use crate::common::{TestHost, block_on, cross_encoder_files, encoder_files};
use querytune::device::{Device, Dtype};
use querytune::job::Job;
use querytune::model::{CrossEncoder, Encoder, ModelFiles, TextKind};
use serde_json::{Value, json};

fn set(files: &mut ModelFiles, path: &str, content: &Value) {
    files.files.insert(path.into(), content.to_string().into_bytes());
}

/// The encoder's limit with those two files; `Null` is for a file that is not there.
fn limit(sentence: &Value, tokenizer: &Value) -> usize {
    let mut files = encoder_files();
    for (path, content) in [
        ("sentence_bert_config.json", sentence),
        ("tokenizer_config.json", tokenizer),
    ] {
        files.files.remove(path);
        if !content.is_null() {
            set(&mut files, path, content);
        }
    }
    let host = TestHost::new();
    let job = Job::new(&host);
    let encoder = block_on(Encoder::load(&files, &Device::cpu(Dtype::Int16), &job)).expect("the encoder loads");
    let long = "word ".repeat(1000);
    let tokens = encoder.tokenize(&long, TextKind::Document).expect("tokens").ids.len();
    assert_eq!(tokens, encoder.info().max_length, "what is told is what is done");
    tokens
}

#[test]
fn the_tokenizers_file_is_asked_where_the_encoders_own_says_nothing() {
    let length = |length: u32| json!({ "model_max_length": length });
    assert_eq!(
        limit(&json!({ "transformer_task": "feature-extraction" }), &length(256)),
        256
    );
    assert_eq!(limit(&json!({ "max_seq_length": null }), &length(256)), 256);
    assert_eq!(limit(&Value::Null, &length(256)), 256);
    assert_eq!(limit(&json!({ "max_seq_length": 128 }), &length(256)), 128);
}

#[test]
fn a_length_that_cannot_be_meant_leaves_the_models_positions() {
    // What Python makes of 1e30 as a whole number.
    let endless: Value = serde_json::from_str("1000000000000000019884624838656").expect("a number");
    for length in [
        endless,
        json!(1e30),
        json!(0),
        json!(-1),
        json!("256"),
        Value::Null,
        json!(513),
    ] {
        assert_eq!(
            limit(&Value::Null, &json!({ "model_max_length": length })),
            512,
            "{length}"
        );
    }
    assert_eq!(limit(&Value::Null, &Value::Null), 512);
}

#[test]
fn pairs_are_cut_there_too() {
    let mut files = cross_encoder_files();
    let host = TestHost::new();
    let job = Job::new(&host);
    let load = |files: &ModelFiles| {
        block_on(CrossEncoder::load(files, &Device::cpu(Dtype::Int16), &job)).expect("the cross-encoder loads")
    };
    assert_eq!(load(&files).info().max_length, 512);
    set(&mut files, "tokenizer_config.json", &json!({ "model_max_length": 100 }));
    let model = load(&files);
    assert_eq!(model.info().max_length, 100);
    assert_eq!(
        model
            .tokenize("query", &"word ".repeat(1000))
            .expect("tokens")
            .ids
            .len(),
        100
    );
}

#[test]
fn models_of_one_vocabulary_are_cut_each_at_its_own_length() {
    let (mut short, long) = (encoder_files(), encoder_files());
    set(&mut short, "sentence_bert_config.json", &json!({ "max_seq_length": 9 }));
    let host = TestHost::new();
    let job = Job::new(&host);
    let load = |files: &ModelFiles| {
        block_on(Encoder::load(files, &Device::cpu(Dtype::Int16), &job)).expect("the encoder loads")
    };
    let (short, long) = (load(&short), load(&long));
    let text = "word ".repeat(1000);
    let tokens = |model: &Encoder| model.tokenize(&text, TextKind::Document).expect("tokens").ids.len();
    let lengths = [&short, &long, &short].map(tokens);
    assert_eq!(lengths, [9, 256, 9]);
}
