//! Which inputs of a model's layers are wide: found out by sending a few tokens through it.
//!
//! In BERTs they are the same ones whatever the text is: a column of a normalisation's numbers, or what the separators'
//! tokens make of the wide layer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How many inputs of a layer are wide: more of them make vectors hardly more exact.
const WIDE_INPUTS: usize = 8;

/// The largest absolute value of every input of layers, by the layers' names.
#[derive(Clone, Default)]
pub struct LargestInputs(Arc<Mutex<HashMap<String, Vec<f32>>>>);

impl LargestInputs {
    /// Notes a layer's inputs, row by row.
    pub fn note(&self, layer: &str, rows: &[f32], inputs: usize) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let largest = all.entry(layer.to_owned()).or_insert_with(|| vec![0.0; inputs]);
        for row in rows.chunks_exact(inputs) {
            for (largest, value) in largest.iter_mut().zip(row) {
                *largest = largest.max(value.abs());
            }
        }
    }

    /// Numbers of a layer's wide inputs in their order; none of a layer that was never seen.
    pub fn wide(&self, layer: &str) -> Vec<u32> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(largest) = all.get(layer) else {
            return Vec::new();
        };
        let mut numbers: Vec<u32> = (0..).take(largest.len()).collect();
        // Stable: of equals the first ones.
        numbers.sort_by(|a, b| largest[*b as usize].total_cmp(&largest[*a as usize]));
        numbers.truncate(WIDE_INPUTS);
        numbers.sort_unstable();
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_inputs_of_any_row_are_wide() {
        let seen = LargestInputs::default();
        let row = |wide: [usize; 4]| -> Vec<f32> {
            let size = |input| {
                if wide.contains(&input) {
                    -20.0
                } else {
                    1.0 / (1.0 + input as f32)
                }
            };
            (0..100).map(size).collect()
        };
        seen.note("a", &[row([90, 3, 50, 7]), row([4, 60, 99, 3])].concat(), 100);
        seen.note("a", &row([80, 3, 7, 4]), 100);
        assert_eq!(seen.wide("a"), [3, 4, 7, 50, 60, 80, 90, 99]);
        assert!(seen.wide("b").is_empty());
    }

    #[test]
    fn a_small_layer_has_as_many_as_it_has() {
        let seen = LargestInputs::default();
        seen.note("a", &[1.0, 2.0, 3.0], 3);
        assert_eq!(seen.wide("a"), [0, 1, 2]);
    }
}
