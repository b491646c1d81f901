//! Weights in 8-bit integers, packed for the product.

use super::kernel::{Panel, PanelColumns};
use super::{ACTIVATION_LIMIT, COLUMNS, Kernel, OCTET, WEIGHT_LIMIT};
use crate::cpu::finite_step;
use crate::cpu::rows::round_row;
use crate::error::Result;

/// The weights of a linear layer, rounded and packed for a kernel, and its bias.
pub struct Int8Matrix {
    /// Of one panel of eight outputs after another, four inputs after four: four weights of each output.
    panels: Vec<i8>,
    /// Of one panel after another, pair after pair of wide inputs: two weights of each output.
    wide_panels: Vec<[i16; 2]>,
    /// Of one panel after another; zeros where there is no output.
    columns: Vec<PanelColumns>,
    pub(super) inputs: usize,
    /// Which inputs are wide.
    pub(super) wide: Vec<u32>,
    outputs: usize,
    pub(super) kernel: Kernel,
}

impl Int8Matrix {
    /// Rounds and packs `weights` ([outputs, inputs], row by row) for a kernel; `wide` are the numbers of wide inputs.
    ///
    /// # Errors
    /// [`crate::Code::ModelWeights`] if a weight is infinite or not a number.
    pub fn pack(weights: &[f32], bias: &[f32], inputs: usize, wide: &[u32], kernel: Kernel) -> Result<Self> {
        let outputs = bias.len();
        let whole_inputs = inputs.next_multiple_of(OCTET);
        let mut panels = vec![0; outputs.next_multiple_of(COLUMNS) * whole_inputs];
        let pairs = wide.len().div_ceil(2);
        let mut wide_panels = vec![[0; 2]; outputs.next_multiple_of(COLUMNS) * pairs];
        let mut columns = vec![PanelColumns::default(); outputs.div_ceil(COLUMNS)];
        let mut integers = vec![0; inputs];
        for (output, row) in weights.chunks_exact(inputs).enumerate() {
            let step = finite_step(round_weights(row, &mut integers))?;
            let (panel, column) = (output / COLUMNS, output % COLUMNS);
            let of = &mut columns[panel];
            of.steps[column] = step;
            of.bias[column] = bias[output];
            for (number, &input) in wide.iter().enumerate() {
                let weight = std::mem::take(&mut integers[input as usize]);
                wide_panels[(panel * pairs + number / 2) * COLUMNS + column][number % 2] = weight;
            }
            of.sums[column] = integers.iter().map(|integer| i32::from(*integer)).sum();
            let panel = &mut panels[panel * COLUMNS * whole_inputs..];
            for (four, integers) in integers.chunks(4).enumerate() {
                for (to, integer) in panel[(four * COLUMNS + column) * 4..].iter_mut().zip(integers) {
                    *to = *integer as i8;
                }
            }
        }
        Ok(Self {
            panels,
            wide_panels,
            columns,
            inputs,
            wide: wide.to_vec(),
            outputs,
            kernel,
        })
    }

    /// The panel of that number.
    pub(super) fn panel_of(&self, number: usize) -> Panel<'_> {
        let narrow = COLUMNS * self.inputs.next_multiple_of(OCTET);
        let wide = COLUMNS * self.wide.len().div_ceil(2);
        Panel {
            narrow: &self.panels[number * narrow..][..narrow],
            wide: &self.wide_panels[number * wide..][..wide],
            columns: &self.columns[number],
        }
    }

    /// Numbers in a row of the result.
    pub fn outputs(&self) -> usize {
        self.outputs
    }
}

/// Rounds a row of weights, and returns what one unit is worth.
///
/// Products of four inputs are added in 16 bits: of every eight inputs the first two and the first two of the second
/// half, and the others. A row whose weights would be too large for that together has smaller ones; one in seven has,
/// and few of them by more than a tenth (in all-MiniLM-L6-v2 and ms-marco-MiniLM-L-12-v2).
pub fn round_weights(row: &[f32], integers: &mut [i16]) -> f32 {
    let largest = row.iter().fold(0f32, |most, weight| most.max(weight.abs()));
    let sum = |octet: &[f32], places: [usize; 4], sign: f32| -> f32 {
        let weights = places.iter().filter_map(|place| octet.get(*place));
        weights.map(|weight| (sign * weight).max(0.0)).sum()
    };
    let most = row
        .chunks(OCTET)
        .flat_map(|octet| {
            [[0, 1, 4, 5], [2, 3, 6, 7]].map(|places| sum(octet, places, 1.0).max(sum(octet, places, -1.0)))
        })
        .fold(0.0, f32::max);
    // Rounding may add half a unit to each of the four.
    let room = f32::from(i16::MAX / ACTIVATION_LIMIT) - 2.0;
    let limit = if most > 0.0 { room * (largest / most) } else { room };
    round_row(row, limit.floor().min(f32::from(WEIGHT_LIMIT)), integers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sum_of_four_products_can_overflow() {
        let mut random = fastrand::Rng::with_seed(14);
        for _ in 0..2000 {
            let same_sign = random.bool();
            let heavy = random.f32();
            let mut weight = || {
                let size = if random.f32() < heavy { 1.0 } else { random.f32() };
                if same_sign || random.bool() { size } else { -size }
            };
            let row: Vec<f32> = (0..64).map(|_| weight()).collect();
            let mut integers = vec![0; row.len()];
            round_weights(&row, &mut integers);
            assert!(integers.iter().all(|integer| integer.abs() <= WEIGHT_LIMIT));
            for octet in integers.chunks_exact(OCTET) {
                for places in [[0, 1, 4, 5], [2, 3, 6, 7]] {
                    for sign in [1, -1] {
                        let sum: i32 = places
                            .iter()
                            .map(|place| (sign * i32::from(octet[*place])).max(0))
                            .sum();
                        let most = sum * i32::from(ACTIVATION_LIMIT);
                        assert!(most <= i32::from(i16::MAX), "{most}");
                    }
                }
            }
        }
    }
}
