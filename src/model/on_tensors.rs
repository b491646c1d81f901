//! A BERT in burn's tensors, on WebGPU: for sizes that the GPU's kernels are not made for, and for gradients.

use burn::tensor::{Bool, Int, Tensor, TensorData, Transaction, activation, module, ops::AttentionModuleOptions};

use super::arithmetic::Arithmetic;
use super::config::Pooling;
use super::parts::{Embeddings, Head, Layer, Parts};
use super::tokenizer::Tokenized;
use super::weights::Weights;
use crate::device::Device;
use crate::error::Result;

/// Tokens in a batch, padding included.
const TOKEN_BUDGET: usize = 8192;

/// Lengths that inputs are padded to on a GPU: few, so that buffers of the same sizes come back and are used again.
const LENGTHS: [usize; 11] = [8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512];

/// Burn's tensors on a device.
pub struct Tensors {
    device: Device,
    tensors: burn::tensor::Device,
}

impl Tensors {
    /// For models on that device.
    pub fn new(device: &Device) -> Self {
        Self {
            device: device.clone(),
            tensors: device.tensors().clone(),
        }
    }

    /// For models that gradients shall flow through.
    pub fn with_gradients(device: &Device) -> Self {
        Self {
            device: device.clone(),
            tensors: device.tensors().clone().autodiff(),
        }
    }

    /// Groups of inputs of similar lengths, longest first, each of so many tokens at most, padding included.
    pub fn plan_within(&self, lengths: &[usize], budget: usize) -> Vec<Vec<usize>> {
        let mut order: Vec<usize> = (0..lengths.len()).collect();
        order.sort_by_key(|&index| std::cmp::Reverse(lengths[index]));
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut width = 0;
        for index in order {
            match groups.last_mut() {
                Some(group) if (group.len() + 1) * width <= budget => group.push(index),
                _ => {
                    width = padded_length(lengths[index]);
                    groups.push(vec![index]);
                }
            }
        }
        groups
    }

    fn vector(&self, values: Vec<f32>) -> Tensor<1> {
        let length = values.len();
        Tensor::from_data(TensorData::new(values, [length]), &self.tensors)
    }
}

/// How long inputs are made that go with one of that length.
fn padded_length(length: usize) -> usize {
    LENGTHS.into_iter().find(|&bucket| bucket >= length).unwrap_or(length)
}

/// `y = x Wᵀ + b`, W kept as [in, out] so that the product needs no transposed view.
#[derive(Clone)]
pub struct Linear {
    weight: Tensor<2>,
    bias: Tensor<1>,
    /// What is added to the outputs of each of the layers that lie side by side; empty where nothing is.
    changes: Vec<Option<Change>>,
}

/// A low-rank change of a layer that is being trained: `factor · (x Aᵀ) Bᵀ` is added to its outputs.
#[derive(Clone)]
pub struct Change {
    /// A, [rank, in].
    pub a: Tensor<2>,
    /// B, [out, rank].
    pub b: Tensor<2>,
    /// `alpha / rank`.
    pub factor: f32,
}

impl Linear {
    /// The same weights where gradients are kept track of.
    pub fn traced(&self) -> Self {
        Self {
            weight: Tensor::from_inner(self.weight.clone()),
            bias: Tensor::from_inner(self.bias.clone()),
            changes: Vec::new(),
        }
    }

    /// The same layer with changes for each of its parts.
    pub fn changed(&self, changes: Vec<Option<Change>>) -> Self {
        let any = changes.iter().any(Option::is_some);
        Self {
            changes: if any { changes } else { Vec::new() },
            ..self.clone()
        }
    }

    /// [rows, in] to [rows, out].
    fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        let output = module::linear(input.clone(), self.weight.clone(), Some(self.bias.clone()));
        if self.changes.is_empty() {
            return output;
        }
        let [rows, columns] = output.dims();
        let part = |change: &Option<Change>| match change {
            Some(Change { a, b, factor }) => {
                let narrow = input.clone().matmul(a.clone().transpose());
                narrow.matmul(b.clone().transpose()) * *factor
            }
            None => Tensor::zeros([rows, columns / self.changes.len()], &output.device()),
        };
        output.clone() + Tensor::cat(self.changes.iter().map(part).collect(), 1)
    }
}

