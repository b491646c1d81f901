//! Weights out of a safetensors file, one tensor at a time.

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::files::ModelFiles;
use super::lora::Lora;
use crate::error::{Code, Error, Result};

/// The tensors of a `model.safetensors`, still in the file's own bytes.
///
/// Names are looked up with and without the prefix `bert.`: a bare `BertModel` is saved without it, a classifier
/// with it. Stored types are F32, F16, BF16, and 8-bit integers with a scale: beside `NAME` (I8 or U8) then stand
/// `NAME.scale` (F32, one for the tensor or one for each row) and, if it is not 0, `NAME.zero_point`;
/// value = (stored - zero point) · scale.
pub struct Weights<'a> {
    tensors: SafeTensors<'a>,
    id: &'a str,
    changes: Option<&'a Lora>,
}

const FILE: &str = "model.safetensors";
const PREFIXES: [&str; 2] = ["", "bert."];

impl<'a> Weights<'a> {
    /// Reads the file's header.
    ///
    /// # Errors
    /// [`Code::ModelFileMissing`]; [`Code::ModelWeights`] if the file is cut short or no safetensors file.
    pub fn read(files: &'a ModelFiles) -> Result<Self> {
        let tensors = SafeTensors::deserialize(files.require(FILE)?).map_err(|error| {
            Error::new(
                Code::ModelWeights,
                format!(
                    "The weights of {} cannot be read ({error}). The file may be cut short: fetch it again.",
                    files.id
                ),
            )
            .at(FILE, 0, 0)
        })?;
        Ok(Self {
            tensors,
            id: &files.id,
            changes: None,
        })
    }

    /// The same weights with low-rank changes added as they are read.
    pub fn changed_by(self, changes: Option<&'a Lora>) -> Self {
        Self { changes, ..self }
    }

    /// A vector of `length` numbers.
    ///
    /// # Errors
    /// [`Code::ModelShape`] if it is missing or of another shape; [`Code::ModelWeights`] if its type is unknown.
    pub fn vector(&self, name: &str, length: usize) -> Result<Vec<f32>> {
        self.tensor(name, &[length])
    }

    /// A matrix of `rows` x `columns`, row by row.
    ///
    /// # Errors
    /// As [`Weights::vector`].
    pub fn matrix(&self, name: &str, rows: usize, columns: usize) -> Result<Vec<f32>> {
        let mut matrix = self.tensor(name, &[rows, columns])?;
        if let (Some(changes), Some(module)) = (self.changes, name.strip_suffix(".weight")) {
            changes.change(module, &mut matrix);
        }
        Ok(matrix)
    }

    /// The weights of linear layers side by side, turned to [inputs, columns], and their biases: `NAME.weight`
    /// ([outputs, inputs]) and `NAME.bias` of every name. Columns beyond theirs are zeros.
    ///
    /// # Errors
    /// As [`Weights::vector`].
    pub fn linear(
        &self,
        names: &[String],
        inputs: usize,
        outputs: usize,
        columns: usize,
    ) -> Result<(Vec<f32>, Vec<f32>)> {
        let mut matrix = vec![0.0; inputs * columns];
        let mut bias = Vec::with_capacity(columns);
        for (part, name) in names.iter().enumerate() {
            let own = self.matrix(&format!("{name}.weight"), outputs, inputs)?;
            for (output, row) in own.chunks_exact(inputs).enumerate() {
                for (input, value) in row.iter().enumerate() {
                    matrix[input * columns + part * outputs + output] = *value;
                }
            }
            bias.extend(self.vector(&format!("{name}.bias"), outputs)?);
        }
        bias.resize(columns, 0.0);
        Ok((matrix, bias))
    }

