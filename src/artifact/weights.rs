//! The encoder's weights on their way into a download: as floats where they are stored as 8-bit integers, and with
//! low-rank changes added.
//!
//! Tensors are made one after the other, without a second copy of all weights in memory.

use std::borrow::Cow;
use std::collections::BTreeMap;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::adapter::{Lora, LoraMatrix};
use super::tensors;
use crate::error::{Code, Error, Result};
use crate::model::{NAME_PREFIXES, Quantisation, add_change, values};

/// The file that every model folder has.
pub const FILE: &str = "model.safetensors";

/// The encoder's weight file with LoRA's changes added: the bytes of a `model.safetensors`.
///
/// Names stay as they are, with or without `bert.`; all floats become F32, also where the base has F16, BF16 or 8-bit
/// integers with a scale, and the changes are added in F32.
///
/// # Errors
/// [`Code::ModelFileMissing`], [`Code::ModelWeights`] if the base cannot be read; [`Code::ModelShape`] if the changes
/// are for another base model; [`Code::Internal`] if they contradict themselves.
pub fn merged_weights(base: &BTreeMap<String, Vec<u8>>, lora: &Lora) -> Result<Vec<u8>> {
    let written = Written::merged(file_of(base)?, lora)?;
    let mut file = Vec::new();
    file.try_reserve_exact(written.len()).map_err(|_| {
        let text = format!("No memory for an encoder of {} MB.", written.len() >> 20);
        Error::new(Code::Internal, text)
    })?;
    for number in 0.. {
        match written.piece(number) {
            Some(bytes) => file.extend_from_slice(&bytes),
            None => break,
        }
    }
    Ok(file)
}

/// Refuses changes of another encoder.
///
/// # Errors
/// As [`merged_weights`].
pub fn check_changes(base: &BTreeMap<String, Vec<u8>>, lora: &Lora) -> Result<()> {
    Written::merged(file_of(base)?, lora).map(drop)
}

/// Said of a layer that an adapter changes and the base model does not have, or of the shape `found`, not `wanted`.
pub(super) fn not_of_the_base(module: &str, found: Option<&[usize]>, wanted: [usize; 2]) -> String {
    let what = match found {
        Some(found) => format!("which is {found:?} in the base model and not {wanted:?}"),
        None => "which the base model does not have".to_owned(),
    };
    format!("The adapter changes {module}, {what}. Take the base model that the adapter was trained with.")
}

/// The weight file among a model's files.
pub fn file_of(base: &BTreeMap<String, Vec<u8>>) -> Result<&[u8]> {
    base.get(FILE).map(Vec::as_slice).ok_or_else(|| {
        let text = "The base model has no model.safetensors. Give the whole model folder.";
        Error::new(Code::ModelFileMissing, text)
    })
}

/// A weight file, to be written otherwise than it is stored.
pub struct Written<'a> {
    header: Vec<u8>,
    tensors: Vec<Tensor<'a>>,
}

struct Tensor<'a> {
    name: String,
    view: TensorView<'a>,
    stored: Stored,
    change: Option<Change<'a>>,
}

enum Stored {
    /// Passed on byte by byte.
    AsIs,
    /// Numbers of another type, to become F32.
    Floats,
    /// 8-bit integers with a scale, to become F32.
    Integers(Quantisation),
}

/// alpha / rank · B A, to be added.
struct Change<'a> {
    matrix: LoraMatrix<'a>,
    rank: usize,
    alpha: f32,
}

impl<'a> Written<'a> {
    /// Looks for 8-bit tensors `NAME` with a `NAME.scale`; `None` if the file has none and can be passed on as it is.
    ///
    /// # Errors
    /// [`Code::ModelWeights`] if this is no safetensors file, or a scale or zero point does not fit its tensor.
    pub fn dequantised(file: &'a [u8]) -> Result<Option<Self>> {
        let (tensors, quantised) = read(file)?;
        if !quantised {
            return Ok(None);
        }
        Self::of(tensors).map(Some)
    }

