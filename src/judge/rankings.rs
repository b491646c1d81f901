//! The rankings that are judged: by the base encoder, by the tuned one, by the cross-encoder, and by adapters that had not
//! seen the queries or the documents.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::verdict::Figure;
use crate::error::Result;
use crate::evaluate::{Comparison, Judged, Judgements, Metrics, Run, Weights, compare, judge};
use crate::input::Texts;
use crate::job::{Job, StageProgress};
use crate::model::{ModelFiles, TextKind};
use crate::random::Random;
use crate::relations::Relations;
use crate::search::{Neighbour, top_k};
use crate::synthesize::{encode_texts, score_pairs};
use crate::tune::{Fit, LeftOut, RANKED, retrain};
use crate::tuner::Tuner;
use crate::vectors::Vectors;

/// The three rankings' figures on the same queries.
#[derive(Clone)]
pub(super) struct Sides {
    pub(super) base: Judged,
    pub(super) tuned: Judged,
    pub(super) ceiling: Option<Judged>,
}

impl Sides {
    pub(super) fn compare(&self, weights: &Weights, seed: u64) -> Metrics<Comparison> {
        compare(&self.base, &self.tuned, self.ceiling.as_ref(), Some(weights), seed)
    }

    pub(super) fn figure(self, weights: &Weights, seed: u64) -> Option<Figure> {
        (!self.base.queries.is_empty()).then(|| Figure {
            queries: self.base.queries.len(),
            judged: self.compare(weights, seed),
        })
    }
}

/// Judged queries, with what does not depend on the adapter.
pub(super) struct Asked<'q> {
    pub(super) queries: &'q Texts,
    /// Which of them are judged.
    pub(super) numbers: Vec<usize>,
    /// Their vectors by the base encoder.
    pub(super) vectors: Vectors,
    /// Their documents by the base encoder.
    pub(super) base: Vec<Vec<Neighbour>>,
    /// The cross-encoder's order of these.
    pub(super) ceiling: Run,
}

impl Asked<'_> {
    /// How many of them are in the log.
    pub(super) fn known_to(&self, log: &Texts) -> usize {
        let log: HashSet<&str> = log.items.iter().map(|text| text.text.as_str()).collect();
        let texts = texts_of(self.queries, &self.numbers);
        texts.iter().filter(|text| log.contains(*text)).count()
    }
}

/// What figures are made from.
#[derive(Clone, Copy)]
pub(super) struct Judging<'j> {
    pub(super) tuner: &'j Tuner,
    pub(super) relations: &'j Relations,
    pub(super) fit: &'j Fit,
    /// Those that count for the queries that are ranked.
    pub(super) judgements: &'j Judgements,
    pub(super) files: Option<&'j ModelFiles>,
    /// The corpus as the tuned encoder sees it.
    pub(super) documents: &'j Vectors,
    pub(super) job: &'j Job<'j>,
}

