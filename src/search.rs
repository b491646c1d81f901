//! Exact nearest neighbours: for each query the documents of the highest cosine.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use burn::tensor::{Tensor, TensorData, Transaction};

use crate::cpu::Activation;
use crate::cpu::fp32::Fp32Matrix;
use crate::device::{Device, DeviceKind};
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

/// Queries and documents whose scores are there at once: 4 MiB of scores on a GPU, which wants large products; few
/// enough to stay in a cache on the CPU.
fn tile(device: DeviceKind) -> (usize, usize) {
    match device {
        DeviceKind::Cpu => (1024, 128),
        DeviceKind::WebGpu => (256, 4096),
    }
}

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
    let k = k.min(documents.len());
    let (query_tile, document_tile) = tile(device.kind());
    let mut found = Vec::with_capacity(queries.len());
    for query_start in (0..queries.len()).step_by(query_tile) {
        let query_rows = query_tile.min(queries.len() - query_start);
        let queries = Rows::new(queries, query_start, query_rows);
        let mut products = Products::new(&queries, device);
        let mut best: Vec<Best> = (0..query_rows).map(|_| Best::new(k)).collect();
        for start in (0..documents.len()).step_by(document_tile) {
            job.breathe().await?;
            let rows = document_tile.min(documents.len() - start);
            let scores = products.with(&Rows::new(documents, start, rows)).await?;
            for (best, scores) in best.iter_mut().zip(scores.chunks_exact(rows)) {
                best.offer(start as u32, scores);
            }
        }
        found.extend(best.into_iter().map(Best::into_sorted));
        finished(query_rows);
    }
    Ok(found)
}

/// Some rows of a matrix.
struct Rows<'v> {
    values: &'v [f32],
    count: usize,
    dims: usize,
}

impl<'v> Rows<'v> {
    fn new(vectors: &'v Vectors, start: usize, count: usize) -> Self {
        let dims = vectors.dims();
        let values = &vectors.as_slice()[start * dims..(start + count) * dims];
        Self { values, count, dims }
    }
}

/// The dot products of some queries with some documents, [queries, documents].
#[allow(clippy::large_enum_variant, reason = "one a search, on the stack")]
enum Products<'q> {
    Cpu {
        queries: &'q Rows<'q>,
        documents: Fp32Matrix,
        scores: Vec<f32>,
    },
    Tensors {
        queries: Tensor<2>,
        device: Device,
        scores: Vec<f32>,
    },
}

impl<'q> Products<'q> {
    fn new(queries: &'q Rows<'q>, device: &Device) -> Self {
        match device.kind() {
            DeviceKind::Cpu => Self::Cpu {
                queries,
                documents: Fp32Matrix::default(),
                scores: Vec::new(),
            },
            DeviceKind::WebGpu => Self::Tensors {
                queries: upload(queries, device),
                device: device.clone(),
                scores: Vec::new(),
            },
        }
    }

    async fn with(&mut self, rows: &Rows<'_>) -> Result<&[f32]> {
        match self {
            Self::Cpu {
                queries,
                documents,
                scores,
            } => {
                documents.pack_rows(rows.count, rows.dims, |row| {
                    &rows.values[row * rows.dims..][..rows.dims]
                });
                scores.resize(queries.count * rows.count, 0.0);
                multiply(queries, documents, scores);
                Ok(scores)
            }
            Self::Tensors {
                queries,
                device,
                scores,
            } => {
                let product = queries.clone().matmul(upload(rows, device).transpose());
                *scores = device.read(Transaction::default().register(product)).await?.remove(0);
                Ok(scores)
            }
        }
    }
}

fn upload(rows: &Rows<'_>, device: &Device) -> Tensor<2> {
    Tensor::from_data(
        TensorData::new(rows.values.to_vec(), [rows.count, rows.dims]),
        device.tensors(),
    )
}

#[cfg(target_arch = "wasm32")]
fn multiply(queries: &Rows<'_>, documents: &Fp32Matrix, scores: &mut [f32]) {
    documents.product(queries.values, None, Activation::None, scores);
}

#[cfg(not(target_arch = "wasm32"))]
fn multiply(queries: &Rows<'_>, documents: &Fp32Matrix, scores: &mut [f32]) {
    use rayon::prelude::*;
    const QUERIES: usize = 64;
    let scores = scores.par_chunks_mut(QUERIES * documents.outputs());
    scores
        .zip(queries.values.par_chunks(QUERIES * queries.dims))
        .for_each(|(scores, queries)| {
            documents.product(queries, None, Activation::None, scores);
        });
}

/// The best k seen so far; the worst of them on top.
struct Best {
    heap: BinaryHeap<Worst>,
    k: usize,
    /// The score of the worst of k; no less is taken.
    least: f32,
}

struct Worst(Neighbour);

impl Best {
    fn new(k: usize) -> Self {
        Self {
            heap: BinaryHeap::with_capacity(k + 1),
            k,
            least: f32::NEG_INFINITY,
        }
    }

    fn offer(&mut self, first_document: u32, scores: &[f32]) {
        for (offset, &score) in scores.iter().enumerate() {
            // Nearly all are worse than the worst kept: one comparison each.
            if score < self.least {
                continue;
            }
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
            if self.heap.len() == self.k {
                self.least = self.heap.peek().map_or(f32::NEG_INFINITY, |worst| worst.0.score);
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
