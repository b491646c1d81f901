//! A BERT on the CPU's own kernels, without padding: the tokens of all inputs are stacked, only attention sees texts.

use std::cell::RefCell;

use super::arithmetic::Arithmetic;
use super::bert::{Embeddings, Head, Layer};
use super::config::Pooling;
use super::tokenizer::Tokenized;
use super::weights::Weights;
use crate::cpu::Activation;
use crate::cpu::attention::{AttentionScratch, attend};
use crate::cpu::fp32::Fp32Matrix;
use crate::cpu::int16::{Int16Matrix, Int16Scratch};
use crate::cpu::rows::LayerNorm;
use crate::device::Dtype;
use crate::error::Result;

/// How many tokens go through the model at once. A layer over this many takes well under 200 ms, the time in which a
/// cancelled job has to stop; larger batches are no faster.
const TOKEN_BUDGET: usize = 512;

/// The CPU, with numbers of one kind.
pub struct Cpu {
    dtype: Dtype,
}

impl Cpu {
    /// For models whose weights are of that kind.
    pub fn new(dtype: Dtype) -> Self {
        Self { dtype }
    }
}

/// `y = x Wᵀ + b`.
pub struct Linear {
    weights: Packed,
    bias: Vec<f32>,
}

enum Packed {
    Fp32(Fp32Matrix),
    Int16(Int16Matrix),
}

impl Linear {
    /// [n, in] to [n, out], into `out`, which is made as long as it has to be.
    fn forward(
        &self,
        rows: &[f32],
        count: usize,
        activation: Activation,
        out: &mut Vec<f32>,
        scratch: &mut Int16Scratch,
    ) {
        out.resize(count * self.bias.len(), 0.0);
        match &self.weights {
            Packed::Fp32(matrix) => matrix.product(rows, Some(&self.bias), activation, out),
            Packed::Int16(matrix) => matrix.product(rows, &self.bias, activation, out, scratch),
        }
    }
}

/// Rows that are looked up.
pub struct Table {
    values: Vec<f32>,
    columns: usize,
}

impl Table {
    fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.columns..][..self.columns]
    }
}

/// Inputs one after the other.
pub struct Batch {
    ids: Vec<u32>,
    type_ids: Vec<u32>,
    /// Tokens of each input.
    lengths: Vec<usize>,
}

