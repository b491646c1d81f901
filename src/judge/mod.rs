//! Base, tuned and cross-encoder rankings held against people's judgements.

mod by_text;
mod previous;
mod rankings;
mod verdict;

use std::collections::HashMap;
use std::rc::Rc;

use crate::error::{Code, Error, Result};
use crate::evaluate::Judgements;
use crate::input::{Coverage, Named, Qrels, Texts};
use crate::job::{Job, Stage};
use crate::model::ModelFiles;
use crate::relations::Relations;
use crate::tune::{Fit, LeftOut};
use crate::tuner::Tuner;
use crate::vectors::Vectors;
use rankings::{Judging, Sides, counts, judged_numbers};

pub use by_text::by_text;
pub use previous::judge_previous;
pub use verdict::{Figure, Figures, JudgedOn, JudgedRankings, Verdict};

/// Judges the base encoder, the trained adapter (delivered or not) and the cross-encoder on `queries`, or on the log's
/// own queries where there are none. `files` are the encoder's, which LoRA needs.
///
/// # Errors
/// [`Code::InputQrels`] if no judgement is of a query and a document that are known; [`Code::Cancelled`], [`Code::Store`],
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
    let coverage = check(qrels, asked, &relations.documents)?;
    let documents = tuned_documents(relations, fit, job).await?;
    let of_asked = by_text(&qrels.judgements, asked, &relations.documents);
    let of_log = match &queries {
        Some(test) => {
            let of_log = judgements_of_log(&qrels.judgements, &relations.queries, test);
            by_text(&of_log, &relations.queries, &relations.documents)
        }
        None => of_asked.clone(),
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
        judgements: &of_asked,
        ..judging
    };
    let own = judged_numbers(&of_log, &relations.queries);
    let vectors = relations.query_vectors.select(own.iter().copied());
    let own = judging.ask(&relations.queries, own, vectors).await?;
    let test = match &queries {
        Some(queries) => {
            let known = judged_numbers(&of_asked, queries);
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
    let new_documents = judging.new_documents(&own.numbers, &progress).await?;
    progress.advance(count);
    let weights = counts(&relations.queries);
    // Each draws tens of millions of numbers: the thread's other work runs in between.
    let figure = async |sides: Option<Sides>| -> Result<Option<Figure>> {
        job.breathe().await?;
        Ok(sides.and_then(|sides| sides.figure(&weights, fit.recipe.seed)))
    };
    let figures = Figures {
        own_queries: figure(Some(of_own)).await?,
        similar_queries: figure(similar).await?,
        new_queries: figure(new).await?,
        new_documents: figure(new_documents).await?,
    };
    job.breathe().await?;
    Ok(Verdict {
        on,
        queries: main.base.queries.len(),
        trained_on: test.as_ref().map_or(0, |test| test.known_to(&relations.queries)),
        missing_queries: coverage.queries.ids - coverage.queries.known,
        missing_documents: coverage.documents.ids - coverage.documents.known,
        judged: main.compare(&counts(asked), fit.recipe.seed),
        rankings: JudgedRankings {
            queries: asked.clone(),
            base: main.base,
            tuned: main.tuned,
            ceiling: main.ceiling,
        },
        figures,
        time: progress.finish(),
    })
}

/// The adapter's vectors of the corpus, where they differ from the base encoder's.
async fn tuned_documents(relations: &Relations, fit: &Fit, job: &Job<'_>) -> Result<Option<Vectors>> {
    let items = &relations.documents.items;
    let texts: Vec<&str> = items.iter().map(|document| document.text.as_str()).collect();
    fit.adapted.documents(&texts, &relations.document_vectors, job).await
}

/// The judgements that are about the log's queries. An id that the test queries have too is theirs, unless the text is the
/// same: a file without ids is numbered from 1, as the other may be.
///
/// Where the log has no ids of its own and those of the test queries are numbers, an id that only the log has may be that
/// of a test query that is not in the file: it is nobody's.
fn judgements_of_log(judgements: &Judgements, log: &Texts, test: &Texts) -> Judgements {
    fn texts_by_id(texts: &Texts) -> HashMap<&str, &str> {
        let pairs = texts
            .items
            .iter()
            .flat_map(|text| text.ids.iter().map(move |id| (id, text)));
        pairs.map(|(id, text)| (id.as_str(), text.text.as_str())).collect()
    }
    let (log, test) = (texts_by_id(log), texts_by_id(test));
    let number = |id: &&str| id.parse::<usize>().ok();
    let is_numbered = log
        .keys()
        .all(|id| number(id).is_some_and(|number| (1..=log.len()).contains(&number)));
    let is_ambiguous = is_numbered && test.keys().all(|id| number(id).is_some());
    let is_own = |id: &str| {
        let of_test = test.get(id);
        log.get(id)
            .is_some_and(|text| of_test.map_or(!is_ambiguous, |other| other == text))
    };
    let own = judgements.iter().filter(|(id, _)| is_own(id));
    own.map(|(id, judged)| (id.clone(), judged.clone())).collect()
}

/// Holds the judgements against what there is.
fn check(qrels: &Qrels, queries: &Texts, documents: &Texts) -> Result<Coverage> {
    let coverage = qrels.coverage(queries, documents);
    if coverage.known > 0 {
        return Ok(coverage);
    }
    let stranger = |what: &str, Named { unknown, texts, .. }: &Named| {
        let first = |ids: &[String]| ids.first().cloned().unwrap_or_default();
        format!(
            "No {what} of the judgements is known: they say \"{}\", the file says \"{}\". Check the id columns.",
            first(unknown),
            first(texts)
        )
    };
    let Coverage { queries, documents, .. } = &coverage;
    let text = match (queries.known, documents.known) {
        (0, _) => stranger("query", queries),
        (_, 0) => stranger("document", documents),
        _ => "No judgement is of a query and a document that are both known. Check the id columns.".to_owned(),
    };
    Err(Error::new(Code::InputQrels, text))
}
