//! Writes downloads with seeded random adapters on a real base model, and the vectors the engine itself computes with
//! them, for `tests/interop/check_artifact.py`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::common::{TestHost, block_on, encoder_files, golden_model, small_relations};
use querytune::artifact::{self, Artifact, Delivered, merged_weights};
use querytune::device::{Device, Dtype};
use querytune::download::data;
use querytune::job::Job;
use querytune::model::{Encoder, Lora, LoraLayer, ModelFiles, TextKind};
use querytune::tune::{Adapter, Head};
use querytune::vectors::Vectors;
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
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
    encode_as(files, TextKind::Document)
}

fn encode_as(files: &ModelFiles, kind: TextKind) -> Vectors {
    let host = TestHost::new();
    let job = Job::new(&host);
    let encoder = block_on(Encoder::load(files, &Device::cpu(Dtype::Fp32), &job)).expect("the encoder loads");
    let mut vectors = block_on(encoder.encode(&TEXTS, kind, &job)).expect("vectors");
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

/// The same model as if it had been trained with a prompt for queries.
fn with_a_query_prompt(mut files: ModelFiles) -> ModelFiles {
    let path = "config_sentence_transformers.json";
    let mut config: Value = serde_json::from_slice(&files.files[path]).expect("json");
    config["prompts"] = json!({ "query": "Represent this sentence for searching relevant passages: " });
    files.files.insert(path.into(), config.to_string().into_bytes());
    files
}

/// The same model with its matrices in half precision, as many hubs have it.
fn in_half_precision(mut files: ModelFiles) -> ModelFiles {
    let all = SafeTensors::deserialize(&files.files["model.safetensors"]).expect("weights");
    let halves: Vec<(String, Vec<usize>, Vec<u8>)> = all
        .iter()
        .filter(|(_, view)| view.dtype() == safetensors::Dtype::F32)
        .map(|(name, view)| {
            let bits = view
                .data()
                .chunks(4)
                .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
            // BF16 is the upper half of F32; cutting off the rest is good enough here.
            let halves = bits.flat_map(|bits| ((bits >> 16) as u16).to_le_bytes()).collect();
            (name.to_owned(), view.shape().to_vec(), halves)
        })
        .collect();
    let views = halves.iter().map(|(name, shape, data)| {
        let view = TensorView::new(safetensors::Dtype::BF16, shape.clone(), data);
        (name, view.expect("a tensor"))
    });
    let weights = safetensors::serialize(views, None).expect("weights");
    files.files.insert("model.safetensors".into(), weights);
    let mut config: Value = serde_json::from_slice(&files.files["config.json"]).expect("json");
    config["torch_dtype"] = "bfloat16".into();
    files
        .files
        .insert("config.json".into(), config.to_string().into_bytes());
    ModelFiles::new("base", files.files)
}

fn random(random: &mut fastrand::Rng, count: usize, width: f32) -> Vec<f32> {
    (0..count).map(|_| (random.f32() - 0.5) * width).collect()
}

/// Changes of every kind of linear layer, in the first layers of an encoder of that width.
fn random_lora(layers: usize, hidden: usize, intermediate: usize) -> Lora {
    let rank = 8;
    let kinds = [
        ("attention.self.query", hidden, hidden),
        ("attention.self.key", hidden, hidden),
        ("attention.self.value", hidden, hidden),
        ("attention.output.dense", hidden, hidden),
        ("intermediate.dense", hidden, intermediate),
        ("output.dense", intermediate, hidden),
    ];
    let mut rng = fastrand::Rng::with_seed(7);
    let layers = (0..layers).flat_map(|layer| kinds.map(|kind| (layer, kind)));
    let changes = layers.map(|(layer, (name, inputs, outputs))| LoraLayer {
        module: format!("encoder.layer.{layer}.{name}"),
        inputs,
        outputs,
        a: random(&mut rng, rank * inputs, 0.2),
        b: random(&mut rng, outputs * rank, 0.05),
    });
    Lora {
        rank,
        alpha: 16.0,
        layers: changes.collect(),
    }
}

/// The encoder with the changes in its weights.
fn changed(base: &ModelFiles, lora: &Lora) -> ModelFiles {
    let mut files = base.files.clone();
    let weights = merged_weights(&base.files, &artifact::Lora::new(lora, true)).expect("merged weights");
    files.insert("model.safetensors".into(), weights);
    ModelFiles::new("changed", files)
}

fn adapt(head: &Head, vectors: &Vectors) -> Vectors {
    let host = TestHost::new();
    block_on(head.apply(vectors, &Device::cpu(Dtype::Fp32), &Job::new(&host))).expect("vectors")
}

/// A download, and what its queries and documents have to become.
fn write(
    out: &Path,
    name: &str,
    base: &BTreeMap<String, Vec<u8>>,
    adapter: &Adapter,
    delivered: Delivered,
    vectors: [&Vectors; 2],
) {
    let delivery = if delivered == Delivered::Tuned { "tuned" } else { "base" };
    let report = json!({ "models": { "encoder": { "id": "base" } }, "fit": { "delivered": delivery } });
    let relations = small_relations();
    let artifact = Artifact {
        base,
        adapter: adapter.into(),
        delivered,
        report: &report,
        data: data(&relations),
    };
    std::fs::write(out.join(format!("{name}.zip")), artifact.to_zip().expect("a zip")).expect("written");
    let [query, document] = vectors.map(rows);
    let expected = json!({ "texts": TEXTS, "query": query, "document": document });
    std::fs::write(out.join(format!("{name}.json")), expected.to_string()).expect("written");
}

#[test]
#[ignore = "scripts/test-interop.mjs runs it and has the result checked in Python"]
fn downloads_for_sentence_transformers_are_written() {
    let out = PathBuf::from(std::env::var_os("QUERYTUNE_INTEROP_OUT").expect("set QUERYTUNE_INTEROP_OUT"));
    let base = encoder_files();
    let vectors = encode(&base);
    let dims = vectors.dims();
    let mut rng = fastrand::Rng::with_seed(42);
    let mut head = || Head {
        weight: random(&mut rng, dims * dims, 0.05),
        dims,
    };
    let (query, document) = (head(), head());
    let heads = |document| Adapter::Heads {
        query: query.clone(),
        document,
    };
    let (one, two) = (heads(None), heads(Some(document.clone())));
    let files = &base.files;
    let (queries, documents) = (adapt(&query, &vectors), adapt(&document, &vectors));
    write(&out, "tuned", files, &one, Delivered::Tuned, [&queries, &vectors]);
    write(&out, "base", files, &one, Delivered::Base, [&vectors, &vectors]);
    write(&out, "heads", files, &two, Delivered::Tuned, [&queries, &documents]);

    let changes = random_lora(5, 384, 1536);
    let lora = |documents| Adapter::Lora {
        lora: changes.clone(),
        documents,
    };
    let (queries_only, both) = (lora(false), lora(true));
    let tuned = encode(&changed(&base, &changes));
    write(
        &out,
        "lora-query",
        files,
        &queries_only,
        Delivered::Tuned,
        [&tuned, &vectors],
    );
    write(&out, "lora-both", files, &both, Delivered::Tuned, [&tuned, &tuned]);
    write(&out, "lora-base", files, &both, Delivered::Base, [&vectors, &vectors]);

    let half = in_half_precision(base.clone());
    let tuned = encode(&changed(&half, &changes));
    write(
        &out,
        "lora-both-half",
        &half.files,
        &both,
        Delivered::Tuned,
        [&tuned, &tuned],
    );

    let prompted = with_a_query_prompt(base.clone());
    let asked = encode_as(&prompted, TextKind::Query);
    let vectors = encode(&prompted);
    let asked_by_head = adapt(&query, &asked);
    write(
        &out,
        "prompt",
        &prompted.files,
        &one,
        Delivered::Tuned,
        [&asked_by_head, &vectors],
    );
    write(
        &out,
        "prompt-base",
        &prompted.files,
        &one,
        Delivered::Base,
        [&asked, &vectors],
    );
    let tuned = encode_as(&changed(&prompted, &changes), TextKind::Query);
    write(
        &out,
        "prompt-lora-query",
        &prompted.files,
        &queries_only,
        Delivered::Tuned,
        [&tuned, &vectors],
    );

    let roberta = golden_model("tiny-xlm-roberta");
    let vectors = encode(&roberta);
    let small = Head {
        weight: random(&mut rng, vectors.dims() * vectors.dims(), 0.3),
        dims: vectors.dims(),
    };
    let queries = adapt(&small, &vectors);
    let head = Adapter::Heads {
        query: small,
        document: None,
    };
    write(
        &out,
        "roberta",
        &roberta.files,
        &head,
        Delivered::Tuned,
        [&queries, &vectors],
    );
    let few = random_lora(1, 32, 64);
    let tuned = encode(&changed(&roberta, &few));
    let lora = Adapter::Lora {
        lora: few,
        documents: true,
    };
    write(
        &out,
        "roberta-lora-both",
        &roberta.files,
        &lora,
        Delivered::Tuned,
        [&tuned, &tuned],
    );

    let cls = with_cls_pooling(base);
    let vectors = encode(&cls);
    write(
        &out,
        "cls",
        &cls.files,
        &one,
        Delivered::Tuned,
        [&adapt(&query, &vectors), &vectors],
    );
    let tuned = encode(&changed(&cls, &changes));
    write(
        &out,
        "lora-query-cls",
        &cls.files,
        &queries_only,
        Delivered::Tuned,
        [&tuned, &vectors],
    );
}
