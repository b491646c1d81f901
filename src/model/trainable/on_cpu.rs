//! A trainable encoder on the CPU's own kernels: the gradients of a BERT's formulas, written out.
//!
//! Nothing is padded. Texts go through in pieces of a few, layer by layer; natively pieces share the processors, in a page
//! other threads take some (`shared`). What a piece's gradients are does not depend on the other pieces, and they are added
//! up in one order, so that a training has the same bytes whatever the number of processors or threads.

use std::ops::Range;

use burn::tensor::{Tensor, TensorData, Transaction};

use super::LowRank;
use super::layer::Frozen;
use super::lesson::ChangeValues;
use super::linear::turn;
use super::pieces::{Changed, Packed, PieceTrace, grouped_pieces};
use super::shared::{self, Held};
use crate::device::Device;
use crate::error::Result;
use crate::job::Job;
use crate::model::bert::Bert;
use crate::model::config::{BertConfig, Pooling};
use crate::model::files::ModelFiles;
use crate::model::on_cpu::{Batch, mean, normalize_row};
use crate::model::tokenizer::Tokenized;
use crate::model::weights::Weights;

/// The frozen weights.
pub struct OnCpu {
    pub(super) bert: Bert<Frozen>,
    pooling: Pooling,
    device: Device,
}

/// Texts that have gone forward.
pub struct Pass<'p> {
    pub(super) changed: Changed<'p>,
    pub(super) changes: Vec<ChangeValues>,
    pub(super) texts: &'p [Tokenized],
    went: Went,
    /// Pieces that have to go through again, some at a time.
    pub(super) others: Vec<Vec<Range<usize>>>,
}

/// Who keeps what the gradients of the first pieces need.
enum Went {
    /// This thread, of all.
    Alone(Vec<PieceTrace>),
    /// Several threads.
    Shared(Held),
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

    pub(super) fn hidden(&self) -> usize {
        self.bert.embeddings.norm.gamma.len()
    }

    pub async fn forward<'p>(
        &'p self,
        texts: &'p [Tokenized],
        changes: &[LowRank],
        tokens: usize,
        job: &Job<'_>,
    ) -> Result<(Pass<'p>, Tensor<2>)> {
        let changes = self.values(changes).await?;
        let mut groups = grouped_pieces(texts, tokens);
        let first = groups.next().unwrap_or_default();
        let mut pass = Pass {
            changed: self.changed(&changes),
            changes,
            texts,
            went: Went::Alone(Vec::new()),
            others: groups.collect(),
        };
        let vectors = if let Some(crew) = shared::learners(job)
            && first.len() > 1
        {
            let (held, vectors) = pass.forward_shared(first, crew, job).await?;
            pass.went = Went::Shared(held);
            vectors
        } else {
            let kept = pass.changed.send(texts, &first, true, job).await?;
            let mut vectors = self.normalized(&kept);
            for pieces in &pass.others {
                vectors.extend(self.normalized(&pass.changed.send(texts, pieces, false, job).await?));
            }
            pass.went = Went::Alone(kept);
            vectors
        };
        let vectors = self.tensor(vectors, self.hidden());
        Ok((pass, vectors))
    }

    /// With a step's changes.
    pub(super) fn changed(&self, changes: &[ChangeValues]) -> Changed<'_> {
        let packed = Packed::new(changes, self.bert.layers.len());
        Changed { encoder: self, packed }
    }

    /// The changes, read back from the device.
    async fn values(&self, changes: &[LowRank]) -> Result<Vec<ChangeValues>> {
        let matrices = changes.iter().flat_map(|change| [&change.a, &change.b]);
        let reads = matrices.fold(Transaction::default(), |reads, matrix| reads.register(matrix.clone()));
        let mut values = self.device.read(reads).await?.into_iter();
        let value = |change: &LowRank| ChangeValues {
            module: change.module.clone(),
            rank: change.a.dims()[0],
            factor: change.factor,
            a: values.next().unwrap_or_default(),
            b: values.next().unwrap_or_default(),
        };
        Ok(changes.iter().map(value).collect())
    }

    /// The vectors of pieces, scaled to length 1.
    pub(super) fn normalized(&self, pieces: &[PieceTrace]) -> Vec<f32> {
        let mut vectors: Vec<f32> = pieces.iter().flat_map(|piece| &piece.pooled).copied().collect();
        vectors.chunks_exact_mut(self.hidden()).for_each(normalize_row);
        vectors
    }

    fn tensor(&self, values: Vec<f32>, columns: usize) -> Tensor<2> {
        let rows = values.len() / columns;
        Tensor::from_data(TensorData::new(values, [rows, columns]), self.device.tensors())
    }

    /// The last layer's states of a piece, pooled.
    pub(super) fn pool(&self, states: &[f32], batch: &Batch) -> Vec<f32> {
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
    pub(super) fn unpool(&self, trace: &PieceTrace, of_vectors: &[f32]) -> Vec<f32> {
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
    pub async fn gradients(mut self, of_vectors: Tensor<2>, job: &Job<'_>) -> Result<Vec<[Tensor<2>; 2]>> {
        let encoder = self.changed.encoder;
        let reads = Transaction::default().register(of_vectors);
        let of_vectors = encoder.device.read(reads).await?.concat();
        let sums = match std::mem::replace(&mut self.went, Went::Alone(Vec::new())) {
            Went::Shared(held) => self.gradients_shared(held, &of_vectors, job).await?,
            Went::Alone(kept) => {
                let mut sums = self.changed.sums();
                self.changed.follow_back(kept, &of_vectors, &mut sums, job).await?;
                for pieces in &self.others {
                    let pieces = self.changed.send(self.texts, pieces, true, job).await?;
                    self.changed.follow_back(pieces, &of_vectors, &mut sums, job).await?;
                }
                sums.into_numbers()
            }
        };
        let mut rest = &sums[..];
        let mut take = |count| rest.split_off(..count).unwrap_or_default().to_vec();
        let tensors = self.changes.iter().map(|ChangeValues { rank, a, b, .. }| {
            let (of_a, turned_b) = (take(a.len()), take(b.len()));
            let of_b = encoder.tensor(turn(&turned_b, b.len() / rank), *rank);
            [encoder.tensor(of_a, a.len() / rank), of_b]
        });
        Ok(tensors.collect())
    }
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
