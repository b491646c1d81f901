//! Writes downloads with a seeded random head on a real base model, and the vectors the engine itself computes with
//! that head, for `tests/interop/check_artifact.py`.

mod common;

use std::path::PathBuf;

use common::{TestHost, block_on, encoder_files};
use querytune::artifact::{Artifact, Delivered, Head};
use querytune::device::{Device, Dtype};
use querytune::job::Job;
use querytune::model::{Encoder, ModelFiles, TextKind};
use querytune::tune::Head as TunedHead;
use querytune::vectors::Vectors;
use serde_json::{Value, json};

const TEXTS: [&str; 6] = [
    "wireless headphones",
    "How do I reset my password?",
    "Zürich café, naïve approach: 100 % cotton!",
    "a",
    "2m usb-c to hdmi cable, 4k at 60 Hz, braided",
    "The transcription factor binds to the promoter and represses expression in T cells.",
];

fn rows(vectors: &Vectors) -> Vec<&[f32]> {
    (0..vectors.len()).map(|row| vectors.row(row)).collect()
}

fn encode(files: &ModelFiles) -> Vectors {
    let host = TestHost::new();
    let job = Job::new(&host);
    let encoder = block_on(Encoder::load(files, &Device::cpu(Dtype::Fp32), &job)).expect("the encoder loads");
    let mut vectors = block_on(encoder.encode(&TEXTS, TextKind::Document, &job)).expect("vectors");
    vectors.normalize_rows();
    vectors
}

/// The same weights in a folder that pools by the first token and does not normalise.
fn with_cls_pooling(mut files: ModelFiles) -> ModelFiles {
    let mut edit = |path: &str, change: fn(&mut Value)| {
        let mut json: Value = serde_json::from_slice(&files.files[path]).expect("json");
        change(&mut json);
        files.files.insert(path.into(), json.to_string().into_bytes());
    };
    edit("1_Pooling/config.json", |config| {
        config["pooling_mode_mean_tokens"] = false.into();
        config["pooling_mode_cls_token"] = true.into();
    });
    edit("modules.json", |modules| {
        drop(modules.as_array_mut().expect("modules").pop())
    });
    files
}

#[test]
#[ignore = "scripts/test-interop.mjs runs it and has the result checked in Python"]
fn downloads_for_sentence_transformers_are_written() {
    let out = PathBuf::from(std::env::var_os("QUERYTUNE_INTEROP_OUT").expect("set QUERYTUNE_INTEROP_OUT"));
    let base = encoder_files();
    let documents = encode(&base);
    let dims = documents.dims();
    let mut random = fastrand::Rng::with_seed(42);
    let weight: Vec<f32> = (0..dims * dims).map(|_| (random.f32() - 0.5) * 0.05).collect();
    let head = TunedHead { weight, dims };
    let adapt = |vectors: &Vectors| block_on(head.apply(vectors, &Device::cpu(Dtype::Fp32))).expect("vectors");
    let write = |name: &str, files: &ModelFiles, delivered, queries: &Vectors, documents: &Vectors| {
        let delivery = if delivered == Delivered::Tuned { "tuned" } else { "base" };
        let report = json!({ "models": { "encoder": { "id": "base" } }, "fit": { "delivered": delivery } });
        let head = Head { dims, w: &head.weight };
        let artifact = Artifact {
            base: &files.files,
            head,
            delivered,
            report: &report,
            data: vec![],
        };
        std::fs::write(out.join(format!("{name}.zip")), artifact.to_zip().expect("a zip")).expect("written");
        let expected = json!({ "texts": TEXTS, "query": rows(queries), "document": rows(documents) });
        std::fs::write(out.join(format!("{name}.json")), expected.to_string()).expect("written");
    };
    write("tuned", &base, Delivered::Tuned, &adapt(&documents), &documents);
    write("base", &base, Delivered::Base, &documents, &documents);
    let cls = with_cls_pooling(base);
    let documents = encode(&cls);
    write("cls", &cls, Delivered::Tuned, &adapt(&documents), &documents);
}
