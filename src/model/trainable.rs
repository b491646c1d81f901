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

/// The frozen weights of an encoder on a device that keeps track of gradients.
pub struct TrainableEncoder {
    tensors: Tensors,
    bert: Bert<Tensors>,
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
        let tensors = Tensors::with_gradients(device);
        Ok(Self {
            bert: Bert::load(&config, &Weights::read(files)?, &tensors, job).await?,
            tensors,
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
        self.tensors.device()
    }

    /// Transformer layers.
    pub fn layers(&self) -> usize {
        self.bert.layers.len()
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
        self.tensors.plan_within(&lengths, tokens)
    }

    /// The vectors of inputs that go through the encoder together, scaled to length 1, [inputs, dims]. `change` gives
    /// the change of a linear layer by its full name, if it has one.
    ///
    /// # Errors
    /// [`crate::Code::Cancelled`]
    pub async fn forward(
        &self,
        inputs: &[&Tokenized],
        change: impl Fn(&str) -> Option<LowRank>,
        job: &Job<'_>,
    ) -> Result<Tensor<2>> {
        let bert = self.changed(change);
        let mut batches = [self.tensors.batch(inputs)];
        let mut states = bert.forward(&self.tensors, &mut batches, &self.head, job).await?;
        let [batch] = &batches;
        Ok(self.tensors.finish(&self.head, states.remove(0), batch))
    }

    /// The same encoder, whose tensors are shared, with changes.
    fn changed(&self, change: impl Fn(&str) -> Option<LowRank>) -> Bert<Tensors> {
        let embeddings = &self.bert.embeddings;
        let layers = self.bert.layers.iter().enumerate().map(|(number, layer)| {
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
            heads: self.bert.heads,
        }
    }
}
