//! Model folders that cannot be used are refused at load, with a code and the name of what is wrong.

use crate::common::{TestHost, block_on, cross_encoder_files, encoder_files};
use querytune::device::{Device, Dtype};
use querytune::job::Job;
use querytune::model::{CrossEncoder, Encoder, ModelFiles};
use querytune::{Code, Error};

fn encoder_error(change: impl FnOnce(&mut ModelFiles)) -> Error {
    let mut files = encoder_files();
    change(&mut files);
    let host = TestHost::new();
    block_on(Encoder::load(&files, &Device::cpu(Dtype::Int16), &Job::new(&host)))
        .err()
        .expect("refused")
}

fn cross_encoder_error(change: impl FnOnce(&mut ModelFiles)) -> Error {
    let mut files = cross_encoder_files();
    change(&mut files);
    let host = TestHost::new();
    block_on(CrossEncoder::load(&files, &Device::cpu(Dtype::Int16), &Job::new(&host)))
        .err()
        .expect("refused")
}

fn set(files: &mut ModelFiles, path: &str, key: &str, value: serde_json::Value) {
    let mut json: serde_json::Value = serde_json::from_slice(&files.files[path]).expect("json");
    json[key] = value;
    files.files.insert(path.into(), json.to_string().into_bytes());
}

#[test]
fn a_missing_file_is_named() {
    for path in ["config.json", "tokenizer.json", "model.safetensors"] {
        let error = encoder_error(|files| drop(files.files.remove(path)));
        assert_eq!(error.code(), Code::ModelFileMissing);
        assert!(error.message().contains(path), "{error}");
    }
}

#[test]
fn weights_cut_short_are_told_from_weights_of_another_shape() {
    let error = encoder_error(|files| {
        files
            .files
            .get_mut("model.safetensors")
            .expect("weights")
            .truncate(1_000_000)
    });
    assert_eq!(error.code(), Code::ModelWeights);
    assert!(error.message().contains("cut short"), "{error}");

    let error = encoder_error(|files| set(files, "config.json", "intermediate_size", 1024.into()));
    assert_eq!(error.code(), Code::ModelShape);
    assert!(error.message().contains("intermediate.dense"), "{error}");

    let error = encoder_error(|files| set(files, "config.json", "num_hidden_layers", 7.into()));
    assert_eq!(error.code(), Code::ModelShape);
    assert!(
        error.message().contains("encoder.layer.6") && error.message().contains("missing"),
        "{error}"
    );
}

#[test]
fn an_unsupported_configuration_names_its_key() {
    let cases = [
        ("model_type", "distilbert".into()),
        ("hidden_act", "relu".into()),
        ("position_embedding_type", "relative_key".into()),
        ("is_decoder", true.into()),
        ("num_attention_heads", 7.into()),
    ];
    for (key, value) in cases {
        let error = encoder_error(|files| set(files, "config.json", key, value));
        assert_eq!(error.code(), Code::ModelConfig);
        assert!(error.message().contains(key), "{error}");
        assert_eq!(
            error.position().map(|position| position.file.as_str()),
            Some("config.json")
        );
    }
    let error = encoder_error(|files| set(files, "1_Pooling/config.json", "pooling_mode_max_tokens", true.into()));
    assert_eq!(error.code(), Code::ModelConfig);
    assert!(error.message().contains("max_tokens"), "{error}");
    let error = cross_encoder_error(|files| {
        set(
            files,
            "config.json",
            "id2label",
            serde_json::json!({ "0": "NO", "1": "YES" }),
        );
    });
    assert!(error.message().contains("num_labels = 2"), "{error}");
}

#[test]
fn configuration_that_is_no_json_says_where() {
    let error = encoder_error(|files| drop(files.files.insert("config.json".into(), b"{\n  oops".to_vec())));
    assert_eq!(error.code(), Code::ModelConfig);
    assert_eq!(error.position().map(|position| position.line), Some(2));
}

#[test]
fn a_tokenizer_of_another_model_is_refused() {
    let error = encoder_error(|files| drop(files.files.insert("tokenizer.json".into(), b"{}".to_vec())));
    assert_eq!(error.code(), Code::ModelTokenizer);
    let error = cross_encoder_error(|files| {
        let mut json: serde_json::Value = serde_json::from_slice(&files.files["tokenizer.json"]).expect("json");
        json["model"]["vocab"]["one-token-too-many"] = 40_000.into();
        files
            .files
            .insert("tokenizer.json".into(), json.to_string().into_bytes());
    });
    assert_eq!(error.code(), Code::ModelTokenizer);
    assert!(error.message().contains("number 40000"), "{error}");
}
