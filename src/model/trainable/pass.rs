//! Texts that have gone forward on the CPU's kernels, and the gradients of the changes from those of their vectors.

use burn::tensor::Tensor;

use super::lesson::ChangeValues;
use super::linear::turn;
use super::low_rank::LowRank;
use super::on_cpu::OnCpu;
use super::pieces::{Changed, PieceTrace, grouped_pieces};
use super::shared::{self, Held, Step};
use crate::error::Result;
use crate::job::Job;
use crate::model::tokenizer::Tokenized;

/// Texts that have gone forward.
pub struct Pass<'p> {
    step: Step<'p>,
    kept: Kept,
}

/// Who keeps what the gradients of the first pieces need.
enum Kept {
    /// This thread, of all.
    Alone(Vec<PieceTrace>),
    /// Several threads.
    Shared(Held),
}

impl<'p> Pass<'p> {
    /// Sends texts through the changed encoder: see [`super::TrainableEncoder::forward`].
    pub async fn forward(
        encoder: &'p OnCpu,
        texts: &'p [Tokenized],
        changes: &[LowRank],
        tokens: usize,
        job: &Job<'_>,
    ) -> Result<(Self, Tensor<2>)> {
        let changes = encoder.values(changes).await?;
        let mut groups = grouped_pieces(texts, tokens);
        let first = groups.next().unwrap_or_default();
        let step = Step {
            changed: Changed::new(encoder, &changes),
            changes,
            texts,
            others: groups.collect(),
        };
        let (kept, vectors) = if let Some(crew) = shared::learners(job)
            && first.len() > 1
        {
            let (held, vectors) = step.forward_shared(first, crew, job).await?;
            (Kept::Shared(held), vectors)
        } else {
            let kept = step.changed.send(texts, &first, true, job).await?;
            let mut vectors = step.changed.vectors(&kept);
            for pieces in &step.others {
                let pieces = step.changed.send(texts, pieces, false, job).await?;
                vectors.extend(step.changed.vectors(&pieces));
            }
            (Kept::Alone(kept), vectors)
        };
        Ok((Self { step, kept }, encoder.tensor(vectors, encoder.dims())))
    }

    /// See [`super::Pass::gradients`].
    pub async fn gradients(self, of_vectors: Tensor<2>, job: &Job<'_>) -> Result<Vec<[Tensor<2>; 2]>> {
        let Step {
            changed,
            changes,
            texts,
            others,
        } = &self.step;
        let encoder = changed.encoder;
        let of_vectors = encoder.read(of_vectors).await?;
        let sums = match self.kept {
            Kept::Shared(held) => self.step.gradients_shared(held, &of_vectors, job).await?,
            Kept::Alone(kept) => {
                let mut sums = changed.sums();
                changed.follow_back(kept, &of_vectors, &mut sums, job).await?;
                for pieces in others {
                    let pieces = changed.send(texts, pieces, true, job).await?;
                    changed.follow_back(pieces, &of_vectors, &mut sums, job).await?;
                }
                sums.into_numbers()
            }
        };
        let mut rest = &sums[..];
        let mut take = |count| rest.split_off(..count).unwrap_or_default().to_vec();
        let tensors = changes.iter().map(|ChangeValues { rank, a, b, .. }| {
            let (of_a, turned_b) = (take(a.len()), take(b.len()));
            let of_b = encoder.tensor(turn(&turned_b, b.len() / rank), *rank);
            [encoder.tensor(of_a, a.len() / rank), of_b]
        });
        Ok(tensors.collect())
    }
}
