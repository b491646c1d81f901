//! The three rankings of a log's own queries.

use super::choice::{DEPTH, Rankings};
use crate::device::Device;
use crate::error::Result;
use crate::job::{Job, Stage};
use crate::relations::Relations;
use crate::search::{Neighbour, top_k};
use crate::tuner::Index;

/// The first ten documents of each query of the log by the base encoder, by the fitted adapter, whether or not it is
/// what is delivered, and by the cross-encoder. `tuned` are the relations' documents as the adapter has them.
///
/// The adapter was trained on these very queries. That is on purpose: whether their own log is ranked better now is what
/// its owners want to know, as most of tomorrow's queries are in it. It says nothing about queries unlike those.
///
/// The cross-encoder's ranking is that of the candidates it has scored, by their raw logits; nothing is scored here.
///
/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled), [`Code::DeviceFaulty`](crate::Code::DeviceFaulty),
/// [`Code::ModelTokenizer`](crate::Code::ModelTokenizer)
pub async fn rank_log(relations: &Relations, tuned: &Index, device: &Device, job: &Job<'_>) -> Result<Vec<Rankings>> {
    let queries = &relations.queries.items;
    let texts: Vec<&str> = queries.iter().map(|query| query.text.as_str()).collect();
    let vectors = &relations.query_vectors;
    let progress = job.stage(Stage::Evaluate, 2 * queries.len(), 0);
    let advance = |queries| progress.advance(queries);
    let base = top_k(vectors, &relations.document_vectors, DEPTH, device, job, advance).await?;
    let tuned = tuned.nearest(&texts, vectors, DEPTH, device, job, advance).await?;
    progress.finish();
    let rankings = base
        .iter()
        .zip(&tuned)
        .enumerate()
        .map(|(query, (base, tuned))| Rankings {
            base: numbers(base),
            tuned: numbers(tuned),
            cross_encoder: by_logit(relations, query),
        });
    Ok(rankings.collect())
}

fn numbers(found: &[Neighbour]) -> Vec<u32> {
    found.iter().map(|neighbour| neighbour.document).collect()
}

/// A query's scored candidates in the cross-encoder's order.
fn by_logit(relations: &Relations, query: usize) -> Vec<u32> {
    let mut scored: Vec<(u32, f32)> = relations.scored(query).collect();
    // Stable, so equal logits keep the base encoder's order.
    scored.sort_by(|a, b| b.1.total_cmp(&a.1));
    scored.into_iter().map(|(document, _)| document).collect()
}
