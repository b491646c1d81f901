//! A trainable encoder on the CPU's own kernels: the gradients of a BERT's formulas, written out.
//!
//! Nothing is padded. Texts go through in pieces of a few, layer by layer; natively pieces share the processors. What a
//! piece's gradients are does not depend on the other pieces, and they are added up in one order, so that a training has
//! the same bytes whatever the number of processors.

use std::ops::Range;

use burn::tensor::{Tensor, TensorData, Transaction};

use super::LowRank;
use super::layer::{Frozen, LayerChanges, LayerTrace, backward, forward};
use super::linear::{Change, ChangeGradient, turn};
use crate::device::Device;
use crate::error::Result;
use crate::job::Job;
use crate::model::arithmetic::fill;
use crate::model::bert::Bert;
use crate::model::config::{BertConfig, Pooling};
use crate::model::files::ModelFiles;
use crate::model::on_cpu::{Batch, embed, in_parallel, mean, normalize_row, processors};
use crate::model::tokenizer::Tokenized;
use crate::model::weights::Weights;

/// Tokens of a piece: enough for the kernels, few enough that batches of short texts have a piece for every processor.
const PIECE_TOKENS: usize = 128;

/// Pieces that a processor does between two looks at whether the job is cancelled: in a page some hundredths of a second
/// each.
const PIECES_IN_A_ROW: usize = 4;

/// The frozen weights.
pub struct OnCpu {
    bert: Bert<Frozen>,
    pooling: Pooling,
    device: Device,
}

/// Texts that go through together, and their numbers.
struct Piece {
    texts: Range<usize>,
    batch: Batch,
}

/// What a piece leaves behind.
struct PieceTrace {
    piece: Piece,
    layers: Vec<LayerTrace>,
    /// Its texts' vectors before they were scaled to length 1.
    pooled: Vec<f32>,
}

/// Texts that have gone forward.
pub struct Pass<'p> {
    encoder: &'p OnCpu,
    texts: &'p [Tokenized],
    /// Of each layer.
    changes: Vec<LayerChanges>,
    /// How many changes there are in all.
    count: usize,
    kept: Vec<PieceTrace>,
    /// Texts that have to go through again, some at a time.
    others: Vec<Range<usize>>,
}

impl OnCpu {
    pub async fn load(
        files: &ModelFiles,
        config: &BertConfig,
        pooling: Pooling,
        device: &Device,
        job: &Job<'_>,
    ) -> Result<Self> {
        Ok(Self {
            bert: Bert::load(config, &Weights::read(files)?, &Frozen, job).await?,
            pooling,
            device: device.clone(),
        })
    }

    fn hidden(&self) -> usize {
        self.bert.embeddings.norm.gamma.len()
    }

