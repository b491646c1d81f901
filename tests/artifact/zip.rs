//! The download holds what it promises, in bytes that depend on nothing but its content.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use querytune::artifact::{Adapter, Artifact, Delivered};
use querytune::data_set::in_one_piece;
use querytune::{Code, Result};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};
use zip::{CompressionMethod, ZipArchive};

const DIMS: usize = 3;
const W: [f32; 9] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
const TYPES: &str = "sentence_transformers.models";

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn base() -> BTreeMap<String, Vec<u8>> {
    let data = floats(&[1.0, 2.0]);
    let tensor = TensorView::new(Dtype::F32, vec![2], &data).unwrap();
    let weights = safetensors::serialize([("embeddings", tensor)], None).unwrap();
    let modules = json!([
        { "idx": 0, "name": "0", "path": "", "type": format!("{TYPES}.Transformer") },
        { "idx": 1, "name": "1", "path": "1_Pooling", "type": format!("{TYPES}.Pooling") },
        { "idx": 2, "name": "2", "path": "2_Normalize", "type": format!("{TYPES}.Normalize") },
    ]);
    BTreeMap::from([
        ("config.json".into(), b"{\"model_type\": \"bert\"}".to_vec()),
        ("tokenizer.json".into(), b"{ }".to_vec()),
        ("sentence_bert_config.json".into(), b"{\"max_seq_length\":256}".to_vec()),
        (
            "1_Pooling/config.json".into(),
            b"{\"word_embedding_dimension\":3}".to_vec(),
        ),
        ("modules.json".into(), modules.to_string().into_bytes()),
        (
            "config_sentence_transformers.json".into(),
            br#"{"__version__":{"pytorch":"1.8.1"}}"#.to_vec(),
        ),
        ("README.md".into(), b"the base model's own card".to_vec()),
        ("model.safetensors".into(), weights),
    ])
}

fn query_head(dims: usize, query: &[f32]) -> Adapter<'_> {
    Adapter::Heads {
        dims,
        query,
        document: None,
    }
}

fn artifact<'a>(base: &'a BTreeMap<String, Vec<u8>>, report: &'a Value, delivered: Delivered) -> Artifact<'a> {
    let data = [
        ("relations.csv", "a,b\n"),
        ("relations.gpl.tsv", "a\tb\n"),
        ("scores.tsv", "q\td\n"),
    ];
    let data = data
        .map(|(name, text)| (name.to_owned(), in_one_piece(text.to_owned())))
        .into();
    Artifact {
        base,
        adapter: query_head(DIMS, &W),
        delivered,
        report,
        data,
    }
}

fn unpack(zip: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(zip)).unwrap();
    let files = (0..archive.len()).map(|number| {
        let mut file = archive.by_index(number).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        (file.name().unwrap().to_string(), bytes)
    });
    files.collect()
}

fn packed(base: &BTreeMap<String, Vec<u8>>, delivered: Delivered) -> Result<BTreeMap<String, Vec<u8>>> {
    Ok(unpack(&artifact(base, &json!({}), delivered).to_zip()?))
}

fn json_of(files: &BTreeMap<String, Vec<u8>>, path: &str) -> Value {
    serde_json::from_slice(&files[path]).unwrap()
}

#[test]
fn the_download_holds_these_files() {
    let files = packed(&base(), Delivered::Tuned).unwrap();
    let expected = [
        "README.md",
        "adapter/README.md",
        "adapter/query_head.safetensors",
        "data/relations.csv",
        "data/relations.gpl.tsv",
        "data/scores.tsv",
        "model/1_Pooling/config.json",
        "model/3_Router/query_0_Dense/config.json",
        "model/3_Router/query_0_Dense/model.safetensors",
        "model/3_Router/router_config.json",
        "model/README.md",
        "model/config.json",
        "model/config_sentence_transformers.json",
        "model/model.safetensors",
        "model/modules.json",
        "model/sentence_bert_config.json",
        "model/tokenizer.json",
        "report.json",
    ];
    assert_eq!(files.keys().collect::<Vec<_>>(), expected);
    assert_eq!(files["data/scores.tsv"], b"q\td\n");
}

