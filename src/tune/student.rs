//! What is trained, as the optimizer sees it: matrices, and how a batch's loss depends on them.

use burn::module::{Module, Param};
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Int, Tensor, TensorData};

use super::adapter::Adapter;
use super::batch::Batch;
use super::head::{Head, adapt};
use super::loss::BatchLoss;
use super::recipe::{LoraRecipe, LoraTarget, Recipe};
use super::training_set::TrainingSet;
use crate::device::Device;
use crate::error::{Code, Error, Result};
use crate::job::Job;
use crate::model::{Encoder, Lora, LoraLayer, LowRank, ModelFiles, TextKind, Tokenized, TrainableEncoder};
use crate::relations::Relations;
use crate::vectors::Vectors;

/// The matrices that are trained.
#[derive(Module, Debug)]
pub struct Weights {
    pub(super) matrices: Vec<Param<Tensor<2>>>,
}

impl Weights {
    fn new(matrices: impl IntoIterator<Item = (Vec<f32>, [usize; 2])>, device: &burn::tensor::Device) -> Self {
        let param = |(values, shape)| Param::from_data(TensorData::new(values, shape), device);
        Self {
            matrices: matrices.into_iter().map(param).collect(),
        }
    }

    fn value(&self, number: usize) -> Tensor<2> {
        self.matrices[number].val()
    }
}

/// Heads, or an encoder with low-rank changes; it reads a training set.
#[allow(clippy::large_enum_variant, reason = "one a training")]
pub enum Student<'s> {
    /// See [`Heads`].
    Heads(Heads),
    /// See [`Changes`].
    Changes(Changes<'s>),
}

/// Heads on vectors that were computed before.
pub struct Heads {
    queries: Tensor<2>,
    documents: Tensor<2>,
    has_document_head: bool,
}

/// Low-rank changes of an encoder; texts go through it in every step.
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

fn upload(vectors: &Vectors, device: &burn::tensor::Device) -> Tensor<2> {
    let data = TensorData::new(vectors.as_slice().to_vec(), [vectors.len(), vectors.dims()]);
    Tensor::from_data(data, device)
}

fn select(rows: &Tensor<2>, numbers: impl Iterator<Item = usize>) -> Tensor<2> {
    let numbers: Vec<i32> = numbers.map(|number| number as i32).collect();
    let count = numbers.len();
    let numbers = Tensor::<1, Int>::from_data(TensorData::new(numbers, [count]), &rows.device());
    rows.clone().select(0, numbers)
}

impl<'s> Student<'s> {
    /// Heads that learn from a set.
    pub fn heads(set: &TrainingSet, has_document_head: bool, device: &Device) -> Self {
        let tracked = device.tensors().clone().autodiff();
        Self::Heads(Heads {
            queries: upload(&set.queries, &tracked),
            documents: upload(&set.documents, &tracked),
            has_document_head,
        })
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
        let query_texts: Vec<&str> = relations
            .queries
            .items
            .iter()
            .map(|query| query.text.as_str())
            .collect();
        let document = |&number: &u32| relations.documents.items[number as usize].text.as_str();
        let document_texts: Vec<&str> = set.numbers.iter().map(document).collect();
        Self::changes_of(trainable, set, &query_texts, &document_texts, recipe)
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
        let tokenize = |text: &str, kind| Ok(cut(trainable.tokenizer.tokenize(text, kind)?, recipe.max_tokens));
        let queries = queries.iter().map(|text| tokenize(text, TextKind::Query));
        let documents = documents.iter().filter(|_| recipe.documents);
        let documents = documents.map(|text| tokenize(text, TextKind::Document));
        let encoder = &trainable.encoder;
        Ok(Self::Changes(Changes {
            layers: changed_layers(encoder, &recipe.targets),
            queries: queries.collect::<Result<_>>()?,
            documents: documents.collect::<Result<_>>()?,
            kept: upload(&set.documents, encoder.device()),
            encoder,
            recipe,
        }))
    }

    /// The matrices before the first step, where the adapter changes nothing: heads are zero; A is drawn uniformly from
    /// ±1/√inputs (as PEFT draws it), B is zero.
    pub fn start(&self, seed: u64) -> Weights {
        match self {
            Self::Heads(heads) => {
                let dims = heads.queries.dims()[1];
                let count = if heads.has_document_head { 2 } else { 1 };
                let matrices = (0..count).map(|_| (vec![0.0; dims * dims], [dims, dims]));
                Weights::new(matrices, &heads.queries.device())
            }
            Self::Changes(changes) => {
                let mut random = fastrand::Rng::with_seed(seed);
                let rank = changes.recipe.rank;
                let matrices = changes.layers.iter().flat_map(|&(_, (inputs, outputs))| {
                    let bound = 1.0 / (inputs as f32).sqrt();
                    let a: Vec<f32> = (0..rank * inputs).map(|_| bound * (2.0 * random.f32() - 1.0)).collect();
                    [(a, [rank, inputs]), (vec![0.0; outputs * rank], [outputs, rank])]
                });
                Weights::new(matrices, changes.encoder.device())
            }
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
            Self::Heads(heads) => heads.queries.device(),
            Self::Changes(changes) => changes.encoder.device().clone(),
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
            Self::Heads(heads) => {
                let loss = heads.loss(weights, batch, recipe, margin_scale);
                let gradients = GradientsParams::from_grads(loss.total.backward(), weights);
                Ok((loss, gradients))
            }
            Self::Changes(changes) => changes.gradients(weights, batch, recipe, margin_scale, job).await,
        }
    }

