//! A verdict is what the answers say, no more.

use querytune::evaluate::{Run, compare, judge};
use querytune::input::Qrels;
use querytune::judging::{Answer, Conclusion, Judging, JudgingOptions, Rankings, Relevance, to_qrels};

const DOCUMENTS: u32 = 14;

/// `queries` queries; the document 0 has the rank given by each of the three (0: not among the first ten).
fn rankings(queries: usize, ranks: impl Fn(usize) -> [usize; 3]) -> Vec<Rankings> {
    let ranking = |rank: usize| {
        let mut documents: Vec<u32> = (1..DOCUMENTS).collect();
        if rank > 0 {
            documents.insert(rank - 1, 0);
        }
        documents.truncate(10);
        documents
    };
    (0..queries)
        .map(|query| {
            let [base, tuned, cross_encoder] = ranks(query).map(ranking);
            Rankings {
                base,
                tuned,
                cross_encoder,
            }
        })
        .collect()
}

/// `queries` queries whose three rankings of so many documents have nothing to do with each other.
fn shuffled(queries: usize, documents: u32, random: &mut fastrand::Rng) -> Vec<Rankings> {
    let mut ranking = || {
        let mut documents: Vec<u32> = (0..documents).collect();
        random.shuffle(&mut documents);
        documents
    };
    let mut rankings = || Rankings {
        base: ranking(),
        tuned: ranking(),
        cross_encoder: ranking(),
    };
    (0..queries).map(|_| rankings()).collect()
}

fn choose(rankings: &[Rankings]) -> Judging {
    Judging::choose(rankings, &JudgingOptions::default()).expect("a choice")
}

/// Every question answered.
fn answers(judging: &Judging, mut relevance: impl FnMut(usize, u32) -> Option<Relevance>) -> Vec<Answer> {
    let mut answers = Vec::new();
    for item in &judging.items {
        for &document in &item.documents {
            answers.push(Answer {
                query: item.query,
                document,
                relevance: relevance(item.query, document),
            });
        }
    }
    answers
}

/// The document 0 is what people want.
fn only_0(_: usize, document: u32) -> Option<Relevance> {
    Some(if document == 0 { Relevance::Yes } else { Relevance::No })
}

#[test]
fn a_tuned_model_that_is_better_is_called_better() {
    let judging = choose(&rankings(60, |query| [3 + query % 4, 1 + query % 2, 2]));
    let verdict = judging.verdict(&answers(&judging, only_0));
    assert_eq!((verdict.queries, verdict.open), (50, 0));
    assert_eq!(verdict.tuned.conclusion, Conclusion::Better);
    assert_eq!(verdict.cross_encoder.conclusion, Conclusion::Better);
    let (means, judged) = (verdict.ndcg_10, verdict.tuned.judged);
    assert!((means.tuned - means.base - judged.difference).abs() < 1e-12);
    assert!((means.cross_encoder - 1.0 / 3f64.log2()).abs() < 1e-12);
    assert!(judged.ci95[0] > 0.0 && judged.ci95[0] < judged.difference && judged.difference < judged.ci95[1]);
    assert!(verdict.tuned.p < 0.001);
    assert!(
        verdict.tuned.sentence.contains("better than the base model"),
        "{}",
        verdict.tuned.sentence
    );
}

#[test]
fn worse_ones_are_told_to_be_left() {
    let judging = choose(&rankings(60, |query| [1 + query % 2, 3 + query % 4, 0]));
    let verdict = judging.verdict(&answers(&judging, only_0));
    assert_eq!(verdict.tuned.conclusion, Conclusion::Worse);
    assert!(
        verdict.tuned.sentence.ends_with(": keep the base model."),
        "{}",
        verdict.tuned.sentence
    );
    assert_eq!(verdict.cross_encoder.conclusion, Conclusion::Worse);
    let sentence = &verdict.cross_encoder.sentence;
    assert!(
        sentence.starts_with("Your reranker is worse than your encoder here"),
        "{sentence}"
    );
    assert!(sentence.ends_with(": do not train on it."), "{sentence}");
}

#[test]
fn as_many_gains_as_losses_show_nothing() {
    let judging = choose(&rankings(
        50,
        |query| if query % 2 == 0 { [1, 3, 2] } else { [3, 1, 4] },
    ));
    let verdict = judging.verdict(&answers(&judging, only_0));
    assert_eq!(verdict.tuned.conclusion, Conclusion::NoDifferenceShown);
    assert!(
        verdict.tuned.sentence.starts_with("No difference"),
        "{}",
        verdict.tuned.sentence
    );
}

