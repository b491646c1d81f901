//! A model as it comes from a hub, a folder or a file picker: named bytes.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::device::Dtype;
use crate::error::{Code, Error, Result};

/// The files of one model folder.
#[derive(Clone, Debug, Default)]
pub struct ModelFiles {
    /// What people call the model, for example `sentence-transformers/all-MiniLM-L6-v2`.
    pub id: String,
    /// Bytes by path within the folder, for example `1_Pooling/config.json`.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Hashes that are known already, by path: of a hundred megabytes they are the dearest part of loading.
    sha256: RefCell<BTreeMap<String, String>>,
}

/// Where a model's files are got when they are read, for a host that keeps them outside this crate's memory: two copies
/// of all models at once are what a page has no room for.
pub trait ModelSource {
    /// The files, borrowed or for this one use.
    ///
    /// # Errors
    /// What the host reports, [`Code::Option`] if it has no such thing.
    fn files(&self) -> Result<Cow<'_, ModelFiles>>;
}

impl ModelSource for ModelFiles {
    fn files(&self) -> Result<Cow<'_, ModelFiles>> {
        Ok(Cow::Borrowed(self))
    }
}

/// What the report says about a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelInfo {
    /// What people call the model.
    pub id: String,
    /// SHA-256 of `model.safetensors`, in hexadecimal.
    pub sha256: String,
    /// Transformer layers.
    pub layers: usize,
    /// Numbers in a hidden state, and in a vector of an encoder.
    pub dims: usize,
    /// Most tokens of an input, the special ones included; what is longer is cut.
    pub max_length: usize,
}

impl ModelFiles {
    /// The bytes of a file that has to be there.
    ///
    /// # Errors
    /// [`Code::ModelFileMissing`]
    pub fn require(&self, path: &str) -> Result<&[u8]> {
        self.get(path).ok_or_else(|| {
            let there = self.files.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            Error::new(
                Code::ModelFileMissing,
                format!(
                    "The model {} has no {path}; it has: {there}. Give the whole model folder.",
                    self.id
                ),
            )
        })
    }

    /// The bytes of a file that may be there.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// A JSON file that has to be there.
    ///
    /// # Errors
    /// [`Code::ModelFileMissing`], or [`Code::ModelConfig`] if it is not the JSON expected.
    pub fn json<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.parse(path, self.require(path)?)
    }

    /// A JSON file that may be there.
    ///
    /// # Errors
    /// [`Code::ModelConfig`] if it is there but not the JSON expected.
    pub fn json_if_there<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>> {
        self.get(path).map(|bytes| self.parse(path, bytes)).transpose()
    }

    fn parse<T: DeserializeOwned>(&self, path: &str, bytes: &[u8]) -> Result<T> {
        serde_json::from_slice(bytes).map_err(|error| {
            Error::new(
                Code::ModelConfig,
                format!("Not the JSON expected of a model ({}): {error}.", self.id),
            )
            .at(path, error.line() as u64, error.column() as u64)
        })
    }

    /// A model's files by path within its folder.
    pub fn new(id: impl Into<String>, files: BTreeMap<String, Vec<u8>>) -> Self {
        Self {
            id: id.into(),
            files,
            sha256: RefCell::default(),
        }
    }

    /// SHA-256 of a file's bytes in hexadecimal, computed once; of nothing where it is absent.
    pub fn sha256(&self, path: &str) -> String {
        let compute = || hex(&Sha256::digest(self.get(path).unwrap_or_default()));
        let mut known = self.sha256.borrow_mut();
        known.entry(path.to_owned()).or_insert_with(compute).clone()
    }

    /// What [`ModelFiles::sha256`] shall return: the caller has computed it faster.
    pub fn remember_sha256(&mut self, path: String, sha256: String) {
        self.sha256.get_mut().insert(path, sha256);
    }

    /// One hash of everything that decides the model's numbers, to key stored results by. `prompts` are what is put
    /// before texts, by kind.
    pub fn key(&self, max_length: usize, dtype: Dtype, prompts: &[&str]) -> String {
        let mut hash = Sha256::new();
        for path in self.files.keys() {
            let decides = path.ends_with("config.json") || path == "tokenizer.json" || path == "modules.json";
            if decides || path == "model.safetensors" {
                hash.update(path.as_bytes());
                hash.update(self.sha256(path));
            }
        }
        hash.update(max_length.to_le_bytes());
        hash.update(dtype.name());
        for (kind, prompt) in prompts.iter().enumerate().filter(|(_, prompt)| !prompt.is_empty()) {
            hash.update(kind.to_le_bytes());
            hash.update(prompt);
        }
        hex(&hash.finalize()[..16])
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
