//! The BERT encoder: embeddings, then layers of attention and feed-forward, post-normalised.
//!
//! Formulas: Devlin et al. 2018; names of weights as transformers' `BertModel` saves them.

use burn::tensor::{Bool, Device, Int, Tensor, TensorData, activation, module, ops::AttentionModuleOptions};

use super::batch::Batch;
use super::config::BertConfig;
use super::linear::Linear;
use super::weights::Weights;
use crate::error::Result;
use crate::job::Job;

/// A BERT encoder on a device.
pub struct Bert {
    embeddings: Embeddings,
    layers: Vec<Layer>,
    hidden_size: usize,
}

struct Embeddings {
    words: Tensor<2>,
    positions: Tensor<2>,
    types: Tensor<2>,
    norm: LayerNorm,
}

struct Layer {
    attention: Attention,
    attention_norm: LayerNorm,
    intermediate: Linear,
    output: Linear,
    output_norm: LayerNorm,
}

struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: usize,
}

struct LayerNorm {
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
}

impl Bert {
    /// Moves the weights to the device, tensor by tensor, letting other work run between layers.
    ///
    /// # Errors
    /// [`crate::Code::ModelShape`], [`crate::Code::ModelWeights`], [`crate::Code::Cancelled`]
    pub async fn load(config: &BertConfig, weights: &Weights<'_>, device: &Device, job: &Job<'_>) -> Result<Self> {
        let hidden = config.hidden_size;
        let epsilon = config.layer_norm_eps;
        let table = |name: &str, rows: usize| -> Result<Tensor<2>> {
            let table = weights.matrix(&format!("embeddings.{name}.weight"), rows, hidden)?;
            Ok(Tensor::from_data(TensorData::new(table, [rows, hidden]), device))
        };
        let norm = |name: &str| LayerNorm::load(weights, name, hidden, epsilon, device);
        let embeddings = Embeddings {
            words: table("word_embeddings", config.vocab_size)?,
            positions: table("position_embeddings", config.max_position_embeddings)?,
            types: table("token_type_embeddings", config.type_vocab_size)?,
            norm: norm("embeddings.LayerNorm")?,
        };
        let mut layers = Vec::with_capacity(config.num_hidden_layers);
        for index in 0..config.num_hidden_layers {
            job.breathe().await?;
            let name = |part: &str| format!("encoder.layer.{index}.{part}");
            let linear = |part: &str, inputs, outputs| Linear::load(weights, &name(part), inputs, outputs, device);
            let wide = config.intermediate_size;
            layers.push(Layer {
                attention: Attention {
                    query: linear("attention.self.query", hidden, hidden)?,
                    key: linear("attention.self.key", hidden, hidden)?,
                    value: linear("attention.self.value", hidden, hidden)?,
                    output: linear("attention.output.dense", hidden, hidden)?,
                    heads: config.num_attention_heads,
                },
                attention_norm: norm(&name("attention.output.LayerNorm"))?,
                intermediate: linear("intermediate.dense", hidden, wide)?,
                output: linear("output.dense", wide, hidden)?,
                output_norm: norm(&name("output.LayerNorm"))?,
            });
        }
        Ok(Self {
            embeddings,
            layers,
            hidden_size: hidden,
        })
    }

    /// The last layer's hidden states, [batch, length, hidden].
    ///
    /// # Errors
    /// [`crate::Code::Cancelled`]: the job is asked after every layer.
    pub async fn forward(&self, batch: &Batch, job: &Job<'_>) -> Result<Tensor<3>> {
        let (size, length, hidden) = (batch.size, batch.length, self.hidden_size);
        let mut states = self.embeddings.forward(batch).reshape([size * length, hidden]);
        let heads = self.layers.first().map_or(1, |layer| layer.attention.heads);
        let padding = batch
            .padding
            .as_ref()
            .map(|padding| padding.clone().expand([size, heads, length, length]));
        for layer in &self.layers {
            job.breathe().await?;
            states = layer.forward(states, [size, length, hidden], padding.clone());
        }
        Ok(states.reshape([size, length, hidden]))
    }
}

impl Embeddings {
    fn forward(&self, batch: &Batch) -> Tensor<3> {
        let positions = Tensor::<1, Int>::arange(0..batch.length as i64, &batch.ids.device());
        let words = module::embedding(self.words.clone(), batch.ids.clone());
        let types = module::embedding(self.types.clone(), batch.type_ids.clone());
        let positions = self.positions.clone().select(0, positions).unsqueeze::<3>();
        self.norm.forward(words + types + positions)
    }
}

impl Layer {
    fn forward(&self, states: Tensor<2>, shape: [usize; 3], padding: Option<Tensor<4, Bool>>) -> Tensor<2> {
        let attended = self.attention.forward(states.clone(), shape, padding);
        let states = self.attention_norm.forward(states + attended);
        let wide = activation::gelu(self.intermediate.forward(states.clone()));
        self.output_norm.forward(states + self.output.forward(wide))
    }
}

impl Attention {
    fn forward(&self, states: Tensor<2>, shape: [usize; 3], padding: Option<Tensor<4, Bool>>) -> Tensor<2> {
        let [size, length, hidden] = shape;
        let head_size = hidden / self.heads;
        let split = |linear: &Linear| {
            linear
                .forward(states.clone())
                .reshape([size, length, self.heads, head_size])
                .swap_dims(1, 2)
        };
        let (query, key, value) = (split(&self.query), split(&self.key), split(&self.value));
        let options = AttentionModuleOptions::default();
        let attended = module::attention(query, key, value, padding, None, options);
        self.output
            .forward(attended.swap_dims(1, 2).reshape([size * length, hidden]))
    }
}

impl LayerNorm {
    fn load(weights: &Weights<'_>, name: &str, size: usize, epsilon: f64, device: &Device) -> Result<Self> {
        let vector = |part: &str| -> Result<Tensor<1>> {
            let vector = weights.vector(&format!("{name}.{part}"), size)?;
            Ok(Tensor::from_data(TensorData::new(vector, [size]), device))
        };
        Ok(Self {
            gamma: vector("weight")?,
            beta: vector("bias")?,
            epsilon,
        })
    }

    fn forward<const D: usize>(&self, states: Tensor<D>) -> Tensor<D> {
        module::layer_norm(states, self.gamma.clone(), Some(self.beta.clone()), self.epsilon)
    }
}
