//! Inputs whose products are added as integers.

use std::ops::Range;

/// Inputs whose products are added as integers: a multiple of four, as blocks have halves and those have pairs.
pub const BLOCK_INPUTS: usize = 768;

const _: () = assert!(BLOCK_INPUTS.is_multiple_of(4));

/// The blocks of so many inputs, a multiple of four.
pub fn blocks(inputs: usize) -> impl Iterator<Item = Range<usize>> {
    (0..inputs)
        .step_by(BLOCK_INPUTS)
        .map(move |start| start..inputs.min(start + BLOCK_INPUTS))
}