/// A layer normalisation.
#[derive(Clone)]
pub struct Norm {
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
}

impl Norm {
    /// The same weights where gradients are kept track of.
    pub fn traced(&self) -> Self {
        Self {
            gamma: Tensor::from_inner(self.gamma.clone()),
            beta: Tensor::from_inner(self.beta.clone()),
            epsilon: self.epsilon,
        }
    }

    fn forward<const D: usize>(&self, states: Tensor<D>) -> Tensor<D> {
        module::layer_norm(states, self.gamma.clone(), Some(self.beta.clone()), self.epsilon)
    }
}

/// Inputs padded to one length.
pub struct Batch {
    /// Token ids, [batch, length].
    ids: Tensor<2, Int>,
    /// Token types, [batch, length].
    type_ids: Tensor<2, Int>,
    /// 1 for a token, 0 for padding, [batch, length, 1].
    mask: Tensor<3>,
    /// True where a key is padding, [batch, 1, 1, length]; absent where nothing is padded.
    padding: Option<Tensor<4, Bool>>,
    size: usize,
    length: usize,
}

impl Parts for Tensors {
    type Linear = Linear;
    type Norm = Norm;
    type Table = Tensor<2>;
    type FirstProjections = ();

    fn linear(&self, weights: &Weights<'_>, names: &[String], inputs: usize, outputs: usize) -> Result<Linear> {
        let columns = names.len() * outputs;
        let (matrix, bias) = weights.linear(names, inputs, outputs, columns)?;
        Ok(Linear {
            weight: Tensor::from_data(TensorData::new(matrix, [inputs, columns]), &self.tensors),
            bias: self.vector(bias),
            changes: Vec::new(),
        })
    }

    fn norm(&self, weights: &Weights<'_>, name: &str, size: usize, epsilon: f64) -> Result<Norm> {
        Ok(Norm {
            gamma: self.vector(weights.vector(&format!("{name}.weight"), size)?),
            beta: self.vector(weights.vector(&format!("{name}.bias"), size)?),
            epsilon,
        })
    }

    fn table(&self, values: Vec<f32>, columns: usize) -> Tensor<2> {
        let rows = values.len() / columns;
        Tensor::from_data(TensorData::new(values, [rows, columns]), &self.tensors)
    }
}

impl Arithmetic for Tensors {
    type Batch = Batch;
    type States = Tensor<2>;
    type Rows = Tensor<2>;

    /// Inputs are taken longest first: the first batch then needs the most memory, and the time left that is estimated
    /// from the first batches is rather too long than too short.
    fn plan(&self, lengths: &[usize]) -> Vec<Vec<usize>> {
        self.plan_within(lengths, TOKEN_BUDGET)
    }

    /// Reading waits for the device, so it gets several at a time.
    fn batches_at_once(&self) -> usize {
        4
    }

    fn batch(&self, inputs: &[&Tokenized]) -> Batch {
        let device = &self.tensors;
        let size = inputs.len();
        let longest = inputs.iter().map(|input| input.ids.len()).max().unwrap_or(1).max(1);
        let length = padded_length(longest);
        let mut ids = vec![0i32; size * length];
        let mut type_ids = vec![0i32; size * length];
        let mut mask = vec![0f32; size * length];
        for (row, input) in inputs.iter().enumerate() {
            let start = row * length;
            for (column, (&id, &type_id)) in input.ids.iter().zip(&input.type_ids).enumerate() {
                ids[start + column] = id as i32;
                type_ids[start + column] = type_id as i32;
                mask[start + column] = 1.0;
            }
        }
        let padded = inputs.iter().any(|input| input.ids.len() < length);
        let padding = padded.then(|| {
            let keys: Vec<bool> = mask.iter().map(|&token| token == 0.0).collect();
            Tensor::from_data(TensorData::new(keys, [size, 1, 1, length]), device)
        });
        Batch {
            ids: Tensor::from_data(TensorData::new(ids, [size, length]), device),
            type_ids: Tensor::from_data(TensorData::new(type_ids, [size, length]), device),
            mask: Tensor::from_data(TensorData::new(mask, [size, length, 1]), device),
            padding,
            size,
            length,
        }
    }

