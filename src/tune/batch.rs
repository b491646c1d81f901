//! The queries of one optimizer step with their candidates side by side.

use std::ops::Range;

use super::training_set::{TrainingSet, softmax};

/// A batch of B queries. Its slots are the candidates of all of them, one query after the other; a document that
/// several queries have takes a slot for each.
pub struct Batch {
    /// The set's queries, B of them.
    pub queries: Vec<usize>,
    /// Each slot's row in the set's documents.
    pub slots: Vec<u32>,
    /// Each query's own slots.
    pub own: Vec<Range<usize>>,
    /// The slot of each query's best candidate by the teacher.
    pub best: Vec<usize>,
    /// The teacher's score of each slot, for the query whose own it is.
    pub scores: Vec<f32>,
}

impl Batch {
    /// The batch of these queries of the set, each of which has a candidate.
    pub fn new(set: &TrainingSet, queries: &[usize]) -> Self {
        let mut batch = Self {
            queries: queries.to_vec(),
            slots: Vec::new(),
            own: Vec::with_capacity(queries.len()),
            best: Vec::with_capacity(queries.len()),
            scores: Vec::new(),
        };
        for &query in queries {
            let start = batch.slots.len();
            batch.slots.extend(&set.candidates[query]);
            batch.scores.extend(&set.scores[query]);
            batch.own.push(start..batch.slots.len());
            batch.best.push(start + set.best(query));
        }
        batch
    }

    /// For each query and slot the teacher's probability: softmax over the query's own slots, 0 elsewhere; with the
    /// negative entropy of all of them, `Σ P log P`.
    pub fn teacher(&self) -> (Vec<f32>, f64) {
        let width = self.slots.len();
        let mut teacher = vec![0.0; self.queries.len() * width];
        let mut negative_entropy = 0.0;
        for (row, own) in self.own.iter().enumerate() {
            let probabilities = softmax(&self.scores[own.clone()]);
            negative_entropy += probabilities
                .iter()
                .filter(|p| **p > 0.0)
                .map(|&p| f64::from(p) * f64::from(p).ln())
                .sum::<f64>();
            teacher[row * width..][own.clone()].copy_from_slice(&probabilities);
        }
        (teacher, negative_entropy)
    }

    /// For each query and slot whether the slot is another query's but its document one of the query's own candidates.
    pub fn repeated(&self) -> impl Iterator<Item = bool> + '_ {
        self.own.iter().flat_map(move |own| {
            let mine = &self.slots[own.clone()];
            (0..self.slots.len()).map(move |slot| !own.contains(&slot) && mine.contains(&self.slots[slot]))
        })
    }

    /// For each query and query whether they are different but have the same best document.
    pub fn same_best(&self) -> impl Iterator<Item = bool> + '_ {
        let best = |query: usize| self.slots[self.best[query]];
        let queries = 0..self.queries.len();
        queries.clone().flat_map(move |query| {
            queries
                .clone()
                .map(move |other| query != other && best(query) == best(other))
        })
    }

    /// For each query and slot the teacher's margin of the best candidate, and whether the slot is compared with it:
    /// one of the query's own, not the best itself.
    pub fn margins(&self) -> (Vec<f32>, Vec<f32>) {
        let width = self.slots.len();
        let mut margins = vec![0.0; self.queries.len() * width];
        let mut compared = vec![0.0; self.queries.len() * width];
        for (row, (own, &best)) in self.own.iter().zip(&self.best).enumerate() {
            for slot in own.clone().filter(|&slot| slot != best) {
                margins[row * width + slot] = self.scores[best] - self.scores[slot];
                compared[row * width + slot] = 1.0;
            }
        }
        (margins, compared)
    }
}
