//! The matrices that the optimizer changes.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};

use crate::vectors::Vectors;

/// The matrices that are trained.
#[derive(Module, Debug)]
pub struct Weights {
    pub(in crate::tune) matrices: Vec<Param<Tensor<2>>>,
}

impl Weights {
    /// Matrices of these values, row by row, and shapes.
    pub(in crate::tune) fn new(
        matrices: impl IntoIterator<Item = (Vec<f32>, [usize; 2])>,
        device: &burn::tensor::Device,
    ) -> Self {
        let param = |(values, shape)| Param::from_data(TensorData::new(values, shape), device);
        Self {
            matrices: matrices.into_iter().map(param).collect(),
        }
    }

    /// A matrix as it is now.
    pub(in crate::tune) fn value(&self, number: usize) -> Tensor<2> {
        self.matrices[number].val()
    }
}

/// Vectors as a matrix on the device.
pub fn upload(vectors: &Vectors, device: &burn::tensor::Device) -> Tensor<2> {
    let data = TensorData::new(vectors.as_slice().to_vec(), [vectors.len(), vectors.dims()]);
    Tensor::from_data(data, device)
}
