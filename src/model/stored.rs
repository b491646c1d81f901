//! Numbers as files of weights store them: F32, F16, BF16, or 8-bit integers with a scale.

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

/// How the 8-bit integers (I8 or U8) of a tensor `NAME` become numbers: value = (integer - zero) · scale.
///
/// The scale is `NAME.scale` (F32, one for the tensor or one for each row), the zero `NAME.zero_point` (of the tensor's
/// own type), 0 if there is none.
pub(crate) struct Quantisation {
    /// One for the tensor, or one for each row.
    pub scale: Vec<f32>,
    pub zero: f32,
}

impl Quantisation {
    /// Names of the tensors that belong to a tensor of integers.
    pub fn companions(name: &str) -> [String; 2] {
        [format!("{name}.scale"), format!("{name}.zero_point")]
    }

    /// That of a tensor of integers; nothing if the file has no scale for it.
    ///
    /// # Errors
    /// What is wrong with the scale or the zero point, to be said after the tensor's name.
    pub fn read(tensors: &SafeTensors, name: &str, view: &TensorView) -> Result<Option<Self>, &'static str> {
        let [scale, zero] = Self::companions(name).map(|name| tensors.tensor(&name).ok());
        let Some(scale) = scale else { return Ok(None) };
        let rows = view.shape().first().copied().unwrap_or(1);
        let scales = scale.shape().iter().product::<usize>();
        if scale.dtype() != Dtype::F32 || scale.shape().len() > 1 || (scales != 1 && scales != rows) || scales == 0 {
            return Err("its .scale is not one F32 number, or one for each row");
        }
        let zero = match zero {
            None => 0.0,
            Some(zero) => match (zero.dtype() == view.dtype(), zero.data()) {
                (true, &[byte]) => integer(view.dtype(), byte),
                _ => return Err("its .zero_point is not one number of the tensor's own type"),
            },
        };
        Ok(Some(Self {
            scale: floats(scale.data()),
            zero,
        }))
    }

    /// The tensor's numbers.
    pub fn values(&self, view: &TensorView) -> Vec<f32> {
        let row = (view.data().len() / self.scale.len()).max(1);
        let rows = view.data().chunks(row).zip(&self.scale);
        let value = |byte: u8, scale: f32| (integer(view.dtype(), byte) - self.zero) * scale;
        rows.flat_map(|(row, &scale)| row.iter().map(move |&byte| value(byte, scale)))
            .collect()
    }
}

/// The numbers of a tensor of F32, F16 or BF16; nothing for other types.
pub(crate) fn values(view: &TensorView) -> Option<Vec<f32>> {
    let halves = || {
        let pairs = view.data().as_chunks::<2>().0.iter();
        pairs.map(|bytes| u16::from_le_bytes(*bytes))
    };
    match view.dtype() {
        Dtype::F32 => Some(floats(view.data())),
        Dtype::F16 => Some(halves().map(f16_to_f32).collect()),
        Dtype::BF16 => Some(halves().map(|half| f32::from_bits(u32::from(half) << 16)).collect()),
        _ => None,
    }
}

/// Numbers of F32, little-endian.
pub(crate) fn floats(bytes: &[u8]) -> Vec<f32> {
    let chunks = bytes.as_chunks::<4>().0.iter();
    chunks.map(|chunk| f32::from_le_bytes(*chunk)).collect()
}

fn integer(dtype: Dtype, byte: u8) -> f32 {
    if dtype == Dtype::I8 {
        f32::from(byte.cast_signed())
    } else {
        f32::from(byte)
    }
}

/// IEEE 754 binary16 to binary32, exact for every value.
fn f16_to_f32(half: u16) -> f32 {
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
