//! A BERT on the CPU's own kernels, without padding: the tokens of all inputs are stacked, only attention sees texts.

mod batch;
mod first_projections;
mod table;
mod wide_inputs;

use std::cell::RefCell;
use std::ops::Range;

pub use self::batch::Batch;
use self::first_projections::FirstProjections;
pub use self::table::Table;
pub use self::wide_inputs::LargestInputs;
use super::arithmetic::{Arithmetic, fill};
use super::config::Pooling;
use super::parts::{Embeddings, Head, Layer, Parts};
use super::tokenizer::Tokenized;
use super::weights::Weights;
use crate::cpu::Activation;
use crate::cpu::attention::{AttentionScratch, attend};
use crate::cpu::fp32::Fp32Matrix;
use crate::cpu::int8::{self, Int8Matrix, Int8Scratch};
use crate::cpu::int16::attention::{Int16AttentionScratch, attend_int16};
use crate::cpu::int16::{Int16Matrix, Int16Scratch};
use crate::cpu::processor::Instructions;
use crate::cpu::rows::LayerNorm;
use crate::device::Dtype;
use crate::error::Result;

/// How many tokens go through the model at once. A layer over this many takes well under 200 ms, the time in which a
/// cancelled job has to stop; larger batches are no faster.
const TOKEN_BUDGET: usize = 512;

/// The CPU, with numbers of one kind.
pub struct Cpu {
    dtype: Dtype,
    /// Of the layers with fewest bits: to be noted in fp32, to be made use of in int8.
    largest_inputs: Option<LargestInputs>,
}

impl Cpu {
    /// For models whose weights are of that kind.
    pub fn new(dtype: Dtype) -> Self {
        Self {
            dtype,
            largest_inputs: None,
        }
    }

    /// In fp32, and noting the largest inputs of its layers.
    pub fn noting(largest_inputs: &LargestInputs) -> Self {
        Self {
            dtype: Dtype::Fp32,
            largest_inputs: Some(largest_inputs.clone()),
        }
    }

    /// In 8-bit integers, with what was noted in fp32.
    pub fn in_8_bits(largest_inputs: LargestInputs) -> Self {
        Self {
            dtype: Dtype::Int8,
            largest_inputs: Some(largest_inputs),
        }
    }
}

/// `y = x Wᵀ + b`.
pub struct Linear {
    weights: Packed,
    bias: Vec<f32>,
    /// Where its inputs are noted, and by which name.
    noted: Option<(LargestInputs, String)>,
}

enum Packed {
    Fp32(Fp32Matrix),
    Int16(Int16Matrix),
    Int8(Int8Matrix),
}

impl Linear {
    /// Loads and packs layers, their outputs side by side: see [`Parts::linear`].
    fn load(
        weights: &Weights<'_>,
        names: &[String],
        inputs: usize,
        outputs: usize,
        dtype: Dtype,
        wide: &[u32],
    ) -> Result<Self> {
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
        let weights = match (dtype, int8::kernel()) {
            (Dtype::Fp32, _) => Packed::Fp32(Fp32Matrix::pack(&matrix, outputs, inputs)),
            (Dtype::Int16, _) => Packed::Int16(Int16Matrix::pack(&matrix, outputs, inputs, steps.as_deref())?),
            (Dtype::Int8, Some(kernel)) => Packed::Int8(Int8Matrix::pack(&matrix, &bias, inputs, wide, kernel)?),
            (Dtype::Int8, None) => Packed::Int16(Int16Matrix::pack_coarsely(&matrix, outputs, inputs, wide)?),
        };
        Ok(Self {
            weights,
            bias,
            noted: None,
        })
    }

    /// [n, in] to [n, out], into `out`, which is made as long as it has to be.
    fn forward(&self, rows: &[f32], count: usize, activation: Activation, out: &mut Vec<f32>, scratch: &mut Products) {
        out.resize(count * self.bias.len(), 0.0);
        self.part(rows, 0..self.bias.len(), activation, out, self.bias.len(), scratch);
    }

