//! The first candidates are scored come what may, deeper ones as long as the time lasts; a clock that counts scores tells
//! it, so that every number here is exact.

use crate::common::tiny_job::{DOCUMENTS, OPTIONS, QUERIES, synthesize, texts, tuner};
use crate::common::{TestHost, block_on};
use querytune::Code;
use querytune::input::Role;
use querytune::job::{Job, Stage};
use querytune::relations::Relations;
use querytune::report::report;
use querytune::synthesize::SynthesizeOptions;
use querytune::tune::Recipe;

/// Six candidates of each of the six queries, and up to fifteen while time is left.
const DEPTH: usize = 6;
const FIRST: usize = DEPTH * QUERIES.len();

fn within(seconds: f64) -> SynthesizeOptions {
    SynthesizeOptions {
        candidates: 15,
        depth: DEPTH,
        budget_seconds: Some(seconds),
        ..OPTIONS
    }
}

/// A pair takes a second.
fn host() -> TestHost {
    let host = TestHost::with_store();
    host.seconds_per_score.set(Some(1.0));
    host
}

fn pairs_in_the_store(host: &TestHost) -> usize {
    host.store.as_ref().map_or(0, |store| store.records("logits", 20))
}

/// How many candidates of each query are scored, nearest first without a gap.
fn depths(relations: &Relations) -> Vec<usize> {
    let depth = |query: usize| {
        let logits = relations.candidates[query]
            .iter()
            .map(|candidate| candidate.logit.is_some());
        let scored: Vec<bool> = logits.collect();
        let depth = scored.iter().take_while(|&&is_scored| is_scored).count();
        assert!(!scored[depth..].contains(&true), "a gap: {scored:?}");
        depth
    };
    (0..relations.candidates.len()).map(depth).collect()
}

#[test]
fn all_queries_are_scored_as_deep_as_the_time_allows() {
    let (host, tuner) = (host(), tuner(&TestHost::new()));
    // 36 seconds for the first wave, then 6 a rank: two more ranks fit into 50, a third does not.
    let relations = synthesize(&tuner, within(50.0), &host).expect("relations");
    assert_eq!(depths(&relations), [8; 6]);
    assert_eq!(relations.depth, 8);
    assert_eq!(relations.times.score.seconds, 48.0);
    assert_eq!(pairs_in_the_store(&host), 48, "no rank was begun that does not fit");
}

#[test]
fn the_first_wave_is_scored_without_time_and_no_more_than_the_candidates_with_all_of_it() {
    let tuner = tuner(&TestHost::new());
    let short = synthesize(&tuner, within(0.0), &host()).expect("relations");
    assert_eq!((short.depth, depths(&short)), (DEPTH, vec![DEPTH; 6]));
    let long = synthesize(&tuner, within(1e6), &host()).expect("relations");
    assert_eq!((long.depth, depths(&long)), (15, vec![15; 6]));
    assert_eq!(long.times.score.items, 90);
}

#[test]
fn a_second_call_goes_on_from_the_first() {
    let (host, tuner) = (host(), tuner(&TestHost::new()));
    synthesize(&tuner, within(50.0), &host).expect("relations");
    // All the time is for what is new: a probe of its first six pairs, then two ranks more.
    let deeper = synthesize(&tuner, within(20.0), &host).expect("relations");
    assert_eq!((deeper.depth, depths(&deeper)), (11, vec![11; 6]));
    assert_eq!(deeper.times.cached_pairs, 48);
    assert_eq!(pairs_in_the_store(&host), 66);
    // What is there costs nothing, so it counts without time as well.
    let again = synthesize(&tuner, within(0.0), &host).expect("relations");
    assert_eq!((again.depth, again.times.cached_pairs), (11, 66));
    // A job without a time does what it is told.
    let plain = SynthesizeOptions {
        budget_seconds: None,
        ..within(0.0)
    };
    let plain = synthesize(&tuner, plain, &host).expect("relations");
    assert_eq!((plain.depth, depths(&plain)), (DEPTH, vec![DEPTH; 6]));
}

