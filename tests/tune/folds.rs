//! Which queries are left out together.

use querytune::tune::{TrainingSet, grouped_folds, random_folds};
use querytune::vectors::Vectors;

/// One candidate a query: its best document.
fn set(best: &[u32]) -> TrainingSet {
    let documents = Vectors::zeros(100, 4);
    let candidates = best.iter().map(|&document| vec![document, 99]).collect();
    let logits = best.iter().map(|_| vec![5.0, -5.0]).collect();
    TrainingSet::new(Vectors::zeros(best.len(), 4), documents, candidates, logits).expect("parts that fit")
}

fn sorted(folds: &[Vec<usize>]) -> Vec<usize> {
    let mut all = folds.concat();
    all.sort_unstable();
    all
}

#[test]
fn every_query_is_in_one_random_fold_and_folds_are_even() {
    let set = set(&[7; 103]);
    let folds = random_folds(&set, 5, 1);
    assert_eq!(sorted(&folds), (0..103).collect::<Vec<_>>());
    assert!(folds.iter().all(|fold| (20..=21).contains(&fold.len())), "{folds:?}");
    assert_eq!(folds, random_folds(&set, 5, 1));
    assert_ne!(folds, random_folds(&set, 5, 2));
}

#[test]
fn queries_with_the_same_best_document_stay_together() {
    let best: Vec<u32> = (0..60).map(|query| query % 13).collect();
    let folds = grouped_folds(&set(&best), 5, 1);
    assert_eq!(sorted(&folds), (0..60).collect::<Vec<_>>());
    assert_eq!(folds.len(), 5);
    for document in 0..13 {
        let holding = folds
            .iter()
            .filter(|fold| fold.iter().any(|&query| best[query] == document))
            .count();
        assert_eq!(holding, 1, "document {document} is in {holding} folds");
    }
}

#[test]
fn fewer_queries_than_folds_make_fewer_folds() {
    assert_eq!(random_folds(&set(&[1, 2, 3]), 5, 1).len(), 3);
    assert!(random_folds(&set(&[]), 5, 1).is_empty());
    assert_eq!(grouped_folds(&set(&[7, 7, 7]), 5, 1).len(), 1);
}

#[test]
fn queries_without_a_candidate_are_in_no_fold() {
    let set = TrainingSet::new(
        Vectors::zeros(3, 4),
        Vectors::zeros(2, 4),
        vec![vec![0], vec![], vec![1]],
        vec![vec![1.0], vec![], vec![1.0]],
    )
    .expect("parts that fit");
    assert_eq!(sorted(&random_folds(&set, 2, 0)), [0, 2]);
    assert_eq!(sorted(&grouped_folds(&set, 2, 0)), [0, 2]);
}
