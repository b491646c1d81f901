//! Tensors as safetensors files: the head, and the float form of weights that are stored as 8-bit integers.
//!
//! A safetensors file is the header's length (u64, little-endian), a JSON header, then the tensors' bytes. It is
//! written here because the metadata have to keep their order for the bytes to be the same every time, and because
//! dequantised tensors are made one after the other, without a second copy of all weights in memory.

use std::borrow::Cow;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Map, Value, json};

use super::Head;
use crate::error::{Code, Error, Result};

/// I + W, row-major.
pub fn identity_plus(head: Head) -> Result<Vec<f32>> {
    let Head { dims, w } = head;
    if dims == 0 || w.len() != dims * dims || !w.iter().all(|value| value.is_finite()) {
        let text = format!(
            "A head for {dims} numbers a vector has {} weights, or one that is not finite.",
            w.len()
        );
        return Err(Error::new(Code::Internal, text));
    }
    let mut weight = w.to_vec();
    weight
        .iter_mut()
        .step_by(dims + 1)
        .for_each(|diagonal| *diagonal += 1.0);
    Ok(weight)
}

/// A file with one square F32 matrix.
pub fn matrix(name: &str, dims: usize, values: &[f32], metadata: &[(&str, String)]) -> Result<Vec<u8>> {
    let layout = [(name, "F32", vec![dims, dims], 4 * values.len())];
    let mut file = header(&layout, metadata)?;
    file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    Ok(file)
}

/// Length and JSON header of a file that holds tensors (name, type, shape, bytes) in this order.
fn header(tensors: &[(&str, &str, Vec<usize>, usize)], metadata: &[(&str, String)]) -> Result<Vec<u8>> {
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

/// A weight file with integer tensors, to be written as floats.
pub struct Dequantised<'a> {
    header: Vec<u8>,
    tensors: Vec<Tensor<'a>>,
}

struct Tensor<'a> {
    name: String,
    view: TensorView<'a>,
    quantisation: Option<Quantisation>,
}

/// value = (integer - zero) * scale
struct Quantisation {
    /// One for the tensor, or one for each row.
    scale: Vec<f32>,
    zero: f32,
}

impl<'a> Dequantised<'a> {
    /// Looks for 8-bit tensors `NAME` with a `NAME.scale`; `None` if the file has none and can be passed on as it is.
    ///
    /// # Errors
    /// [`Code::ModelWeights`] if this is no safetensors file, or a scale or zero point does not fit its tensor.
    pub fn of(file: &'a [u8]) -> Result<Option<Self>> {
        let unreadable = |error| Error::new(Code::ModelWeights, format!("Not a safetensors file: {error}."));
        let all = SafeTensors::deserialize(file).map_err(unreadable)?;
        let mut tensors = Vec::new();
        let mut companions = Vec::new();
        for (name, view) in all.iter() {
            let scale = all.tensor(&format!("{name}.scale")).ok();
            let quantisation = match (view.dtype(), scale) {
                (Dtype::I8 | Dtype::U8, Some(scale)) => {
                    companions.extend([format!("{name}.scale"), format!("{name}.zero_point")]);
                    let zero = all.tensor(&format!("{name}.zero_point")).ok();
                    Some(Quantisation::read(name, &view, &scale, zero.as_ref())?)
                }
                _ => None,
            };
            tensors.push(Tensor {
                name: name.to_owned(),
                view,
                quantisation,
            });
        }
        if companions.is_empty() {
            return Ok(None);
        }
        tensors.retain(|tensor| !companions.contains(&tensor.name));
        // Wide types first, then by name: every tensor is aligned and the order is the same every time.
        let width = |tensor: &Tensor| {
            if tensor.quantisation.is_some() {
                32
            } else {
                tensor.view.dtype().bitsize()
            }
        };
        tensors.sort_by(|a, b| width(b).cmp(&width(a)).then_with(|| a.name.cmp(&b.name)));
        let dtypes: Vec<String> = tensors.iter().map(Tensor::dtype).collect();
        let layout: Vec<_> = tensors
            .iter()
            .zip(&dtypes)
            .map(|(tensor, dtype)| {
                (
                    tensor.name.as_str(),
                    dtype.as_str(),
                    tensor.view.shape().to_vec(),
                    tensor.len(),
                )
            })
            .collect();
        let header = header(&layout, &[("format", "pt".to_owned())])?;
        Ok(Some(Self { header, tensors }))
    }

    /// Bytes of the whole file.
    pub fn len(&self) -> usize {
        self.header.len() + self.tensors.iter().map(Tensor::len).sum::<usize>()
    }

    /// The file's parts in order: the header, then each tensor; `None` past the last.
    pub fn piece(&self, number: usize) -> Option<Cow<'_, [u8]>> {
        match number.checked_sub(1) {
            None => Some(Cow::Borrowed(&self.header)),
            Some(number) => self.tensors.get(number).map(Tensor::bytes),
        }
    }
}

impl Tensor<'_> {
    fn dtype(&self) -> String {
        if self.quantisation.is_some() {
            "F32".into()
        } else {
            self.view.dtype().to_string()
        }
    }

    fn len(&self) -> usize {
        // An 8-bit number becomes four bytes.
        self.view.data().len() * if self.quantisation.is_some() { 4 } else { 1 }
    }

    fn bytes(&self) -> Cow<'_, [u8]> {
        let data = self.view.data();
        let Some(quantisation) = &self.quantisation else {
            return Cow::Borrowed(data);
        };
        let signed = self.view.dtype() == Dtype::I8;
        let row = (data.len() / quantisation.scale.len()).max(1);
        let value = |byte: u8, scale: f32| {
            let integer = if signed {
                f32::from(byte.cast_signed())
            } else {
                f32::from(byte)
            };
            ((integer - quantisation.zero) * scale).to_le_bytes()
        };
        let mut bytes = Vec::with_capacity(self.len());
        for (row, &scale) in data.chunks(row).zip(&quantisation.scale) {
            row.iter()
                .for_each(|&byte| bytes.extend_from_slice(&value(byte, scale)));
        }
        Cow::Owned(bytes)
    }
}

impl Quantisation {
    fn read(name: &str, tensor: &TensorView, scale: &TensorView, zero: Option<&TensorView>) -> Result<Self> {
        let refuse = |what: &str| Err(Error::new(Code::ModelWeights, format!("{name}{what}.")));
        let rows = tensor.shape().first().copied().unwrap_or(1);
        let scales = scale.shape().iter().product::<usize>();
        if scale.dtype() != Dtype::F32 || scale.shape().len() > 1 || (scales != 1 && scales != rows) || scales == 0 {
            return refuse(".scale has to be one F32 number, or one for each row");
        }
        let zero = match zero {
            None => 0.0,
            Some(zero) => match (zero.dtype() == tensor.dtype(), zero.data()) {
                (true, [byte]) if zero.dtype() == Dtype::I8 => f32::from(byte.cast_signed()),
                (true, [byte]) => f32::from(*byte),
                _ => return refuse(".zero_point has to be one number of the type of its tensor"),
            },
        };
        let scale = scale
            .data()
            .as_chunks::<4>()
            .0
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect();
        Ok(Self { scale, zero })
    }
}
