//! From queries and documents to relations: encode both, take the nearest documents of each query, score the pairs.

use std::rc::Rc;

use serde::Deserialize;

use crate::device::Device;
use crate::error::{Code, Error, Result};
use crate::input::Texts;
use crate::job::{Job, Stage};
use crate::model::{CrossEncoder, Encoder, TextKind};
use crate::pool::{Searched, pool_bm25};
use crate::relations::{Candidate, Relations, StageTimes};
use crate::results::{KnownLogits, ResultLog, numbers_by_key, text_key};
use crate::search::top_k;
use crate::vectors::Vectors;
use crate::waves::score_waves;

pub use crate::waves::Teacher;

/// How many documents are looked at for each query.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(from = "GivenOptions")]
pub struct SynthesizeOptions {
    /// Nearest documents that are taken for each query. 100, as in Finetuner.
    pub candidates: usize,
    /// How many of them the cross-encoder scores, nearest first, however long it takes. 20 is as good as more for
    /// training.
    pub depth: usize,
    /// Seconds that scoring may take, from its start: while they last, more than `depth` are scored, of each query as many,
    /// all `candidates` at most. What the store has of these costs nothing and is taken in any case.
    pub budget_seconds: Option<f64>,
    /// How many documents that BM25 ranks first, and that are not among the first `depth`, are scored too. None by default.
    pub bm25: usize,
    /// Relations of each query in Finetuner's rows: one similar document and `relations - 1` dissimilar ones.
    /// As many as are scored by default.
    pub relations: Option<usize>,
}

/// Options as a program gives them: what is left out depends on what is there.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct GivenOptions {
    candidates: Option<usize>,
    depth: Option<usize>,
    budget_seconds: Option<f64>,
    bm25: Option<usize>,
    relations: Option<usize>,
}

impl From<GivenOptions> for SynthesizeOptions {
    fn from(given: GivenOptions) -> Self {
        let usual = Self::default();
        let candidates = given.candidates.unwrap_or(usual.candidates);
        Self {
            candidates,
            // No more can be scored than are taken.
            depth: given.depth.unwrap_or(usual.depth.min(candidates)),
            budget_seconds: given.budget_seconds,
            bm25: given.bm25.unwrap_or(usual.bm25),
            relations: given.relations,
        }
    }
}

impl Default for SynthesizeOptions {
    fn default() -> Self {
        Self {
            candidates: 100,
            depth: 20,
            budget_seconds: None,
            bm25: 0,
            relations: None,
        }
    }
}

impl SynthesizeOptions {
    fn check(&self) -> Result<()> {
        let refuse = |text: &str| Err(Error::new(Code::Option, text));
        match *self {
            Self { candidates: 0, .. } => refuse("candidates is 0; it has to be at least 1 (100 by default)."),
            Self { depth: 0, .. } => refuse("depth is 0; it has to be at least 1 (20 by default)."),
            Self { candidates, depth, .. } if depth > candidates => refuse(&format!(
                "depth is {depth}, more than the {candidates} candidates; lower it or raise candidates."
            )),
            Self {
                budget_seconds: Some(seconds),
                ..
            } if !(seconds.is_finite() && seconds >= 0.0) => refuse(&format!(
                "budgetSeconds is {seconds}; it has to be a number of seconds, at least 0."
            )),
            Self {
                relations: Some(0 | 1), ..
            } => refuse("relations has to be at least 2: a similar and a dissimilar document."),
            _ => Ok(()),
        }
    }
}

/// Makes the relations of a log of queries and a corpus of documents.
///
/// Vectors and logits already in the job's store are taken from there; new ones are kept as soon as their batch is
/// finished, so a cancelled or crashed job goes on where it was. Logits that the teacher has from an earlier
/// run are not scored again.
///
/// # Errors
/// [`Code::Option`], [`Code::Cancelled`], [`Code::Store`], [`Code::DeviceFaulty`], [`Code::ModelTokenizer`]
pub async fn synthesize(
    encoder: &Encoder,
    teacher: Teacher<'_>,
    queries: Rc<Texts>,
    documents: Rc<Texts>,
    options: SynthesizeOptions,
    device: &Device,
    job: &Job<'_>,
) -> Result<Relations> {
    options.check()?;
    let query_texts: Vec<&str> = queries.items.iter().map(|query| query.text.as_str()).collect();
    let document_texts: Vec<&str> = documents.items.iter().map(|document| document.text.as_str()).collect();

    let sides = [
        (&query_texts[..], TextKind::Query),
        (&document_texts[..], TextKind::Document),
    ];
    let (mut vectors, encode) = encode_texts(encoder, &sides, job).await?;
    let document_vectors = Rc::new(vectors.pop().unwrap_or_default());
    let query_vectors = vectors.pop().unwrap_or_default();

    let ways = if options.bm25 > 0 { 2 } else { 1 };
    let progress = job.stage(Stage::Search, ways * query_texts.len(), 0);
    let neighbours = top_k(
        &query_vectors,
        &document_vectors,
        options.candidates,
        device,
        job,
        |count| progress.advance(count),
    )
    .await?;
    let mut candidates: Vec<Vec<Candidate>> = neighbours
        .into_iter()
        .map(|row| row.into_iter().map(Candidate::from).collect())
        .collect();
    let found = candidates.first().map_or(0, Vec::len);
    let mut pooled = vec![Vec::new(); candidates.len()];
    if options.bm25 > 0 {
        let searched = Searched {
            queries: &query_texts,
            documents: &document_texts,
            query_vectors: &query_vectors,
            document_vectors: &document_vectors,
        };
        let (depth, count) = (options.depth, options.bm25);
        pooled = pool_bm25(&mut candidates, searched, depth, count, job, |count| {
            progress.advance(count)
        })
        .await?;
    }
    let search = progress.finish();

    let deepest = options.budget_seconds.map_or(options.depth.min(found), |_| found);
    let (pairs, ends) = in_waves(&pooled, options.depth, deepest);
    let texts: Vec<(&str, &str)> = pairs
        .iter()
        .map(|&(query, place)| {
            let document = candidates[query][place].document;
            (query_texts[query], document_texts[document as usize])
        })
        .collect();
    let scored = score_waves(teacher, &texts, &ends, options.budget_seconds, job).await?;
    for (&(query, place), logit) in pairs.iter().zip(scored.logits) {
        candidates[query][place].logit = Some(logit);
    }
    let times = StageTimes {
        encode,
        search,
        score: scored.time,
        cached_pairs: scored.cached,
        known_pairs: scored.known,
        budget_seconds: options.budget_seconds,
    };
    Ok(Relations {
        queries,
        documents,
        query_vectors,
        document_vectors,
        candidates,
        depth: options.depth + scored.waves.saturating_sub(1),
        bm25: options.bm25,
        per_query: options.relations,
        times,
    })
}

