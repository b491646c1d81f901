//! An encoder whose layers' low-rank changes can be trained: in burn's tensors, gradients flow through it.

use burn::tensor::Tensor;

use super::arithmetic::Arithmetic;
use super::bert::{Bert, Embeddings, Head, Layer};
use super::config::{BertConfig, EncoderConfig};
use super::files::ModelFiles;
use super::on_tensors::{Linear, Tensors};
use super::tokenizer::Tokenized;
use super::weights::Weights;
use crate::device::Device;
use crate::error::Result;
use crate::job::Job;

pub use super::on_tensors::Change as LowRank;

/// The frozen weights of an encoder, once in memory, for passes with and without a trace for gradients.
pub struct TrainableEncoder {
    traced: (Tensors, Bert<Tensors>),
    /// A trace that nobody follows back would stay in memory until the next one is.
    untraced: (Tensors, Bert<Tensors>),
    head: Head<Tensors>,
    hidden: usize,
    intermediate: usize,
}

/// The parts of the projections that lie side by side, in their order.
const PROJECTIONS: [&str; 3] = ["query", "key", "value"];

impl TrainableEncoder {
    /// Loads a sentence-transformers folder of the BERT family.
    ///
    /// # Errors
    /// As [`super::Encoder::load`].
    pub async fn load(files: &ModelFiles, device: &Device, job: &Job<'_>) -> Result<Self> {
        let config = BertConfig::read(files)?;
        let pooling = EncoderConfig::read(files, &config)?.pooling;
        let untraced = Tensors::new(device);
        let bert = Bert::load(&config, &Weights::read(files)?, &untraced, job).await?;
        Ok(Self {
            traced: (Tensors::with_gradients(device), traced(&bert)),
            untraced: (untraced, bert),
            // Vectors are compared by cosine, whatever the model does by itself.
            head: Head::Pool {
                pooling,
                normalize: true,
            },
            hidden: config.hidden_size,
            intermediate: config.intermediate_size,
        })
    }

    /// Where its tensors are.
    pub fn device(&self) -> &burn::tensor::Device {
        self.traced.0.device()
    }

    /// Transformer layers.
    pub fn layers(&self) -> usize {
        self.untraced.1.layers.len()
    }

    /// Inputs and outputs of a linear layer, by its name within a transformer layer.
    pub fn size(&self, part: &str) -> (usize, usize) {
        match part {
            "intermediate.dense" => (self.hidden, self.intermediate),
            "output.dense" => (self.intermediate, self.hidden),
            _ => (self.hidden, self.hidden),
        }
    }

    /// Groups of inputs, by their lengths, that have at most so many tokens, padding included; longest first.
    pub fn plan(&self, inputs: &[Tokenized], tokens: usize) -> Vec<Vec<usize>> {
        let lengths: Vec<usize> = inputs.iter().map(|input| input.ids.len()).collect();
        self.untraced.0.plan_within(&lengths, tokens)
    }

    /// The vectors of inputs that go through the encoder together, scaled to length 1, [inputs, dims]; gradients can be
    /// followed back from them. `change` gives the change of a linear layer by its full name, if it has one.
    ///
    /// # Errors
    /// [`crate::Code::Cancelled`]
    pub async fn forward(
        &self,
        inputs: &[&Tokenized],
        change: impl Fn(&str) -> Option<LowRank>,
        job: &Job<'_>,
    ) -> Result<Tensor<2>> {
        self.pass(&self.traced, inputs, change, job).await
    }

    /// The same without a trace; vectors and changes are on the device without gradients.
    ///
    /// # Errors
    /// [`crate::Code::Cancelled`]
    pub async fn forward_untraced(
        &self,
        inputs: &[&Tokenized],
        change: impl Fn(&str) -> Option<LowRank>,
        job: &Job<'_>,
    ) -> Result<Tensor<2>> {
        self.pass(&self.untraced, inputs, change, job).await
    }

    async fn pass(
        &self,
        (tensors, bert): &(Tensors, Bert<Tensors>),
        inputs: &[&Tokenized],
        change: impl Fn(&str) -> Option<LowRank>,
        job: &Job<'_>,
    ) -> Result<Tensor<2>> {
        let mut batches = [tensors.batch(inputs)];
        let bert = changed(bert, change);
        let mut states = bert.forward(tensors, &mut batches, &self.head, job).await?;
        let [batch] = &batches;
        Ok(tensors.finish(&self.head, states.remove(0), batch))
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
        },
        layers: bert.layers.iter().map(layer).collect(),
        heads: bert.heads,
    }
}

/// The same encoder, whose tensors are shared, with changes.
fn changed(bert: &Bert<Tensors>, change: impl Fn(&str) -> Option<LowRank>) -> Bert<Tensors> {
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
        },
        layers: layers.collect(),
        heads: bert.heads,
    }
}