    fn embed(&self, embeddings: &Embeddings<Self>, batch: &Batch) -> Tensor<2> {
        // What is beyond the last position is padding, which nothing looks at.
        let last = embeddings.positions.dims()[0] as i64 - 1;
        let positions = Tensor::<1, Int>::arange(0..batch.length as i64, &batch.ids.device()).clamp_max(last);
        let words = module::embedding(embeddings.words.clone(), batch.ids.clone());
        let types = module::embedding(embeddings.types.clone(), batch.type_ids.clone());
        let positions = embeddings.positions.clone().select(0, positions).unsqueeze::<3>();
        let states: Tensor<3> = embeddings.norm.forward(words + types + positions);
        let [size, length, hidden] = states.dims();
        states.reshape([size * length, hidden])
    }

    fn layer(&self, layer: &Layer<Self>, heads: usize, states: Tensor<2>, batch: &Batch) -> Tensor<2> {
        let attended = attend(layer.projections.forward(states.clone()), heads, batch);
        let states = layer
            .attention_norm
            .forward(states + layer.attention_output.forward(attended));
        let wide = activation::gelu(layer.intermediate.forward(states.clone()));
        layer.output_norm.forward(states + layer.output.forward(wide))
    }

    fn finish(&self, head: &Head<Self>, states: Tensor<2>, batch: &Batch) -> Tensor<2> {
        let [_, hidden] = states.dims();
        let states = states.reshape([batch.size, batch.length, hidden]);
        let first = |states: Tensor<3>| states.slice([0..batch.size, 0..1]).reshape([batch.size, hidden]);
        match head {
            Head::Pool { pooling, normalize } => {
                let pooled = match pooling {
                    Pooling::Cls => first(states),
                    Pooling::Mean => {
                        let sum = (states * batch.mask.clone()).sum_dim(1);
                        (sum / batch.mask.clone().sum_dim(1)).reshape([batch.size, hidden])
                    }
                };
                if *normalize { normalize_rows(pooled) } else { pooled }
            }
            Head::Classify { pooler, classifier } => {
                classifier.forward(activation::tanh(pooler.forward(first(states))))
            }
        }
    }

    async fn read(&self, rows: Vec<Tensor<2>>) -> Result<Vec<Vec<f32>>> {
        let reads = rows.into_iter().fold(Transaction::default(), Transaction::register);
        self.device.read(reads).await
    }
}

/// Attention of every head of every input; `states` is [batch · length, 3 · hidden].
fn attend(states: Tensor<2>, heads: usize, batch: &Batch) -> Tensor<2> {
    let (size, length) = (batch.size, batch.length);
    let hidden = states.dims()[1] / 3;
    let part = |which: usize| {
        let part: Tensor<2> = states
            .clone()
            .slice([0..size * length, which * hidden..(which + 1) * hidden]);
        part.reshape([size, length, heads, hidden / heads]).swap_dims(1, 2)
    };
    let padding = batch
        .padding
        .clone()
        .map(|padding| padding.expand([size, heads, length, length]));
    let options = AttentionModuleOptions::default();
    let attended = module::attention(part(0), part(1), part(2), padding, None, options);
    attended.swap_dims(1, 2).reshape([size * length, hidden])
}

/// Rows scaled to length 1; the epsilon is that of `torch.nn.functional.normalize`.
pub fn normalize_rows(rows: Tensor<2>) -> Tensor<2> {
    let length = rows.clone().powi_scalar(2).sum_dim(1).sqrt().clamp_min(1e-12);
    rows / length
}

/// Some rows, in this order.
pub fn select_rows(rows: &Tensor<2>, numbers: impl IntoIterator<Item = usize>) -> Tensor<2> {
    let numbers: Vec<i32> = numbers.into_iter().map(|number| number as i32).collect();
    let count = numbers.len();
    let numbers = Tensor::<1, Int>::from_data(TensorData::new(numbers, [count]), &rows.device());
    rows.clone().select(0, numbers)
}
