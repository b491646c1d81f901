//! A trainable encoder on the CPU's own kernels: the gradients of a BERT's formulas, written out.
//!
//! Nothing is padded. Texts go through in pieces of a few, layer by layer; natively pieces share the processors, in a page
//! other threads take some (`shared`). What a piece's gradients are does not depend on the other pieces, and they are added
//! up in one order, so that a training has the same bytes whatever the number of processors or threads.

use burn::tensor::{Tensor, TensorData, Transaction};

use super::layer::Frozen;
use super::lesson::ChangeValues;
use super::low_rank::LowRank;
use crate::device::Device;
use crate::error::Result;
use crate::job::Job;
use crate::model::bert::Bert;
use crate::model::config::{BertConfig, Pooling};
use crate::model::files::ModelFiles;
use crate::model::on_cpu::{Batch, mean};
use crate::model::weights::Weights;

/// The frozen weights.
pub struct OnCpu {
    pub bert: Bert<Frozen>,
    pooling: Pooling,
    device: Device,
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

    /// Numbers of a vector.
    pub fn dims(&self) -> usize {
        self.bert.embeddings.norm.gamma.len()
    }

    /// The changes, read back from the device.
    pub async fn values(&self, changes: &[LowRank]) -> Result<Vec<ChangeValues>> {
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

    /// The numbers of a matrix.
    pub async fn read(&self, matrix: Tensor<2>) -> Result<Vec<f32>> {
        Ok(self
            .device
            .read(Transaction::default().register(matrix))
            .await?
            .concat())
    }

    /// A matrix of so many columns, on the device without gradients.
    pub fn tensor(&self, values: Vec<f32>, columns: usize) -> Tensor<2> {
        let rows = values.len() / columns;
        Tensor::from_data(TensorData::new(values, [rows, columns]), self.device.tensors())
    }

    /// The last layer's states of a piece, pooled.
    pub fn pool(&self, states: &[f32], batch: &Batch) -> Vec<f32> {
        let hidden = self.dims();
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

    /// The gradient of the last layer's states of a piece, from that of its texts' vectors of length 1; `pooled` are those
    /// before they were scaled.
    pub fn unpool(&self, pooled: &[f32], batch: &Batch, of_vectors: &[f32]) -> Vec<f32> {
        let hidden = self.dims();
        let mut of_states = vec![0.0; batch.ids.len() * hidden];
        let rows = pooled.chunks_exact(hidden).zip(of_vectors.chunks_exact(hidden));
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