#[test]
fn a_training_may_follow_any_wave_and_learns_from_all_that_is_scored_by_then() {
    let (host, tuner) = (host(), tuner(&TestHost::new()));
    let trained = |relations: &Relations| {
        let recipe = Recipe::for_queries(QUERIES.len(), 1);
        block_on(tuner.fit(relations, recipe, None, &Job::new(&host))).expect("a fit")
    };
    let first = synthesize(&tuner, within(0.0), &host).expect("relations");
    let early = trained(&first);
    let deeper = synthesize(&tuner, within(50.0), &host).expect("relations");
    assert_eq!(deeper.times.cached_pairs, FIRST, "the first wave was scored before");
    let late = trained(&deeper);
    assert!(deeper.depth > first.depth && early.steps > 0 && late.steps > 0);
    assert_ne!(early.history[1].loss, late.history[1].loss, "more is learned from");
    // What was trained in between changes nothing of what is trained now.
    let fresh = synthesize(
        &tuner,
        SynthesizeOptions {
            depth: deeper.depth,
            budget_seconds: None,
            ..within(0.0)
        },
        &host,
    );
    let fresh = trained(&fresh.expect("relations"));
    let losses = |fit: &querytune::tune::Fit| fit.history.iter().map(|point| point.loss).collect::<Vec<_>>();
    assert_eq!(losses(&late), losses(&fresh));
}

#[test]
fn what_was_scored_of_an_unfinished_rank_is_kept_but_does_not_count() {
    let (host, tuner) = (host(), tuner(&TestHost::new()));
    let log: Vec<String> = (1..=40).map(|number| format!("size {number}")).collect();
    let log: Vec<&str> = log.iter().map(String::as_str).collect();
    let (log, shop) = (texts(&log, Role::Queries), texts(&DOCUMENTS, Role::Documents));
    let synthesize = |seconds| {
        let options = SynthesizeOptions {
            depth: 1,
            budget_seconds: seconds,
            ..within(0.0)
        };
        block_on(tuner.synthesize(log.clone(), shop.clone(), options, &Job::new(&host))).expect("relations")
    };
    synthesize(None);
    // Nothing is to be scored of the first wave, so 32 pairs of the second tell the pace: the time is over with them.
    let begun = synthesize(Some(20.0));
    assert_eq!((begun.depth, depths(&begun)), (1, vec![1; 40]));
    assert_eq!(pairs_in_the_store(&host), 40 + 32);
    let finished = synthesize(Some(8.0));
    assert_eq!((finished.depth, finished.times.cached_pairs), (2, 72));
    assert_eq!(pairs_in_the_store(&host), 80);
}

#[test]
fn progress_expects_what_the_pace_allows() {
    let (host, tuner) = (host(), tuner(&TestHost::new()));
    host.reports.borrow_mut().clear();
    synthesize(&tuner, within(50.0), &host).expect("relations");
    let reports = host.reports.borrow();
    let scoring: Vec<_> = reports.iter().filter(|report| report.stage == Stage::Score).collect();
    assert_eq!(scoring[0].total, FIRST, "before there is a pace");
    assert!(scoring[1..].iter().all(|report| report.total == 48), "{scoring:?}");
    assert_eq!(scoring[scoring.len() - 1].done, 48);
}

#[test]
fn the_report_says_depth_seconds_and_budget() {
    let (host, tuner) = (host(), tuner(&TestHost::new()));
    let relations = synthesize(&tuner, within(50.0), &host).expect("relations");
    let job = Job::new(&host);
    let fit = block_on(tuner.fit(&relations, Recipe::for_queries(QUERIES.len(), 0), None, &job)).expect("a fit");
    let report = report(&tuner.info(), &relations, &fit, None);
    assert_eq!(report["relations"]["depth"], 8);
    assert_eq!(report["stages"]["score"]["seconds"], 48.0);
    assert_eq!(report["stages"]["score"]["budgetSeconds"], 50.0);
    assert_eq!(report["stages"]["score"]["pairs"], 48);
}

#[test]
fn a_time_that_is_none_is_refused() {
    let tuner = tuner(&TestHost::new());
    for seconds in [-1.0, f64::NAN, f64::INFINITY] {
        let error = synthesize(&tuner, within(seconds), &host())
            .err()
            .expect("it is refused");
        assert_eq!(error.code(), Code::Option);
        assert!(error.message().contains("budgetSeconds"), "{error}");
    }
}
