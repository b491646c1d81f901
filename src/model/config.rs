//! What a model's own files say about it, and the refusal of what this crate does not do.

use serde::Deserialize;

use super::files::ModelFiles;
use crate::error::{Code, Error, Result};

/// Models with the layers of a BERT whose positions begin after the padding's, which tell no token types apart, and
/// whose classifier is named otherwise (transformers' `modeling_roberta.py`).
const ROBERTA: [&str; 3] = ["roberta", "xlm-roberta", "camembert"];

/// The part of a `config.json` of the BERT family that decides its numbers.
///
/// Fields and defaults are those of transformers' `BertConfig` and `RobertaConfig`.
#[derive(Clone, Debug, Deserialize)]
pub struct BertConfig {
    /// Has to be `bert`, or of RoBERTa's kind.
    pub model_type: Option<String>,
    /// Numbers in a hidden state.
    pub hidden_size: usize,
    /// Transformer layers.
    pub num_hidden_layers: usize,
    /// Attention heads; divides `hidden_size`.
    pub num_attention_heads: usize,
    /// Width of the feed-forward layer.
    pub intermediate_size: usize,
    /// Has to be `gelu` (the erf form).
    #[serde(default = "gelu")]
    pub hidden_act: String,
    /// Has to be `absolute`.
    #[serde(default = "absolute")]
    pub position_embedding_type: String,
    /// Epsilon of every layer normalisation.
    #[serde(default = "layer_norm_eps")]
    pub layer_norm_eps: f64,
    /// Rows of the word embedding table.
    pub vocab_size: usize,
    /// Rows of the position table; see [`BertConfig::positions`].
    pub max_position_embeddings: usize,
    /// The padding token, after whose number RoBERTa's positions begin.
    pub pad_token_id: Option<usize>,
    /// Rows of the token type table.
    #[serde(default = "type_vocab_size")]
    pub type_vocab_size: usize,
    /// Has to be false.
    #[serde(default)]
    pub is_decoder: bool,
    /// Has to be false.
    #[serde(default)]
    pub add_cross_attention: bool,
    /// Outputs of a classifier, where the configuration counts them.
    pub num_labels: Option<usize>,
    /// Names of the outputs of a classifier.
    pub id2label: Option<serde_json::Map<String, serde_json::Value>>,
}

fn gelu() -> String {
    "gelu".into()
}
fn absolute() -> String {
    "absolute".into()
}
fn layer_norm_eps() -> f64 {
    1e-12
}
fn type_vocab_size() -> usize {
    2
}

/// How the vectors of a text's tokens become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The mean over the tokens, padding left out.
    Mean,
    /// The vector of the first token.
    Cls,
}

/// What a sentence encoder's `modules.json` and its companions say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncoderConfig {
    /// How token vectors are pooled.
    pub pooling: Pooling,
    /// Whether vectors are scaled to length 1.
    pub normalize: bool,
    /// Most tokens of a text, `[CLS]` and `[SEP]` included.
    pub max_length: usize,
    /// Whether texts are made lower-case before the tokenizer.
    pub lower_case: bool,
    /// What is put before every query, for encoders trained with prompts.
    pub query_prompt: String,
    /// What is put before every document.
    pub document_prompt: String,
}

fn unsupported(id: &str, file: &str, key: &str, found: &str, supported: &str) -> Error {
    Error::new(
        Code::ModelConfig,
        format!("The model {id} has {key} = {found}; supported: {supported}. Choose another model."),
    )
    .at(file, 0, 0)
}

impl BertConfig {
    /// Reads `config.json` and refuses what is not a BERT encoder.
    ///
    /// # Errors
    /// [`Code::ModelFileMissing`]; [`Code::ModelConfig`] naming the key that is not supported.
    pub fn read(files: &ModelFiles) -> Result<Self> {
        let config: Self = files.json("config.json")?;
        let refuse =
            |key, found: &str, supported: &str| Err(unsupported(&files.id, "config.json", key, found, supported));
        match config.model_type.as_deref() {
            Some("bert") => {}
            Some(other) if ROBERTA.contains(&other) => {}
            other => {
                let supported = format!("bert, {}", ROBERTA.join(", "));
                return refuse("model_type", other.unwrap_or("nothing"), &supported);
            }
        }
        if config.hidden_act != "gelu" {
            return refuse("hidden_act", &config.hidden_act, "gelu");
        }
        if config.position_embedding_type != "absolute" {
            return refuse("position_embedding_type", &config.position_embedding_type, "absolute");
        }
        if config.is_decoder {
            return refuse("is_decoder", "true", "false");
        }
        if config.add_cross_attention {
            return refuse("add_cross_attention", "true", "false");
        }
        let heads = config.num_attention_heads;
        if heads == 0 || config.hidden_size == 0 || !config.hidden_size.is_multiple_of(heads) {
            return refuse("num_attention_heads", &heads.to_string(), "a divisor of hidden_size");
        }
        if config.positions() < 3 {
            let least = format!("{} or more", config.first_position().saturating_add(3));
            return refuse(
                "max_position_embeddings",
                &config.max_position_embeddings.to_string(),
                &least,
            );
        }
        if config.type_vocab_size == 0 {
            return refuse("type_vocab_size", "0", "1 or more");
        }
        Ok(config)
    }

    /// Whether this is a RoBERTa.
    pub fn is_roberta(&self) -> bool {
        self.model_type.as_deref().is_some_and(|kind| ROBERTA.contains(&kind))
    }

