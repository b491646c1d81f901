//! Intervals and p-values say what they should in cases where that is known.

use querytune::evaluate::{Judged, Judgements, Run, compare, judge, paired_bootstrap, paired_randomisation};

/// Sums of 12 uniform numbers: close to normal with standard deviation 1.
fn noise(count: usize, seed: u64) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..count)
        .map(|_| (0..12).map(|_| random.f64()).sum::<f64>() - 6.0)
        .collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn equal_systems_have_p_1_and_no_difference() {
    assert_eq!(paired_randomisation(&[0.0; 40], 1), 1.0);
    assert_eq!(paired_bootstrap(&[0.0; 40], 1), [0.0, 0.0]);
}

#[test]
fn a_large_consistent_difference_has_the_smallest_p_and_an_interval_above_0() {
    let differences: Vec<f64> = noise(60, 5).iter().map(|value| 0.2 + 0.02 * value).collect();
    assert_eq!(paired_randomisation(&differences, 1), 1.0 / 10_001.0);
    let [low, high] = paired_bootstrap(&differences, 1);
    assert!(low > 0.19 && high < 0.21 && low < high, "{low} {high}");
}

#[test]
fn the_test_does_not_care_for_the_direction() {
    let better: Vec<f64> = noise(30, 6).iter().map(|value| 0.1 + 0.3 * value).collect();
    let worse: Vec<f64> = better.iter().map(|value| -value).collect();
    assert_eq!(paired_randomisation(&better, 2), paired_randomisation(&worse, 2));
}

#[test]
fn p_is_the_exact_one_where_all_permutations_can_be_counted() {
    // Of the 2^4 sign patterns only the two with all signs equal reach |1+2+3+4|.
    let p = paired_randomisation(&[1.0, 2.0, 3.0, 4.0], 3);
    assert!((p - 2.0 / 16.0).abs() < 0.015, "{p}");
    // 70 differences use more than one draw of 64 coins; here p is that of a fair coin giving 45 or more, or 25 or less.
    let coins: Vec<f64> = (0..70).map(|number| if number < 45 { 1.0 } else { -1.0 }).collect();
    let p = paired_randomisation(&coins, 4);
    assert!((p - 0.0226).abs() < 0.006, "{p}");
}

#[test]
fn the_interval_is_that_of_the_normal_approximation_for_many_queries() {
    let differences = noise(400, 8);
    let centre = mean(&differences);
    let deviation = mean(
        &differences
            .iter()
            .map(|value| (value - centre).powi(2))
            .collect::<Vec<_>>(),
    )
    .sqrt();
    let half = 1.96 * deviation / 20.0;
    let [low, high] = paired_bootstrap(&differences, 9);
    assert!((low - (centre - half)).abs() < 0.1 * half, "{low} {}", centre - half);
    assert!((high - (centre + half)).abs() < 0.1 * half, "{high} {}", centre + half);
}

#[test]
fn an_interval_holds_the_truth_about_95_times_in_100() {
    let covered = (0..60).filter(|&seed| {
        let [low, high] = paired_bootstrap(&noise(80, 1000 + seed), seed);
        low <= 0.0 && 0.0 <= high
    });
    let covered = covered.count();
    assert!((52..=60).contains(&covered), "{covered} of 60");
}

#[test]
fn the_same_seed_gives_the_same_figures_and_another_seed_others() {
    let differences = noise(50, 11);
    assert_eq!(paired_bootstrap(&differences, 7), paired_bootstrap(&differences, 7));
    assert_eq!(
        paired_randomisation(&differences, 7),
        paired_randomisation(&differences, 7)
    );
    assert_ne!(paired_bootstrap(&differences, 7), paired_bootstrap(&differences, 8));
}

#[test]
fn without_queries_nothing_is_claimed() {
    assert_eq!(paired_bootstrap(&[], 1), [0.0, 0.0]);
    assert_eq!(paired_randomisation(&[], 1), 1.0);
}

fn judged(rank_of_relevant: impl Fn(usize) -> usize) -> Judged {
    let queries = || (0..40).map(|number| format!("q{number}"));
    let judgements: Judgements = queries()
        .map(|query| (query, [("relevant".to_owned(), 1)].into()))
        .collect();
    let ranking = |rank: usize| {
        let other = |place: usize| (format!("other{place}"), -(place as f32));
        let mut ranking: Vec<(String, f32)> = (1..=20).filter(|&place| place != rank).map(other).collect();
        ranking.push(("relevant".into(), -(rank as f32)));
        ranking
    };
    let run: Run = queries()
        .enumerate()
        .map(|(number, query)| (query, ranking(rank_of_relevant(number))))
        .collect();
    judge(&judgements, &run)
}

#[test]
fn comparing_puts_means_interval_and_p_side_by_side() {
    let base = judged(|number| 2 + number % 3);
    let tuned = judged(|_| 1);
    let comparison = compare(&base, &tuned, Some(&tuned), None, 0);
    assert_eq!(comparison.mrr_10.tuned, 1.0);
    assert_eq!(comparison.mrr_10.ceiling, Some(1.0));
    assert_eq!(comparison.mrr_10.base, base.mean.mrr_10);
    let gain = 1.0 - base.mean.mrr_10;
    let [low, high] = comparison.mrr_10.ci95;
    assert!(low < gain && gain < high && low > 0.0, "{low} {gain} {high}");
    assert!(comparison.ndcg_10.p < 0.001);
    // All relevant documents are among the first 100 in both.
    assert_eq!(comparison.recall_100.p, 1.0);
}

#[test]
fn the_ceiling_has_an_interval_of_its_own() {
    let base = judged(|number| 2 + number % 3);
    let (tuned, ceiling) = (judged(|_| 2), judged(|number| 3 + number % 2));
    let comparison = compare(&base, &tuned, Some(&ceiling), None, 0);
    let [low, high] = comparison.mrr_10.ceiling_ci95.expect("a ceiling");
    let below = ceiling.mean.mrr_10 - base.mean.mrr_10;
    assert!(below < 0.0 && low < below && below < high, "{low} {below} {high}");
    // As if it were the tuned system.
    let instead = compare(&base, &ceiling, None, None, 0);
    assert_eq!([low, high], instead.mrr_10.ci95);
    assert_eq!(instead.mrr_10.ceiling_ci95, None);
}

#[test]
fn a_comparison_is_written_as_the_report_needs_it() {
    let system = judged(|number| 1 + number % 12);
    let json = serde_json::to_value(compare(&system, &system, None, None, 0)).unwrap();
    let names: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_eq!(names, ["ndcg@10", "mrr@10", "map@100", "recall@100"]);
    let ndcg = json["ndcg@10"].as_object().unwrap();
    assert_eq!(
        ndcg.keys().collect::<Vec<_>>(),
        ["base", "tuned", "ceiling", "ci95", "p"]
    );
    assert!(ndcg["ceiling"].is_null());
    let with_ceiling = serde_json::to_value(compare(&system, &system, Some(&system), None, 0)).unwrap();
    assert_eq!(with_ceiling["mrr@10"]["ceilingCi95"], serde_json::json!([0.0, 0.0]));
    assert_eq!(ndcg["p"], 1.0);
}
