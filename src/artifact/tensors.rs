//! Tensors as a safetensors file.
//!
//! Such a file is the header's length (u64, little-endian), a JSON header, then the tensors' bytes. It is written here
//! because the metadata have to keep their order for the bytes to be the same every time.

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Map, Value, json};

use crate::error::{Code, Error, Result};
use crate::model::floats;

/// Name, shape and numbers of an F32 tensor.
pub type Floats<'a> = (&'a str, &'a [usize], &'a [f32]);

/// A file of F32 tensors in this order.
pub fn file(tensors: &[Floats], metadata: &[(&str, String)]) -> Result<Vec<u8>> {
    let layout: Vec<_> = tensors
        .iter()
        .map(|(name, shape, values)| (*name, "F32", shape.to_vec(), 4 * values.len()))
        .collect();
    let mut file = header(&layout, metadata)?;
    for (_, _, values) in tensors {
        file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }
    Ok(file)
}

/// Length and JSON header of a file that holds tensors (name, type, shape, bytes) in this order.
pub fn header(tensors: &[(&str, &str, Vec<usize>, usize)], metadata: &[(&str, String)]) -> Result<Vec<u8>> {
    let mut header = Map::new();
    let metadata: Map<String, Value> = metadata
        .iter()
        .map(|(key, value)| ((*key).to_owned(), json!(value)))
        .collect();
    header.insert("__metadata__".into(), Value::Object(metadata));
    let mut start = 0;
    for (name, dtype, shape, bytes) in tensors {
        let end = start + bytes;
        header.insert(
            (*name).to_owned(),
            json!({ "dtype": dtype, "shape": shape, "data_offsets": [start, end] }),
        );
        start = end;
    }
    let json = serde_json::to_vec(&header).map_err(|error| {
        Error::new(
            Code::Internal,
            format!("A safetensors header could not be written: {error}"),
        )
    })?;
    // Spaces up to a multiple of 8, so that the tensors' numbers are aligned.
    let length = json.len().next_multiple_of(8);
    let mut bytes = (length as u64).to_le_bytes().to_vec();
    bytes.extend(json);
    bytes.resize(8 + length, b' ');
    Ok(bytes)
}

/// The tensors of a weight file.
///
/// # Errors
/// [`Code::ModelWeights`]
pub fn read(file: &[u8]) -> Result<SafeTensors<'_>> {
    SafeTensors::deserialize(file)
        .map_err(|error| Error::new(Code::ModelWeights, format!("Not a safetensors file: {error}.")))
}

/// The finite numbers of an F32 tensor; `None` if it is of another type or has others.
pub fn finite(tensor: &TensorView) -> Option<Vec<f32>> {
    let values = (tensor.dtype() == Dtype::F32).then(|| floats(tensor.data()))?;
    all_finite(&values).then_some(values)
}

/// Whether none is infinite or not a number.
pub fn all_finite(values: &[f32]) -> bool {
    values.iter().all(|value| value.is_finite())
}
