//! Heads on vectors that were computed before.

use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::weights::{Weights, upload};
use crate::device::Device;
use crate::model::select_rows;
use crate::tune::adapter::Adapter;
use crate::tune::batch::Batch;
use crate::tune::head::{Head, adapt};
use crate::tune::loss::BatchLoss;
use crate::tune::recipe::Recipe;
use crate::tune::training_set::TrainingSet;

/// A head on queries' vectors, with another on documents' or without.
pub struct Heads {
    queries: Tensor<2>,
    documents: Tensor<2>,
    has_document_head: bool,
}

impl Heads {
    pub(super) fn new(set: &TrainingSet, has_document_head: bool, device: &Device) -> Self {
        let tracked = device.tensors().clone().autodiff();
        Self {
            queries: upload(&set.queries, &tracked),
            documents: upload(&set.documents, &tracked),
            has_document_head,
        }
    }

    pub(super) fn device(&self) -> burn::tensor::Device {
        self.queries.device()
    }

    pub(super) fn start(&self) -> Weights {
        let dims = self.queries.dims()[1];
        let count = if self.has_document_head { 2 } else { 1 };
        let matrices = (0..count).map(|_| (vec![0.0; dims * dims], [dims, dims]));
        Weights::new(matrices, &self.device())
    }

    pub(super) fn gradients(
        &self,
        weights: &Weights,
        batch: &Batch,
        recipe: &Recipe,
        margin_scale: f32,
    ) -> (BatchLoss, GradientsParams) {
        let queries = adapt(
            select_rows(&self.queries, batch.queries.iter().copied()),
            weights.value(0),
        );
        let mut slots = select_rows(&self.documents, batch.slots.iter().map(|&row| row as usize));
        let square = |number: usize| weights.value(number).powi_scalar(2).sum();
        let mut ridge = square(0) * recipe.ridge;
        if self.has_document_head {
            slots = adapt(slots, weights.value(1));
            ridge = ridge + square(1) * recipe.document_ridge;
        }
        let loss = BatchLoss::new(batch, queries, slots, Some(ridge), recipe, margin_scale);
        let gradients = GradientsParams::from_grads(loss.total.backward(), weights);
        (loss, gradients)
    }

    /// None if a matrix is missing.
    pub(super) fn adapter(&self, matrices: Vec<Vec<f32>>) -> Option<Adapter> {
        let dims = self.queries.dims()[1];
        let mut heads = matrices.into_iter().map(|weight| Head { weight, dims });
        Some(Adapter::Heads {
            query: heads.next()?,
            document: if self.has_document_head {
                Some(heads.next()?)
            } else {
                None
            },
        })
    }
}
