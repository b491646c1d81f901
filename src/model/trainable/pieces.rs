//! Texts that go through a changed encoder in pieces of a few, forward and back.

use std::ops::Range;

use super::layer::{LayerChanges, LayerTrace, backward, forward};
use super::lesson::ChangeValues;
use super::linear::{Change, ChangeGradient};
use super::on_cpu::OnCpu;
use crate::error::Result;
use crate::job::Job;
use crate::model::arithmetic::fill;
use crate::model::on_cpu::{Batch, embed, in_parallel, normalize_row, processors};
use crate::model::tokenizer::Tokenized;

/// Tokens of a piece: enough for the kernels, few enough that batches of short texts have a piece for every processor.
const PIECE_TOKENS: usize = 128;

/// Pieces that a processor does between two looks at whether the job is cancelled: in a page some hundredths of a second
/// each.
const PIECES_IN_A_ROW: usize = 4;

/// Texts that go through together, and their numbers.
pub struct Piece {
    pub texts: Range<usize>,
    pub batch: Batch,
}

/// What a piece leaves behind.
pub struct PieceTrace {
    pub piece: Piece,
    layers: Vec<LayerTrace>,
    /// Its texts' vectors before they were scaled to length 1.
    pub pooled: Vec<f32>,
}

/// A step's changes, packed: of each layer.
pub struct Packed {
    layers: Vec<LayerChanges>,
    /// How many changes there are in all.
    count: usize,
}

/// An encoder with a step's changes.
pub struct Changed<'e> {
    pub encoder: &'e OnCpu,
    pub packed: Packed,
}

impl Packed {
    /// The changes of an encoder with so many layers.
    fn new(changes: &[ChangeValues], layers: usize) -> Self {
        let mut packed: Vec<LayerChanges> = (0..layers).map(|_| LayerChanges::default()).collect();
        for (number, change) in changes.iter().enumerate() {
            for (index, layer) in packed.iter_mut().enumerate() {
                let Some(part) = change.module.strip_prefix(&format!("encoder.layer.{index}.")) else {
                    continue;
                };
                let (of_layer, part) = match part {
                    "attention.self.query" => (&mut layer.projections, 0),
                    "attention.self.key" => (&mut layer.projections, 1),
                    "attention.self.value" => (&mut layer.projections, 2),
                    "attention.output.dense" => (&mut layer.attention_output, 0),
                    "intermediate.dense" => (&mut layer.intermediate, 0),
                    "output.dense" => (&mut layer.output, 0),
                    _ => continue,
                };
                of_layer.push(Change::pack(
                    number,
                    part,
                    change.rank,
                    change.factor,
                    &change.a,
                    &change.b,
                ));
            }
        }
        Self {
            layers: packed,
            count: changes.len(),
        }
    }
}

impl<'e> Changed<'e> {
    /// The encoder with these changes.
    pub fn new(encoder: &'e OnCpu, changes: &[ChangeValues]) -> Self {
        let packed = Packed::new(changes, encoder.bert.layers.len());
        Self { encoder, packed }
    }

    /// The vectors of pieces that have gone forward, scaled to length 1.
    pub fn vectors(&self, pieces: &[PieceTrace]) -> Vec<f32> {
        let mut vectors: Vec<f32> = pieces.iter().flat_map(|piece| &piece.pooled).copied().collect();
        vectors.chunks_exact_mut(self.encoder.dims()).for_each(normalize_row);
        vectors
    }

