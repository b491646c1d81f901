//! Quick judging asks about what tells the rankings apart, and says nothing of whose it is.

use std::collections::BTreeSet;

use querytune::Code;
use querytune::judging::{Judging, JudgingOptions, Rankings};

fn rankings(base: &[u32], tuned: &[u32], cross_encoder: &[u32]) -> Rankings {
    Rankings {
        base: base.to_vec(),
        tuned: tuned.to_vec(),
        cross_encoder: cross_encoder.to_vec(),
    }
}

fn options(queries: usize, documents: usize, seed: u64) -> JudgingOptions {
    JudgingOptions {
        queries,
        documents,
        seed,
    }
}

fn choose(rankings: &[Rankings], options: JudgingOptions) -> Judging {
    Judging::choose(rankings, &options).expect("a choice")
}

const FIRST_TEN: [u32; 10] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/// Three shuffles of 15 documents for each query.
fn shuffled(queries: usize, seed: u64) -> Vec<Rankings> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut ranking = || {
        let mut documents: Vec<u32> = (0..15).collect();
        random.shuffle(&mut documents);
        documents
    };
    (0..queries)
        .map(|_| Rankings {
            base: ranking(),
            tuned: ranking(),
            cross_encoder: ranking(),
        })
        .collect()
}

#[test]
fn queries_that_all_three_rank_alike_are_not_asked_but_counted() {
    let same = rankings(&FIRST_TEN, &FIRST_TEN, &FIRST_TEN);
    let mut below = same.clone();
    below.base.extend([10, 11]);
    below.tuned.extend([11, 10]);
    let tuned_differs = rankings(&FIRST_TEN, &[1, 0, 2, 3, 4, 5, 6, 7, 8, 9], &FIRST_TEN);
    let cross_encoder_differs = rankings(&FIRST_TEN, &FIRST_TEN, &[0, 1, 2, 3, 4, 5, 6, 7, 9, 8]);
    let judging = choose(
        &[same.clone(), tuned_differs, below, cross_encoder_differs, same],
        JudgingOptions::default(),
    );
    let asked: BTreeSet<usize> = judging.items.iter().map(|item| item.query).collect();
    assert_eq!(asked, [1, 3].into());
    assert_eq!((judging.queries, judging.differing, judging.unchanged), (5, 2, 4));
}

#[test]
fn the_documents_asked_are_those_that_differ_most_in_discount() {
    // 9 comes first in the tuned ranking, 0 loses the first place to it and 1 the second; 20 comes in at the end.
    let query = rankings(&FIRST_TEN, &[9, 0, 1, 2, 3, 4, 5, 6, 7, 20], &FIRST_TEN);
    let asked = |documents| -> BTreeSet<u32> {
        let judging = choose(std::slice::from_ref(&query), options(1, documents, 3));
        judging.items[0].documents.iter().copied().collect()
    };
    assert_eq!(asked(1), [9].into());
    assert_eq!(asked(2), [0, 9].into());
    // 8 leaves the first ten, where it had .30; 20 enters with .29; 1 falls by .13 and 2 by less.
    assert_eq!(asked(4), [0, 8, 9, 20].into());
    assert_eq!(asked(5), [0, 1, 8, 9, 20].into());
}

#[test]
fn documents_at_the_same_rank_in_all_three_are_not_asked() {
    let swapped = [0, 1, 2, 3, 5, 4, 6, 7, 8, 9];
    let judging = choose(&[rankings(&FIRST_TEN, &swapped, &swapped)], options(50, 6, 0));
    let mut documents = judging.items[0].documents.clone();
    documents.sort_unstable();
    assert_eq!(documents, [4, 5]);
}

#[test]
fn no_more_is_asked_than_was_said() {
    let judging = choose(&shuffled(200, 1), JudgingOptions::default());
    assert_eq!(judging.items.len(), 50);
    let queries: BTreeSet<usize> = judging.items.iter().map(|item| item.query).collect();
    assert_eq!(queries.len(), 50);
    for item in &judging.items {
        assert_eq!(item.documents.len(), 6);
        assert_eq!(item.documents.iter().collect::<BTreeSet<_>>().len(), 6);
    }
}

#[test]
fn the_same_seed_asks_the_same_and_another_seed_something_else() {
    let rankings = shuffled(200, 2);
    assert_eq!(
        choose(&rankings, options(50, 6, 7)),
        choose(&rankings, options(50, 6, 7))
    );
    assert_ne!(
        choose(&rankings, options(50, 6, 7)).items,
        choose(&rankings, options(50, 6, 8)).items
    );
}