    /// Some of the outputs, which begin where a part can ([`Instructions::part_columns`]); rows of `out` begin every `stride` numbers.
    fn part(
        &self,
        rows: &[f32],
        columns: Range<usize>,
        activation: Activation,
        out: &mut [f32],
        stride: usize,
        scratch: &mut Products,
    ) {
        match &self.weights {
            Packed::Fp32(matrix) => {
                if let Some((largest_inputs, name)) = &self.noted {
                    largest_inputs.note(name, rows, matrix.inputs());
                }
                matrix.part(rows, Some(&self.bias), activation, columns, out, stride);
            }
            Packed::Int16(matrix) => {
                matrix.part(rows, &self.bias, activation, columns, out, stride, &mut scratch.int16);
            }
            Packed::Int8(matrix) => matrix.part(rows, activation, columns, out, stride, &mut scratch.int8),
        }
    }
}

impl LayerNorm {
    /// Loads `NAME.weight` and `NAME.bias`, `size` numbers each.
    ///
    /// # Errors
    /// As [`Weights::vector`].
    pub fn load(weights: &Weights<'_>, name: &str, size: usize, epsilon: f64) -> Result<Self> {
        Ok(Self {
            gamma: weights.vector(&format!("{name}.weight"), size)?,
            beta: weights.vector(&format!("{name}.bias"), size)?,
            epsilon: epsilon as f32,
        })
    }
}

/// Memory of attention in either kind of numbers.
#[derive(Default)]
struct Attention {
    fp32: AttentionScratch,
    int16: Int16AttentionScratch,
}

impl Attention {
    /// Attends within one text, for the first `queries` tokens; see [`attend`].
    fn attend(&mut self, dtype: Dtype, states: &[f32], length: usize, queries: usize, heads: usize, out: &mut [f32]) {
        match dtype {
            Dtype::Fp32 => attend(states, length, queries, heads, out, &mut self.fp32),
            Dtype::Int16 | Dtype::Int8 => attend_int16(states, length, queries, heads, out, &mut self.int16),
        }
    }
}

/// Memory of products in either kind of integers.
#[derive(Default)]
struct Products {
    int16: Int16Scratch,
    int8: Int8Scratch,
}

/// Memory that every batch of a thread uses again.
#[derive(Default)]
struct Scratch {
    products: Products,
    attention: Attention,
    projections: Vec<f32>,
    attended: Vec<f32>,
    wide: Vec<f32>,
    narrow: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Parts for Cpu {
    type Linear = Linear;
    type Norm = LayerNorm;
    type Table = Table;
    type FirstProjections = FirstProjections;

    fn linear(&self, weights: &Weights<'_>, names: &[String], inputs: usize, outputs: usize) -> Result<Linear> {
        let wide = match (&self.largest_inputs, self.dtype) {
            (Some(largest_inputs), Dtype::Int8) => largest_inputs.wide(&names[0]),
            _ => Vec::new(),
        };
        let mut linear = Linear::load(weights, names, inputs, outputs, self.dtype, &wide)?;
        if self.dtype == Dtype::Fp32 {
            linear.noted = self.largest_inputs.clone().map(|largest| (largest, names[0].clone()));
        }
        Ok(linear)
    }

    fn exact_linear(&self, weights: &Weights<'_>, names: &[String], inputs: usize, outputs: usize) -> Result<Linear> {
        let dtype = match self.dtype {
            Dtype::Fp32 => Dtype::Fp32,
            Dtype::Int16 | Dtype::Int8 => Dtype::Int16,
        };
        Linear::load(weights, names, inputs, outputs, dtype, &[])
    }

    fn norm(&self, weights: &Weights<'_>, name: &str, size: usize, epsilon: f64) -> Result<LayerNorm> {
        LayerNorm::load(weights, name, size, epsilon)
    }

    fn table(&self, values: Vec<f32>, columns: usize) -> Table {
        Table::new(values, columns)
    }
}

impl Arithmetic for Cpu {
    type Batch = Batch;
    type States = Vec<f32>;
    type Rows = Vec<f32>;