    /// The adapter that matrices which were read back stand for.
    ///
    /// # Errors
    /// [`Code::Internal`] if they are too few.
    pub fn adapter(&self, matrices: Vec<Vec<f32>>) -> Result<Adapter> {
        let missing = || Error::new(Code::Internal, "A matrix of the adapter is missing.");
        let mut matrices = matrices.into_iter();
        match self {
            Self::Heads(heads) => {
                let dims = heads.queries.dims()[1];
                let mut head = || matrices.next().map(|weight| Head { weight, dims });
                Ok(Adapter::Heads {
                    query: head().ok_or_else(missing)?,
                    document: if heads.has_document_head { head() } else { None },
                })
            }
            Self::Changes(changes) => {
                let layer = |(module, (inputs, outputs)): &(String, (usize, usize))| {
                    Ok(LoraLayer {
                        module: module.clone(),
                        inputs: *inputs,
                        outputs: *outputs,
                        a: matrices.next().ok_or_else(missing)?,
                        b: matrices.next().ok_or_else(missing)?,
                    })
                };
                Ok(Adapter::Lora {
                    lora: Lora {
                        rank: changes.recipe.rank,
                        alpha: changes.recipe.alpha,
                        layers: changes.layers.iter().map(layer).collect::<Result<_>>()?,
                    },
                    documents: changes.recipe.documents,
                })
            }
        }
    }
}

impl Heads {
    fn loss(&self, weights: &Weights, batch: &Batch, recipe: &Recipe, margin_scale: f32) -> BatchLoss {
        let queries = adapt(select(&self.queries, batch.queries.iter().copied()), weights.value(0));
        let mut slots = select(&self.documents, batch.slots.iter().map(|&row| row as usize));
        let square = |number: usize| weights.value(number).powi_scalar(2).sum();
        let mut ridge = square(0) * recipe.ridge;
        if self.has_document_head {
            slots = adapt(slots, weights.value(1));
            ridge = ridge + square(1) * recipe.document_ridge;
        }
        BatchLoss::new(batch, queries, slots, Some(ridge), recipe, margin_scale)
    }
}

impl Changes<'_> {
    /// The gradients, in memory that does not grow with the batch (gradient caching, Gao et al. 2021): the texts' vectors
    /// are computed group by group without a trace; the loss gives the gradient of each vector; then each group goes
    /// through the encoder again, with a trace that is followed back from those gradients at once.
    async fn gradients(
        &self,
        weights: &Weights,
        batch: &Batch,
        recipe: &Recipe,
        margin_scale: f32,
        job: &Job<'_>,
    ) -> Result<(BatchLoss, GradientsParams)> {
        let (texts, slots) = self.texts(batch);
        let groups = self.encoder.plan(&texts, self.recipe.micro_batch_tokens);
        let queries = batch.queries.len();
        let loss_of = |vectors: Tensor<2>| {
            let documents = match slots.is_empty() {
                true => select(&self.kept, batch.slots.iter().map(|&row| row as usize)),
                false => select(&vectors, slots.iter().copied()),
            };
            let queries = vectors.narrow(0, 0, queries);
            BatchLoss::new(batch, queries, documents, None, recipe, margin_scale)
        };
        // Where each text's vector is among those of the groups.
        let mut places = vec![0; texts.len()];
        for (place, &text) in groups.iter().flatten().enumerate() {
            places[text] = place;
        }
        let in_order = |vectors: Tensor<2>| select(&vectors, places.iter().copied());
        if let [group] = &groups[..] {
            let loss = loss_of(in_order(self.vectors(weights, &texts, group, job).await?));
            let gradients = GradientsParams::from_grads(loss.total.backward(), weights);
            return Ok((loss, gradients));
        }
        let mut vectors = Vec::with_capacity(groups.len());
        for group in &groups {
            vectors.push(self.vectors(weights, &texts, group, job).await?.detach());
        }
        let vectors = Tensor::cat(vectors, 0).detach().require_grad();
        let loss = loss_of(in_order(vectors.clone()));
        let of_vectors = vectors.grad(&loss.total.backward());
        let of_vectors = of_vectors.ok_or_else(|| Error::new(Code::Internal, "The vectors have no gradient."))?;
        let mut gradients = GradientsAccumulator::new();
        let mut start = 0;
        for group in &groups {
            let of_group = Tensor::from_inner(of_vectors.clone().narrow(0, start, group.len()));
            let vectors = self.vectors(weights, &texts, group, job).await?;
            let traced = (vectors * of_group).sum().backward();
            gradients.accumulate(weights, GradientsParams::from_grads(traced, weights));
            start += group.len();
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
        let mut numbers = std::collections::HashMap::new();
        let slot = |&row: &u32| {
            *numbers.entry(row).or_insert_with(|| {
                texts.push(self.documents[row as usize].clone());
                texts.len() - 1
            })
        };
        let slots = batch.slots.iter().map(slot).collect();
        (texts, slots)
    }

    async fn vectors(
        &self,
        weights: &Weights,
        texts: &[Tokenized],
        group: &[usize],
        job: &Job<'_>,
    ) -> Result<Tensor<2>> {
        let inputs: Vec<&Tokenized> = group.iter().map(|&text| &texts[text]).collect();
        let factor = self.recipe.alpha / self.recipe.rank as f32;
        let change = |module: &str| {
            let layer = self.layers.iter().position(|(name, _)| name == module)?;
            Some(LowRank {
                a: weights.value(2 * layer),
                b: weights.value(2 * layer + 1),
                factor,
            })
        };
        self.encoder.forward(&inputs, change, job).await
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
