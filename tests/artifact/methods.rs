//! What the download holds for heads on both sides and for LoRA; `artifact_zip.rs` has the head on queries.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use querytune::artifact::{Adapter, Artifact, Delivered, Lora, LoraMatrix, adapter_files};
use querytune::{Code, Result};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};

const TYPES: &str = "sentence_transformers.models";
const QUERY: &str = "encoder.layer.0.attention.self.query";
const DENSE: &str = "encoder.layer.0.output.dense";

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// A base model of two layers, 2 x 2 and 2 x 3, with other formats of its weights beside them.
fn base() -> BTreeMap<String, Vec<u8>> {
    let (query, dense) = (bytes(&[1.0; 4]), bytes(&[2.0; 6]));
    let weights = safetensors::serialize(
        [
            (
                format!("{QUERY}.weight"),
                TensorView::new(Dtype::F32, vec![2, 2], &query).unwrap(),
            ),
            (
                format!("{DENSE}.weight"),
                TensorView::new(Dtype::F32, vec![2, 3], &dense).unwrap(),
            ),
        ],
        None,
    );
    let modules = json!([
        { "idx": 0, "name": "0", "path": "", "type": format!("{TYPES}.Transformer") },
        { "idx": 1, "name": "1", "path": "1_Pooling", "type": format!("{TYPES}.Pooling") },
    ]);
    BTreeMap::from([
        (
            "config.json".into(),
            br#"{"hidden_size": 2, "torch_dtype": "float16"}"#.to_vec(),
        ),
        ("tokenizer.json".into(), b"{ }".to_vec()),
        (
            "1_Pooling/config.json".into(),
            b"{\"word_embedding_dimension\":2}".to_vec(),
        ),
        ("modules.json".into(), modules.to_string().into_bytes()),
        ("README.md".into(), b"the base model's own card".to_vec()),
        ("onnx/model.onnx".into(), b"stale".to_vec()),
        ("pytorch_model.bin".into(), b"stale".to_vec()),
        ("model.safetensors".into(), weights.unwrap()),
    ])
}

fn lora(documents: bool) -> Lora<'static> {
    let matrix = |module, inputs, a, b| LoraMatrix {
        module,
        inputs,
        outputs: 2,
        a,
        b,
    };
    Lora {
        rank: 1,
        alpha: 2.0,
        documents,
        // Not sorted, to see that files are.
        matrices: vec![
            matrix(DENSE, 3, &[1.0, 2.0, 3.0], &[0.5, -0.5]),
            matrix(QUERY, 2, &[1.0, -1.0], &[1.0, 0.25]),
        ],
    }
}

fn packed_from(
    base: &BTreeMap<String, Vec<u8>>,
    adapter: Adapter,
    delivered: Delivered,
) -> Result<BTreeMap<String, Vec<u8>>> {
    let report = json!({ "models": { "encoder": { "id": "owner/encoder", "sha256": "00ff" } } });
    let zip = Artifact {
        base,
        adapter,
        delivered,
        report: &report,
        data: vec![],
    }
    .to_zip()?;
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let files = (0..archive.len()).map(|number| {
        let mut file = archive.by_index(number).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        (file.name().unwrap().to_string(), bytes)
    });
    Ok(files.collect())
}

fn packed(adapter: Adapter) -> BTreeMap<String, Vec<u8>> {
    packed_from(&base(), adapter, Delivered::Tuned).unwrap()
}

fn json_of(files: &BTreeMap<String, Vec<u8>>, path: &str) -> Value {
    serde_json::from_slice(&files[path]).unwrap()
}

fn names<'f>(files: &'f BTreeMap<String, Vec<u8>>, folder: &'f str) -> Vec<&'f str> {
    files.keys().filter_map(|path| path.strip_prefix(folder)).collect()
}

