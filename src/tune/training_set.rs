//! What a training reads: vectors and logits, no texts.

use std::collections::HashMap;

use crate::error::{Code, Error, Result};
use crate::relations::Relations;
use crate::vectors::Vectors;

/// Queries with the same number of scored candidates each.
#[derive(Clone, Debug)]
pub struct TrainingSet {
    /// One row a query.
    pub queries: Vectors,
    /// One row a document that is some query's candidate.
    pub documents: Vectors,
    /// Rows of `documents` for each query.
    pub candidates: Vec<Vec<u32>>,
    /// The cross-encoder's logits, in the candidates' order.
    pub logits: Vec<Vec<f32>>,
}

impl TrainingSet {
    /// Checks that the parts fit together.
    ///
    /// # Errors
    /// [`Code::Internal`] if they do not: rows, counts or numbers.
    pub fn new(queries: Vectors, documents: Vectors, candidates: Vec<Vec<u32>>, logits: Vec<Vec<f32>>) -> Result<Self> {
        let depth = candidates.first().map_or(0, Vec::len);
        let fits = queries.len() == candidates.len()
            && candidates.len() == logits.len()
            && queries.dims() == documents.dims()
            && candidates
                .iter()
                .zip(&logits)
                .all(|(c, l)| c.len() == depth && l.len() == depth)
            && candidates
                .iter()
                .flatten()
                .all(|&document| (document as usize) < documents.len());
        if !fits || depth == 0 {
            return Err(Error::new(
                Code::Internal,
                "The parts of a training set do not fit together.",
            ));
        }
        Ok(Self {
            queries,
            documents,
            candidates,
            logits,
        })
    }

    /// The scored part of relations; only documents that are somebody's candidate come along.
    ///
    /// # Errors
    /// [`Code::Internal`]
    pub fn from_relations(relations: &Relations) -> Result<Self> {
        let mut rows: HashMap<u32, u32> = HashMap::new();
        let mut used: Vec<usize> = Vec::new();
        let mut candidates = Vec::with_capacity(relations.candidates.len());
        let mut logits = Vec::with_capacity(relations.candidates.len());
        for query in 0..relations.candidates.len() {
            let (mut own, mut own_logits) = (Vec::new(), Vec::new());
            for (document, logit) in relations.scored(query) {
                own.push(*rows.entry(document).or_insert_with(|| {
                    used.push(document as usize);
                    used.len() as u32 - 1
                }));
                own_logits.push(logit);
            }
            candidates.push(own);
            logits.push(own_logits);
        }
        let documents = relations.document_vectors.select(used);
        Self::new(relations.query_vectors.clone(), documents, candidates, logits)
    }

    /// Queries.
    pub fn len(&self) -> usize {
        self.candidates.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.candidates.is_empty()
    }

    /// Candidates of each query.
    pub fn depth(&self) -> usize {
        self.candidates.first().map_or(0, Vec::len)
    }

    /// The place among a query's candidates of the highest logit, the first of equals.
    pub fn best(&self, query: usize) -> usize {
        let logits = &self.logits[query];
        (0..logits.len())
            .reduce(|best, slot| if logits[slot] > logits[best] { slot } else { best })
            .unwrap_or(0)
    }

    /// The cross-encoder's opinion of a query's candidates as probabilities.
    pub fn teacher(&self, query: usize) -> Vec<f32> {
        softmax(&self.logits[query])
    }
}

/// `exp(x - max) / sum`, in f32.
pub fn softmax(logits: &[f32]) -> Vec<f32> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f32> = logits.iter().map(|logit| (logit - max).exp()).collect();
    let sum: f32 = exponentials.iter().sum();
    exponentials.into_iter().map(|value| value / sum).collect()
}
