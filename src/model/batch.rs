//! Which texts go through the model together, and how they are laid out.

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

use super::tokenizer::Tokenized;
use crate::device::DeviceKind;

/// How many tokens go through the model at once.
///
/// On the CPU a layer over this many takes well under 200 ms, the time in which a cancelled job has to stop; larger
/// batches are no faster there. A GPU wants more at once.
fn token_budget(device: DeviceKind) -> usize {
    match device {
        DeviceKind::Cpu => 512,
        DeviceKind::WebGpu => 8192,
    }
}

/// Lengths that a GPU sees: few, so that buffers of the same sizes come back and are used again.
const GPU_LENGTHS: [usize; 11] = [8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512];

/// Groups of inputs of about the same length, each within the token budget.
///
/// Inputs are taken longest first: the first batch then needs the most memory, and the time left that is estimated
/// from the first batches is rather too long than too short. Each group holds indices into `lengths`.
pub fn plan(lengths: &[usize], device: DeviceKind) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(lengths[index]));
    let budget = token_budget(device);
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut width = 0;
    for index in order {
        let fits = batches.last().is_some_and(|batch| (batch.len() + 1) * width <= budget);
        // On the CPU padding is paid for in full: a much shorter text starts a batch of its own.
        let alike = device == DeviceKind::WebGpu || lengths[index] * 8 >= width * 7;
        match batches.last_mut() {
            Some(batch) if fits && alike => batch.push(index),
            _ => {
                width = padded_length(lengths[index], device);
                batches.push(vec![index]);
            }
        }
    }
    batches
}

fn padded_length(length: usize, device: DeviceKind) -> usize {
    match device {
        DeviceKind::Cpu => length,
        DeviceKind::WebGpu => GPU_LENGTHS
            .into_iter()
            .find(|&bucket| bucket >= length)
            .unwrap_or(length),
    }
}

/// Inputs padded to one length, on the device.
pub struct Batch {
    /// Token ids, [batch, length].
    pub ids: Tensor<2, Int>,
    /// Token types, [batch, length].
    pub type_ids: Tensor<2, Int>,
    /// 1 for a token, 0 for padding, [batch, length, 1].
    pub mask: Tensor<3>,
    /// True where a key is padding, [batch, 1, 1, length]; absent where nothing is padded.
    pub padding: Option<Tensor<4, Bool>>,
    /// Inputs.
    pub size: usize,
    /// Tokens of each, padding included.
    pub length: usize,
}

impl Batch {
    /// Lays the inputs out on the device.
    pub fn new(inputs: &[&Tokenized], kind: DeviceKind, device: &Device) -> Self {
        let size = inputs.len();
        let longest = inputs.iter().map(|input| input.ids.len()).max().unwrap_or(1).max(1);
        let length = padded_length(longest, kind);
        let mut ids = vec![0i32; size * length];
        let mut type_ids = vec![0i32; size * length];
        let mut mask = vec![0f32; size * length];
        for (row, input) in inputs.iter().enumerate() {
            let start = row * length;
            for (column, (&id, &type_id)) in input.ids.iter().zip(&input.type_ids).enumerate() {
                ids[start + column] = id as i32;
                type_ids[start + column] = type_id as i32;
                mask[start + column] = 1.0;
            }
        }
        let padded = inputs.iter().any(|input| input.ids.len() < length);
        let padding = padded.then(|| {
            let keys: Vec<bool> = mask.iter().map(|&token| token == 0.0).collect();
            Tensor::from_data(TensorData::new(keys, [size, 1, 1, length]), device)
        });
        Self {
            ids: Tensor::from_data(TensorData::new(ids, [size, length]), device),
            type_ids: Tensor::from_data(TensorData::new(type_ids, [size, length]), device),
            mask: Tensor::from_data(TensorData::new(mask, [size, length, 1]), device),
            padding,
            size,
            length,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_is_in_one_batch_and_batches_stay_within_the_budget() {
        for device in [DeviceKind::Cpu, DeviceKind::WebGpu] {
            let lengths: Vec<usize> = (0..1000).map(|i| 2 + (i * 7919) % 511).collect();
            let batches = plan(&lengths, device);
            let mut seen: Vec<usize> = batches.iter().flatten().copied().collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..1000).collect::<Vec<_>>());
            for batch in batches {
                let longest = batch.iter().map(|&i| padded_length(lengths[i], device)).max().unwrap();
                assert!(batch.len() == 1 || batch.len() * longest <= token_budget(device));
            }
        }
    }

    #[test]
    fn no_input_makes_no_batch() {
        assert!(plan(&[], DeviceKind::Cpu).is_empty());
    }
}
