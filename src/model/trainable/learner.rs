//! An encoder in a thread that helps another one's training of the same encoder.

use std::cell::RefCell;

use super::lesson::{Lesson, Texts};
use super::on_cpu::OnCpu;
use super::pieces::{Changed, Packed, PieceTrace};
use crate::device::{Device, Dtype};
use crate::error::{Code, Error, Result};
use crate::job::Job;
use crate::model::config::{BertConfig, EncoderConfig};
use crate::model::files::ModelFiles;

/// Does parts of training steps, as the other thread's [`Crew`](crate::job::Crew) asks for them.
pub struct Learner {
    encoder: OnCpu,
    kept: RefCell<Option<Kept>>,
}

/// What the gradients of some texts need.
struct Kept {
    number: u64,
    packed: Packed,
    pieces: Vec<PieceTrace>,
}

impl Learner {
    /// Loads a sentence-transformers folder of the BERT family, on the CPU.
    ///
    /// # Errors
    /// As [`crate::model::Encoder::load`].
    pub async fn load(files: &ModelFiles, job: &Job<'_>) -> Result<Self> {
        let config = BertConfig::read(files)?;
        let pooling = EncoderConfig::read(files, &config)?.pooling;
        // Gradients are followed in f32, whatever the models compute in.
        let device = Device::cpu(Dtype::Fp32);
        Ok(Self {
            encoder: OnCpu::load(files, &config, pooling, &device, job).await?,
            kept: RefCell::new(None),
        })
    }

    /// Does a part of a step: gives the vectors of its texts, [texts, dims], or the gradients of the changes by each piece of
    /// its texts, one after the other.
    ///
    /// # Errors
    /// [`Code::Internal`] if it is no part of a step, or is about texts that are not kept here; [`Code::Cancelled`]
    pub async fn learn(&self, lesson: &[u8], job: &Job<'_>) -> Result<Vec<f32>> {
        match Lesson::read(lesson)? {
            Lesson::Forward(texts) => {
                let (changed, pieces) = self.forward(&texts, false, job).await?;
                Ok(changed.vectors(&pieces))
            }
            Lesson::ForwardAndKeep(texts, number) => {
                self.kept.take();
                let (changed, pieces) = self.forward(&texts, true, job).await?;
                let vectors = changed.vectors(&pieces);
                let Changed { packed, .. } = changed;
                self.kept.replace(Some(Kept { number, packed, pieces }));
                Ok(vectors)
            }
            Lesson::ForwardAndBack(texts, of_vectors) => {
                let (changed, pieces) = self.forward(&texts, true, job).await?;
                changed.gradients_of_each(pieces, &of_vectors, job).await
            }
            Lesson::Back(of_vectors, number) => {
                let kept = self.kept.take().filter(|kept| kept.number == number);
                let Kept { packed, pieces, .. } = kept.ok_or_else(|| {
                    Error::new(
                        Code::Internal,
                        "The texts of a training step are not kept here any more.",
                    )
                })?;
                let changed = Changed {
                    encoder: &self.encoder,
                    packed,
                };
                changed.gradients_of_each(pieces, &of_vectors, job).await
            }
        }
    }

    async fn forward(&self, texts: &Texts, keep: bool, job: &Job<'_>) -> Result<(Changed<'_>, Vec<PieceTrace>)> {
        let changed = Changed::new(&self.encoder, &texts.changes);
        let pieces = changed.send(&texts.texts, &texts.pieces, keep, job).await?;
        Ok((changed, pieces))
    }
}
