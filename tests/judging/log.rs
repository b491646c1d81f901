//! Answers are kept as they come, and found again by what was asked.

use crate::common::{TestHost, block_on};
use querytune::job::Job;
use querytune::judging::{Answer, Judging, JudgingLog, JudgingOptions, Rankings, Relevance};

const QUERIES: [&str; 2] = ["red shoes", "rain coat"];
const DOCUMENTS: [&str; 3] = ["Shoes, red", "Coat for rain", "Umbrella"];

/// Both queries with all documents.
fn judging() -> Judging {
    let rankings = Rankings {
        base: vec![0, 1, 2],
        tuned: vec![1, 2, 0],
        cross_encoder: vec![2, 0, 1],
    };
    Judging::choose(&[rankings.clone(), rankings], &JudgingOptions::default()).expect("a choice")
}

fn keep(host: &TestHost, query: &str, document: &str, relevance: Option<Relevance>) {
    let job = Job::new(host);
    block_on(JudgingLog::new(&job).keep(query, document, relevance)).expect("kept");
}

/// The answers in the order of their numbers.
fn found(host: &TestHost, queries: &[&'static str], documents: &[&'static str]) -> Vec<Answer> {
    let job = Job::new(host);
    let texts = |query: usize, document: u32| (queries[query], documents[document as usize]);
    let mut answers = block_on(JudgingLog::new(&job).answers(&judging(), texts)).expect("answers");
    answers.sort_by_key(|answer| (answer.query, answer.document));
    answers
}

fn answer(query: usize, document: u32, relevance: Option<Relevance>) -> Answer {
    Answer {
        query,
        document,
        relevance,
    }
}

#[test]
fn a_reloaded_page_finds_every_answer() {
    let host = TestHost::with_store();
    keep(&host, "red shoes", "Shoes, red", Some(Relevance::Yes));
    keep(&host, "rain coat", "Umbrella", Some(Relevance::Somewhat));
    keep(&host, "rain coat", "Shoes, red", Some(Relevance::No));
    keep(&host, "red shoes", "Umbrella", None);
    assert_eq!(
        found(&host, &QUERIES, &DOCUMENTS),
        [
            answer(0, 0, Some(Relevance::Yes)),
            answer(0, 2, None),
            answer(1, 0, Some(Relevance::No)),
            answer(1, 2, Some(Relevance::Somewhat)),
        ]
    );
}

#[test]
fn the_last_answer_counts() {
    let host = TestHost::with_store();
    for relevance in [None, Some(Relevance::Yes), Some(Relevance::No)] {
        keep(&host, "red shoes", "Umbrella", relevance);
        assert_eq!(found(&host, &QUERIES, &DOCUMENTS), [answer(0, 2, relevance)]);
    }
}

#[test]
fn answers_belong_to_texts_not_to_numbers() {
    let host = TestHost::with_store();
    keep(&host, "red shoes", "Umbrella", Some(Relevance::Somewhat));
    let (queries, documents) = (["rain coat", "red shoes"], ["Umbrella", "Something new", "Shoes, red"]);
    assert_eq!(
        found(&host, &queries, &documents),
        [answer(1, 0, Some(Relevance::Somewhat))]
    );
    assert_eq!(found(&host, &["red shoes!", "rain coat"], &DOCUMENTS), []);
}

#[test]
fn the_same_text_twice_is_answered_twice() {
    let host = TestHost::with_store();
    keep(&host, "red shoes", "Umbrella", Some(Relevance::Yes));
    let documents = ["Umbrella", "Coat for rain", "Umbrella"];
    let yes = Some(Relevance::Yes);
    assert_eq!(
        found(&host, &QUERIES, &documents),
        [answer(0, 0, yes), answer(0, 2, yes)]
    );
}

#[test]
fn without_a_store_nothing_is_kept_and_nothing_fails() {
    let host = TestHost::new();
    keep(&host, "red shoes", "Umbrella", Some(Relevance::Yes));
    assert_eq!(found(&host, &QUERIES, &DOCUMENTS), []);
}

#[test]
fn a_value_that_is_no_answer_is_asked_again() {
    let host = TestHost::with_store();
    keep(&host, "red shoes", "Umbrella", Some(Relevance::Yes));
    for chunks in host.store.as_ref().expect("a store").logs.borrow_mut().values_mut() {
        chunks[0][16..].copy_from_slice(&7.5f32.to_le_bytes());
    }
    assert_eq!(found(&host, &QUERIES, &DOCUMENTS), []);
}