impl Judging<'_> {
    fn run(&self, queries: &Texts, asked: &[usize], rankings: &[Vec<Neighbour>]) -> Run {
        run_of(self.judgements, &self.relations.documents, queries, asked, rankings)
    }

    pub(super) async fn encode(&self, queries: &Texts, judged: &[usize]) -> Result<Vectors> {
        let texts = texts_of(queries, judged);
        let (mut vectors, _) = encode_texts(self.tuner.encoder(), &[(&texts, TextKind::Query)], self.job).await?;
        Ok(vectors.pop().unwrap_or_default())
    }

    async fn found(&self, queries: &Vectors, documents: &Vectors) -> Result<Vec<Vec<Neighbour>>> {
        top_k(queries, documents, RANKED, self.tuner.device(), self.job, |_| {}).await
    }

    /// Ranks the judged ones of some queries by the base encoder and by the cross-encoder.
    pub(super) async fn ask<'q>(&self, queries: &'q Texts, numbers: Vec<usize>, vectors: Vectors) -> Result<Asked<'q>> {
        let base = self.found(&vectors, &self.relations.document_vectors).await?;
        let reranked = self.reranked(&texts_of(queries, &numbers), &base).await?;
        Ok(Asked {
            ceiling: self.run(queries, &numbers, &reranked),
            queries,
            numbers,
            vectors,
            base,
        })
    }

    /// Each ranking with its first documents, to the depth the relations were scored, in the cross-encoder's order; the
    /// others follow as they were. Scores are minus the rank.
    async fn reranked(&self, texts: &[&str], rankings: &[Vec<Neighbour>]) -> Result<Vec<Vec<Neighbour>>> {
        let depth = self.relations.depth;
        let text = |found: &Neighbour| self.relations.documents.items[found.document as usize].text.as_str();
        let pairs: Vec<(&str, &str)> = texts
            .iter()
            .zip(rankings)
            .flat_map(|(&query, ranking)| ranking.iter().take(depth).map(move |found| (query, text(found))))
            .collect();
        if pairs.is_empty() {
            return Ok(Vec::new());
        }
        let scored = score_pairs(self.tuner.cross_encoder()?, &pairs, self.job).await?;
        let mut logits = scored.logits.into_iter();
        Ok(rankings
            .iter()
            .map(|ranking| rerank(ranking, depth, &mut logits))
            .collect())
    }

    /// Base, tuned and ceiling on the same queries.
    pub(super) async fn sides(&self, asked: &Asked<'_>) -> Result<Sides> {
        let Asked {
            queries,
            numbers,
            vectors,
            base,
            ceiling,
        } = asked;
        let texts = texts_of(queries, numbers);
        let adapted = self.fit.adapted.queries(&texts, vectors, self.job).await?;
        let tuned = self.found(&adapted, self.documents).await?;
        let judge = |run: &Run| judge(self.judgements, run);
        Ok(Sides {
            base: judge(&self.run(queries, numbers, base)),
            tuned: judge(&self.run(queries, numbers, &tuned)),
            ceiling: Some(judge(ceiling)),
        })
    }

    /// The log's queries by the adapters that had not seen them.
    pub(super) fn left_out(&self, left_out: Option<&LeftOut>, ceiling: &Run) -> Option<Sides> {
        // Where only a pool of documents was ranked, the figures would not be those of the corpus.
        let left_out = left_out.filter(|left_out| !left_out.pooled)?;
        let figures = |rankings| {
            let run = self.run(&self.relations.queries, &left_out.queries, rankings);
            judge(self.judgements, &run)
        };
        let base = figures(&left_out.base_rankings);
        let ceiling = judge(self.judgements, ceiling);
        Some(Sides {
            tuned: figures(&left_out.tuned_rankings),
            ceiling: Some(ceiling.of_queries(&base)),
            base,
        })
    }

    /// The log's queries on documents that the adapter had not seen: either half of the corpus in turn is kept from a
    /// training and then ranked alone; a query's figure is the mean of the halves in which it has a relevant document.
    pub(super) async fn new_documents(&self, own: &[usize], progress: &StageProgress<'_>) -> Result<Option<Sides>> {
        if own.is_empty() {
            return Ok(None);
        }
        let count = self.relations.documents.items.len();
        let mut random = Random::with_seed(self.fit.recipe.seed);
        let mut in_first = vec![false; count];
        in_first[count / 2..].fill(true);
        random.shuffle(&mut in_first);
        let (mut base, mut tuned) = (Vec::new(), Vec::new());
        for kept_back in [true, false] {
            let allowed = |document: u32| in_first[document as usize] != kept_back;
            let (base_encoder, device) = (self.tuner.base(self.files), self.tuner.device());
            let (relations, fit, job) = (self.relations, self.fit, self.job);
            let adapter = retrain(relations, fit, base_encoder, device, allowed, job, progress).await?;
            let Some(adapter) = adapter else { return Ok(None) };
            let new: Vec<u32> = (0..count as u32).filter(|&document| !allowed(document)).collect();
            let judgements = self.judgements_of(&new);
            let ranker = self.tuner.ranker(self.relations, self.files);
            for (adapter, halves) in [(None, &mut base), (Some(&adapter), &mut tuned)] {
                let found = ranker.rank(adapter, own, Some(&new), self.job).await?;
                halves.push(judge(&judgements, &self.run(&self.relations.queries, own, &found)));
            }
        }
        Ok(Some(Sides {
            base: Judged::mean_of(&base),
            tuned: Judged::mean_of(&tuned),
            ceiling: None,
        }))
    }

    /// The judgements of some documents, of the queries that have a relevant one among them.
    fn judgements_of(&self, documents: &[u32]) -> Judgements {
        let items = &self.relations.documents.items;
        let ids: BTreeSet<&str> = documents
            .iter()
            .flat_map(|&document| &items[document as usize].ids)
            .map(String::as_str)
            .collect();
        let of_query = |(query, judged): (&String, &BTreeMap<String, i32>)| {
            let known = judged.iter().filter(|(document, _)| ids.contains(document.as_str()));
            let known: BTreeMap<String, i32> = known.map(|(document, &level)| (document.clone(), level)).collect();
            known.values().any(|&level| level > 0).then(|| (query.clone(), known))
        };
        self.judgements.iter().filter_map(of_query).collect()
    }
}

