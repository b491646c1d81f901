//! A download put to use again: vectors and search by the model that a run has delivered, without a cross-encoder.
//!
//! ```text
//! zip ─► Unpacked ─► TunedModel ─► embed, index, search
//! ```
//!
//! A zip has one encoder on the documents' side. Mostly that is the base encoder, and the adapter makes the trained one
//! of it. Where LoRA is for documents too and was delivered, it is the trained one; the base encoder is then made of it by
//! taking the changes out again, which gives its weights but for rounding.

use std::cell::RefCell;
use std::rc::Rc;

use serde::Deserialize;
use serde_json::Value;

use crate::artifact::{self, Side, check_adapter, check_changes, open, strangers};
use crate::error::Result;
use crate::input::Texts;
use crate::job::Job;
use crate::model::{Lora, ModelFiles, TextKind};
use crate::search::Neighbour;
use crate::tune::{Adapted, Adapter};
use crate::tuner::{Index, LoadOptions, Tuner, TunerInfo};
use crate::vectors::Vectors;

/// Which of a download's models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Which {
    /// The one that the run decided for.
    #[default]
    Delivered,
    /// The one that it started from.
    Base,
    /// The one that it trained, even if nothing was gained by it.
    Trained,
}

/// What a download holds of its model.
pub struct Unpacked {
    report: Value,
    adapter: Adapter,
    is_tuned: bool,
    /// The encoder that documents go through, before any head.
    encoder: ModelFiles,
}

impl Unpacked {
    /// Takes a download's model out of its zip, which is not needed any more then.
    ///
    /// # Errors
    /// [`Code::Artifact`](crate::Code::Artifact) if this is no download of querytune, or damaged, or put together of several.
    pub fn read(zip: &[u8]) -> Result<Self> {
        let opened = open(zip)?;
        let is_tuned = opened.is_tuned();
        let files = opened.encoder(Side::Document)?;
        if let Adapter::Lora { lora, documents } = &opened.adapter {
            let changes = artifact::Lora::new(lora, *documents);
            check_changes(&files, &changes).map_err(|error| strangers(error.message()))?;
        }
        let (report, adapter) = (opened.report, opened.adapter);
        let id = report.pointer("/models/encoder/id").and_then(Value::as_str);
        let mut id = id.unwrap_or("encoder").to_owned();
        if is_trained(&adapter, is_tuned) {
            id.push_str(" (tuned)");
        }
        Ok(Self {
            report,
            adapter,
            is_tuned,
            encoder: ModelFiles::new(id, files),
        })
    }

    /// The files of the encoder that documents go through, before any head: what a member of a crew loads.
    pub fn encoder(&self) -> &ModelFiles {
        &self.encoder
    }

    /// The same, for hashes that the caller has computed faster.
    pub fn encoder_mut(&mut self) -> &mut ModelFiles {
        &mut self.encoder
    }
}

/// Whether the zip's encoder of documents is itself the trained one.
fn is_trained(adapter: &Adapter, is_tuned: bool) -> bool {
    is_tuned && matches!(adapter, Adapter::Lora { documents: true, .. })
}

/// A download's model, ready to be used.
pub struct TunedModel {
    tuner: Rc<Tuner>,
    report: Value,
    is_tuned: bool,
    encoder_is_trained: bool,
    /// What makes the other model, base or trained, of the encoder that is loaded.
    other: Adapter,
    /// The encoder's files, as long as LoRA may need them.
    files: RefCell<Option<Rc<ModelFiles>>>,
    /// The other model, once it was needed.
    adapted: RefCell<Option<Rc<Adapted>>>,
}

impl TunedModel {
    /// Opens a download; see [`Unpacked::read`] and [`TunedModel::load`].
    ///
    /// # Errors
    /// As these.
    pub async fn open(zip: &[u8], options: LoadOptions, job: &Job<'_>) -> Result<Self> {
        Self::load(Unpacked::read(zip)?, options, job).await
    }

