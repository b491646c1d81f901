//! A trainable encoder in burn's tensors, through which burn follows gradients.

use burn::tensor::Tensor;

use super::low_rank::LowRank;
use crate::device::Device;
use crate::error::{Code, Error, Result};
use crate::job::Job;
use crate::model::arithmetic::Arithmetic;
use crate::model::bert::Bert;
use crate::model::config::{BertConfig, Pooling};
use crate::model::files::ModelFiles;
use crate::model::on_tensors::{Change, Linear, Tensors, select_rows};
use crate::model::parts::{Embeddings, Head, Layer};
use crate::model::tokenizer::Tokenized;
use crate::model::weights::Weights;

/// The frozen weights, once in memory, for passes with and without a trace for gradients.
pub struct OnTensors {
    traced: (Tensors, Bert<Tensors>),
    /// A trace that nobody follows back would stay in memory until the next one is.
    untraced: (Tensors, Bert<Tensors>),
    head: Head<Tensors>,
}

/// The parts of the projections that lie side by side, in their order.
const PROJECTIONS: [&str; 3] = ["query", "key", "value"];

/// Texts that have gone forward.
pub struct Pass<'p> {
    encoder: &'p OnTensors,
    texts: &'p [Tokenized],
    changes: &'p [LowRank],
    /// Which texts go through the encoder together.
    groups: Vec<Vec<usize>>,
    /// The vectors of the last group, with a trace to the changes.
    last: Tensor<2>,
}

impl OnTensors {
    pub async fn load(
        files: &ModelFiles,
        config: &BertConfig,
        pooling: Pooling,
        device: &Device,
        job: &Job<'_>,
    ) -> Result<Self> {
        let untraced = Tensors::new(device);
        let bert = Bert::load(config, &Weights::read(files)?, &untraced, job).await?;
        Ok(Self {
            traced: (Tensors::with_gradients(device), traced(&bert)),
            untraced: (untraced, bert),
            // Vectors are compared by cosine, whatever the model does by itself.
            head: Head::Pool {
                pooling,
                normalize: true,
            },
        })
    }

    pub async fn forward<'p>(
        &'p self,
        texts: &'p [Tokenized],
        changes: &'p [LowRank],
        tokens: usize,
        job: &Job<'_>,
    ) -> Result<(Pass<'p>, Tensor<2>)> {
        let lengths: Vec<usize> = texts.iter().map(|text| text.ids.len()).collect();
        let mut groups = self.untraced.0.plan_within(&lengths, tokens);
        // The first has the longest texts, so it is the one that is best not computed twice.
        groups.reverse();
        let (last, others) = groups.split_last().expect("there are texts");
        let mut vectors = Vec::with_capacity(groups.len());
        for group in others {
            vectors.push(
                self.pass(&self.untraced, texts, group, changes, Tensor::inner, job)
                    .await?,
            );
        }
        let last = self.traced(texts, last, changes, job).await?;
        vectors.push(last.clone().inner());
        // Where each text's vector is among those of the groups.
        let mut places = vec![0; texts.len()];
        for (place, &text) in groups.iter().flatten().enumerate() {
            places[text] = place;
        }
        let vectors = select_rows(&Tensor::cat(vectors, 0), places);
        let pass = Pass {
            encoder: self,
            texts,
            changes,
            groups,
            last,
        };
        Ok((pass, vectors))
    }

    /// The vectors of a group of texts, with a trace to the changes.
    async fn traced(
        &self,
        texts: &[Tokenized],
        group: &[usize],
        changes: &[LowRank],
        job: &Job<'_>,
    ) -> Result<Tensor<2>> {
        self.pass(&self.traced, texts, group, changes, |matrix| matrix, job)
            .await
    }

    /// `on` brings a matrix to the device of the pass.
    async fn pass(
        &self,
        (tensors, bert): &(Tensors, Bert<Tensors>),
        texts: &[Tokenized],
        group: &[usize],
        changes: &[LowRank],
        on: impl Fn(Tensor<2>) -> Tensor<2>,
        job: &Job<'_>,
    ) -> Result<Tensor<2>> {
        let inputs: Vec<&Tokenized> = group.iter().map(|&text| &texts[text]).collect();
        let mut batches = [tensors.batch(&inputs)];
        let bert = changed(bert, |module| {
            let change = changes.iter().find(|change| change.module == module)?;
            Some(Change {
                a: on(change.a.clone()),
                b: on(change.b.clone()),
                factor: change.factor,
            })
        });
        let mut states = bert.forward(tensors, &mut batches, &self.head, job).await?;
        let [batch] = &batches;
        Ok(tensors.finish(&self.head, states.remove(0), batch))
    }
}

