//! Many inputs through a model, batch by batch, results back on the host as they come.

use std::ops::{Range, RangeInclusive};

use super::arithmetic::Arithmetic;
use super::bert::Bert;
use super::config::BertConfig;
use super::on_cpu::{Cpu, LargestInputs};
#[cfg(feature = "webgpu")]
use super::on_gpu::Gpu;
use super::on_tensors::Tensors;
use super::parts::Head;
use super::tokenizer::Tokenized;
use super::weights::Weights;
use crate::crew::{Shared, share};
use crate::device::{Device, DeviceKind, Dtype};
use crate::error::{Code, Error, Result};
use crate::job::{Job, Work};

/// Texts that are tokenized and planned together: enough for batches without much padding, few enough that memory does
/// not depend on the size of the job.
const SLAB: usize = 2048;

/// Bytes of text in a chunk at most: some thousand tokens, a fraction of a second; at least: a few milliseconds, more
/// than passing it on costs.
const CHUNK_BYTES: RangeInclusive<usize> = 256..=4096;

/// A BERT with its head, wherever it runs.
pub enum Model {
    /// On the CPU's kernels.
    Cpu(Box<Forward<Cpu>>),
    /// On a GPU's kernels.
    #[cfg(feature = "webgpu")]
    Gpu(Box<Forward<Gpu>>),
    /// In burn's tensors: sizes that a GPU's kernels are not made for.
    Tensors(Box<Forward<Tensors>>),
}

/// A BERT with its head and what they are computed with.
pub struct Forward<A: Arithmetic> {
    arithmetic: A,
    bert: Bert<A>,
    head: Head<A>,
}

/// What is sent through a model to find out which inputs of its layers are wide: a query and a text.
pub const SAMPLE: [&str; 2] = [
    "how long is the warranty?",
    "Item no. 4711: the warranty (2 years) begins on the day of purchase; keep the receipt, please. It covers parts & \
     labour, not wear.",
];

/// Which head, before its weights are loaded.
#[derive(Clone, Copy)]
pub enum HeadKind {
    /// See [`Head::Pool`].
    Pool(super::config::Pooling, bool),
    /// See [`Head::Classify`].
    Classify,
}

impl Model {
    /// Loads the weights onto the device. `sample` makes of [`SAMPLE`] what the model reads.
    ///
    /// # Errors
    /// As [`Bert::load`].
    pub async fn load(
        config: &BertConfig,
        head: HeadKind,
        weights: &Weights<'_>,
        sample: impl Fn([&str; 2]) -> Result<Vec<Tokenized>>,
        device: &Device,
        job: &Job<'_>,
    ) -> Result<Self> {
        Ok(match device.kind() {
            DeviceKind::Cpu => {
                let cpu = match device.dtype() {
                    Dtype::Int8 => {
                        let sample = sample(SAMPLE)?;
                        Cpu::in_8_bits(largest_inputs(config, head, weights, &sample, job).await?)
                    }
                    dtype => Cpu::new(dtype),
                };
                Self::Cpu(Box::new(Forward::load(config, head, weights, cpu, job).await?))
            }
            #[cfg(feature = "webgpu")]
            DeviceKind::WebGpu
                if crate::gpu::supports(config.hidden_size, config.intermediate_size, config.num_attention_heads) =>
            {
                let gpu = Gpu::new(device);
                Self::Gpu(Box::new(Forward::load(config, head, weights, gpu, job).await?))
            }
            DeviceKind::WebGpu => {
                let tensors = Tensors::new(device);
                Self::Tensors(Box::new(Forward::load(config, head, weights, tensors, job).await?))
            }
        })
    }

    /// As [`Model::each`], on the CPU with the help of the job's crew: `texts` are those of an input, `values` is the
    /// number of values for each.
    ///
    /// # Errors
    /// As [`Forward::each`].
    #[allow(clippy::too_many_arguments, reason = "what is done, to what, and who is told")]
    pub async fn each_shared<'t>(
        &self,
        work: Work,
        count: usize,
        values: usize,
        job: &Job<'_>,
        texts: impl Fn(usize) -> Vec<&'t str>,
        tokenize: impl Fn(usize) -> Result<Tokenized>,
        mut sink: impl AsyncFnMut(&[usize], &[f32]) -> Result<()>,
    ) -> Result<()> {
        let crew = match self {
            Self::Cpu(_) => job.crew().filter(|crew| crew.size() > 0 && count > 1),
            _ => None,
        };
        let Some(crew) = crew else {
            return self.each(count, job, tokenize, sink).await;
        };
        let own = async |chunk: Range<usize>| {
            let mut rows = vec![0.0; chunk.len() * values];
            let tokenize = |number: usize| tokenize(chunk.start + number);
            self.each(chunk.len(), job, tokenize, async |numbers, found| {
                for (&number, row) in numbers.iter().zip(found.chunks_exact(values)) {
                    rows[number * values..][..values].copy_from_slice(row);
                }
                Ok(())
            })
            .await?;
            Ok(rows)
        };
        let shared = Shared {
            count,
            // A text of no bytes has its special tokens.
            size: |item: usize| 8 + texts(item).iter().map(|text| text.len()).sum::<usize>(),
            chunk: CHUNK_BYTES,
            helpers: || crew.size(),
            run: |chunk: Range<usize>| {
                let texts: Vec<&str> = chunk.flat_map(&texts).collect();
                crew.run(work, &texts)
            },
        };
        share(shared, job, own, async |chunk, rows| {
            let numbers: Vec<usize> = chunk.collect();
            sink(&numbers, &rows).await
        })
        .await
    }

    /// See [`Forward::each`].
    ///
    /// # Errors
    /// As [`Forward::each`].
    pub async fn each(
        &self,
        count: usize,
        job: &Job<'_>,
        tokenize: impl Fn(usize) -> Result<Tokenized>,
        sink: impl AsyncFnMut(&[usize], &[f32]) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::Cpu(model) => model.each(count, job, tokenize, sink).await,
            #[cfg(feature = "webgpu")]
            Self::Gpu(model) => model.each(count, job, tokenize, sink).await,
            Self::Tensors(model) => model.each(count, job, tokenize, sink).await,
        }
    }
}