/// The queries that somebody judged, by number; `judgements` are [`by_text`](super::by_text).
pub(super) fn judged_numbers(judgements: &Judgements, queries: &Texts) -> Vec<usize> {
    (0..queries.items.len())
        .filter(|&query| judgements.contains_key(id(queries, query)))
        .collect()
}

/// How often each query was asked.
pub(super) fn counts(queries: &Texts) -> Weights {
    let count = |query: usize| (id(queries, query).to_owned(), f64::from(queries.items[query].count));
    (0..queries.items.len()).map(count).collect()
}

/// The id that stands for a text in judgements by text.
fn id(texts: &Texts, number: usize) -> &str {
    &texts.items[number].ids[0]
}

/// Rankings by id, those that are judged; `judgements` are [`by_text`](super::by_text).
pub(super) fn run_of(
    judgements: &Judgements,
    documents: &Texts,
    queries: &Texts,
    asked: &[usize],
    rankings: &[Vec<Neighbour>],
) -> Run {
    let found = |hit: &Neighbour| (id(documents, hit.document as usize).to_owned(), hit.score);
    let rankings = asked.iter().zip(rankings);
    let judged = rankings.filter(|&(&query, _)| judgements.contains_key(id(queries, query)));
    judged
        .map(|(&query, ranking)| (id(queries, query).to_owned(), ranking.iter().map(found).collect()))
        .collect()
}

pub(super) fn texts_of<'t>(texts: &'t Texts, numbers: &[usize]) -> Vec<&'t str> {
    numbers
        .iter()
        .map(|&number| texts.items[number].text.as_str())
        .collect()
}

/// A ranking with its first `depth` documents in the order of their logits.
fn rerank(ranking: &[Neighbour], depth: usize, logits: &mut impl Iterator<Item = f32>) -> Vec<Neighbour> {
    let scored = ranking.iter().take(depth).zip(logits);
    let mut first: Vec<(u32, f32)> = scored.map(|(found, logit)| (found.document, logit)).collect();
    // Stable, so equal logits keep the base encoder's order.
    first.sort_by(|a, b| b.1.total_cmp(&a.1));
    let rest = ranking.iter().skip(depth).map(|found| found.document);
    let order = first.into_iter().map(|(document, _)| document).chain(rest);
    let at_rank = |(rank, document)| Neighbour {
        document,
        score: -(rank as f32),
    };
    order.enumerate().map(at_rank).collect()
}
