//! The download: one zip with the model, the adapter, the data set and the report; and the way back from it.
//!
//! ```text
//! README.md                     what is where
//! report.json                   every figure
//! model/                        a folder that SentenceTransformer(dir) loads, with its model card
//! adapter/                      what was trained, alone, and how to use it
//! data/                         relations, scores, a person's answers if any; data/beir/ all texts
//! ```
//!
//! What `model/` and `adapter/` hold, by adapter:
//!
//! | | `model/` | `adapter/` |
//! |---|---|---|
//! | head on queries | the base model, then a `Router` with the head on its query route | `query_head.safetensors` |
//! | heads on both | the same with a head on either route | and `document_head.safetensors` |
//! | LoRA for queries | a `Router` of `query_0_Transformer/` and `document_0_Transformer/` | PEFT's two files |
//! | LoRA for both | the encoder with the changes merged in | PEFT's two files |
//!
//! [`Artifact::pack`] starts [`Packing`], which writes the zip piece by piece, so that a long write can be watched
//! and cancelled; [`Artifact::to_zip`] writes it at once. The same artifact gives the same bytes. [`open`] reads a
//! download back, part by part.

mod adapter;
mod belonging;
mod heads;
mod load;
mod markdown;
mod model_card;
mod packing;
mod peft;
mod read;
mod readme;
mod router;
mod sentence_transformers;
mod tensors;
mod weights;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::data_set::Pieces;
use crate::error::{Code, Error, Result};

pub use adapter::{Adapter, Lora, LoraMatrix};
pub(crate) use belonging::{check_adapter, strangers};
pub use heads::Side;
pub use packing::Packing;
pub use read::{Data, Opened, open};
pub use weights::{check_changes, merged_weights};

/// What the download's `model/` folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// The base model with the adapter.
    Tuned,
    /// The base model alone, because agreement did not rise on held-out queries, or because people judged the adapter
    /// to be worse. The adapter is in `adapter/` all the same.
    Base,
}

/// Everything that goes into the download.
pub struct Artifact<'a> {
    /// The base encoder's files: bytes by path within its folder.
    pub base: &'a BTreeMap<String, Vec<u8>>,
    /// What was trained.
    pub adapter: Adapter<'a>,
    /// Whether the adapter is part of `model/`.
    pub delivered: Delivered,
    /// `report.json`; the readable files take their figures from it and leave out what it lacks.
    pub report: &'a Value,
    /// Files of the `data/` folder: name and text.
    pub data: Vec<(String, Pieces<'a>)>,
}

impl<'a> Artifact<'a> {
    /// Prepares the zip; nothing large is copied yet.
    ///
    /// # Errors
    /// [`Code::ModelFileMissing`], [`Code::ModelConfig`] or [`Code::ModelWeights`] if the base model's files cannot
    /// be made into a folder that loads; [`Code::ModelShape`] if the adapter is not for this base model.
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
        let adapter = adapter_files(&self.adapter, self.report)?;
        let mut files = vec![
            File::text("README.md", readme::of_the_download(&self)),
            File::text("report.json", pretty(self.report)?),
        ];
        files.extend(sentence_transformers::folder(&self)?);
        files.extend(
            adapter
                .into_iter()
                .map(|(name, bytes)| File::new(format!("adapter/{name}"), Cow::Owned(bytes))),
        );
        files.push(File::text(
            "adapter/README.md",
            readme::of_the_adapter(&self.adapter, self.report),
        ));
        let data = self
            .data
            .into_iter()
            .map(|(name, text)| File::in_pieces(format!("data/{name}"), text));
        files.extend(data);
        Ok(files)
    }
}

/// The files of the download's `adapter/` folder, by name, without its README.
///
/// A head is a safetensors file with one tensor `weight`, F32 `[D, D]` = I + W in the orientation of a linear layer,
/// so that for normalised vectors in rows `v @ weight.T`, scaled to length 1, are the tuned ones. LoRA is
/// `adapter_config.json` and `adapter_model.safetensors` as PEFT has them. The weight files' metadata name the base
/// model.
///
/// # Errors
/// [`Code::Internal`] if the adapter's numbers are not finite, or not as many as they should be.
pub fn adapter_files(adapter: &Adapter, report: &Value) -> Result<Vec<(String, Vec<u8>)>> {
    match adapter {
        Adapter::Heads { dims, query, document } => [(Side::Query, Some(*query)), (Side::Document, *document)]
            .into_iter()
            .filter_map(|(side, w)| Some((side, w?)))
            .map(|(side, w)| Ok((side.file_name(), heads::alone(side, *dims, w, report)?)))
            .collect(),
        Adapter::Lora(lora) => {
            lora.check()?;
            Ok(vec![
                (
                    "adapter_config.json".into(),
                    pretty(&peft::config(lora, report))?.into_bytes(),
                ),
                ("adapter_model.safetensors".into(), peft::weights(lora, report)?),
            ])
        }
    }
}

/// One file of the download.
struct File<'a> {
    path: String,
    content: Content<'a>,
}

enum Content<'a> {
    Bytes(Cow<'a, [u8]>),
    Weights(weights::Written<'a>),
    /// Of no length known beforehand.
    Pieces(Pieces<'a>),
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

    fn in_pieces(path: String, text: Pieces<'a>) -> Self {
        let content = Content::Pieces(text);
        Self { path, content }
    }
}

/// JSON for people: indented, with a final newline.
fn pretty(value: &Value) -> Result<String> {
    let text = serde_json::to_string_pretty(value);
    Ok(text.map_err(|error| Error::new(Code::Internal, format!("JSON could not be written: {error}")))? + "\n")
}