/// Memory that every batch of a thread uses again.
#[derive(Default)]
struct Scratch {
    products: Int16Scratch,
    attention: AttentionScratch,
    projections: Vec<f32>,
    attended: Vec<f32>,
    wide: Vec<f32>,
    narrow: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Arithmetic for Cpu {
    type Linear = Linear;
    type Norm = LayerNorm;
    type Table = Table;
    type Batch = Batch;
    type States = Vec<f32>;
    type Rows = Vec<f32>;

    fn linear(&self, weights: &Weights<'_>, names: &[String], inputs: usize, outputs: usize) -> Result<Linear> {
        let mut matrix = Vec::with_capacity(names.len() * outputs * inputs);
        let mut bias = Vec::with_capacity(names.len() * outputs);
        let mut steps = Some(Vec::with_capacity(names.len() * outputs));
        for name in names {
            let weight = format!("{name}.weight");
            matrix.extend(weights.matrix(&weight, outputs, inputs)?);
            bias.extend(weights.vector(&format!("{name}.bias"), outputs)?);
            steps = steps.zip(weights.steps(&weight)).map(|(mut all, steps)| {
                all.extend(steps);
                all
            });
        }
        let outputs = bias.len();
        let weights = match self.dtype {
            Dtype::Fp32 => Packed::Fp32(Fp32Matrix::pack(&matrix, outputs, inputs)),
            Dtype::Int16 => Packed::Int16(Int16Matrix::pack(&matrix, outputs, inputs, steps.as_deref())?),
        };
        Ok(Linear { weights, bias })
    }

    fn norm(&self, weights: &Weights<'_>, name: &str, size: usize, epsilon: f64) -> Result<LayerNorm> {
        Ok(LayerNorm {
            gamma: weights.vector(&format!("{name}.weight"), size)?,
            beta: weights.vector(&format!("{name}.bias"), size)?,
            epsilon: epsilon as f32,
        })
    }

    fn table(&self, weights: &Weights<'_>, name: &str, rows: usize, columns: usize) -> Result<Table> {
        let values = weights.matrix(&format!("{name}.weight"), rows, columns)?;
        Ok(Table { values, columns })
    }

    /// In the order given: nothing is padded, so there is nothing to sort for.
    fn plan(&self, lengths: &[usize]) -> Vec<Vec<usize>> {
        super::forward::fill(lengths, TOKEN_BUDGET)
    }

    fn batches_at_once(&self) -> usize {
        #[cfg(target_arch = "wasm32")]
        return 1;
        #[cfg(not(target_arch = "wasm32"))]
        rayon::current_num_threads()
    }

    fn batch(&self, inputs: &[&Tokenized]) -> Batch {
        Batch {
            ids: inputs.iter().flat_map(|input| &input.ids).copied().collect(),
            type_ids: inputs.iter().flat_map(|input| &input.type_ids).copied().collect(),
            lengths: inputs.iter().map(|input| input.ids.len()).collect(),
        }
    }

    fn embed(&self, embeddings: &Embeddings<Self>, batch: &Batch) -> Vec<f32> {
        let hidden = embeddings.words.columns;
        let mut states = Vec::with_capacity(batch.ids.len() * hidden);
        let positions = batch.lengths.iter().flat_map(|&length| 0..length);
        for ((&id, &type_id), position) in batch.ids.iter().zip(&batch.type_ids).zip(positions) {
            let (word, kind) = (
                embeddings.words.row(id as usize),
                embeddings.types.row(type_id as usize),
            );
            let parts = word.iter().zip(kind).zip(embeddings.positions.row(position));
            states.extend(parts.map(|((word, kind), position)| word + kind + position));
        }
        embeddings.norm.normalize(&mut states);
        states
    }

    fn layer(&self, layer: &Layer<Self>, heads: usize, mut states: Vec<f32>, batch: &Batch) -> Vec<f32> {
        SCRATCH.with_borrow_mut(|scratch| {
            let Scratch {
                products,
                attention,
                projections,
                attended,
                wide,
                narrow,
            } = scratch;
            let count = batch.ids.len();
            let hidden = states.len() / count.max(1);
            layer
                .projections
                .forward(&states, count, Activation::None, projections, products);
            attended.resize(count * hidden, 0.0);
            let mut start = 0;
            for &length in &batch.lengths {
                let projections = &projections[start * 3 * hidden..(start + length) * 3 * hidden];
                let attended = &mut attended[start * hidden..(start + length) * hidden];
                attend(projections, length, heads, attended, attention);
                start += length;
            }
            layer
                .attention_output
                .forward(attended, count, Activation::None, narrow, products);
            layer.attention_norm.add_and_normalize(&mut states, narrow);
            layer
                .intermediate
                .forward(&states, count, Activation::Gelu, wide, products);
            layer.output.forward(wide, count, Activation::None, narrow, products);
            layer.output_norm.add_and_normalize(&mut states, narrow);
        });
        states
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn layer_for_all(
        &self,
        layer: &Layer<Self>,
        heads: usize,
        states: Vec<Vec<f32>>,
        batches: &[Batch],
    ) -> Vec<Vec<f32>> {
        use rayon::prelude::*;
        let states = states.into_par_iter().zip(batches);
        states
            .map(|(states, batch)| self.layer(layer, heads, states, batch))
            .collect()
    }

    fn finish(&self, head: &Head<Self>, states: Vec<f32>, batch: &Batch) -> Vec<f32> {
        let count = batch.lengths.len();
        let hidden = states.len() / batch.ids.len().max(1);
        let mut rest = &states[..];
        let texts = batch.lengths.iter().map(|length| {
            let (text, others) = rest.split_at(length * hidden);
            rest = others;
            text
        });
        match head {
            Head::Pool { pooling, normalize } => {
                let mut rows = vec![0.0; count * hidden];
                for (row, text) in rows.chunks_exact_mut(hidden).zip(texts) {
                    match pooling {
                        Pooling::Cls => row.copy_from_slice(&text[..hidden]),
                        Pooling::Mean => mean(text, row),
                    }
                    if *normalize {
                        normalize_row(row);
                    }
                }
                rows
            }
            Head::Classify { pooler, classifier } => SCRATCH.with_borrow_mut(|scratch| {
                let first: Vec<f32> = texts.flat_map(|text| &text[..hidden]).copied().collect();
                let (mut pooled, mut logits) = (Vec::new(), Vec::new());
                let products = &mut scratch.products;
                pooler.forward(&first, count, Activation::None, &mut pooled, products);
                pooled.iter_mut().for_each(|value| *value = value.tanh());
                classifier.forward(&pooled, count, Activation::None, &mut logits, products);
                logits
            }),
        }
    }

    async fn read(&self, rows: Vec<Vec<f32>>) -> Result<Vec<Vec<f32>>> {
        Ok(rows)
    }
}

fn mean(text: &[f32], row: &mut [f32]) {
    let hidden = row.len();
    for token in text.chunks_exact(hidden) {
        crate::cpu::rows::add(row, token);
    }
    let length = (text.len() / hidden) as f32;
    row.iter_mut().for_each(|value| *value /= length);
}

/// The epsilon is that of `torch.nn.functional.normalize`.
fn normalize_row(row: &mut [f32]) {
    let length = row.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-12);
    row.iter_mut().for_each(|value| *value /= length);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_is_in_one_batch_and_batches_stay_within_the_budget() {
        let lengths: Vec<usize> = (0..1000).map(|i| 2 + (i * 7919) % 511).collect();
        let batches = Cpu::new(Dtype::Int16).plan(&lengths);
        let seen: Vec<usize> = batches.iter().flatten().copied().collect();
        assert_eq!(seen, (0..1000).collect::<Vec<_>>());
        for batch in batches {
            let tokens: usize = batch.iter().map(|&index| lengths[index]).sum();
            assert!(batch.len() == 1 || tokens <= TOKEN_BUDGET);
        }
    }

    #[test]
    fn no_input_makes_no_batch() {
        assert!(Cpu::new(Dtype::Int16).plan(&[]).is_empty());
    }
}
