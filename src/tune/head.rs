//! A linear head on vectors: `v' = normalize(v + W v)`.

use burn::tensor::{Tensor, TensorData, Transaction};

use crate::device::Device;
use crate::error::Result;
use crate::job::Job;
use crate::model::normalize_rows;
use crate::vectors::Vectors;

/// A trained head, on the host. W starts at zero, where the head changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// W, dims x dims, row by row.
    pub weight: Vec<f32>,
    /// Numbers in a vector.
    pub dims: usize,
}

/// Vectors adapted at once.
const TILE: usize = 1024;

impl Head {
    /// The head that changes nothing but lengths.
    pub fn identity(dims: usize) -> Self {
        Self {
            weight: vec![0.0; dims * dims],
            dims,
        }
    }

    /// Adapts vectors.
    ///
    /// # Errors
    /// [`crate::Code::Cancelled`], [`crate::Code::DeviceFaulty`]
    pub async fn apply(&self, vectors: &Vectors, device: &Device, job: &Job<'_>) -> Result<Vectors> {
        let dims = self.dims;
        let matrix = |data: Vec<f32>, rows: usize| -> Tensor<2> {
            Tensor::from_data(TensorData::new(data, [rows, dims]), device.tensors())
        };
        let weight = matrix(self.weight.clone(), dims);
        let mut adapted = Vec::with_capacity(vectors.as_slice().len());
        for rows in vectors.as_slice().chunks(TILE * dims) {
            job.breathe().await?;
            let rows = adapt(matrix(rows.to_vec(), rows.len() / dims), weight.clone());
            adapted.extend(device.read(Transaction::default().register(rows)).await?.remove(0));
        }
        Vectors::from_rows(adapted, dims)
    }
}

/// The head's formula on a device; vectors [rows, dims], weight [dims, dims].
pub fn adapt(vectors: Tensor<2>, weight: Tensor<2>) -> Tensor<2> {
    normalize_rows(vectors.clone() + vectors.matmul(weight.transpose()))
}
