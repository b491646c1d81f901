//! Many inputs through a BERT, batch by batch, results back on the host as they come.

use burn::tensor::{Tensor, Transaction};

use super::batch::{Batch, plan};
use super::bert::Bert;
use super::tokenizer::Tokenized;
use crate::device::{Device, DeviceKind};
use crate::error::Result;
use crate::job::Job;

/// Texts that are tokenized, sorted by length and batched together: enough for batches without much padding, few
/// enough that memory does not depend on the size of the job.
const SLAB: usize = 2048;

/// Batches whose results are read back in one go. Reading waits for the device, so a GPU gets several at a time.
fn batches_in_flight(device: DeviceKind) -> usize {
    match device {
        DeviceKind::Cpu => 1,
        DeviceKind::WebGpu => 4,
    }
}

/// Sends `count` inputs through `bert` and `head`, and hands each finished batch to `sink`.
///
/// `tokenize` makes the input of a number; `head` turns hidden states [batch, length, hidden] into [batch, outputs];
/// `sink` receives the inputs' numbers and `outputs` values for each, row by row.
///
/// # Errors
/// [`crate::Code::Cancelled`], what `tokenize` and `sink` return, [`crate::Code::DeviceFaulty`] if the device was lost.
pub async fn forward_all(
    count: usize,
    bert: &Bert,
    device: &Device,
    job: &Job<'_>,
    tokenize: impl Fn(usize) -> Result<Tokenized>,
    head: impl Fn(Tensor<3>, &Batch) -> Tensor<2>,
    mut sink: impl AsyncFnMut(&[usize], &[f32]) -> Result<()>,
) -> Result<()> {
    for start in (0..count).step_by(SLAB) {
        let mut inputs = Vec::with_capacity(SLAB.min(count - start));
        for number in start..count.min(start + SLAB) {
            inputs.push(tokenize(number)?);
            job.breathe().await?;
        }
        let lengths: Vec<usize> = inputs.iter().map(|input| input.ids.len()).collect();
        let mut flying: Vec<(Vec<usize>, Tensor<2>)> = Vec::new();
        for members in plan(&lengths, device.kind()) {
            let batch_inputs: Vec<&Tokenized> = members.iter().map(|&member| &inputs[member]).collect();
            let batch = Batch::new(&batch_inputs, device.kind(), device.tensors());
            let states = bert.forward(&batch, job).await?;
            let numbers = members.iter().map(|member| start + member).collect();
            flying.push((numbers, head(states, &batch)));
            if flying.len() >= batches_in_flight(device.kind()) {
                land(device, &mut flying, &mut sink).await?;
            }
        }
        land(device, &mut flying, &mut sink).await?;
    }
    Ok(())
}

async fn land(
    device: &Device,
    flying: &mut Vec<(Vec<usize>, Tensor<2>)>,
    sink: &mut impl AsyncFnMut(&[usize], &[f32]) -> Result<()>,
) -> Result<()> {
    let mut numbers = Vec::with_capacity(flying.len());
    let mut reads = Transaction::default();
    for (members, tensor) in flying.drain(..) {
        numbers.push(members);
        reads = reads.register(tensor);
    }
    if numbers.is_empty() {
        return Ok(());
    }
    let results = device.read(reads).await?;
    for (members, values) in numbers.iter().zip(&results) {
        sink(members, values).await?;
    }
    Ok(())
}
