//! The one place where weights meet activations: nearly all of the engine's arithmetic goes through it.

use burn::tensor::{Device, Tensor, TensorData, module};

use super::weights::Weights;
use crate::error::Result;

/// `y = x Wᵀ + b`, W kept as [in, out] so that the product needs no transposed view.
pub struct Linear {
    weight: Tensor<2>,
    bias: Tensor<1>,
}

impl Linear {
    /// Moves `NAME.weight` ([out, in], PyTorch's order) and `NAME.bias` to the device.
    ///
    /// # Errors
    /// As [`Weights::vector`].
    pub fn load(weights: &Weights<'_>, name: &str, inputs: usize, outputs: usize, device: &Device) -> Result<Self> {
        let weight = transpose(
            &weights.matrix(&format!("{name}.weight"), outputs, inputs)?,
            outputs,
            inputs,
        );
        let bias = weights.vector(&format!("{name}.bias"), outputs)?;
        Ok(Self {
            weight: Tensor::from_data(TensorData::new(weight, [inputs, outputs]), device),
            bias: Tensor::from_data(TensorData::new(bias, [outputs]), device),
        })
    }

    /// [rows, in] to [rows, out].
    pub fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        module::linear(input, self.weight.clone(), Some(self.bias.clone()))
    }
}

fn transpose(matrix: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut transposed = vec![0.0; matrix.len()];
    for (row, values) in matrix.chunks_exact(columns).enumerate() {
        for (column, value) in values.iter().enumerate() {
            transposed[column * rows + row] = *value;
        }
    }
    transposed
}
