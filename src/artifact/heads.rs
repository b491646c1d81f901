//! Heads as files: for a linear layer, and alone for those who have the vectors already.

use safetensors::Dtype;
use serde_json::Value;

use super::tensors;
use crate::error::{Code, Error, Result};

/// The side of the search that a head is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Queries.
    Query,
    /// Documents.
    Document,
}

impl Side {
    /// Its name in sentence-transformers and in file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Document => "document",
        }
    }

    /// The head's file in `adapter/`.
    pub fn file_name(self) -> String {
        format!("{}_head.safetensors", self.name())
    }
}

/// I + W, row-major.
pub fn identity_plus(dims: usize, w: &[f32]) -> Result<Vec<f32>> {
    if dims == 0 || Some(w.len()) != dims.checked_mul(dims) || !tensors::all_finite(w) {
        let count = w.len();
        let text = format!("A head for {dims} numbers a vector has {count} weights, or one that is not finite.");
        return Err(Error::new(Code::Internal, text));
    }
    let mut weight = w.to_vec();
    weight
        .iter_mut()
        .step_by(dims + 1)
        .for_each(|diagonal| *diagonal += 1.0);
    Ok(weight)
}

/// A head's file in `adapter/`: one tensor `weight`, I + W.
pub fn alone(side: Side, dims: usize, w: &[f32], report: &Value) -> Result<Vec<u8>> {
    let (letter, kind) = match side {
        Side::Query => ("q", "query"),
        Side::Document => ("d", "document"),
    };
    let formula = format!(
        "{letter}' = normalize({letter} @ weight.T), weight = I + W, {letter} the base encoder's normalised {kind} \
         vector"
    );
    let mut metadata = vec![("format", "pt".to_owned()), ("formula", formula)];
    metadata.extend(base_model(report));
    tensors::file(&[("weight", &[dims, dims], &identity_plus(dims, w)?)], &metadata)
}

/// A head as sentence-transformers' Dense module keeps it.
pub fn linear(dims: usize, w: &[f32]) -> Result<Vec<u8>> {
    let weight = identity_plus(dims, w)?;
    tensors::file(
        &[("linear.weight", &[dims, dims], &weight)],
        &[("format", "pt".to_owned())],
    )
}

/// D and W of a file that [`alone`] has written; `None` if it holds something else.
pub fn read_alone(file: &[u8]) -> Option<(usize, Vec<f32>)> {
    let tensors = tensors::read(file).ok()?;
    let tensor = tensors.tensor("weight").ok()?;
    let dims = match *tensor.shape() {
        [rows, columns] if rows == columns && rows > 0 && tensor.dtype() == Dtype::F32 => rows,
        _ => return None,
    };
    let mut w = tensors::finite(&tensor)?;
    w.iter_mut().step_by(dims + 1).for_each(|diagonal| *diagonal -= 1.0);
    Some((dims, w))
}

/// What weight files say about the model they belong to.
pub fn base_model(report: &Value) -> Vec<(&'static str, String)> {
    let fields = [
        ("base_model", "/models/encoder/id"),
        ("base_model_sha256", "/models/encoder/sha256"),
    ];
    let known = fields.into_iter().filter_map(|(key, path)| {
        let value = report.pointer(path)?.as_str()?;
        Some((key, value.to_owned()))
    });
    known.collect()
}
