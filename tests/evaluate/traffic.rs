//! Figures by traffic count each query as often as it was asked.

use querytune::evaluate::{Judged, Judgements, Metrics, Run, Weights, compare, judge};

/// Queries q1, q2, ..., whose relevant document has the rank given.
fn judged(ranks: &[usize]) -> Judged {
    let query = |number: usize| format!("q{}", number + 1);
    let judgements: Judgements = (0..ranks.len())
        .map(|number| (query(number), [("relevant".to_owned(), 1)].into()))
        .collect();
    let ranking = |rank: usize| {
        let others = (1..=20).filter(|&place| place != rank);
        let mut ranking: Vec<(String, f32)> = others.map(|place| (format!("d{place}"), -(place as f32))).collect();
        ranking.push(("relevant".into(), -(rank as f32)));
        ranking
    };
    let run: Run = ranks
        .iter()
        .enumerate()
        .map(|(number, &rank)| (query(number), ranking(rank)))
        .collect();
    judge(&judgements, &run)
}

fn weights(counts: &[f64]) -> Weights {
    let numbered = counts.iter().enumerate();
    numbered
        .map(|(number, &count)| (format!("q{}", number + 1), count))
        .collect()
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
}

#[test]
fn a_query_asked_three_times_is_worth_three_queries() {
    let mean = judged(&[1, 2, 4]).weighted_mean(&weights(&[1.0, 3.0, 2.0]));
    let thrice = judged(&[1, 2, 2, 2, 4, 4]).mean;
    close(mean.mrr_10, thrice.mrr_10);
    close(mean.ndcg_10, thrice.ndcg_10);
    close(mean.map_100, thrice.map_100);
    close(mean.recall_100, thrice.recall_100);
}

#[test]
fn queries_without_a_count_were_asked_once() {
    let judged = judged(&[1, 2, 4]);
    assert_eq!(
        judged.weighted_mean(&weights(&[1.0, 5.0])),
        judged.weighted_mean(&weights(&[1.0, 5.0, 1.0]))
    );
    close(judged.weighted_mean(&Weights::new()).ndcg_10, judged.mean.ndcg_10);
}

#[test]
fn nonsense_counts_do_not_spoil_the_mean() {
    let judged = judged(&[1, 2, 4]);
    close(judged.weighted_mean(&weights(&[-3.0, 1.0, f64::NAN])).mrr_10, 0.5);
    assert_eq!(judged.weighted_mean(&weights(&[0.0, 0.0, 0.0])), Metrics::default());
    assert_eq!(Judged::default().weighted_mean(&weights(&[1.0])), Metrics::default());
}

#[test]
fn a_loss_on_the_query_everybody_asks_shows_in_traffic_only() {
    let (base, tuned) = (judged(&[1, 2, 2, 2]), judged(&[2, 1, 1, 1]));
    let counts = weights(&[97.0, 1.0, 1.0, 1.0]);
    let mrr = compare(&base, &tuned, Some(&base), Some(&counts), 0).mrr_10;
    assert!(mrr.tuned > mrr.base);
    let traffic = mrr.traffic.expect("figures by traffic");
    close(traffic.base, (97.0 + 1.5) / 100.0);
    close(traffic.tuned, (48.5 + 3.0) / 100.0);
    assert_eq!(traffic.ceiling, Some(traffic.base));
}

#[test]
fn interval_and_test_are_by_query() {
    let (base, tuned) = (judged(&[1, 2, 5, 2, 7]), judged(&[2, 1, 1, 1, 3]));
    let plain = compare(&base, &tuned, None, None, 4).ndcg_10;
    let with_counts = compare(&base, &tuned, None, Some(&weights(&[50.0])), 4).ndcg_10;
    assert!(with_counts.traffic.is_some());
    assert_eq!((with_counts.ci95, with_counts.p), (plain.ci95, plain.p));
    assert_eq!((with_counts.base, with_counts.tuned), (plain.base, plain.tuned));
}

#[test]
fn there_are_no_figures_by_traffic_where_all_counts_are_equal() {
    let (base, tuned) = (judged(&[1, 2, 4]), judged(&[2, 1, 1]));
    let traffic = |counts: Option<&Weights>| compare(&base, &tuned, None, counts, 0).ndcg_10.traffic;
    assert_eq!(traffic(None), None);
    assert_eq!(traffic(Some(&weights(&[7.0, 7.0, 7.0]))), None);
    // Counts of queries that were not judged make no difference.
    assert_eq!(traffic(Some(&weights(&[1.0, 1.0, 1.0, 9.0]))), None);
    assert!(traffic(Some(&weights(&[7.0, 7.0]))).is_some());
    let json = serde_json::to_value(compare(&base, &tuned, None, None, 0)).expect("json");
    assert!(json["ndcg@10"].get("traffic").is_none());
    let json = serde_json::to_value(compare(&base, &tuned, None, Some(&weights(&[2.0])), 0)).expect("json");
    let names: Vec<&String> = json["mrr@10"]["traffic"]
        .as_object()
        .expect("an object")
        .keys()
        .collect();
    assert_eq!(names, ["base", "tuned", "ceiling"]);
}
