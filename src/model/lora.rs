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
        let factor = self.alpha / self.rank as f32;
        for (row, b) in weight
            .chunks_exact_mut(layer.inputs)
            .zip(layer.b.chunks_exact(self.rank))
        {
            for (&b, a) in b.iter().zip(layer.a.chunks_exact(layer.inputs)) {
                let b = factor * b;
                row.iter_mut().zip(a).for_each(|(value, a)| *value += b * a);
            }
        }
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