    pub async fn forward<'p>(
        &'p self,
        texts: &'p [Tokenized],
        changes: &[LowRank],
        tokens: usize,
        job: &Job<'_>,
    ) -> Result<(Pass<'p>, Tensor<2>)> {
        let mut groups = ranges(texts, tokens).into_iter();
        let mut pass = Pass {
            encoder: self,
            texts,
            changes: self.pack(changes).await?,
            count: changes.len(),
            kept: Vec::new(),
            others: Vec::new(),
        };
        let first = groups.next().unwrap_or(0..0);
        pass.others = groups.collect();
        pass.kept = pass.send(first, true, job).await?;
        let mut vectors: Vec<f32> = self.normalized(&pass.kept);
        for group in &pass.others {
            vectors.extend(self.normalized(&pass.send(group.clone(), false, job).await?));
        }
        let vectors = self.tensor(vectors, self.hidden());
        Ok((pass, vectors))
    }

    /// The changes of every layer, packed.
    async fn pack(&self, changes: &[LowRank]) -> Result<Vec<LayerChanges>> {
        let matrices = changes.iter().flat_map(|change| [&change.a, &change.b]);
        let reads = matrices.fold(Transaction::default(), |reads, matrix| reads.register(matrix.clone()));
        let values = self.device.read(reads).await?;
        let mut packed: Vec<LayerChanges> = self.bert.layers.iter().map(|_| LayerChanges::default()).collect();
        for (number, (change, values)) in changes.iter().zip(values.as_chunks::<2>().0).enumerate() {
            for (index, layer) in packed.iter_mut().enumerate() {
                let Some(part) = change.module.strip_prefix(&format!("encoder.layer.{index}.")) else {
                    continue;
                };
                let (changes, part) = match part {
                    "attention.self.query" => (&mut layer.projections, 0),
                    "attention.self.key" => (&mut layer.projections, 1),
                    "attention.self.value" => (&mut layer.projections, 2),
                    "attention.output.dense" => (&mut layer.attention_output, 0),
                    "intermediate.dense" => (&mut layer.intermediate, 0),
                    "output.dense" => (&mut layer.output, 0),
                    _ => continue,
                };
                let [a, b] = values;
                changes.push(Change::pack(number, part, change.a.dims()[0], change.factor, a, b));
            }
        }
        Ok(packed)
    }

    /// The vectors of pieces, scaled to length 1.
    fn normalized(&self, pieces: &[PieceTrace]) -> Vec<f32> {
        let mut vectors: Vec<f32> = pieces.iter().flat_map(|piece| &piece.pooled).copied().collect();
        vectors.chunks_exact_mut(self.hidden()).for_each(normalize_row);
        vectors
    }

    fn tensor(&self, values: Vec<f32>, columns: usize) -> Tensor<2> {
        let rows = values.len() / columns;
        Tensor::from_data(TensorData::new(values, [rows, columns]), self.device.tensors())
    }

    /// The last layer's states of a piece, pooled.
    fn pool(&self, states: &[f32], batch: &Batch) -> Vec<f32> {
        let hidden = self.hidden();
        let mut pooled = vec![0.0; batch.lengths.len() * hidden];
        for (row, tokens) in pooled.chunks_exact_mut(hidden).zip(batch.tokens()) {
            let text = &states[tokens.start * hidden..tokens.end * hidden];
            match self.pooling {
                Pooling::Cls => row.copy_from_slice(&text[..hidden]),
                Pooling::Mean => mean(text, row),
            }
        }
        pooled
    }

    /// The gradient of the last layer's states of a piece, from that of its texts' vectors.
    fn unpool(&self, trace: &PieceTrace, of_vectors: &[f32]) -> Vec<f32> {
        let (hidden, batch) = (self.hidden(), &trace.piece.batch);
        let mut of_states = vec![0.0; batch.ids.len() * hidden];
        let rows = trace.pooled.chunks_exact(hidden).zip(of_vectors.chunks_exact(hidden));
        for ((pooled, of_vector), tokens) in rows.zip(batch.tokens()) {
            let of_pooled = scaled_gradient(pooled, of_vector);
            let of_text = &mut of_states[tokens.start * hidden..tokens.end * hidden];
            match self.pooling {
                Pooling::Cls => of_text[..hidden].copy_from_slice(&of_pooled),
                Pooling::Mean => {
                    let share = 1.0 / tokens.len() as f32;
                    let of_token: Vec<f32> = of_pooled.iter().map(|value| share * value).collect();
                    of_text
                        .chunks_exact_mut(hidden)
                        .for_each(|token| token.copy_from_slice(&of_token));
                }
            }
        }
        of_states
    }
}