#[test]
fn answers_by_chance_rarely_show_a_difference() {
    let mut random = fastrand::Rng::with_seed(17);
    let mut alarms = 0;
    for seed in 0..200 {
        let shuffled = shuffled(50, 20, &mut random);
        let options = JudgingOptions {
            queries: 30,
            seed,
            ..JudgingOptions::default()
        };
        let judging = Judging::choose(&shuffled, &options).expect("a choice");
        let levels = [Relevance::No, Relevance::No, Relevance::Somewhat, Relevance::Yes];
        let mut chance = fastrand::Rng::with_seed(1000 + seed);
        let answers = answers(&judging, |_, _| chance.choice(levels));
        let verdict = judging.verdict(&answers);
        alarms += usize::from(verdict.tuned.conclusion != Conclusion::NoDifferenceShown);
        alarms += usize::from(verdict.cross_encoder.conclusion != Conclusion::NoDifferenceShown);
    }
    // 20 of 400 expected, standard deviation below 6.
    assert!((4..=38).contains(&alarms), "{alarms} of 400");
}

#[test]
fn figures_are_those_of_the_exported_judgements() {
    let mut random = fastrand::Rng::with_seed(4);
    let all = shuffled(40, 30, &mut random);
    let judging = choose(&all);
    let levels = [Relevance::No, Relevance::Somewhat, Relevance::Yes];
    let mut answers = answers(&judging, |_, _| random.choice(levels));
    // Something relevant everywhere, as other tools count queries without anything as 0.
    for item in &judging.items {
        answers.push(Answer {
            query: item.query,
            document: item.documents[0],
            relevance: Some(Relevance::Yes),
        });
    }
    let ids: Vec<String> = (0..40).map(|number| format!("id {number}, \"=")).collect();
    let tsv = to_qrels(&answers, |query| &ids[query], |document| &ids[document as usize]).expect("judgements");
    assert!(tsv.starts_with("query-id\tcorpus-id\tscore\n"), "{tsv}");
    let qrels = Qrels::read(tsv.as_bytes(), "qrels.tsv").expect("judgements");
    assert_eq!((qrels.judgements.len(), qrels.skipped_total), (40, 0));

    let run = |ranking: fn(&Rankings) -> &Vec<u32>| -> Run {
        let scored = |documents: &Vec<u32>| {
            let first = documents.iter().take(10).enumerate();
            first
                .map(|(rank, &document)| (ids[document as usize].clone(), -(rank as f32)))
                .collect()
        };
        all.iter()
            .zip(&ids)
            .map(|(query, id)| (id.clone(), scored(ranking(query))))
            .collect()
    };
    let [base, tuned, cross_encoder] = [
        run(|query| &query.base),
        run(|query| &query.tuned),
        run(|query| &query.cross_encoder),
    ]
    .map(|run| judge(&qrels.judgements, &run));
    let expected = compare(&base, &tuned, Some(&cross_encoder), None, 0).ndcg_10;
    let verdict = judging.verdict(&answers);
    assert_eq!(verdict.queries, 40);
    let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    close(verdict.ndcg_10.base, expected.base);
    close(verdict.ndcg_10.tuned, expected.tuned);
    close(verdict.ndcg_10.cross_encoder, expected.ceiling.expect("a ceiling"));
    // Drawn in another order of the queries.
    assert!((verdict.tuned.p - expected.p).abs() < 0.02);
    assert!((verdict.tuned.judged.ci95[0] - expected.ci95[0]).abs() < 0.01);
}

#[test]
fn only_queries_answered_in_full_count() {
    let judging = choose(&rankings(10, |_| [5, 1, 2]));
    let (skipped, open, nothing) = (judging.items[0].query, judging.items[1].query, judging.items[2].query);
    let mut answers = answers(&judging, |query, document| match query {
        _ if query == skipped && document == 0 => None,
        _ if query == nothing => Some(Relevance::No),
        _ => only_0(query, document),
    });
    answers.retain(|answer| answer.query != open || answer.document == 0);
    let verdict = judging.verdict(&answers);
    assert_eq!(
        (verdict.queries, verdict.none_relevant, verdict.skipped, verdict.open),
        (7, 1, 1, 1)
    );
    assert_eq!(verdict.ndcg_10.tuned, 1.0);
    assert!(
        verdict.about.contains("1 of the 10 queries are not answered in full"),
        "{}",
        verdict.about
    );
}

#[test]
fn answers_may_come_in_any_order_and_be_changed() {
    let judging = choose(&rankings(30, |query| [5, 1 + query % 3, 2]));
    let last = answers(&judging, only_0);
    let first = answers(&judging, |query, document| {
        let no_0 = only_0(query, 1 - document.min(1));
        if document % 3 == 2 { None } else { no_0 }
    });
    assert_ne!(judging.verdict(&first), judging.verdict(&last));
    let mut reversed = last.clone();
    reversed.reverse();
    assert_eq!(judging.verdict(&reversed), judging.verdict(&last));
    assert_eq!(judging.verdict(&[first, last.clone()].concat()), judging.verdict(&last));
}

