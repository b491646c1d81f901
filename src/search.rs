//! Exact nearest neighbours: for each query the documents of the highest cosine.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use burn::tensor::{Tensor, TensorData, Transaction};

use crate::device::Device;
use crate::error::Result;
use crate::job::Job;
use crate::vectors::Vectors;

/// A document found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// The document's number.
    pub document: u32,
    /// Dot product of the two vectors; the cosine where both have length 1.
    pub score: f32,
}

/// Queries and documents whose scores are on the device at once: 4 MiB of scores.
const QUERY_TILE: usize = 256;
const DOCUMENT_TILE: usize = 4096;

/// The `k` documents of the highest dot product for each query, best first; fewer where there are fewer documents.
///
/// Ties go to the lower document number, so the result does not depend on the tiles. The scores are made in tiles on
/// the device, and kept only as long as they are among the best `k`, so memory is bounded for any corpus.
/// `finished` is told how many more queries are done.
///
/// # Errors
/// [`crate::Code::Cancelled`], [`crate::Code::DeviceFaulty`]
pub async fn top_k(
    queries: &Vectors,
    documents: &Vectors,
    k: usize,
    device: &Device,
    job: &Job<'_>,
    finished: impl Fn(usize),
) -> Result<Vec<Vec<Neighbour>>> {
    let dims = documents.dims();
    let upload = |vectors: &Vectors, start: usize, rows: usize| -> Tensor<2> {
        let data = vectors.as_slice()[start * dims..(start + rows) * dims].to_vec();
        Tensor::from_data(TensorData::new(data, [rows, dims]), device.tensors())
    };
    let mut found = Vec::with_capacity(queries.len());
    for query_start in (0..queries.len()).step_by(QUERY_TILE) {
        let query_rows = QUERY_TILE.min(queries.len() - query_start);
        let query_tile = upload(queries, query_start, query_rows);
        let mut best: Vec<Best> = (0..query_rows).map(|_| Best::new(k)).collect();
        for start in (0..documents.len()).step_by(DOCUMENT_TILE) {
            job.breathe().await?;
            let rows = DOCUMENT_TILE.min(documents.len() - start);
            let scores = query_tile.clone().matmul(upload(documents, start, rows).transpose());
            let scores = device.read(Transaction::default().register(scores)).await?.remove(0);
            for (best, scores) in best.iter_mut().zip(scores.chunks_exact(rows)) {
                best.offer(start as u32, scores);
            }
        }
        found.extend(best.into_iter().map(Best::into_sorted));
        finished(query_rows);
    }
    Ok(found)
}

/// The best k seen so far; the worst of them on top.
struct Best {
    heap: BinaryHeap<Worst>,
    k: usize,
}

struct Worst(Neighbour);

impl Best {
    fn new(k: usize) -> Self {
        Self {
            heap: BinaryHeap::with_capacity(k + 1),
            k,
        }
    }

    fn offer(&mut self, first_document: u32, scores: &[f32]) {
        for (offset, &score) in scores.iter().enumerate() {
            let candidate = Worst(Neighbour {
                document: first_document + offset as u32,
                score,
            });
            if self.heap.len() < self.k {
                self.heap.push(candidate);
            } else if self.heap.peek().is_some_and(|worst| candidate < *worst) {
                self.heap.pop();
                self.heap.push(candidate);
            }
        }
    }

    fn into_sorted(self) -> Vec<Neighbour> {
        self.heap
            .into_sorted_vec()
            .into_iter()
            .map(|Worst(neighbour)| neighbour)
            .collect()
    }
}

// Greater is worse: a lower score, or the same score and a higher document number.
impl Ord for Worst {
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .0
            .score
            .total_cmp(&self.0.score)
            .then(self.0.document.cmp(&other.0.document))
    }
}

impl PartialOrd for Worst {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Worst {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Worst {}
