//! Which queries are left out together.

use std::collections::BTreeMap;

use super::training_set::TrainingSet;
use crate::random::Random;

/// Queries dealt at random into `folds` of nearly equal size (fewer where there are fewer queries): what is measured
/// on a fold left out holds for *queries like the log's*, for a log's queries resemble each other.
pub fn random_folds(set: &TrainingSet, folds: usize, seed: u64) -> Vec<Vec<usize>> {
    let alone = set.trainable().into_iter().map(|query| vec![query]);
    deal(alone.collect(), folds, seed)
}

/// Queries whose best document (by the teacher) is the same stay in one fold: what is measured on a fold left
/// out holds for *new queries*, about other documents than the log's.
pub fn grouped_folds(set: &TrainingSet, folds: usize, seed: u64) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for query in set.trainable() {
        groups
            .entry(set.candidates[query][set.best(query)])
            .or_default()
            .push(query);
    }
    deal(groups.into_values().collect(), folds, seed)
}

/// Groups in random order, each into the fold with the fewest queries so far; empty folds are dropped.
fn deal(mut groups: Vec<Vec<usize>>, folds: usize, seed: u64) -> Vec<Vec<usize>> {
    Random::with_seed(seed).shuffle(&mut groups);
    // Large groups first, so that the folds come out even; the sort is stable, the order of equals stays random.
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    let mut dealt: Vec<Vec<usize>> = vec![Vec::new(); folds.min(groups.len())];
    for group in groups {
        if let Some(smallest) = dealt.iter_mut().min_by_key(|fold| fold.len()) {
            smallest.extend(group);
        }
    }
    dealt.retain(|fold| !fold.is_empty());
    dealt
}