fn values(file: &[u8], name: &str) -> Vec<f32> {
    let tensors = SafeTensors::deserialize(file).unwrap();
    let tensor = tensors.tensor(name).unwrap();
    assert_eq!(tensor.dtype(), Dtype::F32);
    tensor
        .data()
        .chunks(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
        .collect()
}

const TWO_HEADS: Adapter = Adapter::Heads {
    dims: 2,
    query: &[0.5, 0.25, -0.25, 0.5],
    document: Some(&[0.0, 1.0, 2.0, 0.0]),
};

#[test]
fn two_heads_stand_on_two_routes_and_alone() {
    let files = packed(TWO_HEADS);
    let router = json_of(&files, "model/3_Router/router_config.json");
    assert_eq!(
        router["structure"],
        json!({ "query": ["query_0_Dense", "query_1_Normalize"], "document": ["document_0_Dense", "document_1_Normalize"] })
    );
    assert_eq!(router["types"]["document_0_Dense"], format!("{TYPES}.Dense.Dense"));
    assert_eq!(
        names(&files, "adapter/"),
        ["README.md", "document_head.safetensors", "query_head.safetensors"]
    );
    for (side, expected) in [("query", [1.5, 0.25, -0.25, 1.5]), ("document", [1.0, 1.0, 2.0, 1.0])] {
        let dense = format!("model/3_Router/{side}_0_Dense");
        assert_eq!(
            values(&files[&format!("{dense}/model.safetensors")], "linear.weight"),
            expected
        );
        assert_eq!(
            values(&files[&format!("adapter/{side}_head.safetensors")], "weight"),
            expected
        );
        let config = json_of(&files, &format!("{dense}/config.json"));
        assert_eq!(config["activation_function"], "torch.nn.modules.linear.Identity");
    }
    // Weights in other formats are the base model's, which the heads do not change.
    assert!(files.contains_key("model/onnx/model.onnx"));
}

#[test]
fn lora_for_both_sides_is_a_plain_encoder_with_the_changes_in_it() {
    let files = packed(Adapter::Lora(lora(true)));
    assert_eq!(
        names(&files, "model/"),
        [
            "1_Pooling/config.json",
            "README.md",
            "config.json",
            "config_sentence_transformers.json",
            "model.safetensors",
            "modules.json",
            "tokenizer.json"
        ],
        "no stale weights"
    );
    let modules = json_of(&files, "model/modules.json");
    let types: Vec<&str> = modules
        .as_array()
        .unwrap()
        .iter()
        .map(|module| module["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        types,
        ["Transformer", "Pooling", "Normalize"].map(|name| format!("{TYPES}.{name}"))
    );
    let weights = &files["model/model.safetensors"];
    // 1 + 2 b a
    assert_eq!(values(weights, &format!("{QUERY}.weight")), [3.0, -1.0, 1.5, 0.5]);
    assert_eq!(
        values(weights, &format!("{DENSE}.weight")),
        [3.0, 4.0, 5.0, 1.0, 0.0, -1.0]
    );
    assert_eq!(json_of(&files, "model/config.json")["torch_dtype"], "float32");
}

#[test]
fn lora_for_queries_is_a_router_of_two_whole_encoders() {
    let files = packed(Adapter::Lora(lora(false)));
    let encoder = [
        "1_Pooling/config.json",
        "config.json",
        "config_sentence_transformers.json",
        "model.safetensors",
        "modules.json",
        "tokenizer.json",
    ];
    assert_eq!(names(&files, "model/query_0_Transformer/"), encoder);
    assert_eq!(names(&files, "model/document_0_Transformer/"), encoder);
    let modules = json_of(&files, "model/modules.json");
    assert_eq!(
        modules,
        json!([{ "idx": 0, "name": "0", "path": "", "type": format!("{TYPES}.Router") }])
    );
    let router = json_of(&files, "model/router_config.json");
    for side in ["query", "document"] {
        let route = ["0_Transformer", "1_Pooling", "2_Normalize"].map(|name| format!("{side}_{name}"));
        assert_eq!(router["structure"][side], json!(route));
        let pooling = &files[&format!("model/{side}_1_Pooling/config.json")];
        assert_eq!(pooling, &base()["1_Pooling/config.json"]);
    }
    assert_eq!(router["parameters"]["default_route"], "document");
    let of = |side: &str| &files[&format!("model/{side}_0_Transformer/model.safetensors")];
    assert_eq!(of("document"), &base()["model.safetensors"]);
    assert_eq!(values(of("query"), &format!("{QUERY}.weight")), [3.0, -1.0, 1.5, 0.5]);
    assert_eq!(files["model/document_0_Transformer/config.json"], base()["config.json"]);
    assert!(files.contains_key("model/config_sentence_transformers.json") && files.contains_key("model/README.md"));
}

#[test]
fn lora_without_modules_is_mean_pooled_as_wide_as_the_configuration_says() {
    let mut base = base();
    base.remove("modules.json");
    base.remove("1_Pooling/config.json");
    for documents in [true, false] {
        let files = packed_from(&base, Adapter::Lora(lora(documents)), Delivered::Tuned).unwrap();
        let path = if documents {
            "model/1_Pooling"
        } else {
            "model/query_1_Pooling"
        };
        let pooling = json_of(&files, &format!("{path}/config.json"));
        assert_eq!(
            (
                &pooling["pooling_mode_mean_tokens"],
                &pooling["word_embedding_dimension"]
            ),
            (&json!(true), &json!(2))
        );
    }
    base.insert("config.json".into(), b"{}".to_vec());
    let error = packed_from(&base, Adapter::Lora(lora(true)), Delivered::Tuned).unwrap_err();
    assert_eq!(error.code(), Code::ModelConfig);
}

#[test]
fn lora_is_an_adapter_in_pefts_form() {
    for documents in [true, false] {
        let files = packed(Adapter::Lora(lora(documents)));
        assert_eq!(
            names(&files, "adapter/"),
            ["README.md", "adapter_config.json", "adapter_model.safetensors"]
        );
        let config = json_of(&files, "adapter/adapter_config.json");
        assert_eq!(config["peft_type"], "LORA");
        assert_eq!((&config["r"], &config["lora_alpha"]), (&json!(1), &json!(2)));
        assert_eq!(config["base_model_name_or_path"], "owner/encoder");
        assert_eq!(config["target_modules"], json!([QUERY, DENSE]));
        let weights = &files["adapter/adapter_model.safetensors"];
        let before = "base_model.model";
        assert_eq!(values(weights, &format!("{before}.{QUERY}.lora_A.weight")), [1.0, -1.0]);
        assert_eq!(values(weights, &format!("{before}.{DENSE}.lora_B.weight")), [0.5, -0.5]);
        let tensors = SafeTensors::deserialize(weights).unwrap();
        assert_eq!(tensors.len(), 4);
        assert_eq!(
            tensors
                .tensor(&format!("{before}.{DENSE}.lora_A.weight"))
                .unwrap()
                .shape(),
            [1, 3]
        );
        assert_eq!(
            tensors
                .tensor(&format!("{before}.{DENSE}.lora_B.weight"))
                .unwrap()
                .shape(),
            [2, 1]
        );
    }
}

#[test]
fn a_delivered_base_keeps_every_adapter_beside_it() {
    for (adapter, file) in [
        (TWO_HEADS, "document_head.safetensors"),
        (Adapter::Lora(lora(true)), "adapter_model.safetensors"),
        (Adapter::Lora(lora(false)), "adapter_model.safetensors"),
    ] {
        let base = base();
        let files = packed_from(&base, adapter, Delivered::Base).unwrap();
        assert!(files.contains_key(&format!("adapter/{file}")));
        for (path, bytes) in base.iter().filter(|(path, _)| *path != "README.md") {
            assert_eq!(&files[&format!("model/{path}")], bytes, "{path}");
        }
        assert_eq!(names(&files, "model/").len(), base.len());
    }
}

#[test]
fn the_same_lora_gives_the_same_bytes_in_any_order_of_its_layers() {
    let first = packed(Adapter::Lora(lora(false)));
    let mut turned = lora(false);
    turned.matrices.reverse();
    assert_eq!(packed(Adapter::Lora(turned)), first);
}

#[test]
fn modules_a_router_cannot_name_are_refused() {
    for kind in ["a.Transformer/../x", "WordEmbeddings", ""] {
        let mut base = base();
        base.insert(
            "modules.json".into(),
            json!([{ "path": "", "type": kind }]).to_string().into_bytes(),
        );
        let error = packed_from(&base, Adapter::Lora(lora(false)), Delivered::Tuned).unwrap_err();
        assert_eq!(error.code(), Code::ModelConfig, "{kind}");
    }
}

#[test]
fn an_adapter_that_contradicts_itself_is_refused() {
    let change = |edit: fn(&mut Lora)| {
        let mut lora = lora(false);
        edit(&mut lora);
        lora
    };
    for lora in [
        change(|lora| lora.rank = 0),
        change(|lora| lora.rank = usize::MAX),
        change(|lora| lora.alpha = f32::NAN),
        change(|lora| lora.matrices.clear()),
        change(|lora| lora.matrices[1].module = DENSE),
        change(|lora| lora.matrices[0].module = ""),
        change(|lora| lora.matrices[0].inputs = 2),
        change(|lora| lora.matrices[0].inputs = 0),
        change(|lora| lora.matrices[0].b = &[f32::INFINITY, 0.0]),
    ] {
        let shown = format!("{lora:?}");
        let error = adapter_files(&Adapter::Lora(lora), &json!({})).unwrap_err();
        assert_eq!(error.code(), Code::Internal, "{shown}");
    }
    let document = Some(&[1.0f32][..]);
    let heads = Adapter::Heads {
        dims: 2,
        query: &[0.0; 4],
        document,
    };
    assert_eq!(adapter_files(&heads, &json!({})).unwrap_err().code(), Code::Internal);
}
