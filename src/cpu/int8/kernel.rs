//! Rows times one panel of weights: what the 8-bit instruction is used for.

use std::sync::OnceLock;

use super::{COLUMNS, OCTET};
use crate::cpu::TILE_ROWS;

/// How a row of activations was rounded: `activation = (integer - zero) · step`.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct RowRounding {
    /// The integer that stands for zero.
    pub zero: i32,
    /// What one unit is worth.
    pub step: f32,
}

/// What is known of a panel's columns.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct PanelColumns {
    /// Of all integers of each column, those of wide inputs left out.
    pub sums: [i32; COLUMNS],
    /// What one unit of each is worth.
    pub steps: [f32; COLUMNS],
    /// What is added in the end.
    pub bias: [f32; COLUMNS],
}

/// A kernel as machines call it: see [`Kernel::multiply`].
///
/// Of `rows` and of `panel` it reads `octets` eights of integers for each row of each tile, and for each column; of
/// `wide_rows` and `wide_panel` `pairs` pairs; of `out` it writes eight numbers of each row, which begin every `stride`
/// bytes.
pub type RawKernel = unsafe extern "C" fn(
    rows: *const u8,
    wide_rows: *const i16,
    roundings: *const RowRounding,
    panel: *const i8,
    wide_panel: *const i16,
    columns: *const PanelColumns,
    octets: usize,
    pairs: usize,
    tiles: usize,
    out: *mut f32,
    stride: usize,
);

/// A kernel that may be called.
#[derive(Clone, Copy, Debug)]
pub struct Kernel(RawKernel);

static KERNEL: OnceLock<Kernel> = OnceLock::new();

/// The kernel of this machine, if it has one.
pub fn kernel() -> Option<Kernel> {
    KERNEL.get().copied()
}

/// Says which kernel matrices are packed for from now on; the first one that is told of stays.
pub fn set_kernel(kernel: Kernel) {
    // Another one would give the same numbers.
    let _ = KERNEL.set(kernel);
}

impl Kernel {
    /// # Safety
    /// It has to read and write no more than [`RawKernel`] says.
    pub unsafe fn new(raw: RawKernel) -> Self {
        Self(raw)
    }

    /// One product after another, on any processor: what every kernel computes.
    pub fn scalar() -> Self {
        Self(scalar)
    }

    /// Tiles of four rows times one panel, as numbers: `((sum - zero · column's sum) as f32) · (row's step · column's
    /// step) + bias`, the sum being that of both kinds of inputs.
    ///
    /// Rows of `out` begin every `stride` numbers.
    ///
    /// # Panics
    /// If a slice is not as long as its type says.
    pub fn multiply(self, rows: Tiles<'_>, panel: Panel<'_>, out: &mut [f32], stride: usize) {
        let Tiles {
            narrow,
            wide,
            roundings,
        } = rows;
        let (octets, pairs) = (panel.narrow.len() / (OCTET * COLUMNS), panel.wide.len() / COLUMNS);
        let (count, tiles) = (roundings.len(), roundings.len() / TILE_ROWS);
        assert!(octets > 0 && tiles > 0 && count == tiles * TILE_ROWS);
        assert!(panel.narrow.len() == octets * OCTET * COLUMNS && narrow.len() * 4 == count * octets * OCTET);
        assert!(panel.wide.len() == pairs * COLUMNS && wide.len() == count * pairs);
        assert!(stride >= COLUMNS && out.len() >= (count - 1) * stride + COLUMNS);
        // SAFETY: the slices hold as many numbers as a kernel reads and writes, by the checks above.
        unsafe {
            (self.0)(
                narrow.as_ptr().cast(),
                wide.as_ptr().cast(),
                roundings.as_ptr(),
                panel.narrow.as_ptr(),
                panel.wide.as_ptr().cast(),
                panel.columns,
                octets,
                pairs,
                tiles,
                out.as_mut_ptr(),
                4 * stride,
            )
        }
    }
}

/// Rows of activations, rounded, in tiles of four.
#[derive(Clone, Copy)]
pub struct Tiles<'a> {
    /// Of one tile after another, and in it of one four of inputs after another: four bytes of each row, two in a number.
    pub narrow: &'a [[i16; 2]],
    /// Of one tile after another, and in it of one pair of wide inputs after another: two integers of each row.
    pub wide: &'a [[i16; 2]],
    /// Of each row.
    pub roundings: &'a [RowRounding],
}

/// Eight columns of weights, rounded.
#[derive(Clone, Copy)]
pub struct Panel<'a> {
    /// Of one four of inputs after another: four weights of each column.
    pub narrow: &'a [i8],
    /// Of one pair of wide inputs after another: two weights of each column.
    pub wide: &'a [[i16; 2]],
    /// What else is known of the columns.
    pub columns: &'a PanelColumns,
}

#[allow(clippy::too_many_arguments, reason = "what machines are given")]
unsafe extern "C" fn scalar(
    rows: *const u8,
    wide_rows: *const i16,
    roundings: *const RowRounding,
    panel: *const i8,
    wide_panel: *const i16,
    columns: *const PanelColumns,
    octets: usize,
    pairs: usize,
    tiles: usize,
    out: *mut f32,
    stride: usize,
) {
    let fours = octets * OCTET / 4;
    // SAFETY: as many are there as the type says.
    let PanelColumns { sums, steps, bias } = unsafe { &*columns };
    for row in 0..tiles * TILE_ROWS {
        let (tile, within) = (row / TILE_ROWS, row % TILE_ROWS);
        // SAFETY: as above.
        let RowRounding { zero, step } = unsafe { *roundings.add(row) };
        for column in 0..COLUMNS {
            let narrow = |input: usize| {
                let four = input / 4;
                // SAFETY: as above.
                let (activation, weight) = unsafe {
                    (
                        *rows.add(((tile * fours + four) * TILE_ROWS + within) * 4 + input % 4),
                        *panel.add((four * COLUMNS + column) * 4 + input % 4),
                    )
                };
                i32::from(activation) * i32::from(weight)
            };
            let wide = |input: usize| {
                let pair = input / 2;
                // SAFETY: as above.
                let (activation, weight) = unsafe {
                    (
                        *wide_rows.add(((tile * pairs + pair) * TILE_ROWS + within) * 2 + input % 2),
                        *wide_panel.add((pair * COLUMNS + column) * 2 + input % 2),
                    )
                };
                i32::from(activation) * i32::from(weight)
            };
            let sum: i32 = (0..4 * fours).map(narrow).chain((0..2 * pairs).map(wide)).sum();
            let value = (sum - zero * sums[column]) as f32 * (step * steps[column]) + bias[column];
            // SAFETY: there is room for it.
            unsafe { *out.add(row * (stride / 4) + column) = value }
        }
    }
}
