//! Candidates that another way of searching finds join those of the encoder.

use crate::bm25::{Bm25, Bm25Options};
use crate::error::Result;
use crate::job::Job;
use crate::relations::Candidate;
use crate::vectors::Vectors;

/// What the candidates are of.
pub struct Searched<'s> {
    /// The queries' texts.
    pub queries: &'s [&'s str],
    /// The documents' texts.
    pub documents: &'s [&'s str],
    /// The base encoder's vectors of the queries, of length 1.
    pub query_vectors: &'s Vectors,
    /// The same of the documents.
    pub document_vectors: &'s Vectors,
}

/// Adds to each query's candidates the `count` documents that BM25 ranks first of those that are not among the first
/// `depth`; returns their places among the query's candidates, BM25's first first.
///
/// Those that the encoder has found further down stay where they are. The others follow after all of the encoder's, with
/// their cosines, nearest first: they are further away than any document that the encoder has found.
///
/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled)
pub async fn pool_bm25(
    candidates: &mut [Vec<Candidate>],
    searched: Searched<'_>,
    depth: usize,
    count: usize,
    job: &Job<'_>,
    finished: impl Fn(usize),
) -> Result<Vec<Vec<usize>>> {
    let Searched {
        queries,
        documents,
        query_vectors,
        document_vectors,
    } = searched;
    let index = Bm25::build(documents.iter().copied(), Bm25Options::default(), job).await?;
    // Of so many, `count` are left when the first candidates are taken out.
    let found = index
        .search(queries, depth.saturating_add(count), job, finished)
        .await?;
    let places = candidates
        .iter_mut()
        .zip(found)
        .enumerate()
        .map(|(query, (own, hits))| {
            let first: Vec<u32> = own.iter().take(depth).map(|candidate| candidate.document).collect();
            let new = hits.iter().map(|hit| hit.document);
            let pooled: Vec<u32> = new.filter(|document| !first.contains(document)).take(count).collect();
            let further: Vec<u32> = own.iter().skip(depth).map(|candidate| candidate.document).collect();
            let vector = query_vectors.row(query);
            let of = |&document: &u32| Candidate {
                document,
                cosine: dot(vector, document_vectors.row(document as usize)),
                logit: None,
            };
            let unknown = pooled.iter().filter(|document| !further.contains(document));
            let mut unknown: Vec<Candidate> = unknown.map(of).collect();
            unknown.sort_by(|a, b| b.cosine.total_cmp(&a.cosine).then(a.document.cmp(&b.document)));
            own.extend(unknown);
            let place = |document: &u32| own.iter().position(|candidate| candidate.document == *document);
            pooled.iter().filter_map(place).collect()
        });
    Ok(places.collect())
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
