//! Texts to token ids, by the model's own `tokenizer.json`.

use tokenizers::{TruncationDirection, TruncationParams, TruncationStrategy};

use super::config::BertConfig;
use super::files::ModelFiles;
use crate::error::{Code, Error, Result};

/// A text, or a pair of texts, as the model reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokenized {
    /// Token ids, special tokens included, at most `max_length`.
    pub ids: Vec<u32>,
    /// 0 for tokens of the first text, 1 for those of the second; all 0 in a RoBERTa.
    pub type_ids: Vec<u32>,
}

/// The model's tokenizer with its truncation set and its padding off: batches are padded where they are made.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    max_length: usize,
    has_types: bool,
}

impl Tokenizer {
    /// Reads `tokenizer.json`; its own truncation and padding presets are overridden.
    ///
    /// # Errors
    /// [`Code::ModelFileMissing`]; [`Code::ModelTokenizer`] if it cannot be read, or has tokens beyond the
    /// model's `vocab_size`.
    pub fn read(files: &ModelFiles, config: &BertConfig, max_length: usize) -> Result<Self> {
        let vocab_size = config.vocab_size;
        let refuse = |error: tokenizers::Error| {
            Error::new(
                Code::ModelTokenizer,
                format!("The tokenizer of {} cannot be used: {error}.", files.id),
            )
            .at("tokenizer.json", 0, 0)
        };
        let mut inner = tokenizers::Tokenizer::from_bytes(files.require("tokenizer.json")?).map_err(refuse)?;
        // Not their count: a vocabulary may have holes, and an added token any number.
        let highest = inner.get_vocab(true).into_values().max().unwrap_or(0) as usize;
        if highest >= vocab_size {
            return Err(refuse(
                format!("it has a token of number {highest}, the model knows those below {vocab_size}").into(),
            ));
        }
        inner.with_padding(None);
        inner
            .with_truncation(Some(TruncationParams {
                max_length,
                strategy: TruncationStrategy::LongestFirst,
                stride: 0,
                direction: TruncationDirection::Right,
            }))
            .map_err(refuse)?;
        Ok(Self {
            inner,
            max_length,
            has_types: !config.is_roberta(),
        })
    }

    /// Most tokens of an input, special tokens included.
    pub fn max_length(&self) -> usize {
        self.max_length
    }

    /// A single text with its special tokens.
    ///
    /// # Errors
    /// [`Code::ModelTokenizer`] if the text cannot be split with this vocabulary.
    pub fn text(&self, text: &str) -> Result<Tokenized> {
        self.encode(self.inner.encode(text, true))
    }

    /// A query and a document as one input; the longer of the two is cut first where both do not fit.
    ///
    /// # Errors
    /// [`Code::ModelTokenizer`] if the texts cannot be split with this vocabulary.
    pub fn pair(&self, query: &str, document: &str) -> Result<Tokenized> {
        self.encode(self.inner.encode((query, document), true))
    }

    fn encode(&self, encoding: tokenizers::Result<tokenizers::Encoding>) -> Result<Tokenized> {
        let encoding = encoding
            .map_err(|error| Error::new(Code::ModelTokenizer, format!("A text could not be tokenized: {error}.")))?;
        if encoding.is_empty() {
            // A text of nothing that the vocabulary knows, where no special tokens are added: no model reads nothing.
            return Ok(Tokenized {
                ids: vec![0],
                type_ids: vec![0],
            });
        }
        let ids = encoding.get_ids().to_vec();
        let type_ids = match self.has_types {
            true => encoding.get_type_ids().to_vec(),
            false => vec![0; ids.len()],
        };
        Ok(Tokenized { ids, type_ids })
    }
}
