//! Low-rank changes of an encoder (LoRA, Hu et al. 2021); texts go through it in every step.

use std::collections::HashMap;

use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::weights::{Weights, upload};
use crate::device::Device;
use crate::error::{Code, Error, Result};
use crate::job::Job;
use crate::model::{Encoder, Lora, LoraLayer, LowRank, ModelFiles, TextKind, Tokenized, TrainableEncoder, select_rows};
use crate::random::Random;
use crate::tune::adapter::Adapter;
use crate::tune::batch::Batch;
use crate::tune::loss::BatchLoss;
use crate::tune::recipe::{LoraRecipe, LoraTarget, Recipe};
use crate::tune::training_set::TrainingSet;

/// What changes of an encoder are made from.
pub struct Trainable<'m> {
    encoder: TrainableEncoder,
    tokenizer: &'m Encoder,
}

impl<'m> Trainable<'m> {
    /// Loads the encoder's files; `tokenizer` is the same encoder, as it is used for everything else.
    ///
    /// # Errors
    /// As [`Encoder::load`].
    pub async fn load(files: &ModelFiles, tokenizer: &'m Encoder, device: &Device, job: &Job<'_>) -> Result<Self> {
        Ok(Self {
            encoder: TrainableEncoder::load(files, device, job).await?,
            tokenizer,
        })
    }
}

/// The changed layers, and the texts that go through them.
pub struct Changes<'s> {
    encoder: &'s TrainableEncoder,
    recipe: &'s LoraRecipe,
    /// The changed layers' names and sizes (inputs, outputs); two matrices each.
    layers: Vec<(String, (usize, usize))>,
    queries: Vec<Tokenized>,
    /// The set's documents; empty if they keep their vectors.
    documents: Vec<Tokenized>,
    /// Those vectors.
    kept: Tensor<2>,
}

impl<'s> Changes<'s> {
    pub(super) fn new(
        trainable: &'s Trainable<'_>,
        set: &TrainingSet,
        queries: &[&str],
        documents: &[&str],
        recipe: &'s LoraRecipe,
    ) -> Result<Self> {
        let tokenize = |text: &str, kind| Ok(cut(trainable.tokenizer.tokenize(text, kind)?, recipe.max_tokens));
        let queries = queries.iter().map(|text| tokenize(text, TextKind::Query));
        let documents = documents.iter().filter(|_| recipe.documents);
        let documents = documents.map(|text| tokenize(text, TextKind::Document));
        let encoder = &trainable.encoder;
        Ok(Self {
            layers: changed_layers(encoder, &recipe.targets),
            queries: queries.collect::<Result<_>>()?,
            documents: documents.collect::<Result<_>>()?,
            kept: upload(&set.documents, encoder.device()),
            encoder,
            recipe,
        })
    }

    pub(super) fn device(&self) -> burn::tensor::Device {
        self.encoder.device().clone()
    }

    pub(super) fn start(&self, seed: u64) -> Weights {
        let mut random = Random::with_seed(seed);
        let rank = self.recipe.rank;
        let matrices = self.layers.iter().flat_map(|&(_, (inputs, outputs))| {
            let bound = 1.0 / (inputs as f32).sqrt();
            let a: Vec<f32> = (0..rank * inputs).map(|_| bound * random.around_zero()).collect();
            [(a, [rank, inputs]), (vec![0.0; outputs * rank], [outputs, rank])]
        });
        Weights::new(matrices, self.encoder.device())
    }

