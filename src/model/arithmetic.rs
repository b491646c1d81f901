//! What a BERT is computed with: the seam between the architecture and the machines it runs on.
//!
//! [`Cpu`](super::on_cpu::Cpu) has kernels of its own, in integers or f32; `Gpu` has some for
//! WebGPU; [`Tensors`](super::on_tensors::Tensors) has burn's, for all other sizes there and for gradients. All compute
//! the same formulas. `trainable` has parts of its own for gradients on the CPU.

use super::parts::{Embeddings, Head, Layer, Parts};
use super::tokenizer::Tokenized;
use crate::error::Result;

/// Computes with the parts of a BERT.
#[allow(async_fn_in_trait, reason = "futures stay on their thread, in a browser as here")]
pub trait Arithmetic: Parts + Sized {
    /// Inputs laid out for the machine.
    type Batch;
    /// Hidden states of a batch's tokens.
    type States;
    /// One row for each input of a batch.
    type Rows;

    /// Which inputs go through the model together, by their numbers of tokens: groups of indices into `lengths`.
    fn plan(&self, lengths: &[usize]) -> Vec<Vec<usize>>;

    /// How many batches are worked on at the same time.
    fn batches_at_once(&self) -> usize;

    /// Lays inputs out.
    fn batch(&self, inputs: &[&Tokenized]) -> Self::Batch;

    /// Words, positions and types added and normalised.
    fn embed(&self, embeddings: &Embeddings<Self>, batch: &Self::Batch) -> Self::States;

    /// One layer: attention, then feed-forward, each with its residual and normalisation.
    fn layer(&self, layer: &Layer<Self>, heads: usize, states: Self::States, batch: &Self::Batch) -> Self::States;

    /// One layer for several batches.
    fn layer_for_all(
        &self,
        layer: &Layer<Self>,
        heads: usize,
        states: Vec<Self::States>,
        batches: &[Self::Batch],
    ) -> Vec<Self::States> {
        let states = states.into_iter().zip(batches);
        states
            .map(|(states, batch)| self.layer(layer, heads, states, batch))
            .collect()
    }

    /// The first layer for several batches, from what their tokens' first states are made of.
    fn first_layer_for_all(
        &self,
        embeddings: &Embeddings<Self>,
        layer: &Layer<Self>,
        heads: usize,
        batches: &[Self::Batch],
    ) -> Vec<Self::States> {
        let states = batches.iter().map(|batch| self.embed(embeddings, batch)).collect();
        self.layer_for_all(layer, heads, states, batches)
    }

    /// The last layer, where of each input only the first token's state is used afterwards: others need not be
    /// computed, and then the batches say that each input has one token.
    fn last_layer_for_all(
        &self,
        layer: &Layer<Self>,
        heads: usize,
        states: Vec<Self::States>,
        batches: &mut [Self::Batch],
    ) -> Vec<Self::States> {
        self.layer_for_all(layer, heads, states, batches)
    }

    /// What the model is for: a vector or a logit of each input.
    fn finish(&self, head: &Head<Self>, states: Self::States, batch: &Self::Batch) -> Self::Rows;

    /// The numbers, row by row, of several batches at once.
    ///
    /// # Errors
    /// [`crate::Code::DeviceFaulty`] if the device was lost, or reported an error that its results may suffer from.
    async fn read(&self, rows: Vec<Self::Rows>) -> Result<Vec<Vec<f32>>>;
}

/// A plan where nothing is padded: batches in the inputs' order, each of as many as fit into `budget` tokens.
pub(super) fn fill(lengths: &[usize], budget: usize) -> Vec<Vec<usize>> {
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut tokens = 0;
    for (index, &length) in lengths.iter().enumerate() {
        match batches.last_mut() {
            Some(batch) if tokens + length <= budget => batch.push(index),
            _ => {
                tokens = 0;
                batches.push(vec![index]);
            }
        }
        tokens += length;
    }
    batches
}
