//! What a training reads: vectors and the teacher's scores, no texts.

use std::collections::HashMap;

use super::recipe::Recipe;
use crate::error::{Code, Error, Result};
use crate::relations::Relations;
use crate::vectors::Vectors;

/// Queries with their scored candidates, as many each as there are.
#[derive(Clone, Debug)]
pub struct TrainingSet {
    /// One row a query.
    pub queries: Vectors,
    /// One row a document that is some query's candidate.
    pub documents: Vectors,
    /// The documents' numbers in the corpus.
    pub numbers: Vec<u32>,
    /// Rows of `documents` for each query.
    pub candidates: Vec<Vec<u32>>,
    /// The teacher's scores, in the candidates' order: the cross-encoder's logits, or `logit + a · cos`.
    pub scores: Vec<Vec<f32>>,
    /// How often each query was asked.
    pub counts: Vec<u32>,
}

impl TrainingSet {
    /// Checks that the parts fit together; every query was asked once, documents are numbered by their rows.
    ///
    /// # Errors
    /// [`Code::Internal`] if they do not: rows, counts or numbers.
    pub fn new(queries: Vectors, documents: Vectors, candidates: Vec<Vec<u32>>, scores: Vec<Vec<f32>>) -> Result<Self> {
        let fits = queries.len() == candidates.len()
            && candidates.len() == scores.len()
            && queries.dims() == documents.dims()
            && candidates.iter().zip(&scores).all(|(c, s)| c.len() == s.len())
            && candidates.iter().flatten().all(|&row| (row as usize) < documents.len());
        if !fits {
            return Err(Error::new(
                Code::Internal,
                "The parts of a training set do not fit together.",
            ));
        }
        Ok(Self {
            numbers: (0..documents.len() as u32).collect(),
            counts: vec![1; queries.len()],
            queries,
            documents,
            candidates,
            scores,
        })
    }

    /// The scored part of relations, with the recipe's teacher; of each query only the candidates that are `allowed`.
    /// Documents that are nobody's candidate do not come along.
    ///
    /// # Errors
    /// [`Code::Internal`]
    pub fn from_relations(relations: &Relations, recipe: &Recipe, allowed: impl Fn(u32) -> bool) -> Result<Self> {
        let mut rows: HashMap<u32, u32> = HashMap::new();
        let mut numbers: Vec<u32> = Vec::new();
        let mut candidates = Vec::with_capacity(relations.candidates.len());
        let mut scores = Vec::with_capacity(relations.candidates.len());
        for found in &relations.candidates {
            let (mut own, mut own_scores) = (Vec::new(), Vec::new());
            for candidate in found.iter().filter(|candidate| allowed(candidate.document)) {
                let Some(logit) = candidate.logit else { continue };
                own.push(*rows.entry(candidate.document).or_insert_with(|| {
                    numbers.push(candidate.document);
                    numbers.len() as u32 - 1
                }));
                own_scores.push(logit + recipe.teacher_cosine * candidate.cosine);
            }
            candidates.push(own);
            scores.push(own_scores);
        }
        let documents = relations
            .document_vectors
            .select(numbers.iter().map(|&number| number as usize));
        let counts = relations.queries.items.iter().map(|query| query.count).collect();
        let set = Self::new(relations.query_vectors.clone(), documents, candidates, scores)?;
        Ok(Self { numbers, counts, ..set })
    }

    /// Queries, those without a candidate included.
    pub fn len(&self) -> usize {
        self.candidates.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.candidates.is_empty()
    }

    /// The queries that have a candidate to learn from.
    pub fn trainable(&self) -> Vec<usize> {
        (0..self.len())
            .filter(|&query| !self.candidates[query].is_empty())
            .collect()
    }

    /// The place among a query's candidates of the highest score, the first of equals.
    pub fn best(&self, query: usize) -> usize {
        let scores = &self.scores[query];
        (0..scores.len())
            .reduce(|best, slot| if scores[slot] > scores[best] { slot } else { best })
            .unwrap_or(0)
    }

    /// The teacher's opinion of a query's candidates as probabilities.
    pub fn teacher(&self, query: usize) -> Vec<f32> {
        softmax(&self.scores[query])
    }

    /// The factor that brings the base model's margins nearest to the teacher's: least squares through the origin over
    /// every query's best candidate against each other one, `Σ m_cos · m_teacher / Σ m_cos²`.
    pub fn margin_scale(&self) -> f32 {
        let (mut products, mut squares) = (0.0, 0.0);
        for query in self.trainable() {
            let vector = self.queries.row(query);
            let cosine = |slot: usize| -> f64 {
                let document = self.documents.row(self.candidates[query][slot] as usize);
                vector.iter().zip(document).map(|(a, b)| f64::from(a * b)).sum()
            };
            let best = self.best(query);
            for slot in (0..self.scores[query].len()).filter(|&slot| slot != best) {
                let margin = cosine(best) - cosine(slot);
                products += margin * f64::from(self.scores[query][best] - self.scores[query][slot]);
                squares += margin * margin;
            }
        }
        let scale = products / squares;
        // A base model that ranks against the teacher has no factor that fits; the softmax's is as good as any.
        if scale.is_finite() && scale > 0.0 {
            scale as f32
        } else {
            20.0
        }
    }
}

/// `exp(x - max) / sum`, in f32.
pub fn softmax(scores: &[f32]) -> Vec<f32> {
    let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f32> = scores.iter().map(|score| (score - max).exp()).collect();
    let sum: f32 = exponentials.iter().sum();
    exponentials.into_iter().map(|value| value / sum).collect()
}
