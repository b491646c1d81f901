//! Metrics are trec_eval's, and behave as metrics must.

use std::collections::BTreeMap;

use querytune::evaluate::{Judgements, Metrics, Run, judge, ranked, soft_ndcg_10};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    judgements: Judgements,
    run: BTreeMap<String, BTreeMap<String, f32>>,
    expected: Expected,
}

#[derive(Deserialize)]
struct Expected {
    queries: BTreeMap<String, BTreeMap<String, f64>>,
    mean: BTreeMap<String, f64>,
}

fn cases() -> Vec<(Judgements, Run, Expected)> {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../golden/metrics.json")).unwrap();
    let run = |scores: BTreeMap<String, BTreeMap<String, f32>>| {
        scores
            .into_iter()
            .map(|(query, found)| (query, found.into_iter().collect()))
            .collect()
    };
    cases
        .into_iter()
        .map(|case| (case.judgements, run(case.run), case.expected))
        .collect()
}

fn named(metrics: &Metrics) -> BTreeMap<String, f64> {
    serde_json::from_value(serde_json::to_value(metrics).unwrap()).unwrap()
}

fn assert_close(found: &BTreeMap<String, f64>, expected: &BTreeMap<String, f64>, of: &str) {
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>(),
        "{of}"
    );
    for (name, value) in expected {
        assert!(
            (found[name] - value).abs() < 1e-6,
            "{of} {name}: {} is not {value}",
            found[name]
        );
    }
}

#[test]
fn figures_are_those_of_trec_eval() {
    for (number, (judgements, run, expected)) in cases().into_iter().enumerate() {
        let judged = judge(&judgements, &run);
        assert_eq!(
            judged.queries.keys().collect::<Vec<_>>(),
            expected.queries.keys().collect::<Vec<_>>(),
            "case {number}: other queries"
        );
        for (query, metrics) in &judged.queries {
            assert_close(
                &named(metrics),
                &expected.queries[query],
                &format!("case {number}, {query}"),
            );
        }
        assert_close(&named(&judged.mean), &expected.mean, &format!("case {number}, mean"));
        assert_eq!(judged.missing, 1, "case {number}: the judged query that the run lacks");
    }
}

#[test]
fn the_order_of_the_input_does_not_matter() {
    for (judgements, run, _) in cases() {
        let mut reversed = run.clone();
        reversed.values_mut().for_each(|ranking| ranking.reverse());
        let mut shuffled = run.clone();
        let mut random = fastrand::Rng::with_seed(3);
        shuffled.values_mut().for_each(|ranking| random.shuffle(ranking));
        let judged = judge(&judgements, &run);
        assert_eq!(judge(&judgements, &reversed), judged);
        assert_eq!(judge(&judgements, &shuffled), judged);
    }
}

#[test]
fn every_figure_is_between_0_and_1() {
    for (judgements, run, _) in cases() {
        for metrics in judge(&judgements, &run).queries.values() {
            assert!(
                named(metrics).values().all(|value| (0.0..=1.0 + 1e-12).contains(value)),
                "{metrics:?}"
            );
        }
    }
}

#[test]
fn a_perfect_ranking_has_1_in_every_metric() {
    for (judgements, _, _) in cases() {
        let perfect: Run = judgements
            .iter()
            .filter(|(_, relevance)| relevance.values().any(|&level| level > 0))
            .map(|(query, relevance)| {
                (
                    query.clone(),
                    relevance
                        .iter()
                        .map(|(id, &level)| (id.clone(), level as f32))
                        .collect(),
                )
            })
            .collect();
        for (query, metrics) in judge(&judgements, &perfect).queries {
            assert!(
                named(&metrics).values().all(|value| (value - 1.0).abs() < 1e-12),
                "{query}: {metrics:?}"
            );
        }
    }
}

#[test]
fn a_query_without_results_counts_as_0_and_one_that_was_not_run_does_not_count() {
    let judgements: Judgements = ["found", "empty", "not run"]
        .map(|query| (query.into(), [("d".into(), 1)].into()))
        .into();
    let run: Run = [("found".into(), vec![("d".into(), 1.0)]), ("empty".into(), vec![])].into();
    let judged = judge(&judgements, &run);
    assert_eq!(judged.mean.ndcg_10, 0.5);
    assert_eq!(judged.queries.len(), 2);
    assert_eq!(judged.missing, 1);
}

#[test]
fn nothing_judged_gives_zeros_not_nan() {
    assert_eq!(judge(&Judgements::new(), &Run::new()).mean, Metrics::default());
}

#[test]
fn scores_that_are_no_numbers_come_last() {
    let ranking = [
        ("nan", f32::NAN),
        ("low", -1.0),
        ("high", f32::INFINITY),
        ("minus nan", -f32::NAN),
    ];
    let ranking = ranking.map(|(id, score)| (id.to_owned(), score));
    assert_eq!(ranked(&ranking), ["high", "low", "nan", "minus nan"]);
}

#[test]
fn soft_ndcg_is_1_for_the_teachers_own_order_and_less_for_any_other() {
    let gains = [(7, 0.5), (3, 0.3), (9, 0.15), (4, 0.05)];
    assert!((soft_ndcg_10(&[7, 3, 9, 4, 0, 1], &gains) - 1.0).abs() < 1e-12);
    let swapped = soft_ndcg_10(&[3, 7, 9, 4, 0, 1], &gains);
    let pushed_out = soft_ndcg_10(&[0, 1, 2, 5, 6, 8, 10, 11, 12, 13, 7, 3, 9, 4], &gains);
    assert!(swapped < 1.0 && swapped > 0.8, "{swapped}");
    assert_eq!(pushed_out, 0.0);
}

#[test]
fn soft_ndcg_is_the_formula() {
    // Gains .6 at rank 2 and .4 at rank 4, ideally at ranks 1 and 2.
    let found = 0.6 / 3f64.log2() + 0.4 / 5f64.log2();
    let ideal = 0.6 + 0.4 / 3f64.log2();
    let value = soft_ndcg_10(&[5, 1, 6, 2], &[(2, 0.4), (1, 0.6)]);
    assert!((value - found / ideal).abs() < 1e-7, "{value}");
}

#[test]
fn soft_ndcg_equals_ndcg_where_gains_are_judgements() {
    let relevance: BTreeMap<String, i32> = [("1".into(), 3), ("2".into(), 1), ("4".into(), 2)].into();
    let run: Run = [(
        "q".into(),
        vec![("4".into(), 3.0), ("3".into(), 2.0), ("1".into(), 1.0)],
    )]
    .into();
    let judged = judge(&[("q".into(), relevance)].into(), &run);
    let soft = soft_ndcg_10(&[4, 3, 1], &[(1, 3.0), (2, 1.0), (4, 2.0)]);
    assert!((soft - judged.mean.ndcg_10).abs() < 1e-12);
}

#[test]
fn soft_ndcg_without_any_gain_is_0() {
    assert_eq!(soft_ndcg_10(&[1, 2, 3], &[]), 0.0);
    assert_eq!(soft_ndcg_10(&[1, 2, 3], &[(1, 0.0)]), 0.0);
    assert_eq!(soft_ndcg_10(&[], &[(1, 1.0)]), 0.0);
}
