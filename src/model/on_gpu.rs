//! A BERT on a GPU's kernels, without padding: the tokens of all inputs are stacked, only attention sees texts.

use burn::tensor::{Int, Tensor, TensorData, Transaction};

use super::arithmetic::{Arithmetic, fill};
use super::config::Pooling;
use super::parts::{Embeddings, Head, Layer, Parts};
use super::tokenizer::Tokenized;
use super::weights::Weights;
use crate::device::Device;
use crate::error::Result;
use crate::gpu::{self, Activation, COLUMNS, Norm, Pooled, Workgroup};

/// Tokens in a batch: enough for a GPU to be busy with, few enough that a cancelled job stops soon.
const TOKEN_BUDGET: usize = 8192;

/// A GPU, with numbers in f32.
pub struct Gpu {
    device: Device,
    workgroup: Workgroup,
}

impl Gpu {
    /// For models on that device, which has to be WebGPU.
    pub fn new(device: &Device) -> Self {
        Self {
            device: device.clone(),
            workgroup: Workgroup::new(device.is_software()),
        }
    }

    fn vector(&self, values: Vec<f32>) -> Tensor<1> {
        let length = values.len();
        Tensor::from_data(TensorData::new(values, [length]), self.device.tensors())
    }

    fn matrix(&self, values: Vec<f32>, columns: usize) -> Tensor<2> {
        let rows = values.len() / columns;
        Tensor::from_data(TensorData::new(values, [rows, columns]), self.device.tensors())
    }

    fn integers<const N: usize>(&self, rows: Vec<[i32; N]>) -> Tensor<2, Int> {
        let count = rows.len();
        let values: Vec<i32> = rows.into_iter().flatten().collect();
        Tensor::from_data(TensorData::new(values, [count, N]), self.device.tensors())
    }
}

/// `y = x Wᵀ + b`, W as [in, out], with as many columns of zeros as the kernel needs more.
pub struct Linear {
    weight: Tensor<2>,
    bias: Tensor<1>,
    outputs: usize,
}

/// Inputs one after the other.
pub struct Batch {
    /// Of each token its id, type, position and nothing, [rows, 4]; the last rows are nobody's.
    tokens: Tensor<2, Int>,
    /// Of each token where its text begins and how long it is, [rows, 2].
    spans: Tensor<2, Int>,
    /// The same of each text, [texts, 2], and some texts of nobody's.
    texts: Tensor<2, Int>,
    count: usize,
}

/// Results of a batch, still on the device.
pub struct Rows {
    values: Tensor<2>,
    /// How many rows, and numbers in each, are somebody's.
    used: [usize; 2],
}

impl Parts for Gpu {
    type Linear = Linear;
    type Norm = Norm;
    type Table = Tensor<2>;
    type FirstProjections = ();

    fn linear(&self, weights: &Weights<'_>, names: &[String], inputs: usize, outputs: usize) -> Result<Linear> {
        let all = names.len() * outputs;
        let columns = all.next_multiple_of(COLUMNS);
        let (matrix, bias) = weights.linear(names, inputs, outputs, columns)?;
        Ok(Linear {
            weight: self.matrix(matrix, columns),
            bias: self.vector(bias),
            outputs: all,
        })
    }

    fn norm(&self, weights: &Weights<'_>, name: &str, size: usize, epsilon: f64) -> Result<Norm> {
        Ok(Norm {
            gamma: self.vector(weights.vector(&format!("{name}.weight"), size)?),
            beta: self.vector(weights.vector(&format!("{name}.bias"), size)?),
            epsilon: epsilon as f32,
        })
    }

    fn table(&self, values: Vec<f32>, columns: usize) -> Tensor<2> {
        self.matrix(values, columns)
    }
}

impl Arithmetic for Gpu {
    type Batch = Batch;
    type States = Tensor<2>;
    type Rows = Rows;

    /// In the order given: nothing is padded, so there is nothing to sort for.
    fn plan(&self, lengths: &[usize]) -> Vec<Vec<usize>> {
        fill(lengths, TOKEN_BUDGET)
    }