#[test]
fn answers_to_what_was_not_asked_make_no_difference() {
    let judging = choose(&rankings(8, |query| if query == 7 { [1, 1, 1] } else { [5, 1, 2] }));
    let asked = answers(&judging, only_0);
    let mut more = asked.clone();
    for (query, document) in [(7, 0), (0, 13), (99, 0)] {
        more.push(Answer {
            query,
            document,
            relevance: Some(Relevance::Yes),
        });
    }
    assert_eq!(judging.verdict(&more), judging.verdict(&asked));
}

#[test]
fn over_all_queries_the_difference_is_as_rare_as_the_differing_rankings() {
    // 20 of 80 queries are ranked alike, 10 of the other 60 are asked, in 5 of which nothing is relevant.
    let all = rankings(80, |query| if query < 20 { [4, 4, 4] } else { [5, 1, 2] });
    let options = JudgingOptions {
        queries: 10,
        ..JudgingOptions::default()
    };
    let judging = Judging::choose(&all, &options).expect("a choice");
    assert_eq!((judging.differing, judging.unchanged), (60, 20));
    let nothing: Vec<usize> = judging.items[..5].iter().map(|item| item.query).collect();
    let verdict = judging.verdict(&answers(&judging, |query, document| {
        let document = if nothing.contains(&query) { 1 } else { document };
        only_0(query, document)
    }));
    let difference = 1.0 - 1.0 / 6f64.log2();
    assert!((verdict.tuned.judged.difference - difference).abs() < 1e-12);
    assert!((verdict.tuned.all.difference - difference * 0.5 * 0.75).abs() < 1e-12);
    let [low, high] = verdict.tuned.all.ci95;
    assert!(low < verdict.tuned.all.difference && verdict.tuned.all.difference < high);
    assert!(verdict.about.contains("the 60 of 80"), "{}", verdict.about);
}

#[test]
fn without_answers_nothing_is_claimed() {
    for judging in [
        choose(&rankings(5, |_| [5, 1, 2])),
        choose(&rankings(5, |_| [1, 1, 1])),
        choose(&[]),
    ] {
        let verdict = judging.verdict(&[]);
        assert_eq!(verdict.queries, 0);
        for versus in [&verdict.tuned, &verdict.cross_encoder] {
            assert_eq!(versus.conclusion, Conclusion::NoDifferenceShown);
            assert_eq!(
                (versus.p, versus.judged.difference, versus.all.difference),
                (1.0, 0.0, 0.0)
            );
            assert!(
                versus.sentence.starts_with("Nothing can be said"),
                "{}",
                versus.sentence
            );
        }
    }
}

#[test]
fn skipped_pairs_are_not_exported() {
    let answer = |document, relevance| Answer {
        query: 0,
        document,
        relevance,
    };
    let answers = [
        answer(2, Some(Relevance::Somewhat)),
        answer(1, Some(Relevance::Yes)),
        answer(0, Some(Relevance::No)),
        answer(1, None),
    ];
    let ids = ["a", "b", "c"];
    let tsv = to_qrels(&answers, |_| "q", |document| ids[document as usize]).expect("judgements");
    assert_eq!(tsv, "query-id\tcorpus-id\tscore\nq\ta\t0\nq\tc\t1\n");
}

#[test]
fn javascript_sees_numbers_for_relevance_and_null_for_a_skip() {
    let answers: Vec<Answer> = serde_json::from_str(
        r#"[{"query": 3, "document": 7, "relevance": 2}, {"query": 3, "document": 8, "relevance": null}]"#,
    )
    .expect("answers");
    assert_eq!(answers[0].relevance, Some(Relevance::Yes));
    assert_eq!(answers[1].relevance, None);
    assert_eq!(
        serde_json::to_string(&answers[0]).expect("json"),
        r#"{"query":3,"document":7,"relevance":2}"#
    );
    assert!(serde_json::from_str::<Answer>(r#"{"query": 3, "document": 7, "relevance": 3}"#).is_err());

    let judging = choose(&rankings(5, |_| [5, 1, 2]));
    let json = serde_json::to_value(judging.verdict(&[])).expect("json");
    let names =
        |value: &serde_json::Value| -> Vec<String> { value.as_object().expect("an object").keys().cloned().collect() };
    assert_eq!(
        names(&json),
        [
            "queries",
            "noneRelevant",
            "skipped",
            "open",
            "ndcg@10",
            "tuned",
            "crossEncoder",
            "about"
        ]
    );
    assert_eq!(names(&json["ndcg@10"]), ["base", "tuned", "crossEncoder"]);
    assert_eq!(names(&json["tuned"]), ["judged", "all", "p", "conclusion", "sentence"]);
    assert_eq!(json["tuned"]["conclusion"], "no-difference-shown");
}
