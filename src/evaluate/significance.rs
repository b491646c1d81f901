//! Whether a difference between two systems over the same queries is more than chance.

use serde::Serialize;

use super::metrics::{Judged, Metrics, Weights, weight};
use crate::random::Random;

/// Below this p a difference is taken for more than chance.
pub const SIGNIFICANT: f64 = 0.05;

/// Resamples of the bootstrap, and permutations of the test: 10,000 up to 2,000 queries, fewer beyond, at least 1,000. The
/// work stays within bounds then; and the more queries, the less the ends of an interval hang on the resamples drawn.
fn rounds(queries: usize) -> usize {
    (20_000_000 / queries.max(1)).clamp(1_000, 10_000)
}

/// One metric of two systems, and of the ranking that taught one of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// The base model's mean.
    pub base: f64,
    /// The tuned model's mean.
    pub tuned: f64,
    /// The mean of the cross-encoder's own ranking, where it was made.
    pub ceiling: Option<f64>,
    /// 95 % confidence interval of tuned minus base ([`paired_bootstrap`]).
    pub ci95: [f64; 2],
    /// The same of ceiling minus base, over the queries that both have; absent without a ceiling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ceiling_ci95: Option<[f64; 2]>,
    /// How likely a difference this large is if the systems are equal ([`paired_randomisation`]).
    pub p: f64,
    /// The means by traffic; absent where no counts were given or all are equal, as they are the means above then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Traffic>,
}

/// Means over queries that count as often as they were asked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Traffic {
    /// The base model's mean.
    pub base: f64,
    /// The tuned model's mean.
    pub tuned: f64,
    /// The mean of the cross-encoder's own ranking, where it was made.
    pub ceiling: Option<f64>,
}

/// Compares two systems over the queries that both have, metric by metric; the same for the same `seed`.
///
/// Means are those of the arguments. With `weights` there are means by traffic beside them. Interval and test are by
/// query all the same: they ask whether other queries would have shown the same, and a query that is asked often is
/// still one query.
pub fn compare(
    base: &Judged,
    tuned: &Judged,
    ceiling: Option<&Judged>,
    weights: Option<&Weights>,
    seed: u64,
) -> Metrics<Comparison> {
    let weights = weights.filter(|weights| differ(weights, [base, tuned]));
    let weighted = weights.map(|weights| {
        let ceiling = ceiling.map(|judged| judged.weighted_mean(weights));
        (base.weighted_mean(weights), tuned.weighted_mean(weights), ceiling)
    });
    let of_tuned = paired(base, tuned);
    let of_ceiling = ceiling.map(|ceiling| paired(base, ceiling));
    Metrics::each(|metric| {
        let differences = |pairs: &[(&Metrics, &Metrics)]| -> Vec<f64> {
            let difference = |(from, to): &(&Metrics, &Metrics)| metric(to) - metric(from);
            pairs.iter().map(difference).collect()
        };
        let changes = differences(&of_tuned);
        Comparison {
            base: metric(&base.mean),
            tuned: metric(&tuned.mean),
            ceiling: ceiling.map(|judged| metric(&judged.mean)),
            ci95: paired_bootstrap(&changes, seed),
            ceiling_ci95: of_ceiling
                .as_ref()
                .map(|pairs| paired_bootstrap(&differences(pairs), seed)),
            p: paired_randomisation(&changes, seed),
            traffic: weighted.as_ref().map(|(base, tuned, ceiling)| Traffic {
                base: metric(base),
                tuned: metric(tuned),
                ceiling: ceiling.as_ref().map(metric),
            }),
        }
    })
}

/// What both systems have of the queries that both have.
fn paired<'a>(base: &'a Judged, other: &'a Judged) -> Vec<(&'a Metrics, &'a Metrics)> {
    let pair = |(query, of_base)| Some((of_base, other.queries.get(query)?));
    base.queries.iter().filter_map(pair).collect()
}

/// Whether one of the queries counts more than another.
fn differ(weights: &Weights, systems: [&Judged; 2]) -> bool {
    let queries = systems.into_iter().flat_map(|judged| judged.queries.keys());
    let mut counts = queries.map(|query| weight(weights, query));
    let first = counts.next();
    counts.any(|count| Some(count) != first)
}

/// 95 % confidence interval `[low, high]` of the mean of `differences`, one number a query.
///
/// Percentile bootstrap (Efron 1979; Sakai 2006 for retrieval): the 2.5th and 97.5th percentile of the means of
/// 10,000 resamples of the queries, drawn with replacement; of fewer where there are more than 2,000 queries, 1,000 at
/// least. `[0, 0]` without differences.
pub fn paired_bootstrap(differences: &[f64], seed: u64) -> [f64; 2] {
    if differences.is_empty() {
        return [0.0, 0.0];
    }
    let mut random = Random::with_seed(seed);
    let count = differences.len();
    let mut resample = || (0..count).map(|_| differences[random.below(count)]).sum::<f64>() / count as f64;
    let rounds = rounds(count);
    let mut means: Vec<f64> = (0..rounds).map(|_| resample()).collect();
    means.sort_unstable_by(f64::total_cmp);
    let tail = rounds * 25 / 1000;
    [means[tail], means[rounds - 1 - tail]]
}

/// Two-sided p-value of the mean of `differences`, one number a query, being 0 but for chance.
///
/// Fisher's paired randomisation test (Smucker, Allan and Carterette 2007): in each of 10,000 permutations (of fewer where
/// there are more than 2,000 queries, 1,000 at least) every difference keeps or changes its sign by the toss of a coin;
/// p = (1 + permutations whose mean is at least as far from 0) / (1 + permutations), so it is never 0. 1 without
/// differences.
pub fn paired_randomisation(differences: &[f64], seed: u64) -> f64 {
    let mut random = Random::with_seed(seed);
    let observed = differences.iter().sum::<f64>().abs();
    // Sums that are equal on paper may differ in their last bits.
    let reach = observed - 1e-12 * differences.iter().map(|difference| difference.abs()).sum::<f64>();
    let mut permuted = || {
        let mut coins = 0u64;
        let toss = |(index, difference): (usize, &f64)| {
            if index % 64 == 0 {
                coins = random.bits();
            }
            if coins >> (index % 64) & 1 == 1 {
                *difference
            } else {
                -*difference
            }
        };
        differences.iter().enumerate().map(toss).sum::<f64>().abs()
    };
    let rounds = rounds(differences.len());
    let as_far = (0..rounds).filter(|_| permuted() >= reach).count();
    (1 + as_far) as f64 / (1 + rounds) as f64
}