    /// Sends some pieces through the layers; `keep` keeps what gradients need.
    pub async fn send(
        &self,
        texts: &[Tokenized],
        pieces: &[Range<usize>],
        keep: bool,
        job: &Job<'_>,
    ) -> Result<Vec<PieceTrace>> {
        let OnCpu { bert, .. } = self.encoder;
        let pieces = pieces.iter().map(|piece| {
            let inputs: Vec<&Tokenized> = texts[piece.clone()].iter().collect();
            let (texts, batch) = (piece.clone(), Batch::new(&inputs));
            Piece { texts, batch }
        });
        let pieces: Vec<Piece> = pieces.collect();
        let mut states: Vec<Vec<f32>> = pieces
            .iter()
            .map(|piece| embed(&bert.embeddings, &piece.batch))
            .collect();
        let mut layers: Vec<Vec<LayerTrace>> = pieces.iter().map(|_| Vec::new()).collect();
        for (layer, changes) in bert.layers.iter().zip(&self.packed.layers) {
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

    /// The gradients of the changes that each of some pieces leads to, one piece after the other as [`Sums::into_numbers`]
    /// has them.
    pub async fn gradients_of_each(
        &self,
        pieces: Vec<PieceTrace>,
        of_vectors: &[f32],
        job: &Job<'_>,
    ) -> Result<Vec<f32>> {
        let mut all = Vec::new();
        for piece in pieces {
            let mut sums = self.sums();
            self.follow_back(vec![piece], of_vectors, &mut sums, job).await?;
            all.extend(sums.into_numbers());
        }
        Ok(all)
    }

    /// Of no piece yet.
    pub fn sums(&self) -> Sums {
        Sums((0..self.packed.count).map(|_| None).collect())
    }

    /// Adds the gradients that come from some pieces.
    pub async fn follow_back(
        &self,
        mut pieces: Vec<PieceTrace>,
        of_vectors: &[f32],
        sums: &mut Sums,
        job: &Job<'_>,
    ) -> Result<()> {
        let OnCpu { bert, .. } = self.encoder;
        let hidden = self.encoder.dims();
        let mut of_states: Vec<Vec<f32>> = pieces
            .iter()
            .map(|trace| {
                let Range { start, end } = trace.piece.texts;
                self.encoder.unpool(
                    &trace.pooled,
                    &trace.piece.batch,
                    &of_vectors[start * hidden..end * hidden],
                )
            })
            .collect();
        // Below the lowest change nothing is trained.
        let lowest = self
            .packed
            .layers
            .iter()
            .position(LayerChanges::is_any)
            .unwrap_or(self.packed.layers.len());
        for (number, (layer, changes)) in bert
            .layers
            .iter()
            .zip(&self.packed.layers)
            .enumerate()
            .skip(lowest)
            .rev()
        {
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
            of_changes.into_iter().flatten().for_each(|gradient| sums.add(gradient));
            of_states = next;
        }
        Ok(())
    }
}

/// The gradients of all changes, from as many pieces as have been followed back.
pub struct Sums(Vec<Option<ChangeGradient>>);

impl Sums {
    fn add(&mut self, gradient: ChangeGradient) {
        match &mut self.0[gradient.number] {
            Some(sum) => sum.add(&gradient),
            none => *none = Some(gradient),
        }
    }

    /// One change after the other: of A [rank, in], of B turned, [rank, out].
    pub fn into_numbers(self) -> Vec<f32> {
        let sums = self.0.into_iter().flatten();
        sums.flat_map(|ChangeGradient { a, turned_b, .. }| [a, turned_b])
            .flatten()
            .collect()
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

/// The pieces of texts, in groups that are in memory together: of at most `tokens` tokens.
pub fn grouped_pieces(texts: &[Tokenized], tokens: usize) -> impl Iterator<Item = Vec<Range<usize>>> {
    ranges(texts, tokens).into_iter().map(|group| {
        let pieces = ranges(&texts[group.clone()], PIECE_TOKENS).into_iter();
        let place = |piece: Range<usize>| group.start + piece.start..group.start + piece.end;
        pieces.map(place).collect()
    })
}

/// Texts one after the other, as many together as have so many tokens.
fn ranges(texts: &[Tokenized], tokens: usize) -> Vec<Range<usize>> {
    let lengths: Vec<usize> = texts.iter().map(|text| text.ids.len()).collect();
    let groups = fill(&lengths, tokens).into_iter();
    groups.map(|group| group[0]..group[group.len() - 1] + 1).collect()
}
