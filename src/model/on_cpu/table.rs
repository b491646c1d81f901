//! Embeddings: a row for each word, position or type.

/// Rows that are looked up.
pub struct Table {
    values: Vec<f32>,
    /// Numbers of a row.
    pub columns: usize,
}

impl Table {
    /// Rows of `columns` numbers, one after the other in `values`.
    pub fn new(values: Vec<f32>, columns: usize) -> Self {
        Self { values, columns }
    }

    /// One of them.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.columns..][..self.columns]
    }
}
