//! From queries and documents to relations: encode both, take the nearest documents of each query, score the pairs.

use std::collections::HashMap;
use std::rc::Rc;

use serde::Deserialize;

use crate::device::Device;
use crate::error::{Code, Error, Result};
use crate::input::Texts;
use crate::job::{Job, Stage};
use crate::model::{CrossEncoder, Encoder, TextKind};
use crate::relations::{Candidate, Relations, StageTimes};
use crate::results::{ContentKey, ResultLog, pair_key, text_key};
use crate::search::top_k;
use crate::vectors::Vectors;

/// How many documents are looked at for each query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SynthesizeOptions {
    /// Nearest documents that are taken for each query. 100, as in Finetuner.
    pub candidates: usize,
    /// How many of them the cross-encoder scores, nearest first. 20 is as good as more for training.
    pub depth: usize,
    /// Relations of each query in Finetuner's rows: one similar document and `relations - 1` dissimilar ones.
    /// As many as are scored by default.
    pub relations: Option<usize>,
}

impl Default for SynthesizeOptions {
    fn default() -> Self {
        Self {
            candidates: 100,
            depth: 20,
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
                relations: Some(0 | 1), ..
            } => refuse("relations has to be at least 2: a similar and a dissimilar document."),
            _ => Ok(()),
        }
    }
}

/// Makes the relations of a log of queries and a corpus of documents.
///
/// Vectors and logits already in the job's store are taken from there; new ones are kept as soon as their batch is
/// finished, so a cancelled or crashed job goes on where it was.
///
/// # Errors
/// [`Code::Option`], [`Code::Cancelled`], [`Code::Store`], [`Code::DeviceFaulty`], [`Code::ModelTokenizer`]
pub async fn synthesize(
    encoder: &Encoder,
    cross_encoder: &CrossEncoder,
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

    let progress = job.stage(Stage::Search, query_texts.len(), 0);
    let neighbours = top_k(
        &query_vectors,
        &document_vectors,
        options.candidates,
        device,
        job,
        |count| progress.advance(count),
    )
    .await?;
    let search = progress.finish();

    let mut candidates: Vec<Vec<Candidate>> = neighbours
        .into_iter()
        .map(|row| row.into_iter().map(Candidate::from).collect())
        .collect();
    // Wave by wave: every query's nearest document first, so that a job cut short has scored the most useful pairs.
    let pairs: Vec<(usize, usize)> = (0..options.depth)
        .flat_map(|rank| (0..candidates.len()).map(move |query| (query, rank)))
        .filter(|&(query, rank)| rank < candidates[query].len())
        .collect();
    let texts: Vec<(&str, &str)> = pairs
        .iter()
        .map(|&(query, rank)| {
            (
                query_texts[query],
                document_texts[candidates[query][rank].document as usize],
            )
        })
        .collect();
    let scored = score_pairs(cross_encoder, &texts, job).await?;
    for (&(query, rank), logit) in pairs.iter().zip(scored.logits) {
        candidates[query][rank].logit = Some(logit);
    }
    let times = StageTimes {
        encode,
        search,
        score: scored.time,
        cached_pairs: scored.cached,
    };
    Ok(Relations {
        queries,
        documents,
        query_vectors,
        document_vectors,
        candidates,
        depth: options.depth,
        per_query: options.relations,
        times,
    })
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
    let log = ResultLog::new(job, "logits", cross_encoder.key(), 1);
    // Each text is hashed once, not once a pair.
    let mut text_keys: HashMap<&str, ContentKey> = HashMap::new();
    let keys: Vec<ContentKey> = pairs
        .iter()
        .map(|&(query, document)| {
            let query = *text_keys.entry(query).or_insert_with(|| text_key(query));
            let document = *text_keys.entry(document).or_insert_with(|| text_key(document));
            pair_key(&query, &document)
        })
        .collect();
    let mut logits = vec![0.0; pairs.len()];
    let mut is_missing = vec![true; pairs.len()];
    log.find(&numbers_by_key(keys.iter().copied()), |number, logit| {
        logits[number] = logit[0];
        is_missing[number] = false;
    })
    .await?;
    let missing: Vec<usize> = (0..pairs.len()).filter(|&number| is_missing[number]).collect();
    let cached = pairs.len() - missing.len();
    let progress = job.stage(Stage::Score, pairs.len(), cached);
    let missing_pairs: Vec<(&str, &str)> = missing.iter().map(|&number| pairs[number]).collect();
    cross_encoder
        .score_each(&missing_pairs, job, async |numbers, scores| {
            for (&number, &score) in numbers.iter().zip(scores) {
                logits[missing[number]] = score;
            }
            let results = numbers
                .iter()
                .zip(scores.chunks_exact(1))
                .map(|(&number, score)| (keys[missing[number]], score));
            log.append(results).await?;
            progress.advance(numbers.len());
            Ok(())
        })
        .await?;
    Ok(ScoredPairs {
        logits,
        cached,
        time: progress.finish(),
    })
}

fn numbers_by_key(keys: impl Iterator<Item = ContentKey>) -> HashMap<ContentKey, Vec<usize>> {
    let mut numbers: HashMap<ContentKey, Vec<usize>> = HashMap::new();
    for (number, key) in keys.enumerate() {
        numbers.entry(key).or_default().push(number);
    }
    numbers
}
