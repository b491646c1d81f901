//! An encoder whose layers' low-rank changes (LoRA) can be trained: texts go forward, and gradients of their vectors are
//! followed back to the changes.
//!
//! ```text
//! low_rank    a change that is being trained
//! linear      linear layers and their changes on the CPU's kernels, and their gradients
//! layer       a transformer layer of them, forward and back
//! on_cpu      an encoder of those
//! pieces      texts that go through it in pieces, forward and back
//! lesson      a part of a step, as it goes to another thread
//! shared      a step whose pieces several threads share
//! learner     who does such parts there
//! pass        all texts of a step, in this thread or in several
//! on_tensors  on WebGPU: burn keeps track
//! ```

mod layer;
mod learner;
mod lesson;
mod linear;
mod low_rank;
mod on_cpu;
mod on_tensors;
mod pass;
mod pieces;
mod shared;

use burn::tensor::Tensor;

pub use self::learner::Learner;
pub use self::low_rank::LowRank;
use self::on_cpu::OnCpu;
use self::on_tensors::OnTensors;
use super::config::{BertConfig, EncoderConfig};
use super::files::ModelFiles;
use super::sizes::Sizes;
use super::tokenizer::Tokenized;
use crate::device::{Device, DeviceKind};
use crate::error::Result;
use crate::job::Job;

/// The frozen weights of an encoder.
pub struct TrainableEncoder {
    way: Way,
    tensors: burn::tensor::Device,
    sizes: Sizes,
}

enum Way {
    Cpu(Box<OnCpu>),
    Tensors(Box<OnTensors>),
}

/// Texts that have gone forward, and what it takes to follow gradients back.
pub struct Pass<'p> {
    way: PassWay<'p>,
    vectors: Tensor<2>,
}

enum PassWay<'p> {
    Cpu(Box<pass::Pass<'p>>),
    Tensors(Box<on_tensors::Pass<'p>>),
}

impl TrainableEncoder {
    /// Loads a sentence-transformers folder of the BERT family.
    ///
    /// # Errors
    /// As [`super::Encoder::load`].
    pub async fn load(files: &ModelFiles, device: &Device, job: &Job<'_>) -> Result<Self> {
        match device.kind() {
            DeviceKind::WebGpu => Self::load_on_tensors(files, device, job).await,
            DeviceKind::Cpu => {
                let (config, encoder) = configs(files)?;
                let on_cpu = OnCpu::load(files, &config, encoder.pooling, device, job).await?;
                Ok(Self::new(Way::Cpu(Box::new(on_cpu)), &config, device))
            }
        }
    }

    /// As [`TrainableEncoder::load`], with gradients by burn on every device: what the others are held against.
    ///
    /// # Errors
    /// As [`super::Encoder::load`].
    pub async fn load_on_tensors(files: &ModelFiles, device: &Device, job: &Job<'_>) -> Result<Self> {
        let (config, encoder) = configs(files)?;
        let on_tensors = OnTensors::load(files, &config, encoder.pooling, device, job).await?;
        Ok(Self::new(Way::Tensors(Box::new(on_tensors)), &config, device))
    }

    fn new(way: Way, config: &BertConfig, device: &Device) -> Self {
        Self {
            way,
            tensors: device.tensors().clone().autodiff(),
            sizes: Sizes::of(config),
        }
    }

    /// Where the changes' matrices are, and gradients kept track of.
    pub fn device(&self) -> &burn::tensor::Device {
        &self.tensors
    }

    /// Transformer layers.
    pub fn layers(&self) -> usize {
        self.sizes.layers
    }

    /// Inputs and outputs of a linear layer, by its name within a transformer layer.
    pub fn size(&self, part: &str) -> (usize, usize) {
        self.sizes.part(part)
    }

    /// Sends texts through the changed encoder. Of at most `tokens` tokens, padding included, what their gradients need
    /// is kept in memory; other texts go through once more when gradients are followed back (gradient caching, Gao et
    /// al. 2021).
    ///
    /// # Errors
    /// [`crate::Code::Cancelled`], [`crate::Code::DeviceFaulty`]
    pub async fn forward<'p>(
        &'p self,
        texts: &'p [Tokenized],
        changes: &'p [LowRank],
        tokens: usize,
        job: &Job<'_>,
    ) -> Result<Pass<'p>> {
        let (way, vectors) = match &self.way {
            Way::Cpu(encoder) => {
                let (pass, vectors) = pass::Pass::forward(encoder, texts, changes, tokens, job).await?;
                (PassWay::Cpu(Box::new(pass)), vectors)
            }
            Way::Tensors(encoder) => {
                let (pass, vectors) = encoder.forward(texts, changes, tokens, job).await?;
                (PassWay::Tensors(Box::new(pass)), vectors)
            }
        };
        Ok(Pass { way, vectors })
    }
}

impl Pass<'_> {
    /// The texts' vectors, scaled to length 1, [texts, dims], on the device without gradients.
    pub fn vectors(&self) -> Tensor<2> {
        self.vectors.clone()
    }

    /// The gradients of A and B of every change, in their order, from those of the vectors; all are on the device without
    /// gradients.
    ///
    /// # Errors
    /// [`crate::Code::Cancelled`], [`crate::Code::DeviceFaulty`]
    pub async fn gradients(self, of_vectors: Tensor<2>, job: &Job<'_>) -> Result<Vec<[Tensor<2>; 2]>> {
        match self.way {
            PassWay::Cpu(pass) => pass.gradients(of_vectors, job).await,
            PassWay::Tensors(pass) => pass.gradients(of_vectors, job).await,
        }
    }
}

fn configs(files: &ModelFiles) -> Result<(BertConfig, EncoderConfig)> {
    let config = BertConfig::read(files)?;
    let encoder = EncoderConfig::read(files, &config)?;
    Ok((config, encoder))
}
