//! Low-rank changes of an encoder's linear layers (LoRA, Hu et al. 2021): `W + alpha / rank · B A`.

use sha2::{Digest, Sha256};

/// The changes of some layers, on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct Lora {
    /// Rows of each A, columns of each B.
    pub rank: usize,
    /// The change is `alpha / rank · B A`.
    pub alpha: f32,
    /// One a changed layer.
    pub layers: Vec<LoraLayer>,
}

/// The change of one linear layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LoraLayer {
    /// The layer's name in a `BertModel`, for example `encoder.layer.0.attention.self.query`.
    pub module: String,
    /// Numbers that go in.
    pub inputs: usize,
    /// Numbers that come out.
    pub outputs: usize,
    /// A, [rank, inputs], row by row.
    pub a: Vec<f32>,
    /// B, [outputs, rank], row by row.
    pub b: Vec<f32>,
}

impl Lora {
    /// Adds the change of a layer, if it has one, to its weight, [outputs, inputs]. Returns whether it has.
    pub fn change(&self, module: &str, weight: &mut [f32]) -> bool {
        let Some(layer) = self.layers.iter().find(|layer| layer.module == module) else {
            return false;
        };
        add_change(weight, &layer.a, &layer.b, self.rank, self.alpha);
        true
    }

    /// A hash of all numbers, to key results by.
    pub fn key(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.alpha.to_le_bytes());
        for layer in &self.layers {
            hash.update(&layer.module);
            for value in layer.a.iter().chain(&layer.b) {
                hash.update(value.to_le_bytes());
            }
        }
        hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Adds `alpha / rank * B A` to a weight, [outputs, inputs], as PEFT merges it; A is [rank, inputs], B [outputs, rank].
pub fn add_change(weight: &mut [f32], a: &[f32], b: &[f32], rank: usize, alpha: f32) {
    let (inputs, factor) = (a.len() / rank, alpha / rank as f32);
    let mut sum = vec![0.0; inputs];
    for (row, b) in weight.chunks_exact_mut(inputs).zip(b.chunks_exact(rank)) {
        sum.fill(0.0);
        for (&b, a) in b.iter().zip(a.chunks_exact(inputs)) {
            sum.iter_mut().zip(a).for_each(|(sum, a)| *sum += b * a);
        }
        row.iter_mut().zip(&sum).for_each(|(value, sum)| *value += factor * sum);
    }
}
