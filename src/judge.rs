//! Base, tuned and cross-encoder rankings held against people's judgements.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde::Serialize;

use crate::error::{Code, Error, Result};
use crate::evaluate::{Comparison, Judged, Metrics, Run, compare, judge};
use crate::input::{Qrels, Texts};
use crate::job::{Job, Stage, StageTime};
use crate::model::TextKind;
use crate::relations::Relations;
use crate::search::{Neighbour, top_k};
use crate::synthesize::{encode_texts, score_pairs};
use crate::tune::Fit;
use crate::tuner::Tuner;
use crate::vectors::Vectors;

/// What the judgements say.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Which queries were judged: the log's own, which the head was trained on, or others.
    pub on: JudgedOn,
    /// Judged queries that were ranked.
    pub queries: usize,
    /// Judged queries that are not among the queries.
    pub missing_queries: usize,
    /// Judged documents that are not in the corpus; they count as not found.
    pub missing_documents: usize,
    /// Base, tuned, ceiling; the ceiling is the cross-encoder's order of the base encoder's first documents.
    pub judged: Metrics<Comparison>,
    /// What it took.
    #[serde(skip)]
    pub time: StageTime,
}

/// Which queries were judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum JudgedOn {
    /// Those of the search log.
    #[serde(rename = "own queries")]
    OwnQueries,
    /// Queries that were given apart.
    #[serde(rename = "test queries")]
    TestQueries,
}

/// How deep rankings are judged: recall@100 and MAP@100 look this far.
const RANKED: usize = 100;

/// Judges the base encoder, the trained head (delivered or not) and the cross-encoder on `queries`, or on the log's
/// own queries where there are none.
///
/// # Errors
/// [`Code::InputQrels`] if no judged query or no judged document is known; [`Code::Cancelled`], [`Code::Store`],
/// [`Code::DeviceFaulty`], [`Code::ModelTokenizer`]
pub async fn judge_fit(
    tuner: &Tuner,
    relations: &Relations,
    fit: &Fit,
    qrels: &Qrels,
    queries: Option<Rc<Texts>>,
    job: &Job<'_>,
) -> Result<Verdict> {
    let on = if queries.is_some() {
        JudgedOn::TestQueries
    } else {
        JudgedOn::OwnQueries
    };
    let queries = queries.unwrap_or_else(|| relations.queries.clone());
    let documents = &relations.documents;
    let is_judged = |id: &String| qrels.judgements.contains_key(id);
    let judged: Vec<usize> = (0..queries.items.len())
        .filter(|&q| queries.items[q].ids.iter().any(is_judged))
        .collect();
    let (missing_queries, missing_documents) = check(qrels, &queries, documents)?;

    let texts: Vec<&str> = judged.iter().map(|&query| queries.items[query].text.as_str()).collect();
    let vectors = match on {
        JudgedOn::OwnQueries => relations.query_vectors.select(judged.iter().copied()),
        JudgedOn::TestQueries => encode_texts(tuner.encoder(), &[(&texts, TextKind::Query)], job)
            .await?
            .0
            .pop()
            .unwrap_or_default(),
    };
    let documents_found = async |vectors: &Vectors, finished: &dyn Fn(usize)| {
        top_k(
            vectors,
            &relations.document_vectors,
            RANKED,
            tuner.device(),
            job,
            finished,
        )
        .await
    };
    let base = documents_found(&vectors, &|_| {}).await?;
    let ceiling = rerank(tuner, relations, &texts, &base, job).await?;
    let progress = job.stage(Stage::Evaluate, judged.len(), 0);
    let adapted = fit.head.apply(&vectors, tuner.device()).await?;
    let tuned = documents_found(&adapted, &|count| progress.advance(count)).await?;

    let run = |rankings: &[Vec<Neighbour>]| run(&judged, &queries, documents, rankings);
    let figures = |rankings: &[Vec<Neighbour>]| -> Judged { judge(&qrels.judgements, &run(rankings)) };
    let (base, tuned, ceiling) = (figures(&base), figures(&tuned), figures(&ceiling));
    Ok(Verdict {
        on,
        queries: base.queries.len(),
        missing_queries,
        missing_documents,
        judged: compare(&base, &tuned, Some(&ceiling), None, fit.recipe.seed),
        time: progress.finish(),
    })
}

