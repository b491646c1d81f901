//! A plain matrix of f32 on the host: one row a text.

use crate::error::{Code, Error, Result};

/// Vectors of equal length, row by row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vectors {
    data: Vec<f32>,
    dims: usize,
}

impl Vectors {
    /// `rows` zero vectors of `dims` numbers.
    pub fn zeros(rows: usize, dims: usize) -> Self {
        Self {
            data: vec![0.0; rows * dims],
            dims,
        }
    }

    /// Vectors from numbers laid out row by row.
    ///
    /// # Errors
    /// [`Code::Internal`] if `data` is not a whole number of rows.
    pub fn from_rows(data: Vec<f32>, dims: usize) -> Result<Self> {
        if dims == 0 || !data.len().is_multiple_of(dims) {
            return Err(Error::new(
                Code::Internal,
                format!("{} numbers are not rows of {dims}", data.len()),
            ));
        }
        Ok(Self { data, dims })
    }

    /// How many vectors there are.
    pub fn len(&self) -> usize {
        self.data.len().checked_div(self.dims).unwrap_or(0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Numbers in each vector.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// One vector.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.data[index * self.dims..][..self.dims]
    }

    /// One vector, to be written.
    pub fn row_mut(&mut self, index: usize) -> &mut [f32] {
        &mut self.data[index * self.dims..][..self.dims]
    }

    /// All numbers, row by row.
    pub fn as_slice(&self) -> &[f32] {
        &self.data
    }

    /// All numbers, row by row, without a copy.
    pub fn into_data(self) -> Vec<f32> {
        self.data
    }

    /// Scales every vector to length 1; zero vectors stay.
    pub fn normalize_rows(&mut self) {
        for row in self.data.chunks_exact_mut(self.dims.max(1)) {
            let length = row.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-12);
            row.iter_mut().for_each(|value| *value /= length);
        }
    }

    /// A new matrix of the rows named, in that order.
    pub fn select(&self, rows: impl IntoIterator<Item = usize>) -> Self {
        let data = rows.into_iter().flat_map(|row| self.row(row).iter().copied()).collect();
        Self { data, dims: self.dims }
    }
}