    /// The loss gives the gradient of each text's vector, and the encoder's own formulas those of the changes: what has to
    /// be kept of the texts' way through the encoder does not grow with the batch.
    pub(super) async fn gradients(
        &self,
        weights: &Weights,
        batch: &Batch,
        recipe: &Recipe,
        margin_scale: f32,
        job: &Job<'_>,
    ) -> Result<(BatchLoss, GradientsParams)> {
        let (texts, slots) = self.texts(batch);
        let changes = self.changes(weights);
        let tokens = self.recipe.micro_batch_tokens;
        let pass = self.encoder.forward(&texts, &changes, tokens, job).await?;
        let vectors = Tensor::from_inner(pass.vectors()).require_grad();
        let documents = match slots.is_empty() {
            true => select_rows(&self.kept, batch.slots.iter().map(|&row| row as usize)),
            false => select_rows(&vectors, slots),
        };
        let queries = vectors.clone().narrow(0, 0, batch.queries.len());
        let loss = BatchLoss::new(batch, queries, documents, None, recipe, margin_scale);
        let of_vectors = vectors.grad_remove(&mut loss.total.backward());
        let of_vectors = of_vectors.ok_or_else(|| Error::new(Code::Internal, "The vectors have no gradient."))?;

        let of_changes = pass.gradients(of_vectors, job).await?;
        let mut gradients = GradientsParams::new();
        for (matrix, gradient) in weights.matrices.iter().zip(of_changes.into_iter().flatten()) {
            gradients.register(matrix.id, gradient);
        }
        Ok((loss, gradients))
    }

    /// The batch's texts, each once: its queries, then its documents if they are encoded; and of each slot the text that
    /// is its document.
    fn texts(&self, batch: &Batch) -> (Vec<Tokenized>, Vec<usize>) {
        let mut texts: Vec<Tokenized> = batch.queries.iter().map(|&query| self.queries[query].clone()).collect();
        if self.documents.is_empty() {
            return (texts, Vec::new());
        }
        let mut numbers = HashMap::new();
        let slot = |&row: &u32| {
            *numbers.entry(row).or_insert_with(|| {
                texts.push(self.documents[row as usize].clone());
                texts.len() - 1
            })
        };
        let slots = batch.slots.iter().map(slot).collect();
        (texts, slots)
    }

    /// What is added to the outputs of each changed layer.
    fn changes(&self, weights: &Weights) -> Vec<LowRank> {
        let layers = self.layers.iter().enumerate();
        let change = |(number, (module, _)): (usize, &(String, _))| LowRank {
            module: module.clone(),
            a: weights.value(2 * number),
            b: weights.value(2 * number + 1),
            factor: self.recipe.alpha / self.recipe.rank as f32,
        };
        layers.map(change).collect()
    }

    /// None if a matrix is missing.
    pub(super) fn adapter(&self, matrices: Vec<Vec<f32>>) -> Option<Adapter> {
        let mut matrices = matrices.into_iter();
        let layer = |(module, (inputs, outputs)): &(String, (usize, usize))| {
            Some(LoraLayer {
                module: module.clone(),
                inputs: *inputs,
                outputs: *outputs,
                a: matrices.next()?,
                b: matrices.next()?,
            })
        };
        Some(Adapter::Lora {
            lora: Lora {
                rank: self.recipe.rank,
                alpha: self.recipe.alpha,
                layers: self.layers.iter().map(layer).collect::<Option<_>>()?,
            },
            documents: self.recipe.documents,
        })
    }
}

/// A text cut at so many tokens; the last one stays, for it is the separator.
fn cut(mut text: Tokenized, tokens: usize) -> Tokenized {
    if text.ids.len() > tokens {
        for list in [&mut text.ids, &mut text.type_ids] {
            let last = list.pop();
            list.truncate(tokens - 1);
            list.extend(last);
        }
    }
    text
}

/// Names and sizes of the layers that targets stand for.
fn changed_layers(encoder: &TrainableEncoder, targets: &[LoraTarget]) -> Vec<(String, (usize, usize))> {
    const PARTS: [(&str, LoraTarget); 6] = [
        ("attention.self.query", LoraTarget::Query),
        ("attention.self.key", LoraTarget::Key),
        ("attention.self.value", LoraTarget::Value),
        ("attention.output.dense", LoraTarget::Dense),
        ("intermediate.dense", LoraTarget::Dense),
        ("output.dense", LoraTarget::Dense),
    ];
    let parts = PARTS.iter().filter(|(_, target)| targets.contains(target));
    let parts: Vec<&str> = parts.map(|(part, _)| *part).collect();
    let layers = 0..encoder.layers();
    layers
        .flat_map(|layer| {
            let named = |part: &&str| (format!("encoder.layer.{layer}.{part}"), encoder.size(part));
            parts.iter().map(named).collect::<Vec<_>>()
        })
        .collect()
}