#[test]
fn the_base_models_files_pass_unchanged_except_for_its_card() {
    let base = base();
    let files = packed(&base, Delivered::Tuned).unwrap();
    for path in [
        "config.json",
        "tokenizer.json",
        "sentence_bert_config.json",
        "1_Pooling/config.json",
    ] {
        assert_eq!(files[&format!("model/{path}")], base[path], "{path}");
    }
    assert_eq!(files["model/model.safetensors"], base["model.safetensors"]);
    assert_ne!(files["model/README.md"], base["README.md"]);
}

#[test]
fn the_head_is_the_identity_plus_w_in_adapter_and_model() {
    let files = packed(&base(), Delivered::Tuned).unwrap();
    let expected = floats(&[1.1, 0.2, 0.3, 0.4, 1.5, 0.6, 0.7, 0.8, 1.9]);
    for (path, name) in [
        ("adapter/query_head.safetensors", "weight"),
        ("model/3_Router/query_0_Dense/model.safetensors", "linear.weight"),
    ] {
        let tensors = SafeTensors::deserialize(&files[path]).unwrap();
        assert_eq!(tensors.names(), [name], "{path}");
        let weight = tensors.tensor(name).unwrap();
        assert_eq!(
            (weight.dtype(), weight.shape()),
            (Dtype::F32, &[DIMS, DIMS][..]),
            "{path}"
        );
        assert_eq!(weight.data(), expected, "{path}");
        // A JavaScript reader views the numbers in place, which needs them aligned.
        let (header, _) = SafeTensors::read_metadata(&files[path]).unwrap();
        assert_eq!((8 + header) % 8, 0, "{path}");
    }
}

#[test]
fn the_adapter_says_its_formula_and_its_base_model() {
    let base = base();
    let report = json!({ "models": { "encoder": { "id": "a/b", "sha256": "00ff" } } });
    let files = unpack(&artifact(&base, &report, Delivered::Tuned).to_zip().unwrap());
    let (_, metadata) = SafeTensors::read_metadata(&files["adapter/query_head.safetensors"]).unwrap();
    let metadata = metadata.metadata().clone().unwrap();
    assert!(metadata["formula"].contains("normalize(q @ weight.T)"));
    assert_eq!(metadata["base_model"], "a/b");
    assert_eq!(metadata["base_model_sha256"], "00ff");
}

