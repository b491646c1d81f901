//! BM25's documents among the candidates.

use crate::common::tiny_job::{DOCUMENTS, OPTIONS, QUERIES, synthesize, tuner};
use crate::common::{TestHost, block_on, encoder_files};
use querytune::artifact;
use querytune::bm25::{Bm25, Bm25Options};
use querytune::data_set::whole;
use querytune::download::download;
use querytune::job::Job;
use querytune::relations::Relations;
use querytune::report::report;
use querytune::synthesize::SynthesizeOptions;
use querytune::tune::{Recipe, TrainingSet};

/// Two of the encoder's four candidates, and three of BM25's.
const POOLED: SynthesizeOptions = SynthesizeOptions {
    candidates: 4,
    depth: 2,
    bm25: 3,
    ..OPTIONS
};

fn relations(options: SynthesizeOptions) -> Relations {
    let host = TestHost::new();
    synthesize(&tuner(&host), options, &host).expect("relations")
}

/// What BM25 finds for a query, best first.
fn by_words(query: usize) -> Vec<u32> {
    let host = TestHost::new();
    let index = block_on(Bm25::build(DOCUMENTS, Bm25Options::default(), &Job::new(&host))).expect("an index");
    let hits = index.top_k(QUERIES[query], DOCUMENTS.len());
    hits.iter().map(|hit| hit.document).collect()
}

#[test]
fn bm25s_best_that_are_not_among_the_first_are_scored_too() {
    let pooled = relations(POOLED);
    let mut beyond = 0;
    for (query, candidates) in pooled.candidates.iter().enumerate() {
        let first: Vec<u32> = candidates[..2].iter().map(|candidate| candidate.document).collect();
        let mut expected: Vec<u32> = by_words(query)
            .into_iter()
            .filter(|d| !first.contains(d))
            .take(3)
            .collect();
        expected.extend(&first);
        expected.sort_unstable();
        let mut scored: Vec<u32> = pooled.scored(query).map(|(document, _)| document).collect();
        scored.sort_unstable();
        assert_eq!(scored, expected, "{}", QUERIES[query]);
        beyond += candidates.len() - 4;
    }
    assert!(beyond > 0, "some were not among the encoder's candidates");
}

#[test]
fn the_encoders_candidates_stay_and_the_others_follow_with_their_cosines_nearest_first() {
    let (plain, pooled) = (relations(SynthesizeOptions { bm25: 0, ..POOLED }), relations(POOLED));
    for (query, candidates) in pooled.candidates.iter().enumerate() {
        let documents = |of: &Relations| -> Vec<u32> { of.candidates[query][..4].iter().map(|c| c.document).collect() };
        assert_eq!(documents(&pooled), documents(&plain));
        // The encoder's own search gives all of the cosines.
        let all = relations_with_all_cosines(query);
        for candidate in candidates {
            assert!((candidate.cosine - all[candidate.document as usize]).abs() < 1e-6);
        }
        assert!(candidates.is_sorted_by(|a, b| a.cosine >= b.cosine), "{candidates:?}");
        let mut once: Vec<u32> = candidates.iter().map(|candidate| candidate.document).collect();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), candidates.len(), "no document stands there twice");
    }
}

fn relations_with_all_cosines(query: usize) -> Vec<f32> {
    thread_local! {
        static ALL: Relations = relations(SynthesizeOptions { candidates: 20, depth: 1, ..OPTIONS });
    }
    ALL.with(|all| {
        let mut cosines = vec![f32::NAN; DOCUMENTS.len()];
        for candidate in &all.candidates[query] {
            cosines[candidate.document as usize] = candidate.cosine;
        }
        cosines
    })
}

#[test]
fn a_training_takes_each_querys_candidates_as_many_as_there_are() {
    let pooled = relations(POOLED);
    let counts: Vec<usize> = (0..QUERIES.len()).map(|query| pooled.scored(query).count()).collect();
    assert!(counts.iter().any(|&count| count != counts[0]), "{counts:?}");
    let recipe = Recipe::for_queries(QUERIES.len(), 0);
    let set = TrainingSet::from_relations(&pooled, &recipe, |_| true).expect("a training set");
    assert_eq!(set.candidates.iter().map(Vec::len).collect::<Vec<_>>(), counts);
    let host = TestHost::new();
    let fit = block_on(tuner(&host).fit(&pooled, recipe, None, &Job::new(&host))).expect("a fit");
    assert!(fit.random.is_some_and(|agreement| agreement.base > 0.0));
}

#[test]
fn pooled_candidates_come_out_of_a_download_as_they_were() {
    let host = TestHost::new();
    let tuner = tuner(&host);
    let pooled = synthesize(&tuner, POOLED, &host).expect("relations");
    let job = Job::new(&host);
    let fit = block_on(tuner.fit(&pooled, Recipe::for_queries(QUERIES.len(), 0), None, &job)).expect("a fit");
    let report = report(&tuner.info(), &pooled, &fit, None);
    assert_eq!(report["relations"]["bm25"], 3);
    assert_eq!(report["relations"]["depth"], 2);
    let zip = block_on(download(
        &report,
        &pooled,
        &fit,
        &encoder_files().files,
        Vec::new(),
        &job,
    ))
    .expect("a zip");
    let data = artifact::open(&zip).expect("it opens").data().expect("data");
    assert_eq!(data.candidates, pooled.candidates);
    let tsv = whole(pooled.scores_tsv()).expect("tsv");
    let longest = pooled.candidates.iter().map(Vec::len).max().expect("candidates");
    let ranks = tsv.lines().skip(1).map(|line| line.split('\t').nth(2).expect("a rank"));
    assert_eq!(ranks.map(|rank| rank.parse().expect("a number")).max(), Some(longest));
}

#[test]
fn a_deeper_wave_does_not_score_again_what_was_pooled() {
    let options = SynthesizeOptions {
        budget_seconds: Some(1e6),
        ..POOLED
    };
    let host = TestHost::with_store();
    let whole = synthesize(&tuner(&host), options, &host).expect("relations");
    assert_eq!(whole.depth, 4);
    let pairs: usize = whole.candidates.iter().map(Vec::len).sum();
    let scored: usize = (0..QUERIES.len()).map(|query| whole.scored(query).count()).sum();
    assert_eq!((scored, whole.times.score.items), (pairs, pairs));
    assert_eq!(
        host.store.as_ref().map_or(0, |store| store.records("logits", 20)),
        pairs
    );
}
