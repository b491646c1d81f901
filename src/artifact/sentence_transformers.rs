//! The `model/` folder, in the form that sentence-transformers has read since its version 3.4 (the base model) and
//! since version 5 (with a head for queries only: its `Router` module).
//!
//! Modules are named in the old style (`sentence_transformers.models.…`): the new one of version 6 does not load
//! in version 5.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::{Artifact, Content, Delivered, File, model_card, pretty, weights};
use crate::error::{Code, Error, Result};

/// The version whose format this is; newer ones read it, and so does every one from 5.0.
const WRITTEN_AS: &str = "5.1.2";

/// All files of the folder, paths beginning with `model/`.
pub fn folder<'a>(artifact: &Artifact<'a>) -> Result<Vec<File<'a>>> {
    let base = artifact.base;
    if !base.contains_key("model.safetensors") {
        let text = "The base model has no model.safetensors. Give the whole model folder.";
        return Err(Error::new(Code::ModelFileMissing, text));
    }
    // The base model's card would speak of another model.
    let mut replaced = vec!["README.md"];
    let mut files = vec![File::text("model/README.md", String::new())];
    let mut head_path = None;
    if artifact.delivered == Delivered::Tuned {
        replaced.extend(["modules.json", "config_sentence_transformers.json"]);
        let (modules, router) = modules(artifact)?;
        files.push(File::text("model/modules.json", pretty(&modules)?));
        files.push(File::text(
            "model/config_sentence_transformers.json",
            pretty(&config(artifact)?)?,
        ));
        if !base.contains_key("modules.json") {
            replaced.push("1_Pooling/config.json");
            files.push(File::text(
                "model/1_Pooling/config.json",
                pretty(&mean_pooling(artifact.head.dims))?,
            ));
        }
        files.extend(router_folder(artifact, &router)?);
        head_path = Some(format!("{router}/query_0_Dense/model.safetensors"));
    }
    files[0] = File::text("model/README.md", model_card::text(artifact, head_path.as_deref()));
    for (path, bytes) in base {
        check_path(path)?;
        if replaced.contains(&path.as_str()) {
            continue;
        }
        // sentence-transformers would read 8-bit integers as if they were the values.
        let floats = if path == "model.safetensors" {
            weights::Dequantised::of(bytes)?
        } else {
            None
        };
        let content = floats.map_or(Content::Bytes(Cow::Borrowed(bytes)), Content::Dequantised);
        files.push(File {
            path: format!("model/{path}"),
            content,
        });
    }
    Ok(files)
}

/// A path that stays inside the folder on every system.
fn check_path(path: &str) -> Result<()> {
    let inside = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', ':', '\0']);
    if path.split('/').all(inside) {
        return Ok(());
    }
    let text = format!("The base model has a file named {path:?}. Paths have to lie within the model's folder.");
    Err(Error::new(Code::ModelConfig, text))
}

/// `modules.json` with the router at its end, and the router's folder.
fn modules(artifact: &Artifact) -> Result<(Value, String)> {
    let mut modules: Vec<Map<String, Value>> = match artifact.base.get("modules.json") {
        Some(bytes) => read_json("modules.json", bytes)?,
        // What sentence-transformers makes of a folder without the file.
        None => vec![module(0, "", "Transformer"), module(1, "1_Pooling", "Pooling")],
    };
    let last = modules
        .last()
        .and_then(|module| module.get("type"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    // The head was trained on normalised vectors.
    if !last.ends_with("Normalize") {
        let number = modules.len();
        modules.push(module(number, &format!("{number}_Normalize"), "Normalize"));
    }
    let router = format!("{}_Router", modules.len());
    modules.push(module(modules.len(), &router, "Router"));
    Ok((json!(modules), router))
}

fn module(number: usize, path: &str, name: &str) -> Map<String, Value> {
    let values = [
        ("idx", json!(number)),
        ("name", json!(number.to_string())),
        ("path", json!(path)),
        ("type", json!(format!("sentence_transformers.models.{name}"))),
    ];
    values.map(|(key, value)| (key.to_owned(), value)).into_iter().collect()
}

fn mean_pooling(dims: usize) -> Value {
    json!({
        "word_embedding_dimension": dims,
        "pooling_mode_cls_token": false,
        "pooling_mode_mean_tokens": true,
        "pooling_mode_max_tokens": false,
        "pooling_mode_mean_sqrt_len_tokens": false,
    })
}

/// `config_sentence_transformers.json`: the base model's, made to say what holds for the tuned one.
fn config(artifact: &Artifact) -> Result<Value> {
    const FILE: &str = "config_sentence_transformers.json";
    let mut config: Map<String, Value> = match artifact.base.get(FILE) {
        Some(bytes) => read_json(FILE, bytes)?,
        None => Map::new(),
    };
    config.insert("model_type".into(), json!("SentenceTransformer"));
    let written_by = config.entry("__version__").or_insert_with(|| json!({}));
    if let Some(written_by) = written_by.as_object_mut() {
        written_by.insert("sentence_transformers".into(), json!(WRITTEN_AS));
    }
    let mut prompts = config
        .get("prompts")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let default = config
        .get("default_prompt_name")
        .and_then(Value::as_str)
        .and_then(|name| prompts.get(name));
    let default = default.cloned().unwrap_or_else(|| json!(""));
    // encode_query and encode_document look for these two names.
    for side in ["query", "document"] {
        prompts.entry(side).or_insert_with(|| default.clone());
    }
    config.insert("prompts".into(), Value::Object(prompts));
    config.entry("default_prompt_name").or_insert(Value::Null);
    config.insert("similarity_fn_name".into(), json!("cosine"));
    Ok(Value::Object(config))
}

/// The router: queries go through I + W and are normalised, documents pass.
fn router_folder<'a>(artifact: &Artifact, router: &str) -> Result<Vec<File<'a>>> {
    let dims = artifact.head.dims;
    let routes = json!({
        "types": {
            "query_0_Dense": "sentence_transformers.models.Dense.Dense",
            "query_1_Normalize": "sentence_transformers.models.Normalize.Normalize",
            "document_0_Normalize": "sentence_transformers.models.Normalize.Normalize",
        },
        "structure": {
            "query": ["query_0_Dense", "query_1_Normalize"],
            "document": ["document_0_Normalize"],
        },
        "parameters": { "default_route": "document", "allow_empty_key": true },
    });
    // Without an activation named, sentence-transformers takes tanh.
    let dense = json!({
        "in_features": dims,
        "out_features": dims,
        "bias": false,
        "activation_function": "torch.nn.modules.linear.Identity",
    });
    let weight = weights::identity_plus(artifact.head)?;
    let weight = weights::matrix("linear.weight", dims, &weight, &[("format", "pt".to_owned())])?;
    let dense_folder = format!("model/{router}/query_0_Dense");
    Ok(vec![
        File::text(format!("model/{router}/router_config.json"), pretty(&routes)?),
        File::text(format!("{dense_folder}/config.json"), pretty(&dense)?),
        File::new(format!("{dense_folder}/model.safetensors"), Cow::Owned(weight)),
    ])
}

fn read_json<T: serde::de::DeserializeOwned>(file: &str, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| {
        let text = format!("Not the JSON expected of a model: {error}.");
        Error::new(Code::ModelConfig, text).at(file, error.line() as u64, error.column() as u64)
    })
}
