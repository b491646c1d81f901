//! The model of an earlier run held against the one that goes on from it, by judgements.

use super::by_text::by_text;
use super::rankings::{judged_numbers, run_of, texts_of};
use super::verdict::Verdict;
use crate::error::Result;
use crate::evaluate::{Metrics, compare, judge};
use crate::input::Qrels;
use crate::job::Job;
use crate::model::{ModelFiles, TextKind};
use crate::previous::{Previous, PreviousComparison};
use crate::relations::Relations;
use crate::synthesize::encode_texts;
use crate::tune::{Adapted, RANKED};
use crate::tuner::{Index, Tuner};

/// Ranks the queries of a verdict by what an earlier run delivered, and compares. `qrels` are the verdict's, `files` the
/// encoder's, which LoRA needs, and `seed` is the fit's.
///
/// # Errors
/// [`crate::Code::Cancelled`], [`crate::Code::Store`], [`crate::Code::DeviceFaulty`], [`crate::Code::ModelTokenizer`]
#[expect(clippy::too_many_arguments, reason = "each stands for itself")]
pub async fn judge_previous(
    previous: &Previous,
    tuner: &Tuner,
    relations: &Relations,
    verdict: &Verdict,
    qrels: &Qrels,
    files: Option<&ModelFiles>,
    seed: u64,
    job: &Job<'_>,
) -> Result<Metrics<PreviousComparison>> {
    let queries = &verdict.rankings.queries;
    let judgements = by_text(&qrels.judgements, queries, &relations.documents);
    let numbers = judged_numbers(&judgements, queries);
    let texts = texts_of(queries, &numbers);
    let (mut vectors, _) = encode_texts(tuner.encoder(), &[(&texts, TextKind::Query)], job).await?;
    let vectors = vectors.pop().unwrap_or_default();
    let adapted = match &previous.adapter {
        None => None,
        Some(adapter) => Some(Adapted::new(adapter.clone(), files, tuner.device(), job).await?.into()),
    };
    let (base, documents) = (relations.document_vectors.clone(), relations.documents.clone());
    let index = Index::new(base, documents, adapted, job).await?;
    let found = index
        .nearest(&texts, &vectors, RANKED, tuner.device(), job, |_| {})
        .await?;
    let run = run_of(&judgements, &relations.documents, queries, &numbers, &found);
    let judged = judge(&judgements, &run);
    let compared = compare(&judged, &verdict.rankings.tuned, None, None, seed);
    Ok(compared.map(PreviousComparison::from))
}