    /// Reading waits for the device, so it gets several at a time.
    fn batches_at_once(&self) -> usize {
        4
    }

    fn batch(&self, inputs: &[&Tokenized]) -> Batch {
        let multiple = self.workgroup.row_multiple();
        let (mut tokens, mut spans, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        for input in inputs {
            let span = [tokens.len() as i32, input.ids.len() as i32];
            texts.push(span);
            let ids = input.ids.iter().zip(&input.type_ids).zip(0..);
            tokens.extend(ids.map(|((&id, &type_id), position)| [id as i32, type_id as i32, position, 0]));
            spans.resize(tokens.len(), span);
        }
        // Rows up to a whole group's are texts of one token each.
        let rows = tokens.len().max(1).next_multiple_of(multiple);
        spans.extend((tokens.len()..rows).map(|row| [row as i32, 1]));
        tokens.resize(rows, [0; 4]);
        texts.resize(inputs.len().max(1).next_multiple_of(multiple), [0, 1]);
        Batch {
            tokens: self.integers(tokens),
            spans: self.integers(spans),
            texts: self.integers(texts),
            count: inputs.len(),
        }
    }

    fn embed(&self, embeddings: &Embeddings<Self>, batch: &Batch) -> Tensor<2> {
        let Embeddings {
            words,
            positions,
            types,
            norm,
            first_projections: (),
        } = embeddings;
        gpu::embed(&batch.tokens, [words, types, positions], norm)
    }

    fn layer(&self, layer: &Layer<Self>, heads: usize, states: Tensor<2>, batch: &Batch) -> Tensor<2> {
        let linear = |layer: &Linear, input: &Tensor<2>, activation| {
            gpu::linear(input, &layer.weight, &layer.bias, activation, self.workgroup)
        };
        let projections = linear(&layer.projections, &states, Activation::None);
        let attended = gpu::attend(&projections, &batch.spans, heads, self.workgroup);
        let added = linear(&layer.attention_output, &attended, Activation::None);
        let states = gpu::add_and_normalize(&states, &added, &layer.attention_norm);
        let wide = linear(&layer.intermediate, &states, Activation::Gelu);
        let added = linear(&layer.output, &wide, Activation::None);
        gpu::add_and_normalize(&states, &added, &layer.output_norm)
    }

    fn finish(&self, head: &Head<Self>, states: Tensor<2>, batch: &Batch) -> Rows {
        let (values, columns) = match head {
            Head::Pool { pooling, normalize } => {
                let pooled = match pooling {
                    Pooling::Mean => Pooled::Mean,
                    Pooling::Cls => Pooled::First,
                };
                let hidden = states.dims()[1];
                (gpu::pool(&states, &batch.texts, pooled, *normalize), hidden)
            }
            Head::Classify { pooler, classifier } => {
                let first = gpu::pool(&states, &batch.texts, Pooled::First, false);
                let linear = |layer: &Linear, input: &Tensor<2>, activation| {
                    gpu::linear(input, &layer.weight, &layer.bias, activation, self.workgroup)
                };
                let pooled = linear(pooler, &first, Activation::Tanh);
                (linear(classifier, &pooled, Activation::None), classifier.outputs)
            }
        };
        Rows {
            values,
            used: [batch.count, columns],
        }
    }

    async fn read(&self, rows: Vec<Rows>) -> Result<Vec<Vec<f32>>> {
        let used: Vec<[usize; 2]> = rows.iter().map(|rows| rows.used).collect();
        let widths: Vec<usize> = rows.iter().map(|rows| rows.values.dims()[1]).collect();
        let reads = rows.into_iter().map(|rows| rows.values);
        let reads = reads.fold(Transaction::default(), Transaction::register);
        let all = self.device.read(reads).await?;
        let strip = |((values, [count, columns]), width): ((Vec<f32>, [usize; 2]), usize)| {
            let rows = values.chunks_exact(width).take(count);
            rows.flat_map(|row| &row[..columns]).copied().collect()
        };
        Ok(all.into_iter().zip(used).zip(widths).map(strip).collect())
    }
}
