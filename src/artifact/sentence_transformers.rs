//! The `model/` folder, in the form that sentence-transformers has read since its version 3.4 (a plain encoder) and
//! since version 5 (where queries and documents part: its `Router` module).
//!
//! Modules are named in the old style (`sentence_transformers.models.…`): the new one of version 6 does not load
//! in version 5.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::heads::{self, Side};
use super::weights::{self, Written};
use super::{Adapter, Artifact, Content, Delivered, File, Lora, model_card, pretty, router};
use crate::error::{Code, Error, Result};

/// The version whose format this is; newer ones read it, and so does every one from 5.0.
const WRITTEN_AS: &str = "5.1.2";
const MODULES: &str = "modules.json";
const CONFIG: &str = "config_sentence_transformers.json";
/// The base model's card would speak of another model.
const CARD: &str = "README.md";

/// All files of the folder, paths beginning with `model/`.
pub fn folder<'a>(artifact: &Artifact<'a>) -> Result<Vec<File<'a>>> {
    weights::file_of(artifact.base)?;
    artifact.base.keys().try_for_each(|path| check_path(path))?;
    let mut router = None;
    let mut files = match (artifact.delivered, &artifact.adapter) {
        (Delivered::Base, _) => unchanged(artifact, "model", &[CARD])?,
        (Delivered::Tuned, Adapter::Heads { dims, query, document }) => {
            let (name, files) = with_heads(artifact, *dims, query, *document)?;
            router = Some(name);
            files
        }
        (Delivered::Tuned, Adapter::Lora(lora)) if lora.documents => encoder(artifact, "model", Some(lora))?,
        (Delivered::Tuned, Adapter::Lora(lora)) => two_encoders(artifact, lora)?,
    };
    let card = model_card::text(artifact, router.as_deref());
    files.insert(0, File::text("model/README.md", card));
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

/// The base model's files in a folder, without those at these paths.
fn unchanged<'a>(artifact: &Artifact<'a>, folder: &str, without: &[&str]) -> Result<Vec<File<'a>>> {
    let mut files = Vec::new();
    for (path, bytes) in artifact
        .base
        .iter()
        .filter(|(path, _)| !without.contains(&path.as_str()))
    {
        // sentence-transformers would read 8-bit integers as if they were the values.
        let floats = if path == weights::FILE {
            Written::dequantised(bytes)?
        } else {
            None
        };
        files.push(File {
            path: format!("{folder}/{path}"),
            content: floats.map_or(Content::Bytes(Cow::Borrowed(bytes)), Content::Weights),
        });
    }
    Ok(files)
}

/// The base model, then a router with the heads; and the router's folder.
fn with_heads<'a>(
    artifact: &Artifact<'a>,
    dims: usize,
    query: &[f32],
    document: Option<&[f32]>,
) -> Result<(String, Vec<File<'a>>)> {
    let mut modules = modules(artifact)?;
    let name = format!("{}_Router", modules.len());
    modules.push(module(modules.len(), &name, "Router"));
    let mut files = settings(artifact, "model", modules)?;
    let route = |head: Option<&[f32]>| match head {
        Some(_) => &["Dense", "Normalize"][..],
        None => &["Normalize"],
    };
    let config = router::config(route(Some(query)), route(document));
    files.push(File::text(format!("model/{name}/router_config.json"), pretty(&config)?));
    // Without an activation named, sentence-transformers takes tanh.
    let dense = json!({
        "in_features": dims,
        "out_features": dims,
        "bias": false,
        "activation_function": "torch.nn.modules.linear.Identity",
    });
    for (side, head) in [(Side::Query, Some(query)), (Side::Document, document)] {
        let Some(head) = head else { continue };
        let folder = format!("model/{name}/{}", router::folder(side, 0, "Dense"));
        files.push(File::text(format!("{folder}/config.json"), pretty(&dense)?));
        let weights = heads::linear(dims, head)?;
        files.push(File::new(format!("{folder}/{}", weights::FILE), Cow::Owned(weights)));
    }
    files.extend(unchanged(artifact, "model", &replaced(artifact))?);
    Ok((name, files))
}

/// A router of two encoders: queries go through the changed one.
fn two_encoders<'a>(artifact: &Artifact<'a>, lora: &Lora<'a>) -> Result<Vec<File<'a>>> {
    let modules = modules(artifact)?;
    let names: Vec<&str> = modules.iter().map(module_name).collect();
    let plain = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric());
    if names[0] != "Transformer" || !names.iter().all(plain) {
        let text = "The base model's modules have to be a Transformer and what follows it. Choose another model.";
        return Err(Error::new(Code::ModelConfig, text).at(MODULES, 0, 0));
    }
    let mut files = vec![
        File::text(format!("model/{MODULES}"), pretty(&json!([module(0, "", "Router")]))?),
        File::text("model/router_config.json", pretty(&router::config(&names, &names))?),
        File::text(format!("model/{CONFIG}"), pretty(&config(artifact)?)?),
    ];
    for (side, change) in [(Side::Query, Some(lora)), (Side::Document, None)] {
        // What the router takes for the transformer alone is an encoder's whole folder, which can be used by itself.
        let whole = format!("model/{}", router::folder(side, 0, names[0]));
        let encoder = encoder(artifact, &whole, change)?;
        for (number, module) in modules.iter().enumerate().skip(1) {
            let path = module.get("path").and_then(Value::as_str).unwrap_or_default();
            let inside = format!("{whole}/{path}/");
            let outside = format!("model/{}/", router::folder(side, number, names[number]));
            for file in &encoder {
                if let (Some(path), Content::Bytes(bytes)) = (file.path.strip_prefix(&inside), &file.content) {
                    files.push(File::new(format!("{outside}{path}"), bytes.clone()));
                }
            }
        }
        files.extend(encoder);
    }
    Ok(files)
}