/// All pairs that may be scored, as (query, place among its candidates), and where each wave of them ends.
///
/// The first wave has every query's first `depth` candidates, the nearest of all queries first, so that a job cut short
/// has scored the most useful pairs; then what was pooled. Each of the others has one more candidate of every query, until
/// each has `deepest`.
fn in_waves(pooled: &[Vec<usize>], depth: usize, deepest: usize) -> (Vec<(usize, usize)>, Vec<usize>) {
    let queries = 0..pooled.len();
    let at = |place: usize| queries.clone().map(move |query| (query, place));
    let mut pairs: Vec<(usize, usize)> = (0..depth.min(deepest)).flat_map(at).collect();
    let most = pooled.iter().map(Vec::len).max().unwrap_or(0);
    pairs.extend((0..most).flat_map(|rank| {
        queries
            .clone()
            .filter_map(move |query| Some((query, *pooled[query].get(rank)?)))
    }));
    let mut ends = vec![pairs.len()];
    for place in depth..deepest {
        pairs.extend(at(place).filter(|(query, place)| !pooled[*query].contains(place)));
        ends.push(pairs.len());
    }
    (pairs, ends)
}

/// The vectors of several lists of texts in one stage, scaled to length 1, those in the store taken from there.
///
/// # Errors
/// [`Code::Cancelled`], [`Code::Store`], [`Code::DeviceFaulty`], [`Code::ModelTokenizer`]
pub async fn encode_texts(
    encoder: &Encoder,
    sides: &[(&[&str], TextKind)],
    job: &Job<'_>,
) -> Result<(Vec<Vectors>, crate::job::StageTime)> {
    let dims = encoder.info().dims;
    let mut vectors: Vec<Vectors> = Vec::new();
    let mut missing: Vec<Vec<usize>> = Vec::new();
    let log = |kind| {
        let name = match kind {
            TextKind::Query => "query-vectors",
            TextKind::Document => "document-vectors",
        };
        ResultLog::new(job, name, encoder.key(), dims)
    };
    for &(texts, kind) in sides {
        let mut found = Vectors::zeros(texts.len(), dims);
        let mut is_missing = vec![true; texts.len()];
        log(kind)
            .find(
                &numbers_by_key(texts.iter().map(|text| text_key(text))),
                |number, vector| {
                    found.row_mut(number).copy_from_slice(vector);
                    is_missing[number] = false;
                },
            )
            .await?;
        missing.push((0..texts.len()).filter(|&number| is_missing[number]).collect());
        vectors.push(found);
    }
    let total = sides.iter().map(|(texts, _)| texts.len()).sum();
    let progress = job.stage(
        Stage::Encode,
        total,
        total - missing.iter().map(Vec::len).sum::<usize>(),
    );
    for ((&(texts, kind), missing), vectors) in sides.iter().zip(&missing).zip(&mut vectors) {
        let log = log(kind);
        let missing_texts: Vec<&str> = missing.iter().map(|&number| texts[number]).collect();
        encoder
            .encode_each(&missing_texts, kind, job, async |numbers, rows| {
                let rows = || numbers.iter().zip(rows.chunks_exact(dims));
                for (&number, row) in rows() {
                    vectors.row_mut(missing[number]).copy_from_slice(row);
                }
                log.append(rows().map(|(&number, row)| (text_key(missing_texts[number]), row)))
                    .await?;
                progress.advance(numbers.len());
                Ok(())
            })
            .await?;
    }
    if !encoder.config().normalize {
        // Documents are looked up by cosine whatever the model does.
        vectors.iter_mut().for_each(Vectors::normalize_rows);
    }
    Ok((vectors, progress.finish()))
}

/// What [`score_pairs`] returns.
pub struct ScoredPairs {
    /// One logit a pair, in the pairs' order.
    pub logits: Vec<f32>,
    /// How many came out of the store.
    pub cached: usize,
    /// What it took.
    pub time: crate::job::StageTime,
}

/// The cross-encoder's logits of (query, document) pairs, those in the store taken from there.
///
/// # Errors
/// [`Code::Cancelled`], [`Code::Store`], [`Code::DeviceFaulty`], [`Code::ModelTokenizer`]
pub async fn score_pairs(cross_encoder: &CrossEncoder, pairs: &[(&str, &str)], job: &Job<'_>) -> Result<ScoredPairs> {
    let known = KnownLogits::new();
    let teacher = Teacher {
        cross_encoder,
        known: &known,
    };
    let scored = score_waves(teacher, pairs, &[pairs.len()], None, job).await?;
    Ok(ScoredPairs {
        logits: scored.logits,
        cached: scored.cached,
        time: scored.time,
    })
}
