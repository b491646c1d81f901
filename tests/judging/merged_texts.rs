//! Texts that were merged are one query, or one document, in judged figures, too.

use std::rc::Rc;

use crate::common::tiny_job::{DOCUMENTS, OPTIONS, QUERIES, tuner};
use crate::common::{TestHost, block_on};
use querytune::evaluate::Judgements;
use querytune::input::{InputItem, Qrels, Role, Texts};
use querytune::job::Job;
use querytune::judge::{Verdict, by_text, judge_fit};
use querytune::tune::RecipeOptions;

fn texts<'t>(items: impl IntoIterator<Item = (String, &'t str)>, role: Role) -> Rc<Texts> {
    let item = |(id, text): (String, &str)| InputItem {
        id: Some(id),
        text: text.to_owned(),
        ..InputItem::default()
    };
    Rc::new(Texts::from_items(items.into_iter().map(item), role).expect("texts"))
}

fn judgements(rows: &[(&str, &str, i32)]) -> Judgements {
    let mut judgements = Judgements::new();
    for &(query, document, relevance) in rows {
        let of_query = judgements.entry(query.into()).or_default();
        of_query.insert(document.into(), relevance);
    }
    judgements
}

#[test]
fn judgements_of_all_ids_of_a_text_come_together_under_the_first() {
    let named = |ids: &[(&str, &'static str)], role| {
        let items: Vec<(String, &str)> = ids.iter().map(|(id, text)| ((*id).into(), *text)).collect();
        texts(items, role)
    };
    let queries = named(&[("q1", "boots"), ("q2", "boots"), ("q3", "tea")], Role::Queries);
    let documents = named(&[("d1", "a"), ("d2", "a"), ("d3", "b")], Role::Documents);
    let given = judgements(&[
        ("q1", "d2", 1),
        ("q2", "d1", 0),
        ("q2", "d3", 2),
        ("q3", "unknown", 1),
        ("nobody", "d2", 3),
    ]);
    let expected = judgements(&[
        // The highest of what was said of it.
        ("q1", "d1", 1),
        ("q1", "d3", 2),
        ("q3", "unknown", 1),
        ("nobody", "d1", 3),
    ]);
    assert_eq!(by_text(&given, &queries, &documents), expected);
}

/// What judgements say of a shop that has each of its articles in `sizes`, and whose searches have each an id, `times` over.
fn verdict(sizes: usize, times: usize, qrels: &str) -> Verdict {
    let host = TestHost::with_store();
    let tuner = tuner(&host);
    let several = |texts: &[&'static str], prefix: &str, count: usize| -> Vec<(String, &'static str)> {
        let items = (0..count).flat_map(|copy| {
            texts
                .iter()
                .enumerate()
                .map(move |(number, text)| (copy, number, *text))
        });
        let prefix = prefix.to_owned();
        items
            .map(|(copy, number, text)| (format!("{prefix}{number}-{copy:02}"), text))
            .collect()
    };
    let queries = texts(several(&QUERIES, "q", times), Role::Queries);
    let documents = texts(several(&DOCUMENTS, "d", sizes), Role::Documents);
    let job = Job::new(&host);
    let relations = block_on(tuner.synthesize(queries, documents, OPTIONS, &job)).expect("relations");
    let options = RecipeOptions {
        epochs: Some(1),
        folds: Some(2),
        ..RecipeOptions::default()
    };
    let recipe = options.recipe(QUERIES.len()).expect("a recipe");
    let fit = block_on(tuner.fit(&relations, recipe, None, &job)).expect("a fit");
    let qrels = Qrels::read(format!("q\td\tr\n{qrels}").as_bytes(), "qrels.tsv").expect("judgements");
    block_on(judge_fit(&tuner, &relations, &fit, &qrels, None, None, &job)).expect("a verdict")
}

#[test]
fn an_article_in_twelve_sizes_is_found_at_one_place() {
    // The best document of the first query, by one of its ids or another.
    let once = verdict(1, 1, "q0-00\td0-00\t1\n").judged.ndcg_10;
    assert_eq!(once.base, 1.0);
    for size in ["00", "07", "11"] {
        let many = verdict(12, 1, &format!("q0-00\td0-{size}\t1\n")).judged.ndcg_10;
        assert_eq!(many, once, "size {size}");
    }
}

#[test]
fn a_text_that_was_judged_under_many_ids_is_one_query_to_interval_and_test() {
    let once = verdict(1, 1, "q0-00\td1-00\t1\nq1-00\td3-00\t1\nq2-00\td6-00\t1\n");
    let searches: String = (0..40).map(|time| format!("q0-{time:02}\td1-00\t1\n")).collect();
    let often = verdict(1, 40, &format!("{searches}q1-07\td3-00\t1\nq2-00\td6-00\t1\n"));
    assert_eq!((once.queries, often.queries), (3, 3));
    assert_eq!(often.missing_queries, 0);
    assert_eq!(often.judged.ndcg_10.ci95, once.judged.ndcg_10.ci95);
    assert_eq!(often.judged.ndcg_10.p, once.judged.ndcg_10.p);
}