    /// In the order given: nothing is padded, so there is nothing to sort for.
    fn plan(&self, lengths: &[usize]) -> Vec<Vec<usize>> {
        fill(lengths, TOKEN_BUDGET)
    }

    fn batches_at_once(&self) -> usize {
        processors()
    }

    fn batch(&self, inputs: &[&Tokenized]) -> Batch {
        Batch::new(inputs)
    }

    fn embed(&self, embeddings: &Embeddings<Self>, batch: &Batch) -> Vec<f32> {
        embed(embeddings, batch)
    }

    fn layer(&self, layer: &Layer<Self>, heads: usize, mut states: Vec<f32>, batch: &Batch) -> Vec<f32> {
        SCRATCH.with_borrow_mut(|scratch| {
            let count = batch.ids.len();
            let projections = &mut scratch.projections;
            layer
                .projections
                .forward(&states, count, Activation::None, projections, &mut scratch.products);
            after_projections(self.dtype, layer, heads, &mut states, batch, scratch);
        });
        states
    }

    /// In integers the queries, keys and values are looked up; in fp32 they stay exact.
    fn first_layer_for_all(
        &self,
        embeddings: &Embeddings<Self>,
        layer: &Layer<Self>,
        heads: usize,
        batches: &[Batch],
    ) -> Vec<Vec<f32>> {
        in_parallel(batches.iter().collect(), |batch| match &layer.projections.weights {
            Packed::Fp32(_) | Packed::Int8(_) => self.layer(layer, heads, self.embed(embeddings, batch), batch),
            Packed::Int16(matrix) => {
                let mut states = add_up(embeddings, batch);
                let factors = embeddings.norm.normalize(&mut states);
                SCRATCH.with_borrow_mut(|scratch| {
                    let Scratch {
                        projections, products, ..
                    } = scratch;
                    let bias = &layer.projections.bias;
                    first_projections::look_up(
                        embeddings,
                        matrix,
                        bias,
                        batch,
                        &factors,
                        projections,
                        &mut products.int16,
                    );
                    after_projections(self.dtype, layer, heads, &mut states, batch, scratch);
                });
                states
            }
        })
    }

    fn layer_for_all(
        &self,
        layer: &Layer<Self>,
        heads: usize,
        states: Vec<Vec<f32>>,
        batches: &[Batch],
    ) -> Vec<Vec<f32>> {
        let items = states.into_iter().zip(batches).collect();
        in_parallel(items, |(states, batch)| self.layer(layer, heads, states, batch))
    }