    /// The file with all floats as F32, and changes added.
    ///
    /// # Errors
    /// As [`merged_weights`].
    pub fn merged(file: &'a [u8], lora: &Lora<'a>) -> Result<Self> {
        lora.check()?;
        let (mut tensors, _) = read(file)?;
        for tensor in &mut tensors {
            if matches!(tensor.view.dtype(), Dtype::F16 | Dtype::BF16) {
                tensor.stored = Stored::Floats;
            }
        }
        for &matrix in &lora.matrices {
            let names = NAME_PREFIXES.map(|prefix| format!("{prefix}{}.weight", matrix.module));
            let wanted = [matrix.outputs, matrix.inputs];
            let stranger = |found: Option<&[usize]>| {
                let text = not_of_the_base(matrix.module, found, wanted);
                Error::new(Code::ModelShape, text).at(FILE, 0, 0)
            };
            let tensor = tensors
                .iter_mut()
                .find(|tensor| names.contains(&tensor.name))
                .ok_or_else(|| stranger(None))?;
            if tensor.view.shape() != wanted {
                return Err(stranger(Some(tensor.view.shape())));
            }
            if !tensor.becomes_f32() && tensor.view.dtype() != Dtype::F32 {
                let dtype = tensor.view.dtype();
                return Err(Error::new(
                    Code::ModelWeights,
                    format!(
                        "{} is stored as {dtype}; supported: F32, F16, BF16, I8 and U8 with a scale.",
                        matrix.module
                    ),
                )
                .at(FILE, 0, 0));
            }
            if matches!(tensor.stored, Stored::AsIs) {
                tensor.stored = Stored::Floats;
            }
            tensor.change = Some(Change {
                matrix,
                rank: lora.rank,
                alpha: lora.alpha,
            });
        }
        Self::of(tensors)
    }

    fn of(mut tensors: Vec<Tensor<'a>>) -> Result<Self> {
        // Wide types first, then by name: every tensor is aligned and the order is the same every time.
        tensors.sort_by(|a, b| b.width().cmp(&a.width()).then_with(|| a.name.cmp(&b.name)));
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
        let header = tensors::header(&layout, &[("format", "pt".to_owned())])?;
        Ok(Self { header, tensors })
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

/// A file's tensors without scales and zero points, and whether it had any.
fn read(file: &[u8]) -> Result<(Vec<Tensor<'_>>, bool)> {
    let all: SafeTensors = tensors::read(file)?;
    let mut read = Vec::new();
    let mut companions = Vec::new();
    for (name, view) in all.iter() {
        let mut stored = Stored::AsIs;
        if matches!(view.dtype(), Dtype::I8 | Dtype::U8) {
            let found = Quantisation::read(&all, name, &view).map_err(|what| {
                let text = format!("{name} is stored as 8-bit integers, but {what}.");
                Error::new(Code::ModelWeights, text)
            })?;
            if let Some(quantisation) = found {
                companions.extend(Quantisation::companions(name));
                stored = Stored::Integers(quantisation);
            }
        }
        read.push(Tensor {
            name: name.to_owned(),
            view,
            stored,
            change: None,
        });
    }
    read.retain(|tensor| !companions.contains(&tensor.name));
    Ok((read, !companions.is_empty()))
}

impl Tensor<'_> {
    fn becomes_f32(&self) -> bool {
        !matches!(self.stored, Stored::AsIs)
    }

    fn dtype(&self) -> String {
        if self.becomes_f32() {
            "F32".into()
        } else {
            self.view.dtype().to_string()
        }
    }

    /// Bits of a number as it is written.
    fn width(&self) -> usize {
        if self.becomes_f32() {
            32
        } else {
            self.view.dtype().bitsize()
        }
    }

    fn len(&self) -> usize {
        if self.becomes_f32() {
            4 * self.view.shape().iter().product::<usize>()
        } else {
            self.view.data().len()
        }
    }

    fn bytes(&self) -> Cow<'_, [u8]> {
        if !self.becomes_f32() {
            return Cow::Borrowed(self.view.data());
        }
        let mut values = self.values();
        if let Some(change) = &self.change {
            add_change(&mut values, change.matrix.a, change.matrix.b, change.rank, change.alpha);
        }
        let mut bytes = Vec::with_capacity(self.len());
        values
            .iter()
            .for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
        Cow::Owned(bytes)
    }

    fn values(&self) -> Vec<f32> {
        match &self.stored {
            Stored::Integers(quantisation) => quantisation.values(&self.view),
            // Only tensors of floats are marked to become F32.
            _ => values(&self.view).unwrap_or_default(),
        }
    }
}
