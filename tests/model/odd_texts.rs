//! Texts and folders that no test set has, and that people have all the same.

use crate::common::tiny_job::texts;
use crate::common::{TestHost, block_on, cross_encoder_files, encoder_files};
use querytune::device::{Device, DevicePreference, Dtype, DtypePreference};
use querytune::input::Role;
use querytune::job::Job;
use querytune::model::{Encoder, ModelFiles, TextKind};
use querytune::synthesize::SynthesizeOptions;
use querytune::tune::{LoraOptions, Method, RecipeOptions};
use querytune::tuner::{LoadOptions, Tuner};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};

fn edit(files: &mut ModelFiles, path: &str, change: impl FnOnce(&mut Value)) {
    let mut content: Value = serde_json::from_slice(&files.files[path]).expect("json");
    change(&mut content);
    files.files.insert(path.into(), content.to_string().into_bytes());
}

fn load(files: &ModelFiles) -> Encoder {
    let host = TestHost::new();
    block_on(Encoder::load(files, &Device::cpu(Dtype::Int16), &Job::new(&host))).expect("the encoder loads")
}

#[test]
fn a_text_without_a_token_has_a_vector() {
    let mut files = encoder_files();
    edit(&mut files, "tokenizer.json", |tokenizer| {
        tokenizer["post_processor"] = Value::Null
    });
    let encoder = load(&files);
    let host = TestHost::new();
    // A zero-width space: no white space, so nobody takes it for empty, and no token either.
    let vectors =
        block_on(encoder.encode(&["\u{200b}", "a tent"], TextKind::Query, &Job::new(&host))).expect("vectors");
    assert_eq!(vectors.len(), 2);
    assert!(vectors.as_slice().iter().all(|value| value.is_finite()));
}

#[test]
fn a_tuners_vectors_are_of_length_1_where_the_model_itself_does_not_make_them_so() {
    let mut files = encoder_files();
    edit(&mut files, "modules.json", |modules| {
        let modules = modules.as_array_mut().expect("modules");
        modules.retain(|module| !module["type"].as_str().unwrap_or_default().ends_with("Normalize"));
    });
    let host = TestHost::new();
    let job = Job::new(&host);
    let length = |row: &[f32]| row.iter().map(|value| value * value).sum::<f32>().sqrt();
    let own = block_on(load(&files).encode(&["a tent"], TextKind::Query, &job)).expect("vectors");
    assert!((length(own.row(0)) - 1.0).abs() > 0.1, "the model's own");
    let tuner = block_on(Tuner::load(&files, None, LoadOptions::default(), &job)).expect("the encoder loads");
    let vectors = block_on(tuner.embed(&["a tent"], TextKind::Query, &job)).expect("vectors");
    assert!((length(vectors.row(0)) - 1.0).abs() < 1e-6);
}

#[test]
fn prompts_are_part_of_what_vectors_are_kept_by() {
    let with = |prompts: Value| {
        let mut files = encoder_files();
        edit(&mut files, "config_sentence_transformers.json", |config| {
            config["prompts"] = prompts
        });
        load(&files).key().to_owned()
    };
    let plain = load(&encoder_files()).key().to_owned();
    assert_eq!(with(json!({})), plain);
    let keys = [
        plain,
        with(json!({ "query": "query: " })),
        with(json!({ "document": "query: " })),
        with(json!({ "query": "query: ", "document": "passage: " })),
    ];
    for (number, key) in keys.iter().enumerate() {
        assert!(!keys[..number].contains(key), "{number}");
    }
}

/// The encoder with the first 300 of its positions.
fn with_300_positions() -> ModelFiles {
    let mut files = encoder_files();
    edit(&mut files, "config.json", |config| {
        config["max_position_embeddings"] = json!(300)
    });
    edit(&mut files, "sentence_bert_config.json", |config| {
        config["max_seq_length"] = json!(300)
    });
    let all = SafeTensors::deserialize(&files.files["model.safetensors"]).expect("weights");
    let cut = |name: &str, view: TensorView<'_>| -> (Vec<usize>, Vec<u8>) {
        let mut shape = view.shape().to_vec();
        let mut data = view.data().to_vec();
        if name.ends_with("position_embeddings.weight") {
            data.truncate(data.len() / shape[0] * 300);
            shape[0] = 300;
        }
        (shape, data)
    };
    let tensors: Vec<_> = all
        .iter()
        .map(|(name, view)| (name.to_owned(), view.dtype(), cut(name, view)))
        .collect();
    let views = tensors
        .iter()
        .map(|(name, dtype, (shape, data))| (name, TensorView::new(*dtype, shape.clone(), data).expect("a tensor")));
    let weights = safetensors::serialize(views, None).expect("weights");
    files.files.insert("model.safetensors".into(), weights);
    files
}

#[test]
fn lora_trains_on_texts_up_to_the_last_position() {
    let (encoder, cross_encoder) = (with_300_positions(), cross_encoder_files());
    let host = TestHost::new();
    let job = Job::new(&host);
    let options = LoadOptions {
        device: DevicePreference::Cpu,
        dtype: DtypePreference::Auto,
        threads: 1,
    };
    let tuner = block_on(Tuner::load(&encoder, Some(&cross_encoder), options, &job)).expect("models load");
    let long = "tent ".repeat(400);
    let queries = texts(&[&long, "a stove"], Role::Queries);
    let documents = texts(&["a tent for two", "a gas stove", "a lamp"], Role::Documents);
    let options = SynthesizeOptions::default();
    let relations = block_on(tuner.synthesize(queries, documents, options, &job)).expect("relations");
    let options = RecipeOptions {
        method: Method::Lora,
        epochs: Some(1),
        lora: LoraOptions {
            rank: Some(2),
            max_tokens: Some(300),
            ..LoraOptions::default()
        },
        ..RecipeOptions::default()
    };
    let fit = block_on(tuner.fit(&relations, options.recipe(2).expect("a recipe"), Some(&encoder), &job));
    assert!(fit.expect("a fit").steps > 0);
}