impl Pass<'_> {
    pub async fn gradients(self, of_vectors: Tensor<2>, job: &Job<'_>) -> Result<Vec<[Tensor<2>; 2]>> {
        let Self {
            encoder,
            texts,
            changes,
            mut groups,
            last,
        } = self;
        let missing = || Error::new(Code::Internal, "A change has no gradient.");
        let followed = |vectors: Tensor<2>, group: Vec<usize>| -> Result<Vec<[Tensor<2>; 2]>> {
            let of_group = Tensor::from_inner(select_rows(&of_vectors, group));
            let traced = (vectors * of_group).sum().backward();
            let of = |matrix: &Tensor<2>| matrix.grad(&traced).ok_or_else(missing);
            changes
                .iter()
                .map(|change| Ok([of(&change.a)?, of(&change.b)?]))
                .collect()
        };
        let mut gradients = followed(last, groups.pop().unwrap_or_default())?;
        for group in groups {
            let vectors = encoder.traced(texts, &group, changes, job).await?;
            for (sum, more) in gradients
                .iter_mut()
                .flatten()
                .zip(followed(vectors, group)?.into_iter().flatten())
            {
                *sum = sum.clone() + more;
            }
        }
        Ok(gradients)
    }
}

/// The same encoder, whose tensors are shared, where gradients are kept track of.
fn traced(bert: &Bert<Tensors>) -> Bert<Tensors> {
    let table = |table: &Tensor<2>| Tensor::from_inner(table.clone());
    let embeddings = &bert.embeddings;
    let layer = |layer: &Layer<Tensors>| Layer {
        projections: layer.projections.traced(),
        attention_output: layer.attention_output.traced(),
        attention_norm: layer.attention_norm.traced(),
        intermediate: layer.intermediate.traced(),
        output: layer.output.traced(),
        output_norm: layer.output_norm.traced(),
    };
    Bert {
        embeddings: Embeddings {
            words: table(&embeddings.words),
            positions: table(&embeddings.positions),
            types: table(&embeddings.types),
            norm: embeddings.norm.traced(),
            first_projections: (),
        },
        layers: bert.layers.iter().map(layer).collect(),
        heads: bert.heads,
    }
}

/// The same encoder, whose tensors are shared, with changes.
fn changed(bert: &Bert<Tensors>, change: impl Fn(&str) -> Option<Change>) -> Bert<Tensors> {
    let embeddings = &bert.embeddings;
    let layers = bert.layers.iter().enumerate().map(|(number, layer)| {
        let change = |part: &str| change(&format!("encoder.layer.{number}.{part}"));
        let one = |linear: &Linear, part: &str| linear.changed(vec![change(part)]);
        let projections = PROJECTIONS.map(|part| change(&format!("attention.self.{part}")));
        Layer {
            projections: layer.projections.changed(projections.into()),
            attention_output: one(&layer.attention_output, "attention.output.dense"),
            attention_norm: layer.attention_norm.clone(),
            intermediate: one(&layer.intermediate, "intermediate.dense"),
            output: one(&layer.output, "output.dense"),
            output_norm: layer.output_norm.clone(),
        }
    });
    Bert {
        embeddings: Embeddings {
            words: embeddings.words.clone(),
            positions: embeddings.positions.clone(),
            types: embeddings.types.clone(),
            norm: embeddings.norm.clone(),
            first_projections: (),
        },
        layers: layers.collect(),
        heads: bert.heads,
    }
}
