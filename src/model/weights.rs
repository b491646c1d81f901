//! Weights out of a safetensors file, one tensor at a time.

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::files::ModelFiles;
use super::lora::Lora;
use super::stored::{self, Quantisation};
use crate::error::{Code, Error, Result};

/// The tensors of a `model.safetensors`, still in the file's own bytes.
///
/// Names are looked up with and without the prefix `bert.` or `roberta.`: a bare `BertModel` is saved without it, a
/// classifier with it. Stored types are F32, F16, BF16, and 8-bit integers with a scale (see [`Quantisation`]).
pub struct Weights<'a> {
    tensors: SafeTensors<'a>,
    id: &'a str,
    changes: Option<&'a Lora>,
}

const FILE: &str = "model.safetensors";
/// What the name of an encoder's tensor may begin with.
pub(crate) const NAME_PREFIXES: [&str; 3] = ["", "bert.", "roberta."];

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
        let (full_name, view) = self.find(name)?;
        if view.dtype() != Dtype::I8 {
            return None;
        }
        let quantisation = Quantisation::read(&self.tensors, &full_name, &view).ok().flatten()?;
        let rows = *view.shape().first()?;
        match quantisation.scale[..] {
            _ if quantisation.zero != 0.0 => None,
            [step] => Some(vec![step; rows]),
            ref steps => Some(steps.to_vec()),
        }
    }

    /// A tensor by its name, with or without the prefix, and its full name.
    fn find(&self, name: &str) -> Option<(String, TensorView<'_>)> {
        let mut names = NAME_PREFIXES.iter().map(|prefix| format!("{prefix}{name}"));
        names.find_map(|full| self.tensors.tensor(&full).ok().map(|view| (full, view)))
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let wrong = |what: String| {
            let text = format!(
                "{name} of {} {what}. Weights and config.json do not belong together.",
                self.id
            );
            Error::new(Code::ModelShape, text).at(FILE, 0, 0)
        };
        let (full_name, view) = self.find(name).ok_or_else(|| wrong("is missing".into()))?;
        if view.shape() != shape {
            return Err(wrong(format!(
                "has the shape {:?}, config.json asks for {shape:?}",
                view.shape()
            )));
        }
        let refuse = |what: &str| {
            let text = format!("{name} of {} is stored as {:?}{what}.", self.id, view.dtype());
            Error::new(Code::ModelWeights, text).at(FILE, 0, 0)
        };
        if let Some(values) = stored::values(&view) {
            return Ok(values);
        }
        if !matches!(view.dtype(), Dtype::I8 | Dtype::U8) {
            return Err(refuse("; supported: F32, F16, BF16, I8 and U8 with a scale"));
        }
        let quantisation = Quantisation::read(&self.tensors, &full_name, &view)
            .and_then(|found| found.ok_or("its .scale is missing"))
            .map_err(|what| refuse(&format!(", but {what}")))?;
        Ok(quantisation.values(&view))
    }
}