impl Pass<'_> {
    /// Sends some texts through the layers; `keep` keeps what gradients need.
    async fn send(&self, texts: Range<usize>, keep: bool, job: &Job<'_>) -> Result<Vec<PieceTrace>> {
        let OnCpu { bert, .. } = self.encoder;
        let pieces = ranges(&self.texts[texts.clone()], PIECE_TOKENS)
            .into_iter()
            .map(|piece| {
                let texts = texts.start + piece.start..texts.start + piece.end;
                let inputs: Vec<&Tokenized> = self.texts[texts.clone()].iter().collect();
                let batch = Batch::new(&inputs);
                Piece { texts, batch }
            });
        let pieces: Vec<Piece> = pieces.collect();
        let mut states: Vec<Vec<f32>> = pieces
            .iter()
            .map(|piece| embed(&bert.embeddings, &piece.batch))
            .collect();
        let mut layers: Vec<Vec<LayerTrace>> = pieces.iter().map(|_| Vec::new()).collect();
        for (layer, changes) in bert.layers.iter().zip(&self.changes) {
            let work = |(states, piece): (Vec<f32>, &Piece)| {
                let (out, trace) = forward(layer, changes, bert.heads, states, &piece.batch);
                // What nobody needs is given back at once.
                (out, keep.then_some(trace))
            };
            let done = in_turns(states.into_iter().zip(&pieces), work, job).await?;
            let (next, traces): (Vec<_>, Vec<_>) = done.into_iter().unzip();
            for (all, trace) in layers.iter_mut().zip(traces) {
                all.extend(trace);
            }
            states = next;
        }
        let traces = pieces.into_iter().zip(layers).zip(states);
        let trace = |((piece, layers), states): ((Piece, Vec<LayerTrace>), Vec<f32>)| PieceTrace {
            pooled: self.encoder.pool(&states, &piece.batch),
            piece,
            layers,
        };
        Ok(traces.map(trace).collect())
    }

    pub async fn gradients(mut self, of_vectors: Tensor<2>, job: &Job<'_>) -> Result<Vec<[Tensor<2>; 2]>> {
        let reads = Transaction::default().register(of_vectors);
        let of_vectors = self.encoder.device.read(reads).await?.concat();
        let mut sums: Vec<Option<ChangeGradient>> = (0..self.count).map(|_| None).collect();
        let kept = std::mem::take(&mut self.kept);
        self.follow_back(kept, &of_vectors, &mut sums, job).await?;
        for group in std::mem::take(&mut self.others) {
            let pieces = self.send(group, true, job).await?;
            self.follow_back(pieces, &of_vectors, &mut sums, job).await?;
        }
        let tensors = sums
            .into_iter()
            .flatten()
            .map(|ChangeGradient { rank, a, turned_b, .. }| {
                let (inputs, outputs) = (a.len() / rank, turned_b.len() / rank);
                let of_b = self.encoder.tensor(turn(&turned_b, outputs), rank);
                [self.encoder.tensor(a, inputs), of_b]
            });
        Ok(tensors.collect())
    }

    /// Adds the gradients that come from some pieces.
    async fn follow_back(
        &self,
        mut pieces: Vec<PieceTrace>,
        of_vectors: &[f32],
        sums: &mut [Option<ChangeGradient>],
        job: &Job<'_>,
    ) -> Result<()> {
        let OnCpu { bert, .. } = self.encoder;
        let hidden = self.encoder.hidden();
        let mut of_states: Vec<Vec<f32>> = pieces
            .iter()
            .map(|trace| {
                let Range { start, end } = trace.piece.texts;
                self.encoder.unpool(trace, &of_vectors[start * hidden..end * hidden])
            })
            .collect();
        // Below the lowest change nothing is trained.
        let lowest = self
            .changes
            .iter()
            .position(LayerChanges::is_any)
            .unwrap_or(self.changes.len());
        for (number, (layer, changes)) in bert.layers.iter().zip(&self.changes).enumerate().skip(lowest).rev() {
            let items = of_states.into_iter().zip(&mut pieces).map(|(of_states, piece)| {
                let trace = piece.layers.pop().expect("every layer has left a trace");
                (of_states, trace, &piece.piece.batch)
            });
            let work = |(of_out, trace, batch): (Vec<f32>, LayerTrace, &Batch)| {
                let goes_on = number > lowest;
                backward(layer, changes, bert.heads, of_out, &trace, batch, goes_on)
            };
            let done = in_turns(items, work, job).await?;
            let (next, of_changes): (Vec<_>, Vec<_>) = done.into_iter().unzip();
            for gradient in of_changes.into_iter().flatten() {
                match &mut sums[gradient.number] {
                    Some(sum) => sum.add(&gradient),
                    none => *none = Some(gradient),
                }
            }
            of_states = next;
        }
        Ok(())
    }
}

/// Work on items that have nothing to do with each other, in their order; the job is asked after a few of them.
async fn in_turns<T: Send, R: Send>(
    items: impl Iterator<Item = T>,
    work: impl Fn(T) -> R + Send + Sync,
    job: &Job<'_>,
) -> Result<Vec<R>> {
    let (mut items, mut done) = (items, Vec::new());
    loop {
        let some: Vec<T> = items.by_ref().take(PIECES_IN_A_ROW * processors()).collect();
        if some.is_empty() {
            return Ok(done);
        }
        job.breathe().await?;
        done.extend(in_parallel(some, &work));
    }
}

/// Texts one after the other, as many together as have so many tokens.
fn ranges(texts: &[Tokenized], tokens: usize) -> Vec<Range<usize>> {
    let lengths: Vec<usize> = texts.iter().map(|text| text.ids.len()).collect();
    let groups = fill(&lengths, tokens).into_iter();
    groups.map(|group| group[0]..group[group.len() - 1] + 1).collect()
}

/// The gradient of a vector before it was scaled to length 1: `(g - v (v · g)) / length`.
fn scaled_gradient(unscaled: &[f32], gradient: &[f32]) -> Vec<f32> {
    let length = unscaled
        .iter()
        .map(|value| value * value)
        .sum::<f32>()
        .sqrt()
        .max(1e-12);
    let along: f32 = unscaled.iter().zip(gradient).map(|(u, g)| u * g).sum::<f32>() / (length * length);
    let rows = unscaled.iter().zip(gradient);
    rows.map(|(u, g)| (g - u * along) / length).collect()
}
