//! Base, tuned and cross-encoder rankings held against people's judgements.

mod previous;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use serde::Serialize;

use crate::error::{Code, Error, Result};
use crate::evaluate::{Comparison, Judged, Judgements, Metrics, Run, Weights, compare, judge};
use crate::input::{Qrels, Texts};
use crate::job::{Job, Stage, StageTime};
use crate::model::{ModelFiles, TextKind};
use crate::random::Random;
use crate::relations::Relations;
use crate::search::{Neighbour, top_k};
use crate::synthesize::{encode_texts, score_pairs};
use crate::tune::{Fit, LeftOut, RANKED, retrain};
use crate::tuner::Tuner;
use crate::vectors::Vectors;

pub use previous::judge_previous;

/// What the judgements say.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Which queries were judged: the log's own, which the adapter was trained on, or others.
    pub on: JudgedOn,
    /// Judged queries that were ranked.
    pub queries: usize,
    /// Judged queries that are not among the queries.
    pub missing_queries: usize,
    /// Judged documents that are not in the corpus; they count as not found.
    pub missing_documents: usize,
    /// Base, tuned, ceiling; the ceiling is the cross-encoder's order of the base encoder's first documents.
    pub judged: Metrics<Comparison>,
    /// What to expect of the log's queries, of others and of new documents, each by trainings that had not seen them.
    pub figures: Figures,
    /// Query by query, what `judged` is made from.
    #[serde(skip)]
    pub rankings: JudgedRankings,
    /// What it took.
    #[serde(skip)]
    pub time: StageTime,
}

/// The three rankings of some queries, each judged query by query.
#[derive(Clone, Debug)]
pub struct JudgedRankings {
    /// The queries.
    pub queries: Rc<Texts>,
    /// By the base encoder.
    pub base: Judged,
    /// By the tuned one.
    pub tuned: Judged,
    /// By the cross-encoder.
    pub ceiling: Option<Judged>,
}

/// Judged figures of the log's own queries, side by side; those that cannot be had are absent.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// Trained on, as most of tomorrow's queries will have been.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_queries: Option<Figure>,
    /// Left out of training at random: queries like the log's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub similar_queries: Option<Figure>,
    /// Left out of training together with all that share their best document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_queries: Option<Figure>,
    /// Trained on, but with candidates from one half of the documents only, and ranked on the other half.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_documents: Option<Figure>,
}

/// One of them.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// Judged queries in it.
    pub queries: usize,
    /// Base, tuned and ceiling.
    #[serde(flatten)]
    pub judged: Metrics<Comparison>,
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

