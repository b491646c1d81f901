//! The download: one zip with the model, the adapter, the data set and the report.
//!
//! ```text
//! README.md                     what is where
//! report.json                   every figure
//! model/                        a folder that SentenceTransformer(dir) loads, with its model card
//! adapter/query_head.safetensors, adapter/README.md
//! data/                         relations and scores
//! ```
//!
//! [`Artifact::pack`] starts [`Packing`], which writes the zip piece by piece, so that a long write can be watched
//! and cancelled; [`Artifact::to_zip`] writes it at once. The same artifact gives the same bytes.

mod model_card;
mod packing;
mod readme;
mod sentence_transformers;
mod weights;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::{Code, Error, Result};

pub use packing::Packing;

/// A query-side head: q' = normalize(q + W q), where q is the base encoder's normalised vector of a query.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// D, the numbers in a vector.
    pub dims: usize,
    /// W, D x D, row-major: row i makes number i of W q.
    pub w: &'a [f32],
}

/// What the download's `model/` folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// The base model with the head on the query side.
    Tuned,
    /// The base model alone, because nothing beat it on held-out queries. The head is in `adapter/` all the same.
    Base,
}

/// Everything that goes into the download.
pub struct Artifact<'a> {
    /// The base encoder's files: bytes by path within its folder.
    pub base: &'a BTreeMap<String, Vec<u8>>,
    /// The trained head.
    pub head: Head<'a>,
    /// Whether the head is part of `model/`.
    pub delivered: Delivered,
    /// `report.json`; the readable files take their figures from it and leave out what it lacks.
    pub report: &'a Value,
    /// Files of the `data/` folder: name and text.
    pub data: Vec<(String, String)>,
}

impl<'a> Artifact<'a> {
    /// Prepares the zip; nothing large is copied yet.
    ///
    /// # Errors
    /// [`Code::ModelFileMissing`], [`Code::ModelConfig`] or [`Code::ModelWeights`] if the base model's files cannot
    /// be made into a folder that loads.
    pub fn pack(self) -> Result<Packing<'a>> {
        Packing::new(self.files()?)
    }

    /// The whole zip.
    ///
    /// # Errors
    /// Those of [`Artifact::pack`].
    pub fn to_zip(self) -> Result<Vec<u8>> {
        let mut packing = self.pack()?;
        while packing.step()? {}
        packing.finish()
    }

    fn files(self) -> Result<Vec<File<'a>>> {
        let adapter = query_head(self.head, self.report)?;
        let mut files = vec![
            File::text("README.md", readme::of_the_download(self.delivered, self.report)),
            File::text("report.json", pretty(self.report)?),
        ];
        files.extend(sentence_transformers::folder(&self)?);
        files.push(File::new("adapter/query_head.safetensors", Cow::Owned(adapter)));
        files.push(File::text("adapter/README.md", readme::of_the_adapter(self.head.dims)));
        let data = self
            .data
            .into_iter()
            .map(|(name, text)| File::text(format!("data/{name}"), text));
        files.extend(data);
        Ok(files)
    }
}

/// The head as a safetensors file, the same as `adapter/query_head.safetensors` of the download.
///
/// One tensor `weight`, F32 `[D, D]` = I + W in the orientation of a linear layer, so that for normalised query
/// vectors in rows `q @ weight.T`, scaled to length 1, are the tuned ones. The file's metadata say so too.
///
/// # Errors
/// [`Code::Internal`] if `w` is not D x D finite numbers.
pub fn query_head(head: Head, report: &Value) -> Result<Vec<u8>> {
    let mut metadata = vec![
        ("format", "pt".to_owned()),
        (
            "formula",
            "q' = normalize(q @ weight.T), weight = I + W, q the base encoder's normalised query vector".into(),
        ),
    ];
    if let Some(encoder) = report.pointer("/models/encoder/id").and_then(Value::as_str) {
        metadata.push(("base_model", encoder.to_owned()));
    }
    if let Some(hash) = report.pointer("/models/encoder/sha256").and_then(Value::as_str) {
        metadata.push(("base_model_sha256", hash.to_owned()));
    }
    weights::matrix("weight", head.dims, &weights::identity_plus(head)?, &metadata)
}

/// One file of the download.
struct File<'a> {
    path: String,
    content: Content<'a>,
}

enum Content<'a> {
    Bytes(Cow<'a, [u8]>),
    Dequantised(weights::Dequantised<'a>),
}

impl<'a> File<'a> {
    fn new(path: impl Into<String>, bytes: Cow<'a, [u8]>) -> Self {
        Self {
            path: path.into(),
            content: Content::Bytes(bytes),
        }
    }

    fn text(path: impl Into<String>, text: String) -> Self {
        Self::new(path, Cow::Owned(text.into_bytes()))
    }
}

/// JSON for people: indented, with a final newline.
fn pretty(value: &Value) -> Result<String> {
    let text = serde_json::to_string_pretty(value);
    Ok(text.map_err(|error| Error::new(Code::Internal, format!("JSON could not be written: {error}")))? + "\n")
}
