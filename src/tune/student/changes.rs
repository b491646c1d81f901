//! Low-rank changes of an encoder (LoRA, Hu et al. 2021); texts go through it in every step.

use std::collections::HashMap;

use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Tensor;

use super::{Weights, select, upload};
use crate::device::Device;
use crate::error::{Code, Error, Result};
use crate::job::Job;
use crate::model::{Encoder, Lora, LoraLayer, LowRank, ModelFiles, TextKind, Tokenized, TrainableEncoder};
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

    /// The gradients, in memory that does not grow with the batch (gradient caching, Gao et al. 2021): the texts' vectors
    /// are computed group by group, all but the last without a trace; the loss gives the gradient of each vector, and by
    /// the trace those of the last group; then each other group goes through the encoder again, with a trace that is
    /// followed back from its vectors' gradients at once.
    pub(super) async fn gradients(
        &self,
        weights: &Weights,
        batch: &Batch,
        recipe: &Recipe,
        margin_scale: f32,
        job: &Job<'_>,
    ) -> Result<(BatchLoss, GradientsParams)> {
        let (texts, slots) = self.texts(batch);
        let mut groups = self.encoder.plan(&texts, self.recipe.micro_batch_tokens);
        // The first has the longest texts, so it is the one that is best not computed twice.
        groups.reverse();
        // Where each text's vector is among those of the groups.
        let mut places = vec![0; texts.len()];
        for (place, &text) in groups.iter().flatten().enumerate() {
            places[text] = place;
        }
        let (last, others) = groups.split_last().expect("a batch has queries");

        let mut vectors = Vec::with_capacity(groups.len());
        for group in others {
            let change = |module: &str| self.change(weights, module, Tensor::inner);
            let untraced = self
                .encoder
                .forward_untraced(&inputs(&texts, group), change, job)
                .await?;
            vectors.push(Tensor::from_inner(untraced).require_grad());
        }
        vectors.push(self.vectors(weights, &texts, last, job).await?);
        let in_order = select(&Tensor::cat(vectors.clone(), 0), places.iter().copied());
        let documents = match slots.is_empty() {
            true => select(&self.kept, batch.slots.iter().map(|&row| row as usize)),
            false => select(&in_order, slots.iter().copied()),
        };
        let queries = in_order.narrow(0, 0, batch.queries.len());
        let loss = BatchLoss::new(batch, queries, documents, None, recipe, margin_scale);
        let mut traced = loss.total.backward();
        let of_vectors: Option<Vec<_>> = vectors[..others.len()]
            .iter()
            .map(|of_group| of_group.grad_remove(&mut traced))
            .collect();
        let of_vectors = of_vectors.ok_or_else(|| Error::new(Code::Internal, "The vectors have no gradient."))?;

        let mut gradients = GradientsAccumulator::new();
        gradients.accumulate(weights, GradientsParams::from_grads(traced, weights));
        for (group, of_group) in others.iter().zip(of_vectors) {
            let vectors = self.vectors(weights, &texts, group, job).await?;
            let traced = (vectors * Tensor::from_inner(of_group)).sum().backward();
            gradients.accumulate(weights, GradientsParams::from_grads(traced, weights));
        }
        Ok((loss, gradients.grads()))
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

    /// The vectors of a group of texts, with a trace to the weights.
    async fn vectors(
        &self,
        weights: &Weights,
        texts: &[Tokenized],
        group: &[usize],
        job: &Job<'_>,
    ) -> Result<Tensor<2>> {
        let change = |module: &str| self.change(weights, module, |matrix| matrix);
        self.encoder.forward(&inputs(texts, group), change, job).await
    }

    /// What is added to the outputs of a layer, if anything; `on` brings a matrix to the device of the pass.
    fn change(&self, weights: &Weights, module: &str, on: impl Fn(Tensor<2>) -> Tensor<2>) -> Option<LowRank> {
        let layer = self.layers.iter().position(|(name, _)| name == module)?;
        Some(LowRank {
            a: on(weights.value(2 * layer)),
            b: on(weights.value(2 * layer + 1)),
            factor: self.recipe.alpha / self.recipe.rank as f32,
        })
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

fn inputs<'t>(texts: &'t [Tokenized], group: &[usize]) -> Vec<&'t Tokenized> {
    group.iter().map(|&text| &texts[text]).collect()
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