#[test]
fn every_query_is_as_likely_as_any_other_also_among_the_first() {
    let rankings = shuffled(40, 3);
    let mut asked = [0; 40];
    for seed in 0..2000 {
        for item in &choose(&rankings, options(10, 6, seed)).items[..5] {
            asked[item.query] += 1;
        }
    }
    // 250 expected, standard deviation 15.
    assert!(asked.iter().all(|count| (190..=310).contains(count)), "{asked:?}");
}

#[test]
fn of_two_documents_that_changed_places_chance_asks_about_one() {
    // The tuned model's choice and the base model's are at stake alike.
    let query = rankings(&FIRST_TEN, &[1, 0, 2, 3, 4, 5, 6, 7, 8, 9], &FIRST_TEN);
    let base_first = (0..1000).filter(|&seed| {
        let judging = choose(std::slice::from_ref(&query), options(1, 1, seed));
        judging.items[0].documents == [0]
    });
    let base_first = base_first.count();
    assert!((430..=570).contains(&base_first), "{base_first} of 1000");
}

#[test]
fn the_order_does_not_tell_whose_a_document_is() {
    // Six documents are asked about; each system's best is at each place about as often.
    let mut places = [[0; 6]; 2];
    for seed in 0..60 {
        let all = shuffled(50, 100 + seed);
        for item in &choose(&all, options(50, 6, seed)).items {
            let best = [all[item.query].base[0], all[item.query].tuned[0]];
            for (places, best) in places.iter_mut().zip(best) {
                if let Some(place) = item.documents.iter().position(|&document| document == best) {
                    places[place] += 1;
                }
            }
        }
    }
    for places in places {
        let expected = places.iter().sum::<usize>() / 6;
        // Some 480 expected, standard deviation 20.
        assert!(places.iter().all(|&count| count.abs_diff(expected) < 90), "{places:?}");
    }
}

#[test]
fn a_ranking_that_changes_leaves_the_other_questions_as_they_are() {
    let before = shuffled(200, 5);
    let mut after = before.clone();
    let asked = choose(&before, JudgingOptions::default()).items;
    let changed = asked[10].query;
    after[changed].tuned = after[changed].base.clone();
    after[changed].cross_encoder = after[changed].base.clone();
    let again = choose(&after, JudgingOptions::default()).items;
    let kept: Vec<_> = asked.into_iter().filter(|item| item.query != changed).collect();
    assert_eq!(again[..49], kept);
}

#[test]
fn the_base_models_documents_follow_a_short_ranking_of_the_cross_encoder() {
    let short = rankings(&FIRST_TEN, &FIRST_TEN, &[2, 0, 1]);
    let long = rankings(&FIRST_TEN, &FIRST_TEN, &[2, 0, 1, 3, 4, 5, 6, 7, 8, 9]);
    let none = rankings(&FIRST_TEN, &FIRST_TEN, &[]);
    let asked = |query: Rankings| choose(&[query], JudgingOptions::default()).items;
    let asked_of_short = asked(short);
    assert_eq!(asked_of_short[0].documents.len(), 3);
    assert_eq!(asked_of_short, asked(long));
    assert_eq!(asked(none), []);
}

#[test]
fn a_small_corpus_has_short_rankings() {
    let judging = choose(
        &[rankings(&[0, 1], &[1, 0], &[0, 1]), rankings(&[], &[], &[])],
        options(50, 6, 0),
    );
    assert_eq!(judging.items.len(), 1);
    assert_eq!(choose(&[], JudgingOptions::default()).items, []);
}

#[test]
fn asking_nothing_is_refused() {
    for options in [options(0, 6, 0), options(50, 0, 0)] {
        let error = Judging::choose(&shuffled(3, 1), &options).expect_err("an error");
        assert_eq!(error.code(), Code::Option);
    }
}

#[test]
fn what_a_page_receives_has_the_questions_and_no_rankings() {
    let judging = choose(
        &[rankings(&FIRST_TEN, &FIRST_TEN, &[1, 0, 2, 3, 4, 5, 6, 7, 8, 9])],
        JudgingOptions::default(),
    );
    let json = serde_json::to_value(&judging).expect("json");
    let names: Vec<&String> = json.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["items", "queries", "differing", "unchanged"]);
    let item: Vec<&String> = json["items"][0].as_object().expect("an object").keys().collect();
    assert_eq!(item, ["query", "documents"]);
    let options: JudgingOptions = serde_json::from_str(r#"{"documents": 4}"#).expect("options");
    assert_eq!((options.queries, options.documents), (50, 4));
}