/// Judges the base encoder, the trained adapter (delivered or not) and the cross-encoder on `queries`, or on the log's
/// own queries where there are none. `files` are the encoder's, which LoRA needs.
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
    files: Option<&ModelFiles>,
    job: &Job<'_>,
) -> Result<Verdict> {
    let on = if queries.is_some() {
        JudgedOn::TestQueries
    } else {
        JudgedOn::OwnQueries
    };
    let asked = queries.as_ref().unwrap_or(&relations.queries);
    let (missing_queries, missing_documents) = check(qrels, asked, &relations.documents)?;
    let documents = tuned_documents(relations, fit, job).await?;
    let of_log = match &queries {
        Some(test) => judgements_of_log(&qrels.judgements, &relations.queries, test),
        None => Cow::Borrowed(&qrels.judgements),
    };
    let judging = Judging {
        tuner,
        relations,
        fit,
        judgements: &of_log,
        files,
        documents: documents.as_ref().unwrap_or(&relations.document_vectors),
        job,
    };
    let judging_test = Judging {
        judgements: &qrels.judgements,
        ..judging
    };
    let own = judged_numbers(&of_log, &relations.queries);
    let vectors = relations.query_vectors.select(own.iter().copied());
    let own = judging.ask(&relations.queries, own, vectors).await?;
    let test = match &queries {
        Some(queries) => {
            let known = judged_numbers(&qrels.judgements, queries);
            let vectors = judging_test.encode(queries, &known).await?;
            Some(judging_test.ask(queries, known, vectors).await?)
        }
        None => None,
    };
    let (count, test_count) = (own.numbers.len(), test.as_ref().map_or(0, |test| test.numbers.len()));
    let progress = job.stage(Stage::Evaluate, test_count + 4 * count, 0);
    let of_own = judging.sides(&own).await?;
    progress.advance(count);
    let main = match &test {
        Some(test) => judging_test.sides(test).await?,
        None => of_own.clone(),
    };
    progress.advance(test_count);
    let left_out = |left_out: &Option<LeftOut>| judging.left_out(left_out.as_ref(), &own.ceiling);
    let similar = left_out(&fit.left_out_at_random);
    let new = left_out(&fit.left_out_in_groups);
    progress.advance(2 * count);
    let new_documents = judging.new_documents(&own.numbers).await?;
    progress.advance(count);
    let weights = judging.weights(&relations.queries);
    let figure = |sides: Sides| sides.figure(&weights, fit.recipe.seed);
    Ok(Verdict {
        on,
        queries: main.base.queries.len(),
        missing_queries,
        missing_documents,
        judged: main.compare(&judging_test.weights(asked), fit.recipe.seed),
        rankings: JudgedRankings {
            queries: asked.clone(),
            base: main.base,
            tuned: main.tuned,
            ceiling: main.ceiling,
        },
        figures: Figures {
            own_queries: figure(of_own),
            similar_queries: similar.and_then(figure),
            new_queries: new.and_then(figure),
            new_documents: new_documents.and_then(figure),
        },
        time: progress.finish(),
    })
}

/// The three rankings' figures on the same queries.
#[derive(Clone)]
struct Sides {
    base: Judged,
    tuned: Judged,
    ceiling: Option<Judged>,
}

impl Sides {
    fn compare(&self, weights: &Weights, seed: u64) -> Metrics<Comparison> {
        compare(&self.base, &self.tuned, self.ceiling.as_ref(), Some(weights), seed)
    }

    fn figure(self, weights: &Weights, seed: u64) -> Option<Figure> {
        (!self.base.queries.is_empty()).then(|| Figure {
            queries: self.base.queries.len(),
            judged: self.compare(weights, seed),
        })
    }
}

/// The adapter's vectors of the corpus, where they differ from the base encoder's.
async fn tuned_documents(relations: &Relations, fit: &Fit, job: &Job<'_>) -> Result<Option<Vectors>> {
    let items = &relations.documents.items;
    let texts: Vec<&str> = items.iter().map(|document| document.text.as_str()).collect();
    fit.adapted.documents(&texts, &relations.document_vectors, job).await
}

/// Judged queries, with what does not depend on the adapter.
struct Asked<'q> {
    queries: &'q Texts,
    /// Which of them are judged.
    numbers: Vec<usize>,
    /// Their vectors by the base encoder.
    vectors: Vectors,
    /// Their documents by the base encoder.
    base: Vec<Vec<Neighbour>>,
    /// The cross-encoder's order of these.
    ceiling: Run,
}

/// What figures are made from.
#[derive(Clone, Copy)]
struct Judging<'j> {
    tuner: &'j Tuner,
    relations: &'j Relations,
    fit: &'j Fit,
    /// Those that count for the queries that are ranked.
    judgements: &'j Judgements,
    files: Option<&'j ModelFiles>,
    /// The corpus as the tuned encoder sees it.
    documents: &'j Vectors,
    job: &'j Job<'j>,
}

