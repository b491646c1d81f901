//! Texts to token ids, by the model's own `tokenizer.json`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokenizers::{Encoding, TruncationDirection, TruncationParams, TruncationStrategy};

use super::beginnings;
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
    splitter: Arc<Splitter>,
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
        let refuse = |reason: String| {
            let text = format!("The tokenizer of {} cannot be used: {reason}.", files.id);
            Error::new(Code::ModelTokenizer, text).at("tokenizer.json", 0, 0)
        };
        let json = files.require("tokenizer.json")?;
        let splitter =
            Splitter::of(&files.sha256("tokenizer.json"), json).map_err(|error| refuse(error.to_string()))?;
        let highest = splitter.highest;
        if highest >= vocab_size {
            let reason = format!("it has a token of number {highest}, the model knows those below {vocab_size}");
            return Err(refuse(reason));
        }
        let cuts = splitter.cutting(max_length).map(drop);
        cuts.map_err(|error| refuse(error.to_string()))?;
        Ok(Self {
            splitter,
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
        self.encode(text, |splitter, text| splitter.encode(text, true), |_| true)
    }

    /// A query and a document as one input; the longer of the two is cut first where both do not fit.
    ///
    /// # Errors
    /// [`Code::ModelTokenizer`] if the texts cannot be split with this vocabulary.
    pub fn pair(&self, query: &str, document: &str) -> Result<Tokenized> {
        let pair = |splitter: &tokenizers::Tokenizer, document: &str| splitter.encode((query, document), true);
        self.encode(document, pair, has_the_whole_query)
    }

    /// What `with` makes of the text, or of a beginning of it that fills the input: the rest would be cut. `is_decided` says
    /// whether a longer text would be cut there too.
    fn encode(
        &self,
        text: &str,
        with: impl Fn(&tokenizers::Tokenizer, &str) -> tokenizers::Result<Encoding>,
        is_decided: impl Fn(&Encoding) -> bool,
    ) -> Result<Tokenized> {
        let encode = || {
            let splitter = self.splitter.cutting(self.max_length)?;
            let full = (self.splitter.beginnings(text, self.max_length))
                .filter_map(|beginning| with(&splitter, beginning).ok())
                .find(|encoding| encoding.len() == self.max_length);
            match full {
                Some(encoding) if is_decided(&encoding) => Ok(encoding),
                _ => with(&splitter, text),
            }
        };
        let refuse = |error: tokenizers::Error| {
            Error::new(Code::ModelTokenizer, format!("A text could not be tokenized: {error}."))
        };
        Ok(self.tokenized(&encode().map_err(refuse)?))
    }

    fn tokenized(&self, encoding: &Encoding) -> Tokenized {
        if encoding.is_empty() {
            // A text of nothing that the vocabulary knows, where no special tokens are added: no model reads nothing.
            return Tokenized {
                ids: vec![0],
                type_ids: vec![0],
            };
        }
        let ids = encoding.get_ids().to_vec();
        let type_ids = match self.has_types {
            true => encoding.get_type_ids().to_vec(),
            false => vec![0; ids.len()],
        };
        Tokenized { ids, type_ids }
    }
}

/// Whether the query of a pair was not cut: the document, which has more tokens, then fills what is left, however long it
/// is. Where both are cut, the longer one gets the odd token.
fn has_the_whole_query(pair: &Encoding) -> bool {
    let tokens = |part: usize| pair.get_sequence_ids().iter().filter(|id| **id == Some(part)).count();
    tokens(1) > tokens(0) + 1
}

/// What a `tokenizer.json` describes. Models that have the same one share it: a vocabulary of 250,000 words takes
/// hundreds of megabytes and a second to read, and an encoder's LoRA is the encoder with other weights.
struct Splitter {
    inner: Mutex<tokenizers::Tokenizer>,
    /// The highest number of a token. Not their count: a vocabulary may have holes, and an added token any number.
    highest: usize,
    /// Whether the beginning of a text may be enough.
    takes_beginnings: bool,
}

/// Those that some model uses, by the SHA-256 of their files.
static IN_USE: Mutex<BTreeMap<String, Weak<Splitter>>> = Mutex::new(BTreeMap::new());

impl Splitter {
    fn of(sha256: &str, json: &[u8]) -> tokenizers::Result<Arc<Self>> {
        let mut in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
        in_use.retain(|_, splitter| splitter.strong_count() > 0);
        if let Some(splitter) = in_use.get(sha256).and_then(Weak::upgrade) {
            return Ok(splitter);
        }
        let mut inner = tokenizers::Tokenizer::from_bytes(json)?;
        inner.with_padding(None);
        let splitter = Arc::new(Self {
            highest: inner.get_vocab(true).into_values().max().unwrap_or(0) as usize,
            takes_beginnings: beginnings::are_enough_for(&inner),
            inner: Mutex::new(inner),
        });
        in_use.insert(sha256.to_owned(), Arc::downgrade(&splitter));
        Ok(splitter)
    }

    /// Beginnings of a text to try before the whole.
    fn beginnings<'t>(&self, text: &'t str, max_length: usize) -> impl Iterator<Item = &'t str> {
        let takes = self.takes_beginnings.then(|| beginnings::of(text, max_length));
        takes.into_iter().flatten()
    }

    /// It, cutting inputs at so many tokens.
    fn cutting(&self, max_length: usize) -> tokenizers::Result<MutexGuard<'_, tokenizers::Tokenizer>> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner
            .get_truncation()
            .is_none_or(|truncation| truncation.max_length != max_length)
        {
            inner.with_truncation(Some(TruncationParams {
                max_length,
                strategy: TruncationStrategy::LongestFirst,
                stride: 0,
                direction: TruncationDirection::Right,
            }))?;
        }
        Ok(inner)
    }
}