    /// If a matrix is stored as signed 8-bit integers around 0, and not changed: what one of them is worth, for each
    /// row.
    pub fn steps(&self, name: &str) -> Option<Vec<f32>> {
        let is_changed = |changes: &Lora| {
            let mut layers = changes.layers.iter();
            layers.any(|layer| name.strip_suffix(".weight") == Some(&layer.module))
        };
        if self.changes.is_some_and(is_changed) {
            return None;
        }
        let find = |suffix: &str| {
            let names = PREFIXES.iter().map(|prefix| format!("{prefix}{name}{suffix}"));
            names.into_iter().find_map(|name| self.tensors.tensor(&name).ok())
        };
        let view = find("")?;
        let symmetric = find(".zero_point").is_none_or(|zero| zero.data().iter().all(|&byte| byte == 0));
        if view.dtype() != Dtype::I8 || !symmetric {
            return None;
        }
        let rows = *view.shape().first()?;
        match floats(find(".scale")?.data())[..] {
            [step] => Some(vec![step; rows]),
            ref steps => Some(steps.to_vec()),
        }
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let wrong = |what: String| {
            let text = format!(
                "{name} of {} {what}. Weights and config.json do not belong together.",
                self.id
            );
            Error::new(Code::ModelShape, text).at(FILE, 0, 0)
        };
        let (full_name, view) = PREFIXES
            .iter()
            .find_map(|prefix| {
                let full = format!("{prefix}{name}");
                self.tensors.tensor(&full).ok().map(|view| (full, view))
            })
            .ok_or_else(|| wrong("is missing".into()))?;
        if view.shape() != shape {
            return Err(wrong(format!(
                "has the shape {:?}, config.json asks for {shape:?}",
                view.shape()
            )));
        }
        let bytes = view.data();
        match view.dtype() {
            Dtype::F32 => Ok(floats(bytes)),
            Dtype::F16 => Ok(halves(bytes).map(f16_to_f32).collect()),
            Dtype::BF16 => Ok(halves(bytes)
                .map(|half| f32::from_bits(u32::from(half) << 16))
                .collect()),
            Dtype::I8 => self.dequantize(&full_name, &view, |byte| f32::from(byte as i8)),
            Dtype::U8 => self.dequantize(&full_name, &view, f32::from),
            other => Err(Error::new(
                Code::ModelWeights,
                format!(
                    "{name} of {} is stored as {other:?}; supported: F32, F16, BF16, I8 and U8 with a scale.",
                    self.id
                ),
            )
            .at(FILE, 0, 0)),
        }
    }

    fn dequantize(&self, name: &str, view: &TensorView<'_>, value: impl Fn(u8) -> f32) -> Result<Vec<f32>> {
        let wrong = |what: &str| {
            Error::new(
                Code::ModelWeights,
                format!("{name} of {} is stored as 8-bit integers, but {what}.", self.id),
            )
            .at(FILE, 0, 0)
        };
        let scale = self
            .tensors
            .tensor(&format!("{name}.scale"))
            .map_err(|_| wrong("its .scale is missing"))?;
        if scale.dtype() != Dtype::F32 {
            return Err(wrong("its .scale is not F32"));
        }
        let scales = floats(scale.data());
        let rows = view.shape().first().copied().unwrap_or(1).max(1);
        if scales.len() != 1 && scales.len() != rows {
            return Err(wrong("its .scale is neither one number nor one for each row"));
        }
        let zero = match self.tensors.tensor(&format!("{name}.zero_point")) {
            Ok(zero) if zero.dtype() == view.dtype() && zero.data().len() == 1 => value(zero.data()[0]),
            Ok(_) => return Err(wrong("its .zero_point is not one number of the same type")),
            Err(_) => 0.0,
        };
        let columns = view.data().len() / rows;
        Ok(view
            .data()
            .iter()
            .enumerate()
            .map(|(index, &byte)| (value(byte) - zero) * scales[if scales.len() == 1 { 0 } else { index / columns }])
            .collect())
    }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|chunk| f32::from_le_bytes(*chunk))
        .collect()
}

fn halves(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.as_chunks::<2>().0.iter().map(|chunk| u16::from_le_bytes(*chunk))
}

/// IEEE 754 binary16 to binary32, exact for every value.
pub(crate) fn f16_to_f32(half: u16) -> f32 {
    let sign = u32::from(half >> 15) << 31;
    let exponent = u32::from(half >> 10) & 0x1f;
    let fraction = u32::from(half) & 0x3ff;
    match exponent {
        // Zero and subnormals: fraction · 2^-24.
        0 => f32::from_bits(sign | (fraction as f32 * 2.0_f32.powi(-24)).to_bits()),
        0x1f => f32::from_bits(sign | 0x7f80_0000 | (fraction << 13)),
        _ => f32::from_bits(sign | ((exponent + 112) << 23) | (fraction << 13)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_is_read_exactly() {
        let cases: [(u16, f32); 7] = [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0400, 6.103_515_6e-5),
            (0x0001, 5.960_464_5e-8),
            (0x0000, 0.0),
            (0x3555, 0.333_251_95),
        ];
        for (bits, value) in cases {
            assert_eq!(f16_to_f32(bits), value, "{bits:#06x}");
        }
        assert!(f16_to_f32(0x7c00).is_infinite() && f16_to_f32(0x7e00).is_nan());
    }
}