impl Judging<'_> {
    fn run(&self, queries: &Texts, asked: &[usize], rankings: &[Vec<Neighbour>]) -> Run {
        run_of(self.judgements, &self.relations.documents, queries, asked, rankings)
    }

    /// How often each judged id was asked; a text's count is shared among its ids.
    fn weights(&self, queries: &Texts) -> Weights {
        let mut weights = Weights::new();
        for text in &queries.items {
            let judged: Vec<&String> = text.ids.iter().filter(|id| self.judgements.contains_key(*id)).collect();
            let share = f64::from(text.count) / judged.len().max(1) as f64;
            weights.extend(judged.into_iter().map(|id| (id.clone(), share)));
        }
        weights
    }

    async fn encode(&self, queries: &Texts, judged: &[usize]) -> Result<Vectors> {
        let texts = texts_of(queries, judged);
        let (mut vectors, _) = encode_texts(self.tuner.encoder(), &[(&texts, TextKind::Query)], self.job).await?;
        Ok(vectors.pop().unwrap_or_default())
    }

    async fn found(&self, queries: &Vectors, documents: &Vectors) -> Result<Vec<Vec<Neighbour>>> {
        top_k(queries, documents, RANKED, self.tuner.device(), self.job, |_| {}).await
    }

    /// Ranks the judged ones of some queries by the base encoder and by the cross-encoder.
    async fn ask<'q>(&self, queries: &'q Texts, numbers: Vec<usize>, vectors: Vectors) -> Result<Asked<'q>> {
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
    async fn sides(&self, asked: &Asked<'_>) -> Result<Sides> {
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
    fn left_out(&self, left_out: Option<&LeftOut>, ceiling: &Run) -> Option<Sides> {
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
    async fn new_documents(&self, own: &[usize]) -> Result<Option<Sides>> {
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
            let base_encoder = self.tuner.base(self.files);
            let device = self.tuner.device();
            let adapter = retrain(self.relations, self.fit, base_encoder, device, allowed, self.job).await?;
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

/// The judgements that are about the log's queries. An id that the test queries have too is theirs, unless the text is the
/// same: a file without ids is numbered from 1, as the other may be.
fn judgements_of_log<'j>(judgements: &'j Judgements, log: &Texts, test: &Texts) -> Cow<'j, Judgements> {
    fn texts_by_id(texts: &Texts) -> HashMap<&str, &str> {
        let pairs = texts
            .items
            .iter()
            .flat_map(|text| text.ids.iter().map(move |id| (id, text)));
        pairs.map(|(id, text)| (id.as_str(), text.text.as_str())).collect()
    }
    let (log, test) = (texts_by_id(log), texts_by_id(test));
    let is_own = |id: &str| {
        log.get(id)
            .is_some_and(|text| test.get(id).is_none_or(|other| other == text))
    };
    let own = judgements.iter().filter(|(id, _)| is_own(id));
    Cow::Owned(own.map(|(id, judged)| (id.clone(), judged.clone())).collect())
}

/// The queries that somebody judged, by number.
fn judged_numbers(judgements: &Judgements, queries: &Texts) -> Vec<usize> {
    let is_judged = |id: &String| judgements.contains_key(id);
    (0..queries.items.len())
        .filter(|&query| queries.items[query].ids.iter().any(is_judged))
        .collect()
}

/// Rankings by id, those that are judged; merged duplicates stand under each of their ids, at the same score.
fn run_of(
    judgements: &Judgements,
    documents: &Texts,
    queries: &Texts,
    asked: &[usize],
    rankings: &[Vec<Neighbour>],
) -> Run {
    let mut run = Run::new();
    for (&query, ranking) in asked.iter().zip(rankings) {
        let judged: Vec<&String> = (queries.items[query].ids.iter())
            .filter(|id| judgements.contains_key(*id))
            .collect();
        if judged.is_empty() {
            continue;
        }
        let ids = |hit: &Neighbour| &documents.items[hit.document as usize].ids;
        let found: Vec<(String, f32)> = ranking
            .iter()
            .flat_map(|hit| ids(hit).iter().map(move |id| (id.clone(), hit.score)))
            .collect();
        for id in judged {
            run.insert(id.clone(), found.clone());
        }
    }
    run
}

fn texts_of<'t>(texts: &'t Texts, numbers: &[usize]) -> Vec<&'t str> {
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
