//! How often a query was asked: in sampling, and in agreement.

use querytune::tune::{LeftOut, RecipeOptions, Sampling, shuffled_batches};

/// How often each query is drawn in each epoch, by counts.
fn draws(counts: &[u32], epochs: usize) -> Vec<Vec<usize>> {
    let options = RecipeOptions {
        sampling: Sampling::Traffic,
        epochs: Some(epochs),
        batch_size: Some(counts.len()),
        seed: 3,
        ..RecipeOptions::default()
    };
    let recipe = options.recipe(counts.len()).expect("a recipe");
    let queries: Vec<usize> = (0..counts.len()).collect();
    let drawn = |batch: &Vec<usize>| {
        let of = |query| batch.iter().filter(|&&drawn| drawn == query).count();
        queries.iter().copied().map(of).collect()
    };
    shuffled_batches(&queries, counts, &recipe).iter().map(drawn).collect()
}

#[test]
fn a_query_is_drawn_as_often_as_it_was_asked_give_or_take_one() {
    // Of 4 draws an epoch: 8/12 of 4 are 2.67, 2/12 are .67, 1/12 is .33.
    let counts = [8, 2, 1, 1];
    let epochs = draws(&counts, 300);
    assert_eq!(epochs.len(), 300);
    for drawn in &epochs {
        assert_eq!(
            drawn.iter().sum::<usize>(),
            4,
            "an epoch has as many draws as there are queries"
        );
        for (&drawn, count) in drawn.iter().zip(counts) {
            let fair = 4.0 * f64::from(count) / 12.0;
            assert!((drawn as f64 - fair).abs() < 1.0, "{drawn} draws where {fair} are fair");
        }
    }
    for (query, count) in counts.iter().enumerate() {
        let mean = epochs.iter().map(|drawn| drawn[query] as f64).sum::<f64>() / 300.0;
        assert!(
            (mean - 4.0 * f64::from(*count) / 12.0).abs() < 0.1,
            "query {query}: {mean}"
        );
    }
}

#[test]
fn without_sampling_by_traffic_each_query_is_drawn_once_an_epoch() {
    let recipe = RecipeOptions::default().recipe(3).expect("a recipe");
    let mut first: Vec<usize> = shuffled_batches(&[0, 1, 2], &[9, 1, 1], &recipe)[0].clone();
    first.sort_unstable();
    assert_eq!(first, [0, 1, 2]);
}

fn left_out(queries: &[usize]) -> LeftOut {
    LeftOut {
        queries: queries.to_vec(),
        base: vec![0.5, 0.2, 0.9],
        tuned: vec![0.8, 0.1, 0.9],
        folds: 2,
        ..LeftOut::default()
    }
}

#[test]
fn agreement_by_traffic_weighs_each_query_by_its_own_count() {
    // Query 4 was asked 8 times, 0 and 2 once.
    let counts = [1, 100, 1, 100, 8];
    let agreement = left_out(&[4, 0, 2]).agreement(&counts, 1);
    let traffic = agreement.traffic.expect("counts differ");
    assert!((traffic.base - (8.0 * 0.5 + 0.2 + 0.9) / 10.0).abs() < 1e-12);
    assert!((traffic.tuned - (8.0 * 0.8 + 0.1 + 0.9) / 10.0).abs() < 1e-12);
    assert!((agreement.tuned - 0.6).abs() < 1e-12, "by query it is the plain mean");
    let even = left_out(&[1, 3, 1]).agreement(&counts, 1);
    assert!(even.traffic.is_none(), "all were asked equally often");
}

#[test]
fn the_interval_of_agreement_is_that_of_the_change_over_queries() {
    let agreement = left_out(&[0, 1, 2]).agreement(&[1, 1, 1], 1);
    let [low, high] = agreement.ci95;
    let change = agreement.tuned - agreement.base;
    assert!(low < change && change < high, "{low} {change} {high}");
    // No resample can be beyond the single changes.
    assert!(low >= -0.1 - 1e-12 && high <= 0.3 + 1e-12, "{low} {high}");
}
