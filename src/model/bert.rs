//! The BERT encoder: embeddings, then layers of attention and feed-forward, post-normalised.
//!
//! Formulas: Devlin et al. 2018; names of weights as transformers' `BertModel` saves them.

use super::arithmetic::Arithmetic;
use super::config::BertConfig;
use super::parts::{Embeddings, Head, Layer, Parts};
use super::weights::Weights;
use crate::error::Result;
use crate::job::Job;

/// A BERT encoder.
pub struct Bert<P: Parts> {
    pub(super) embeddings: Embeddings<P>,
    pub(super) layers: Vec<Layer<P>>,
    pub(super) heads: usize,
}

impl<P: Parts> Bert<P> {
    /// Loads the weights, tensor by tensor, letting other work run between layers.
    ///
    /// # Errors
    /// [`crate::Code::ModelShape`], [`crate::Code::ModelWeights`], [`crate::Code::Cancelled`]
    pub async fn load(config: &BertConfig, weights: &Weights<'_>, parts: &P, job: &Job<'_>) -> Result<Self> {
        let (hidden, wide) = (config.hidden_size, config.intermediate_size);
        let norm = |name: &str| parts.norm(weights, name, hidden, config.layer_norm_eps);
        let table = |name: &str, rows, skipped| -> Result<_> {
            let mut values = weights.matrix(&format!("embeddings.{name}.weight"), rows, hidden)?;
            values.drain(..skipped * hidden);
            Ok(parts.table(values, hidden))
        };
        let embeddings = Embeddings {
            words: table("word_embeddings", config.vocab_size, 0)?,
            positions: table(
                "position_embeddings",
                config.max_position_embeddings,
                config.first_position(),
            )?,
            types: table("token_type_embeddings", config.type_vocab_size, 0)?,
            norm: norm("embeddings.LayerNorm")?,
            first_projections: P::FirstProjections::default(),
        };
        let mut layers = Vec::with_capacity(config.num_hidden_layers);
        for index in 0..config.num_hidden_layers {
            job.breathe().await?;
            let name = |part: &str| format!("encoder.layer.{index}.{part}");
            let linear = |part: &str, inputs, outputs| parts.linear(weights, &[name(part)], inputs, outputs);
            let projections = ["query", "key", "value"].map(|part| name(&format!("attention.self.{part}")));
            let projections = match index {
                // What is looked up is multiplied once.
                0 => parts.exact_linear(weights, &projections, hidden, hidden)?,
                _ => parts.linear(weights, &projections, hidden, hidden)?,
            };
            layers.push(Layer {
                projections,
                attention_output: linear("attention.output.dense", hidden, hidden)?,
                attention_norm: norm(&name("attention.output.LayerNorm"))?,
                intermediate: linear("intermediate.dense", hidden, wide)?,
                output: linear("output.dense", wide, hidden)?,
                output_norm: norm(&name("output.LayerNorm"))?,
            });
        }
        Ok(Self {
            embeddings,
            layers,
            heads: config.num_attention_heads,
        })
    }
}

impl<A: Arithmetic> Bert<A> {
    /// The last layer's hidden states of several batches; of the inputs' first tokens only, if that is enough for
    /// `head`. `batches` then say so.
    ///
    /// # Errors
    /// [`crate::Code::Cancelled`]: the job is asked after every layer.
    pub async fn forward(
        &self,
        arithmetic: &A,
        batches: &mut [A::Batch],
        head: &Head<A>,
        job: &Job<'_>,
    ) -> Result<Vec<A::States>> {
        let (layers, last) = match self.layers.split_last() {
            Some((last, layers)) if head.reads_first_tokens_only() => (layers, Some(last)),
            _ => (&self.layers[..], None),
        };
        job.breathe().await?;
        let mut layers = layers.iter();
        let mut states: Vec<A::States> = match layers.next() {
            Some(first) => arithmetic.first_layer_for_all(&self.embeddings, first, self.heads, batches),
            None => {
                let embed = |batch| arithmetic.embed(&self.embeddings, batch);
                batches.iter().map(embed).collect()
            }
        };
        for layer in layers {
            job.breathe().await?;
            states = arithmetic.layer_for_all(layer, self.heads, states, batches);
        }
        if let Some(last) = last {
            job.breathe().await?;
            states = arithmetic.last_layer_for_all(last, self.heads, states, batches);
        }
        Ok(states)
    }
}