/// The base model as a plain encoder that normalises, changed if there are changes.
fn encoder<'a>(artifact: &Artifact<'a>, folder: &str, change: Option<&Lora<'a>>) -> Result<Vec<File<'a>>> {
    let mut files = settings(artifact, folder, modules(artifact)?)?;
    let mut without = replaced(artifact);
    // The same weights in other formats: too much beside another encoder, and wrong beside changed ones.
    without.extend(
        artifact
            .base
            .keys()
            .map(String::as_str)
            .filter(|path| is_other_format(path)),
    );
    if let Some(lora) = change {
        without.extend([weights::FILE, "config.json"]);
        let merged = Written::merged(weights::file_of(artifact.base)?, lora)?;
        files.push(File {
            path: format!("{folder}/{}", weights::FILE),
            content: Content::Weights(merged),
        });
        if let Some(config) = artifact.base.get("config.json") {
            let path = format!("{folder}/config.json");
            files.push(match in_f32(config)? {
                Some(config) => File::text(path, pretty(&config)?),
                None => File::new(path, Cow::Borrowed(config)),
            });
        }
    }
    files.extend(unchanged(artifact, folder, &without)?);
    Ok(files)
}

fn is_other_format(path: &str) -> bool {
    let folder = path.starts_with("onnx/") || path.starts_with("openvino/");
    let endings = [
        ".safetensors",
        ".bin",
        ".onnx",
        ".h5",
        ".ot",
        ".msgpack",
        ".pt",
        ".ckpt",
    ];
    path != weights::FILE && (folder || endings.iter().any(|ending| path.ends_with(ending)))
}

/// A `config.json` that says otherwise, for weights that are all F32 now.
fn in_f32(config: &[u8]) -> Result<Option<Value>> {
    let mut config: Map<String, Value> = read_json("config.json", config)?;
    let mut differs = false;
    for key in ["torch_dtype", "dtype"] {
        if let Some(dtype) = config.get_mut(key).filter(|dtype| **dtype != "float32") {
            *dtype = json!("float32");
            differs = true;
        }
    }
    Ok(differs.then_some(Value::Object(config)))
}

/// The files of the base model that [`settings`] replaces.
fn replaced(artifact: &Artifact) -> Vec<&'static str> {
    let mut replaced = vec![CARD, MODULES, CONFIG];
    if !artifact.base.contains_key(MODULES) {
        replaced.push("1_Pooling/config.json");
    }
    replaced
}

/// What makes a model's folder one of sentence-transformers.
fn settings<'a>(artifact: &Artifact<'a>, folder: &str, modules: Vec<Map<String, Value>>) -> Result<Vec<File<'a>>> {
    let mut files = vec![
        File::text(format!("{folder}/{MODULES}"), pretty(&json!(modules))?),
        File::text(format!("{folder}/{CONFIG}"), pretty(&config(artifact)?)?),
    ];
    if !artifact.base.contains_key(MODULES) {
        let pooling = mean_pooling(dims(artifact)?);
        files.push(File::text(format!("{folder}/1_Pooling/config.json"), pretty(&pooling)?));
    }
    Ok(files)
}

/// The base model's modules, the last of which normalises.
fn modules(artifact: &Artifact) -> Result<Vec<Map<String, Value>>> {
    let mut modules: Vec<Map<String, Value>> = match artifact.base.get(MODULES) {
        Some(bytes) => read_json(MODULES, bytes)?,
        // What sentence-transformers makes of a folder without the file.
        None => vec![module(0, "", "Transformer"), module(1, "1_Pooling", "Pooling")],
    };
    // The adapter was trained on normalised vectors.
    if modules.last().map(module_name) != Some("Normalize") {
        let number = modules.len();
        modules.push(module(number, &format!("{number}_Normalize"), "Normalize"));
    }
    Ok(modules)
}

/// The last part of a module's type.
fn module_name(module: &Map<String, Value>) -> &str {
    let kind = module.get("type").and_then(Value::as_str).unwrap_or_default();
    kind.rsplit('.').next().unwrap_or_default()
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

/// Numbers in a vector.
fn dims(artifact: &Artifact) -> Result<usize> {
    if let Adapter::Heads { dims, .. } = artifact.adapter {
        return Ok(dims);
    }
    let config: Map<String, Value> = match artifact.base.get("config.json") {
        Some(bytes) => read_json("config.json", bytes)?,
        None => Map::new(),
    };
    let dims = config.get("hidden_size").and_then(Value::as_u64);
    dims.and_then(|dims| usize::try_from(dims).ok()).ok_or_else(|| {
        let text = "The base model's config.json does not say its hidden_size. Give the whole model folder.";
        Error::new(Code::ModelConfig, text)
    })
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
    let mut config: Map<String, Value> = match artifact.base.get(CONFIG) {
        Some(bytes) => read_json(CONFIG, bytes)?,
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
    for side in [Side::Query, Side::Document] {
        prompts.entry(side.name()).or_insert_with(|| default.clone());
    }
    config.insert("prompts".into(), Value::Object(prompts));
    config.entry("default_prompt_name").or_insert(Value::Null);
    config.insert("similarity_fn_name".into(), json!("cosine"));
    Ok(Value::Object(config))
}

fn read_json<T: serde::de::DeserializeOwned>(file: &str, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| {
        let text = format!("Not the JSON expected of a model: {error}.");
        Error::new(Code::ModelConfig, text).at(file, error.line() as u64, error.column() as u64)
    })
}
