//! Inputs as the CPU takes them: stacked, without padding.

use std::ops::Range;

use crate::model::tokenizer::Tokenized;

/// Inputs one after the other.
pub struct Batch {
    /// Token ids of all inputs.
    pub ids: Vec<u32>,
    /// Type of each token: in a pair 0 for the first text, 1 for the second.
    pub type_ids: Vec<u32>,
    /// Tokens of each input.
    pub lengths: Vec<usize>,
}

impl Batch {
    /// Lays inputs out.
    pub fn new(inputs: &[&Tokenized]) -> Self {
        Self {
            ids: inputs.iter().flat_map(|input| &input.ids).copied().collect(),
            type_ids: inputs.iter().flat_map(|input| &input.type_ids).copied().collect(),
            lengths: inputs.iter().map(|input| input.ids.len()).collect(),
        }
    }

    /// Id, type and position of each token.
    pub fn ids_and_places(&self) -> impl Iterator<Item = (u32, u32, usize)> + '_ {
        let positions = self.lengths.iter().flat_map(|&length| 0..length);
        let ids = self.ids.iter().zip(&self.type_ids).zip(positions);
        ids.map(|((&id, &type_id), position)| (id, type_id, position))
    }

    /// The places of each input's tokens.
    pub fn tokens(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.lengths.iter().scan(0, |next, length| {
            *next += length;
            Some(*next - length..*next)
        })
    }
}