    /// The row of the position table that an input's first token has.
    pub fn first_position(&self) -> usize {
        if !self.is_roberta() {
            return 0;
        }
        self.pad_token_id.unwrap_or(1).saturating_add(1)
    }

    /// Most tokens the model has positions for.
    pub fn positions(&self) -> usize {
        self.max_position_embeddings.saturating_sub(self.first_position())
    }

    /// How many outputs a classifier of this configuration has.
    pub fn labels(&self) -> usize {
        // transformers counts id2label where it is there, and has 2 labels by default.
        self.id2label
            .as_ref()
            .map(|labels| labels.len())
            .or(self.num_labels)
            .unwrap_or(2)
    }
}

#[derive(Deserialize)]
struct Module {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize, Default)]
struct SentenceBertConfig {
    max_seq_length: Option<usize>,
    #[serde(default)]
    do_lower_case: bool,
}

#[derive(Deserialize, Default)]
struct Prompts {
    #[serde(default)]
    prompts: std::collections::BTreeMap<String, Option<String>>,
    default_prompt_name: Option<String>,
}

#[derive(Deserialize, Default)]
struct TokenizerConfig {
    model_max_length: Option<serde_json::Value>,
}

/// Most tokens of an input as `tokenizer_config.json` has it, never more than the model has positions for.
///
/// What cannot be meant is taken for nothing: transformers writes 1e30 where a model has no limit.
///
/// # Errors
/// [`Code::ModelConfig`] if the file is there but not JSON.
pub fn tokenizer_max_length(files: &ModelFiles, positions: usize) -> Result<usize> {
    let config: TokenizerConfig = files.json_if_there("tokenizer_config.json")?.unwrap_or_default();
    let length = config.model_max_length.and_then(|value| value.as_f64());
    Ok(length
        .filter(|length| (3.0..positions as f64).contains(length))
        .map_or(positions, |length| length as usize))
}

impl EncoderConfig {
    /// Reads `modules.json`, `*_Pooling/config.json`, `sentence_bert_config.json`, `tokenizer_config.json` and
    /// `config_sentence_transformers.json`.
    ///
    /// A folder without `modules.json` is read as sentence-transformers reads it: mean pooling, no normalisation.
    ///
    /// # Errors
    /// [`Code::ModelConfig`] naming the module or key that is not supported.
    pub fn read(files: &ModelFiles, bert: &BertConfig) -> Result<Self> {
        let mut pooling = Pooling::Mean;
        let mut normalize = false;
        if let Some(modules) = files.json_if_there::<Vec<Module>>("modules.json")? {
            for (index, module) in modules.iter().enumerate() {
                let name = module.kind.rsplit('.').next().unwrap_or_default();
                match (index, name) {
                    (0, "Transformer") => {}
                    (1, "Pooling") => pooling = read_pooling(files, &format!("{}/config.json", module.path))?,
                    (2, "Normalize") => normalize = true,
                    _ => {
                        let supported = "Transformer, Pooling and, if wanted, Normalize, in this order";
                        let key = format!("module {index}");
                        return Err(unsupported(&files.id, "modules.json", &key, &module.kind, supported));
                    }
                }
            }
        }
        let sentence: SentenceBertConfig = files.json_if_there("sentence_bert_config.json")?.unwrap_or_default();
        let positions = bert.positions();
        // Newer versions of sentence-transformers keep the length in the tokenizer's file alone.
        let max_length = match sentence.max_seq_length {
            Some(length) => length.min(positions),
            None => tokenizer_max_length(files, positions)?,
        };
        if max_length < 3 {
            let found = max_length.to_string();
            return Err(unsupported(
                &files.id,
                "sentence_bert_config.json",
                "max_seq_length",
                &found,
                "3 or more",
            ));
        }
        let prompts: Prompts = files
            .json_if_there("config_sentence_transformers.json")?
            .unwrap_or_default();
        let default = prompts
            .default_prompt_name
            .as_ref()
            .and_then(|name| prompts.prompts.get(name).cloned());
        let prompt = |name: &str| {
            let named = prompts.prompts.get(name).cloned();
            named.or_else(|| default.clone()).flatten().unwrap_or_default()
        };
        Ok(Self {
            pooling,
            normalize,
            max_length,
            lower_case: sentence.do_lower_case,
            query_prompt: prompt("query"),
            document_prompt: prompt("document"),
        })
    }
}

/// Reads a pooling module in the old form (one flag a mode) or the new one (`pooling_mode`).
fn read_pooling(files: &ModelFiles, path: &str) -> Result<Pooling> {
    let config: serde_json::Map<String, serde_json::Value> = files.json(path)?;
    let mut modes: Vec<String> = config
        .iter()
        .filter(|(key, value)| key.starts_with("pooling_mode_") && value.as_bool() == Some(true))
        .map(|(key, _)| key.trim_start_matches("pooling_mode_").to_owned())
        .collect();
    if let Some(mode) = config.get("pooling_mode").and_then(|mode| mode.as_str()) {
        modes.push(mode.to_owned());
    }
    if config.get("include_prompt").and_then(|flag| flag.as_bool()) == Some(false) {
        return Err(unsupported(&files.id, path, "include_prompt", "false", "true"));
    }
    match modes.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["mean_tokens" | "mean"] => Ok(Pooling::Mean),
        ["cls_token" | "cls"] => Ok(Pooling::Cls),
        _ => Err(unsupported(
            &files.id,
            path,
            "pooling mode",
            &modes.join(" + "),
            "mean or cls, one of them",
        )),
    }
}
