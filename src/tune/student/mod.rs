//! What is trained, as the optimizer sees it: matrices, and how a batch's loss depends on them.

mod changes;
mod heads;
mod weights;

use burn::optim::GradientsParams;

pub use self::changes::{Changes, Trainable};
pub use self::heads::Heads;
pub use self::weights::Weights;
use super::adapter::Adapter;
use super::batch::Batch;
use super::loss::BatchLoss;
use super::recipe::{LoraRecipe, Recipe};
use super::training_set::TrainingSet;
use crate::device::Device;
use crate::error::{Code, Error, Result};
use crate::job::Job;
use crate::relations::Relations;

/// Heads, or an encoder with low-rank changes; it reads a training set.
#[allow(clippy::large_enum_variant, reason = "one a training")]
pub enum Student<'s> {
    /// See [`Heads`].
    Heads(Heads),
    /// See [`Changes`].
    Changes(Changes<'s>),
}

impl<'s> Student<'s> {
    /// Heads that learn from a set.
    pub fn heads(set: &TrainingSet, has_document_head: bool, device: &Device) -> Self {
        Self::Heads(Heads::new(set, has_document_head, device))
    }

    /// Changes of an encoder that learn from a set made of these relations.
    ///
    /// # Errors
    /// [`Code::ModelTokenizer`]
    pub fn changes(
        trainable: &'s Trainable<'_>,
        set: &TrainingSet,
        relations: &Relations,
        recipe: &'s LoraRecipe,
    ) -> Result<Self> {
        let queries = relations.queries.items.iter().map(|query| query.text.as_str());
        let document = |&number: &u32| relations.documents.items[number as usize].text.as_str();
        let (queries, documents): (Vec<&str>, Vec<&str>) =
            (queries.collect(), set.numbers.iter().map(document).collect());
        Self::changes_of(trainable, set, &queries, &documents, recipe)
    }

    /// As [`Student::changes`]; the texts are those of the set's queries and documents.
    ///
    /// # Errors
    /// [`Code::ModelTokenizer`]
    pub fn changes_of(
        trainable: &'s Trainable<'_>,
        set: &TrainingSet,
        queries: &[&str],
        documents: &[&str],
        recipe: &'s LoraRecipe,
    ) -> Result<Self> {
        Ok(Self::Changes(Changes::new(trainable, set, queries, documents, recipe)?))
    }

    /// The matrices before the first step, where the adapter changes nothing: heads are zero; A is drawn uniformly from
    /// ±1/√inputs (as PEFT draws it), B is zero.
    pub fn start(&self, seed: u64) -> Weights {
        match self {
            Self::Heads(heads) => heads.start(),
            Self::Changes(changes) => changes.start(seed),
        }
    }

    /// Matrices that were read back, as [`Student::start`] takes them.
    pub fn start_from(&self, matrices: Vec<Vec<f32>>) -> Weights {
        let shapes: Vec<[usize; 2]> = self
            .start(0)
            .matrices
            .iter()
            .map(|matrix| matrix.val().dims())
            .collect();
        let device = match self {
            Self::Heads(heads) => heads.device(),
            Self::Changes(changes) => changes.device(),
        };
        Weights::new(matrices.into_iter().zip(shapes), &device)
    }

    /// The loss of a batch, and the gradients of the matrices.
    ///
    /// # Errors
    /// [`Code::Cancelled`]
    pub async fn gradients(
        &self,
        weights: &Weights,
        batch: &Batch,
        recipe: &Recipe,
        margin_scale: f32,
        job: &Job<'_>,
    ) -> Result<(BatchLoss, GradientsParams)> {
        match self {
            Self::Heads(heads) => Ok(heads.gradients(weights, batch, recipe, margin_scale)),
            Self::Changes(changes) => changes.gradients(weights, batch, recipe, margin_scale, job).await,
        }
    }

    /// The adapter that matrices which were read back stand for.
    ///
    /// # Errors
    /// [`Code::Internal`] if they are too few.
    pub fn adapter(&self, matrices: Vec<Vec<f32>>) -> Result<Adapter> {
        let adapter = match self {
            Self::Heads(heads) => heads.adapter(matrices),
            Self::Changes(changes) => changes.adapter(matrices),
        };
        adapter.ok_or_else(|| Error::new(Code::Internal, "A matrix of the adapter is missing."))
    }
}