/// Counts what the judgements name but nobody has.
fn check(qrels: &Qrels, queries: &Texts, documents: &Texts) -> Result<(usize, usize)> {
    fn ids(texts: &Texts) -> BTreeSet<&str> {
        texts
            .items
            .iter()
            .flat_map(|text| &text.ids)
            .map(String::as_str)
            .collect()
    }
    let (query_ids, document_ids) = (ids(queries), ids(documents));
    let judged_documents: BTreeSet<&str> = qrels
        .judgements
        .values()
        .flat_map(|d| d.keys())
        .map(String::as_str)
        .collect();
    let missing_queries = qrels
        .judgements
        .keys()
        .filter(|id| !query_ids.contains(id.as_str()))
        .count();
    let missing_documents = judged_documents.iter().filter(|id| !document_ids.contains(*id)).count();
    let stranger = |what: &str, judged: Option<&str>, known: Option<&str>| {
        let text = format!(
            "No {what} of the judgements is known: they say \"{}\", the file says \"{}\". Check the id columns.",
            judged.unwrap_or_default(),
            known.unwrap_or_default()
        );
        Err(Error::new(Code::InputQrels, text))
    };
    if missing_queries == qrels.judgements.len() {
        let judged = qrels.judgements.keys().next().map(String::as_str);
        return stranger("query", judged, query_ids.first().copied());
    }
    if missing_documents == judged_documents.len() {
        return stranger(
            "document",
            judged_documents.first().copied(),
            document_ids.first().copied(),
        );
    }
    Ok((missing_queries, missing_documents))
}

/// The cross-encoder's order of each ranking's first documents, to the depth the relations were scored; the others
/// follow as they were. Scores are minus the rank.
async fn rerank(
    tuner: &Tuner,
    relations: &Relations,
    queries: &[&str],
    rankings: &[Vec<Neighbour>],
    job: &Job<'_>,
) -> Result<Vec<Vec<Neighbour>>> {
    let depth = relations.depth;
    let pairs: Vec<(&str, &str)> = queries
        .iter()
        .zip(rankings)
        .flat_map(|(&query, ranking)| {
            let text = |neighbour: &Neighbour| relations.documents.items[neighbour.document as usize].text.as_str();
            ranking
                .iter()
                .take(depth)
                .map(move |neighbour| (query, text(neighbour)))
        })
        .collect();
    let mut logits = score_pairs(tuner.cross_encoder(), &pairs, job)
        .await?
        .logits
        .into_iter();
    let reranked = rankings.iter().map(|ranking| {
        let scored = ranking.iter().take(depth);
        let mut first: Vec<(u32, f32)> = scored
            .zip(logits.by_ref())
            .map(|(neighbour, logit)| (neighbour.document, logit))
            .collect();
        // Stable, so equal logits keep the base encoder's order.
        first.sort_by(|a, b| b.1.total_cmp(&a.1));
        let rest = ranking.iter().skip(depth).map(|neighbour| neighbour.document);
        let order = first.into_iter().map(|(document, _)| document).chain(rest);
        order
            .enumerate()
            .map(|(rank, document)| Neighbour {
                document,
                score: -(rank as f32),
            })
            .collect()
    });
    Ok(reranked.collect())
}

/// Rankings by id; merged duplicates stand under each of their ids, at the same score.
fn run(judged: &[usize], queries: &Texts, documents: &Texts, rankings: &[Vec<Neighbour>]) -> Run {
    let mut run = Run::new();
    for (&query, ranking) in judged.iter().zip(rankings) {
        let found: Vec<(String, f32)> = ranking
            .iter()
            .flat_map(|hit| {
                documents.items[hit.document as usize]
                    .ids
                    .iter()
                    .map(move |id| (id.clone(), hit.score))
            })
            .collect();
        for id in &queries.items[query].ids {
            run.insert(id.clone(), found.clone());
        }
    }
    run
}