    /// Loads the model that was delivered onto the device that the options lead to, as [`Tuner::load`] does.
    ///
    /// # Errors
    /// [`Code::Artifact`](crate::Code::Artifact) if adapter and encoder do not belong together; as [`Tuner::load`].
    pub async fn load(unpacked: Unpacked, options: LoadOptions, job: &Job<'_>) -> Result<Self> {
        let Unpacked {
            report,
            adapter,
            is_tuned,
            encoder,
        } = unpacked;
        let tuner = Rc::new(Tuner::load(&encoder, None, options, job).await?);
        let encoder_is_trained = is_trained(&adapter, is_tuned);
        let (other, files) = match adapter {
            Adapter::Heads { query, document } => {
                let heads = Adapter::Heads { query, document };
                check_adapter(&heads, tuner.encoder())?;
                (heads, None)
            }
            Adapter::Lora { lora, documents } => {
                let lora = if encoder_is_trained { taken_out(lora) } else { lora };
                (Adapter::Lora { lora, documents }, Some(Rc::new(encoder)))
            }
        };
        let model = Self {
            tuner,
            report,
            is_tuned,
            encoder_is_trained,
            other,
            files: RefCell::new(files),
            adapted: RefCell::default(),
        };
        // What was delivered is ready from here on; the other one once somebody asks for it.
        model.adapted(Which::Delivered, job).await?;
        Ok(model)
    }

    /// What runs where, and why there; of models the encoder that documents go through.
    pub fn info(&self) -> TunerInfo {
        self.tuner.info()
    }

    /// The run's `report.json`.
    pub fn report(&self) -> &Value {
        &self.report
    }

    /// Whether the trained model was delivered, not the base model.
    pub fn is_tuned(&self) -> bool {
        self.is_tuned
    }

    /// The encoder, with which an [`Index`] of this model is searched.
    pub fn tuner(&self) -> &Rc<Tuner> {
        &self.tuner
    }

    /// Vectors of texts of length 1, one row a text.
    ///
    /// # Errors
    /// As [`Tuner::embed_adapted`] and [`Adapted::new`].
    pub async fn embed(&self, texts: &[&str], kind: TextKind, which: Which, job: &Job<'_>) -> Result<Vectors> {
        let adapted = self.adapted(which, job).await?;
        self.tuner.embed_adapted(texts, kind, adapted.as_deref(), job).await
    }

    /// Encodes documents for searching. Vectors are kept in the job's store, before any head: where only heads were
    /// trained, base and trained model share them.
    ///
    /// # Errors
    /// As [`Tuner::index`] and [`Adapted::new`].
    pub async fn index(&self, documents: Rc<Texts>, which: Which, job: &Job<'_>) -> Result<Index> {
        let adapted = self.adapted(which, job).await?;
        self.tuner.index(documents, adapted, job).await
    }

    /// The documents of an index nearest to a query, best first, by the model that the index was made with.
    ///
    /// # Errors
    /// As [`Tuner::search`].
    pub async fn search(&self, index: &Index, query: &str, top: usize, job: &Job<'_>) -> Result<Vec<Neighbour>> {
        self.tuner.search(index, query, top, job).await
    }

    /// What makes that model of the encoder; nothing where it is the encoder itself.
    async fn adapted(&self, which: Which, job: &Job<'_>) -> Result<Option<Rc<Adapted>>> {
        let wants_trained = match which {
            Which::Delivered => self.is_tuned,
            Which::Base => false,
            Which::Trained => true,
        };
        if wants_trained == self.encoder_is_trained {
            return Ok(None);
        }
        let known = self.adapted.borrow().clone();
        if known.is_some() {
            return Ok(known);
        }
        let files = self.files.borrow().clone();
        let adapted = Adapted::new(self.other.clone(), files.as_deref(), self.tuner.device(), job).await?;
        let adapted = Some(Rc::new(adapted));
        self.adapted.replace(adapted.clone());
        self.files.replace(None);
        Ok(adapted)
    }
}

/// The changes that undo these.
fn taken_out(lora: Lora) -> Lora {
    Lora {
        alpha: -lora.alpha,
        ..lora
    }
}
