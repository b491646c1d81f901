//! Writes downloads with a seeded random head on a real base model, and the vectors the engine itself computes with
//! that head, for `tests/interop/check_artifact.py`.

mod common;

use std::path::PathBuf;

use common::{TestHost, block_on, encoder_files};
use querytune::artifact::{Artifact, Delivered, Head};
use querytune::device::Device;
use querytune::job::Job;
use querytune::model::{Encoder, TextKind};
use querytune::tune::QueryHead;
use querytune::vectors::Vectors;
use serde_json::json;

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

#[test]
#[ignore = "scripts/test-interop.mjs runs it and has the result checked in Python"]
fn downloads_for_sentence_transformers_are_written() {
    let out = PathBuf::from(std::env::var_os("QUERYTUNE_INTEROP_OUT").expect("set QUERYTUNE_INTEROP_OUT"));
    let files = encoder_files();
    let host = TestHost::new();
    let job = Job::new(&host);
    let device = Device::cpu();
    let encoder = block_on(Encoder::load(&files, &device, &job)).expect("the encoder loads");
    let dims = encoder.info().dims;
    let mut random = fastrand::Rng::with_seed(42);
    let weight: Vec<f32> = (0..dims * dims).map(|_| (random.f32() - 0.5) * 0.05).collect();
    let head = QueryHead { weight, dims };
    let documents = block_on(encoder.encode(&TEXTS, TextKind::Document, &job)).expect("vectors");
    let adapted = block_on(head.apply(&documents, &device)).expect("vectors");
    for (delivered, name, queries) in [
        (Delivered::Tuned, "tuned", &adapted),
        (Delivered::Base, "base", &documents),
    ] {
        let report = json!({ "models": { "encoder": { "id": "base" } }, "fit": { "delivered": name } });
        let head = Head { dims, w: &head.weight };
        let artifact = Artifact {
            base: &files.files,
            head,
            delivered,
            report: &report,
            data: vec![],
        };
        std::fs::write(out.join(format!("{name}.zip")), artifact.to_zip().expect("a zip")).expect("written");
        let expected = json!({ "texts": TEXTS, "query": rows(queries), "document": rows(&documents) });
        std::fs::write(out.join(format!("{name}.json")), expected.to_string()).expect("written");
    }
}