    /// Keys and values of all tokens, everything else of the first ones: a sixth of a layer.
    fn last_layer_for_all(
        &self,
        layer: &Layer<Self>,
        heads: usize,
        states: Vec<Vec<f32>>,
        batches: &mut [Batch],
    ) -> Vec<Vec<f32>> {
        let items = states.into_iter().zip(&mut *batches).collect();
        in_parallel(items, |(states, batch)| {
            last_layer(self.dtype, layer, heads, states, batch)
        })
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

/// Words, positions and types of a batch's tokens added and normalised.
pub fn embed<P: Parts<Table = Table, Norm = LayerNorm>>(embeddings: &Embeddings<P>, batch: &Batch) -> Vec<f32> {
    let mut states = add_up(embeddings, batch);
    embeddings.norm.normalize(&mut states);
    states
}

/// Words, positions and types of a batch's tokens added.
fn add_up<P: Parts<Table = Table>>(embeddings: &Embeddings<P>, batch: &Batch) -> Vec<f32> {
    let hidden = embeddings.words.columns;
    let mut states = Vec::with_capacity(batch.ids.len() * hidden);
    for (id, type_id, position) in batch.ids_and_places() {
        let (word, kind) = (
            embeddings.words.row(id as usize),
            embeddings.types.row(type_id as usize),
        );
        let parts = word.iter().zip(kind).zip(embeddings.positions.row(position));
        states.extend(parts.map(|((word, kind), position)| word + kind + position));
    }
    states
}

/// How many processors [`in_parallel`] uses.
pub fn processors() -> usize {
    #[cfg(target_arch = "wasm32")]
    return 1;
    #[cfg(not(target_arch = "wasm32"))]
    rayon::current_num_threads()
}

/// Work on items that have nothing to do with each other, in their order; natively on all processors.
pub fn in_parallel<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync + Send) -> Vec<R> {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        items.into_par_iter().map(work).collect()
    }
    #[cfg(target_arch = "wasm32")]
    items.into_iter().map(work).collect()
}

/// A layer from its queries, keys and values on, which are in `scratch`; `states` are those before it, [n, hidden].
fn after_projections(
    dtype: Dtype,
    layer: &Layer<Cpu>,
    heads: usize,
    states: &mut [f32],
    batch: &Batch,
    scratch: &mut Scratch,
) {
    let hidden = states.len() / batch.ids.len().max(1);
    scratch.attended.resize(states.len(), 0.0);
    for Range { start, end } in batch.tokens() {
        let projections = &scratch.projections[start * 3 * hidden..end * 3 * hidden];
        let attended = &mut scratch.attended[start * hidden..end * hidden];
        let length = end - start;
        scratch
            .attention
            .attend(dtype, projections, length, length, heads, attended);
    }
    after_attention(layer, states, scratch);
}

/// What follows attention, row by row; `states` are those before it, [n, hidden].
fn after_attention(layer: &Layer<Cpu>, states: &mut [f32], scratch: &mut Scratch) {
    let Scratch {
        products,
        attended,
        wide,
        narrow,
        ..
    } = scratch;
    let count = states.len() / layer.attention_norm.gamma.len();
    layer
        .attention_output
        .forward(attended, count, Activation::None, narrow, products);
    layer.attention_norm.add_and_normalize(states, narrow);
    layer
        .intermediate
        .forward(states, count, Activation::Gelu, wide, products);
    layer.output.forward(wide, count, Activation::None, narrow, products);
    layer.output_norm.add_and_normalize(states, narrow);
}

/// The last layer's states of the inputs' first tokens, which are then the only ones of `batch`.
fn last_layer(dtype: Dtype, layer: &Layer<Cpu>, heads: usize, states: Vec<f32>, batch: &mut Batch) -> Vec<f32> {
    let (count, texts) = (batch.ids.len(), batch.lengths.len());
    let hidden = states.len() / count.max(1);
    let starts: Vec<usize> = batch.tokens().map(|tokens| tokens.start).collect();
    let mut first: Vec<f32> = starts
        .iter()
        .flat_map(|start| &states[start * hidden..][..hidden])
        .copied()
        .collect();
    SCRATCH.with_borrow_mut(|scratch| {
        let width = 3 * hidden;
        scratch.projections.resize(count * width, 0.0);
        // Queries have a third of the outputs; where no part can begin there, those of all tokens are computed.
        let cut = if hidden.is_multiple_of(Instructions::detect().part_columns()) {
            hidden
        } else {
            0
        };
        let to = &mut scratch.projections[cut..];
        let (projections, products) = (&layer.projections, &mut scratch.products);
        projections.part(&states, cut..width, Activation::None, to, width, products);
        if cut > 0 {
            scratch.narrow.resize(texts * hidden, 0.0);
            projections.part(
                &first,
                0..hidden,
                Activation::None,
                &mut scratch.narrow,
                hidden,
                products,
            );
            for (start, query) in starts.iter().zip(scratch.narrow.chunks_exact(hidden)) {
                scratch.projections[start * width..][..hidden].copy_from_slice(query);
            }
        }
        scratch.attended.resize(texts * hidden, 0.0);
        let attended = scratch.attended.chunks_exact_mut(hidden);
        for ((start, &length), attended) in starts.iter().zip(&batch.lengths).zip(attended) {
            let projections = &scratch.projections[start * width..][..length * width];
            scratch.attention.attend(dtype, projections, length, 1, heads, attended);
        }
        after_attention(layer, &mut first, scratch);
    });
    batch.ids = starts.iter().map(|&start| batch.ids[start]).collect();
    batch.type_ids = starts.iter().map(|&start| batch.type_ids[start]).collect();
    batch.lengths = vec![1; texts];
    first
}

/// The mean of a text's tokens, in `row`, which is zero.
pub fn mean(text: &[f32], row: &mut [f32]) {
    let hidden = row.len();
    for token in text.chunks_exact(hidden) {
        crate::cpu::rows::add(row, token);
    }
    let length = (text.len() / hidden) as f32;
    row.iter_mut().for_each(|value| *value /= length);
}

/// Scales a row to length 1; the epsilon is that of `torch.nn.functional.normalize`.
pub fn normalize_row(row: &mut [f32]) {
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

    /// Random numbers around 0.
    pub fn numbers(count: usize, random: &mut fastrand::Rng) -> Vec<f32> {
        (0..count).map(|_| random.f32() - 0.5).collect()
    }

    fn linear(dtype: Dtype, inputs: usize, outputs: usize, random: &mut fastrand::Rng) -> Linear {
        let (weights, bias) = (numbers(inputs * outputs, random), numbers(outputs, random));
        let weights = match dtype {
            Dtype::Fp32 => Packed::Fp32(Fp32Matrix::pack(&weights, outputs, inputs)),
            Dtype::Int16 => Packed::Int16(Int16Matrix::pack(&weights, outputs, inputs, None).expect("packed")),
            Dtype::Int8 => {
                let (wide, kernel) = ([0, 1], int8::Kernel::scalar());
                Packed::Int8(Int8Matrix::pack(&weights, &bias, inputs, &wide, kernel).expect("packed"))
            }
        };
        Linear {
            weights,
            bias,
            noted: None,
        }
    }

    /// A layer of random weights.
    pub fn layer(dtype: Dtype, hidden: usize, random: &mut fastrand::Rng) -> Layer<Cpu> {
        let mut linear = |inputs, outputs| linear(dtype, inputs, outputs, random);
        let norm = || LayerNorm {
            gamma: vec![1.5; hidden],
            beta: vec![0.25; hidden],
            epsilon: 1e-12,
        };
        Layer {
            projections: linear(hidden, 3 * hidden),
            attention_output: linear(hidden, hidden),
            attention_norm: norm(),
            intermediate: linear(hidden, 4 * hidden),
            output: linear(4 * hidden, hidden),
            output_norm: norm(),
        }
    }

    #[test]
    fn the_last_layer_of_first_tokens_is_the_whole_layers_first_rows() {
        let mut random = fastrand::Rng::with_seed(5);
        // Widths that end with a panel, and others.
        for (dtype, hidden) in [Dtype::Fp32, Dtype::Int16, Dtype::Int8]
            .into_iter()
            .flat_map(|dtype| [64, 40, 12].map(|hidden| (dtype, hidden)))
        {
            let layer = layer(dtype, hidden, &mut random);
            let lengths = vec![1, 7, 3, 70, 2];
            let count: usize = lengths.iter().sum();
            let mut batch = Batch {
                ids: (0..count as u32).collect(),
                type_ids: vec![0; count],
                lengths: lengths.clone(),
            };
            let states = numbers(count * hidden, &mut random);
            let all = Cpu::new(dtype).layer(&layer, 4, states.clone(), &batch);
            let first = last_layer(dtype, &layer, 4, states, &mut batch);
            let starts = [0, 1, 8, 11, 81];
            assert_eq!(batch.ids, starts);
            assert_eq!(batch.lengths, [1; 5]);
            for (start, found) in starts.iter().zip(first.chunks_exact(hidden)) {
                let expected = &all[*start as usize * hidden..][..hidden];
                let distance = found
                    .iter()
                    .zip(expected)
                    .map(|(a, b)| (a - b).abs())
                    .fold(0.0, f32::max);
                assert!(
                    distance <= 2e-6,
                    "{dtype:?}, hidden {hidden}, token {start}: {distance:e}"
                );
            }
        }
    }
}
