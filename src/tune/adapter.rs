//! What a training gives: the part that turns the base encoder into the tuned one.

use super::head::Head;
use crate::device::Device;
use crate::error::{Code, Error, Result};
use crate::job::Job;
use crate::model::{Encoder, Lora, ModelFiles, TextKind};
use crate::vectors::Vectors;

/// A trained adapter, on the host.
#[derive(Clone, Debug, PartialEq)]
pub enum Adapter {
    /// Heads on the base encoder's vectors.
    Heads {
        /// On those of queries.
        query: Head,
        /// On those of documents, which keep theirs if there is none.
        document: Option<Head>,
    },
    /// Changes of the encoder's layers.
    Lora {
        /// The changes.
        lora: Lora,
        /// Whether documents go through them too.
        documents: bool,
    },
}

impl Adapter {
    /// Whether documents keep the base encoder's vectors, so that an index stays as it is.
    pub fn keeps_documents(&self) -> bool {
        match self {
            Self::Heads { document, .. } => document.is_none(),
            Self::Lora { documents, .. } => !documents,
        }
    }
}

/// An adapter at work on a device.
pub struct Adapted {
    adapter: Adapter,
    device: Device,
    /// The changed encoder, where the adapter is one.
    changed: Option<Encoder>,
}

impl Adapted {
    /// Makes an adapter ready. `base` are the encoder's files, which LoRA needs.
    ///
    /// # Errors
    /// [`Code::Option`] if they are needed and not there; as [`Encoder::load`].
    pub async fn new(adapter: Adapter, base: Option<&ModelFiles>, device: &Device, job: &Job<'_>) -> Result<Self> {
        let changed = match &adapter {
            Adapter::Heads { .. } => None,
            Adapter::Lora { lora, .. } => {
                let base = base.ok_or_else(files_missing)?;
                Some(Encoder::load_changed(base, Some(lora), device, job).await?)
            }
        };
        Ok(Self {
            adapter,
            device: device.clone(),
            changed,
        })
    }

    /// What is at work.
    pub fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    /// The changed encoder that texts of a kind go through; none if they go through the base encoder.
    pub fn encoder(&self, kind: TextKind) -> Option<&Encoder> {
        let changed = self.changed.as_ref()?;
        (kind == TextKind::Query || !self.adapter.keeps_documents()).then_some(changed)
    }

    /// The head on that encoder's vectors of a kind, if there is one.
    fn head(&self, kind: TextKind) -> Option<&Head> {
        match (&self.adapter, kind) {
            (Adapter::Heads { query, .. }, TextKind::Query) => Some(query),
            (Adapter::Heads { document, .. }, TextKind::Document) => document.as_ref(),
            (Adapter::Lora { .. }, _) => None,
        }
    }

    /// The tuned vectors of texts of a kind from those of length 1 that their encoder has given.
    ///
    /// # Errors
    /// [`Code::Cancelled`], [`Code::DeviceFaulty`]
    pub async fn after_encoder(&self, kind: TextKind, vectors: Vectors, job: &Job<'_>) -> Result<Vectors> {
        match self.head(kind) {
            Some(head) => head.apply(&vectors, &self.device, job).await,
            None => Ok(vectors),
        }
    }

    /// The tuned vectors of queries, from their texts and the base encoder's vectors of length 1.
    ///
    /// # Errors
    /// [`Code::Cancelled`], [`Code::DeviceFaulty`], [`Code::ModelTokenizer`], [`Code::Store`]
    pub async fn queries(&self, texts: &[&str], base: &Vectors, job: &Job<'_>) -> Result<Vectors> {
        match self.head(TextKind::Query) {
            Some(head) => head.apply(base, &self.device, job).await,
            None => self.encode(texts, TextKind::Query, job).await,
        }
    }

    /// The tuned vectors of documents; none if they keep the base encoder's.
    ///
    /// # Errors
    /// As [`Adapted::queries`].
    pub async fn documents(&self, texts: &[&str], base: &Vectors, job: &Job<'_>) -> Result<Option<Vectors>> {
        if self.adapter.keeps_documents() {
            return Ok(None);
        }
        let tuned = match self.head(TextKind::Document) {
            Some(head) => head.apply(base, &self.device, job).await?,
            None => self.encode(texts, TextKind::Document, job).await?,
        };
        Ok(Some(tuned))
    }

    async fn encode(&self, texts: &[&str], kind: TextKind, job: &Job<'_>) -> Result<Vectors> {
        let encoder = self.changed.as_ref().ok_or_else(files_missing)?;
        let mut vectors = encoder.encode(texts, kind, job).await?;
        vectors.normalize_rows();
        Ok(vectors)
    }
}

/// Said where LoRA lacks the files that its layers come from.
pub(super) fn files_missing() -> Error {
    Error::new(
        Code::Option,
        "LoRA changes the encoder's own layers: give the encoder's files too.",
    )
}