#[test]
fn queries_are_routed_through_the_head_and_documents_past_it() {
    let files = packed(&base(), Delivered::Tuned).unwrap();
    let modules = json_of(&files, "model/modules.json");
    let types: Vec<&str> = modules
        .as_array()
        .unwrap()
        .iter()
        .map(|module| module["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        types,
        ["Transformer", "Pooling", "Normalize", "Router"].map(|name| format!("{TYPES}.{name}"))
    );
    assert_eq!(modules[3]["path"], "3_Router");
    let router = json_of(&files, "model/3_Router/router_config.json");
    assert_eq!(
        router["structure"]["query"],
        json!(["query_0_Dense", "query_1_Normalize"])
    );
    assert_eq!(router["structure"]["document"], json!(["document_0_Normalize"]));
    assert_eq!(router["parameters"]["default_route"], "document");
    let dense = json_of(&files, "model/3_Router/query_0_Dense/config.json");
    assert_eq!(dense["activation_function"], "torch.nn.modules.linear.Identity");
    assert_eq!(dense["bias"], false);
}

#[test]
fn a_base_that_does_not_normalise_gets_a_module_that_does() {
    let mut base = base();
    let mut modules: Value = serde_json::from_slice(&base["modules.json"]).unwrap();
    modules.as_array_mut().unwrap().pop();
    base.insert("modules.json".into(), modules.to_string().into_bytes());
    let modules = json_of(&packed(&base, Delivered::Tuned).unwrap(), "model/modules.json");
    assert_eq!(modules[2]["type"], format!("{TYPES}.Normalize"));
    assert_eq!(modules[3]["type"], format!("{TYPES}.Router"));
}

#[test]
fn a_base_without_modules_is_mean_pooled() {
    let mut base = base();
    base.remove("modules.json");
    base.remove("1_Pooling/config.json");
    let files = packed(&base, Delivered::Tuned).unwrap();
    assert_eq!(json_of(&files, "model/modules.json").as_array().unwrap().len(), 4);
    let pooling = json_of(&files, "model/1_Pooling/config.json");
    assert_eq!(pooling["pooling_mode_mean_tokens"], true);
    assert_eq!(pooling["word_embedding_dimension"], DIMS);
}

#[test]
fn prompts_of_the_base_stay_and_both_sides_have_one() {
    let mut base = base();
    let config = json!({ "prompts": { "query": "search: ", "other": "x" }, "default_prompt_name": "other" });
    base.insert(
        "config_sentence_transformers.json".into(),
        config.to_string().into_bytes(),
    );
    let config = json_of(
        &packed(&base, Delivered::Tuned).unwrap(),
        "model/config_sentence_transformers.json",
    );
    assert_eq!(
        config["prompts"],
        json!({ "query": "search: ", "other": "x", "document": "x" })
    );
    assert_eq!(config["default_prompt_name"], "other");
    let plain = json_of(
        &packed(&self::base(), Delivered::Tuned).unwrap(),
        "model/config_sentence_transformers.json",
    );
    assert_eq!(plain["prompts"], json!({ "query": "", "document": "" }));
    assert_eq!(
        plain["__version__"],
        json!({ "pytorch": "1.8.1", "sentence_transformers": "5.1.2" })
    );
}

#[test]
fn a_delivered_base_is_the_base_with_the_head_beside_it() {
    let base = base();
    let files = packed(&base, Delivered::Base).unwrap();
    assert_eq!(files["model/modules.json"], base["modules.json"]);
    assert!(!files.keys().any(|path| path.contains("Router")));
    assert!(files.contains_key("adapter/query_head.safetensors"));
}

#[test]
fn the_same_content_gives_the_same_bytes() {
    let base = base();
    let report = json!({ "models": { "encoder": { "id": "a/b", "sha256": "00ff" } }, "version": "1" });
    let first = artifact(&base, &report, Delivered::Tuned).to_zip().unwrap();
    for _ in 0..5 {
        assert_eq!(artifact(&base, &report, Delivered::Tuned).to_zip().unwrap(), first);
    }
}

#[test]
fn weights_are_stored_text_is_deflated_and_no_time_is_kept() {
    let zip = artifact(&base(), &json!({}), Delivered::Tuned).to_zip().unwrap();
    let mut archive = ZipArchive::new(Cursor::new(&zip)).unwrap();
    for number in 0..archive.len() {
        let file = archive.by_index(number).unwrap();
        let name = file.name().unwrap().to_string();
        let stored = name.ends_with(".safetensors");
        let method = if stored {
            CompressionMethod::Stored
        } else {
            CompressionMethod::Deflated
        };
        assert_eq!(file.compression(), method, "{name}");
        assert_eq!(file.last_modified().unwrap().year(), 1980, "{name}");
    }
}

#[test]
fn only_a_data_set_that_may_be_long_is_packed_in_the_form_that_some_programs_do_not_read() {
    let (base, report) = (base(), json!({}));
    let packed = |is_long: bool| {
        let mut packing = artifact(&base, &report, Delivered::Tuned).pack().unwrap();
        if is_long {
            packing.expect_long_data();
        }
        while packing.step().unwrap() {}
        packing.finish().unwrap()
    };
    let [short, long] = [false, true].map(packed);
    assert_eq!(unpack(&short), unpack(&long));
    // Zip64's field: its number, and the length of two lengths.
    let has_field = |zip: &[u8]| zip.windows(4).any(|bytes| bytes == [1, 0, 16, 0]);
    assert_eq!((has_field(&short), has_field(&long)), (false, true));
}

#[test]
fn packing_goes_in_steps_and_counts_files() {
    let base = base();
    let report = json!({});
    let mut packing = artifact(&base, &report, Delivered::Tuned).pack().unwrap();
    let (total, mut last, mut steps) = (packing.total(), 0, 0);
    while packing.step().unwrap() {
        assert!(packing.done() >= last);
        last = packing.done();
        steps += 1;
    }
    assert!(steps >= total);
    assert_eq!(packing.done(), total);
    assert_eq!(unpack(&packing.finish().unwrap()).len(), total);
}

#[test]
fn closing_too_early_is_an_error_not_half_a_zip() {
    let base = base();
    let report = json!({});
    let mut packing = artifact(&base, &report, Delivered::Tuned).pack().unwrap();
    packing.step().unwrap();
    assert_eq!(packing.finish().unwrap_err().code(), Code::Internal);
}

#[test]
fn a_file_larger_than_a_step_arrives_whole() {
    let mut base = base();
    let large: Vec<u8> = (0..5_000_000u32)
        .map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    base.insert("tokenizer.json".into(), large.clone());
    assert_eq!(packed(&base, Delivered::Tuned).unwrap()["model/tokenizer.json"], large);
}

#[test]
fn paths_that_leave_the_folder_are_refused() {
    for path in ["../evil", "/etc/x", "a/../../b", "a\\b", "C:x", "", "a//b"] {
        let mut base = base();
        base.insert(path.into(), vec![]);
        assert_eq!(
            packed(&base, Delivered::Tuned).unwrap_err().code(),
            Code::ModelConfig,
            "{path:?}"
        );
    }
}

#[test]
fn broken_model_files_are_named() {
    let mut without = base();
    without.remove("model.safetensors");
    assert_eq!(
        packed(&without, Delivered::Base).unwrap_err().code(),
        Code::ModelFileMissing
    );
    let mut cut = base();
    cut.get_mut("model.safetensors").unwrap().pop();
    assert_eq!(packed(&cut, Delivered::Base).unwrap_err().code(), Code::ModelWeights);
    let mut modules = base();
    modules.insert("modules.json".into(), b"[1]".to_vec());
    let error = packed(&modules, Delivered::Tuned).unwrap_err();
    assert_eq!(error.code(), Code::ModelConfig);
    assert_eq!(error.position().unwrap().file, "modules.json");
}

#[test]
fn a_head_that_does_not_fit_is_refused() {
    let base = base();
    let report = json!({});
    let nan = [f32::NAN; 9];
    for adapter in [query_head(4, &W), query_head(0, &[]), query_head(3, &nan)] {
        let artifact = Artifact {
            adapter,
            ..artifact(&base, &report, Delivered::Tuned)
        };
        assert_eq!(artifact.to_zip().unwrap_err().code(), Code::Internal);
    }
}

mod weights_stored_as_integers {
    use super::*;

    fn quantised(extra: &[(&str, Dtype, Vec<usize>, Vec<u8>)]) -> BTreeMap<String, Vec<u8>> {
        let mut tensors = vec![("norm.weight", Dtype::F32, vec![2], floats(&[0.5, -0.5]))];
        tensors.extend(extra.iter().cloned());
        let views: Vec<_> = tensors
            .iter()
            .map(|(name, dtype, shape, data)| (*name, TensorView::new(*dtype, shape.clone(), data).unwrap()))
            .collect();
        let mut base = base();
        base.insert("model.safetensors".into(), safetensors::serialize(views, None).unwrap());
        base
    }

    fn values(files: &BTreeMap<String, Vec<u8>>, name: &str) -> Vec<f32> {
        let tensors = SafeTensors::deserialize(&files["model/model.safetensors"]).unwrap();
        let tensor = tensors.tensor(name).unwrap();
        assert_eq!(tensor.dtype(), Dtype::F32);
        tensor
            .data()
            .as_chunks::<4>()
            .0
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect()
    }

    #[test]
    fn become_floats_with_one_scale_or_one_a_row() {
        let base = quantised(&[
            ("one.weight", Dtype::I8, vec![2, 2], vec![1, 0xFF, 127, 0x80]),
            ("one.weight.scale", Dtype::F32, vec![], floats(&[0.5])),
            ("rows.weight", Dtype::U8, vec![2, 3], vec![128, 129, 130, 0, 255, 128]),
            ("rows.weight.scale", Dtype::F32, vec![2], floats(&[1.0, 0.25])),
            ("rows.weight.zero_point", Dtype::U8, vec![1], vec![128]),
        ]);
        for delivered in [Delivered::Tuned, Delivered::Base] {
            let files = packed(&base, delivered).unwrap();
            let tensors = SafeTensors::deserialize(&files["model/model.safetensors"]).unwrap();
            let mut names = tensors.names();
            names.sort_unstable();
            assert_eq!(names, ["norm.weight", "one.weight", "rows.weight"]);
            assert_eq!(tensors.tensor("rows.weight").unwrap().shape(), [2, 3]);
            assert_eq!(values(&files, "norm.weight"), [0.5, -0.5]);
            assert_eq!(values(&files, "one.weight"), [0.5, -0.5, 63.5, -64.0]);
            assert_eq!(values(&files, "rows.weight"), [0.0, 1.0, 2.0, -32.0, 31.75, 0.0]);
        }
    }

    #[test]
    fn keep_other_types_beside_them() {
        let base = quantised(&[
            ("w", Dtype::I8, vec![1], vec![3]),
            ("w.scale", Dtype::F32, vec![1], floats(&[2.0])),
            ("position_ids", Dtype::I64, vec![1], 7i64.to_le_bytes().to_vec()),
            ("half", Dtype::F16, vec![1], vec![0, 0x3C]),
        ]);
        let files = packed(&base, Delivered::Tuned).unwrap();
        let tensors = SafeTensors::deserialize(&files["model/model.safetensors"]).unwrap();
        assert_eq!(tensors.tensor("position_ids").unwrap().data(), 7i64.to_le_bytes());
        assert_eq!(tensors.tensor("half").unwrap().dtype(), Dtype::F16);
        assert_eq!(values(&files, "w"), [6.0]);
    }

    #[test]
    fn with_a_scale_that_does_not_fit_are_refused() {
        for (scale, zero) in [
            ((Dtype::F32, vec![3], floats(&[1.0; 3])), (Dtype::I8, vec![1], vec![0])),
            ((Dtype::F16, vec![1], vec![0, 0]), (Dtype::I8, vec![1], vec![0])),
            ((Dtype::F32, vec![1], floats(&[1.0])), (Dtype::U8, vec![1], vec![0])),
            ((Dtype::F32, vec![1], floats(&[1.0])), (Dtype::I8, vec![2], vec![0, 0])),
            ((Dtype::F32, vec![0], vec![]), (Dtype::I8, vec![1], vec![0])),
        ] {
            let base = quantised(&[
                ("w", Dtype::I8, vec![2, 2], vec![1, 2, 3, 4]),
                ("w.scale", scale.0, scale.1, scale.2),
                ("w.zero_point", zero.0, zero.1, zero.2),
            ]);
            assert_eq!(packed(&base, Delivered::Tuned).unwrap_err().code(), Code::ModelWeights);
        }
    }
}