/// Holds a model's values to being numbers before anybody keeps them: stored ones would be found again, and "not a
/// number" ranks before everything.
///
/// # Errors
/// [`Code::DeviceFaulty`] if one is infinite or not a number.
pub(super) fn check_finite(model: &str, values: &[f32]) -> Result<()> {
    if values.iter().all(|value| value.is_finite()) {
        return Ok(());
    }
    let text = format!(
        "The model {model} gave a result that is no finite number. Its weights are damaged or too large for the device; \
         on a graphics card, try the CPU (device \"cpu\")."
    );
    Err(Error::new(Code::DeviceFaulty, text))
}

/// The largest inputs of a model's layers where it reads `sample`, in fp32.
async fn largest_inputs(
    config: &BertConfig,
    head: HeadKind,
    weights: &Weights<'_>,
    sample: &[Tokenized],
    job: &Job<'_>,
) -> Result<LargestInputs> {
    let largest_inputs = LargestInputs::default();
    let Forward { arithmetic, bert, head } =
        Forward::load(config, head, weights, Cpu::noting(&largest_inputs), job).await?;
    let mut batches = [arithmetic.batch(&sample.iter().collect::<Vec<_>>())];
    bert.forward(&arithmetic, &mut batches, &head, job).await?;
    Ok(largest_inputs)
}

impl<A: Arithmetic> Forward<A> {
    async fn load(
        config: &BertConfig,
        head: HeadKind,
        weights: &Weights<'_>,
        arithmetic: A,
        job: &Job<'_>,
    ) -> Result<Self> {
        let bert = Bert::load(config, weights, &arithmetic, job).await?;
        let hidden = config.hidden_size;
        // One row for each input: no time is saved with fewer bits.
        let linear = |name: &str, outputs| arithmetic.exact_linear(weights, &[name.to_owned()], hidden, outputs);
        let head = match head {
            HeadKind::Pool(pooling, normalize) => Head::Pool { pooling, normalize },
            HeadKind::Classify => {
                let [pooler, classifier] = match config.is_roberta() {
                    true => ["classifier.dense", "classifier.out_proj"],
                    false => ["pooler.dense", "classifier"],
                };
                Head::Classify {
                    pooler: linear(pooler, hidden)?,
                    classifier: linear(classifier, 1)?,
                }
            }
        };
        Ok(Self { arithmetic, bert, head })
    }

    /// Sends `count` inputs through the model, and hands each finished batch to `sink`.
    ///
    /// `tokenize` makes the input of a number; `sink` receives the inputs' numbers and the model's values for each,
    /// row by row.
    ///
    /// # Errors
    /// [`crate::Code::Cancelled`], what `tokenize` and `sink` return, [`crate::Code::DeviceFaulty`] if the device was
    /// lost.
    pub async fn each(
        &self,
        count: usize,
        job: &Job<'_>,
        tokenize: impl Fn(usize) -> Result<Tokenized>,
        mut sink: impl AsyncFnMut(&[usize], &[f32]) -> Result<()>,
    ) -> Result<()> {
        let Self { arithmetic, bert, head } = self;
        for start in (0..count).step_by(SLAB) {
            let mut inputs = Vec::with_capacity(SLAB.min(count - start));
            for number in start..count.min(start + SLAB) {
                inputs.push(tokenize(number)?);
                job.breathe().await?;
            }
            let lengths: Vec<usize> = inputs.iter().map(|input| input.ids.len()).collect();
            for group in arithmetic.plan(&lengths).chunks(arithmetic.batches_at_once()) {
                let lay_out = |members: &Vec<usize>| {
                    let inputs: Vec<&Tokenized> = members.iter().map(|&member| &inputs[member]).collect();
                    arithmetic.batch(&inputs)
                };
                let mut batches: Vec<A::Batch> = group.iter().map(lay_out).collect();
                let states = bert.forward(arithmetic, &mut batches, head, job).await?;
                let finished = states.into_iter().zip(&batches);
                let rows = finished
                    .map(|(states, batch)| arithmetic.finish(head, states, batch))
                    .collect();
                for (members, values) in group.iter().zip(arithmetic.read(rows).await?) {
                    let numbers: Vec<usize> = members.iter().map(|member| start + member).collect();
                    sink(&numbers, &values).await?;
                }
            }
        }
        Ok(())
    }
}
