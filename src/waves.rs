//! Scoring in waves: the first comes what may, those after it as long as there is time.
//!
//! A wave is whole or not there: its logits count once all of its pairs have one. Pairs of a wave that was begun and not
//! finished are in the store, where the next job finds them.

use std::collections::HashMap;

use crate::error::Result;
use crate::job::{Job, Stage, StageTime};
use crate::model::CrossEncoder;
use crate::results::{ContentKey, KnownLogits, ResultLog, numbers_by_key, pair_key, text_key};

/// The cross-encoder, and what it has said before.
#[derive(Clone, Copy)]
pub struct Teacher<'t> {
    /// It scores pairs.
    pub cross_encoder: &'t CrossEncoder,
    /// Its logits of an earlier run.
    pub known: &'t KnownLogits,
}

/// What [`score_waves`] returns.
pub struct ScoredWaves {
    /// One logit a pair of the waves that are whole, in the pairs' order.
    pub logits: Vec<f32>,
    /// How many waves these are.
    pub waves: usize,
    /// How many of the logits were there already.
    pub cached: usize,
    /// How many of these are among the known ones.
    pub known: usize,
    /// What it took.
    pub time: StageTime,
}

/// The cross-encoder's logits of (query, document) pairs, wave by wave, those in the store taken from there, and after
/// these the known ones, which the store then has too.
///
/// `ends` are the places in `pairs` where waves end, the first first. Without `seconds` all waves are scored. With them,
/// the first is scored however long it takes, and then as many as fit into the rest of the time, which is counted from
/// the call. How many fit is estimated from the pairs scored so far; half of these waves (one at least) are scored
/// together, so that batches stay large, and the rest is estimated anew: the time is overrun by what the last single wave
/// took longer than estimated, and no more; or by a few pairs, where only these can tell the pace. What is in the store
/// costs no time, and counts in any case.
///
/// # Errors
/// [`Code::Cancelled`](crate::Code::Cancelled), [`Code::Store`](crate::Code::Store),
/// [`Code::DeviceFaulty`](crate::Code::DeviceFaulty), [`Code::ModelTokenizer`](crate::Code::ModelTokenizer)
pub async fn score_waves(
    teacher: Teacher<'_>,
    pairs: &[(&str, &str)],
    ends: &[usize],
    seconds: Option<f64>,
    job: &Job<'_>,
) -> Result<ScoredWaves> {
    let Teacher { cross_encoder, known } = teacher;
    let deadline = seconds.map(|seconds| job.now() + seconds);
    let log = ResultLog::new(job, "logits", cross_encoder.key(), 1);
    let keys = pair_keys(pairs);
    let mut logits = vec![0.0; pairs.len()];
    let mut is_missing = vec![true; pairs.len()];
    log.find(&numbers_by_key(keys.iter().copied()), |number, logit| {
        logits[number] = logit[0];
        is_missing[number] = false;
    })
    .await?;
    take_known(known, &keys, &mut logits, &mut is_missing, &log).await?;
    let missing: Vec<usize> = (0..pairs.len()).filter(|&number| is_missing[number]).collect();
    let course = Course {
        needed: ends
            .iter()
            .map(|&end| missing.partition_point(|&number| number < end))
            .collect(),
        began: job.now(),
        deadline,
    };
    let cached = pairs.len() - missing.len();
    let progress = job.stage(Stage::Score, cached + course.expected(0, course.began), cached);
    let mut scored = 0;
    while let Some(next) = course.next(scored, job.now()) {
        let numbers = &missing[scored..next];
        let texts: Vec<(&str, &str)> = numbers.iter().map(|&number| pairs[number]).collect();
        cross_encoder
            .score_each(&texts, job, async |finished, scores| {
                for (&place, &score) in finished.iter().zip(scores) {
                    logits[numbers[place]] = score;
                }
                let results = finished.iter().zip(scores.chunks_exact(1));
                log.append(results.map(|(&place, score)| (keys[numbers[place]], score)))
                    .await?;
                scored += finished.len();
                progress.expect(cached + course.expected(scored, job.now()));
                progress.advance(finished.len());
                Ok(())
            })
            .await?;
    }
    let waves = course.whole(scored as f64);
    let end = waves.checked_sub(1).map_or(0, |last| ends[last]);
    logits.truncate(end);
    progress.expect(cached + scored);
    Ok(ScoredWaves {
        logits,
        waves,
        cached: end - missing.partition_point(|&number| number < end),
        known: keys[..end].iter().filter(|key| known.contains_key(*key)).count(),
        time: progress.finish(),
    })
}

/// Fills in what is missing and known, and keeps it in the log.
async fn take_known(
    known: &KnownLogits,
    keys: &[ContentKey],
    logits: &mut [f32],
    is_missing: &mut [bool],
    log: &ResultLog<'_>,
) -> Result<()> {
    let mut taken = Vec::new();
    for (number, key) in keys.iter().enumerate().filter(|&(number, _)| is_missing[number]) {
        taken.extend(known.get(key).map(|&logit| (number, logit)));
    }
    for &(number, logit) in &taken {
        logits[number] = logit;
        is_missing[number] = false;
    }
    log.append(
        taken
            .iter()
            .map(|(number, logit)| (keys[*number], std::slice::from_ref(logit))),
    )
    .await
}

/// The content keys of pairs; each text is hashed once, not once a pair.
fn pair_keys(pairs: &[(&str, &str)]) -> Vec<ContentKey> {
    let mut text_keys: HashMap<&str, ContentKey> = HashMap::new();
    let keys = pairs.iter().map(|&(query, document)| {
        let query = *text_keys.entry(query).or_insert_with(|| text_key(query));
        let document = *text_keys.entry(document).or_insert_with(|| text_key(document));
        pair_key(&query, &document)
    });
    keys.collect()
}

/// Pairs that tell how fast scoring goes where all of the first wave was in the store; they take a second or so.
const PROBE: usize = 32;

/// What there is to score, and until when. Pairs that are in the store are not counted here.
struct Course {
    /// How many pairs have to be scored until each wave is whole.
    needed: Vec<usize>,
    /// When scoring began.
    began: f64,
    /// When it has to end; whenever it is done, if there is none.
    deadline: Option<f64>,
}

impl Course {
    /// The waves that are whole once so many pairs are scored.
    fn whole(&self, scored: f64) -> usize {
        self.needed.partition_point(|&needed| needed as f64 <= scored)
    }

    /// How many pairs will be scored when the time is up, at the pace so far.
    fn affordable(&self, scored: usize, now: f64, deadline: f64) -> f64 {
        let seconds = now - self.began;
        let pace = if seconds > 0.0 { scored as f64 / seconds } else { 0.0 };
        scored as f64 + pace * (deadline - now).max(0.0)
    }

    /// How many pairs to have scored before the next look at the clock; nothing when it is over.
    fn next(&self, scored: usize, now: f64) -> Option<usize> {
        let whole = self.whole(scored as f64);
        let next = *self.needed.get(whole)?;
        let Some(deadline) = self.deadline else {
            return self.needed.last().copied();
        };
        if whole == 0 {
            return Some(next);
        }
        let fitting = self.whole(self.affordable(scored, now, deadline));
        if fitting > whole {
            return Some(self.needed[whole + (fitting - whole).div_ceil(2) - 1]);
        }
        (now < deadline && scored == 0).then(|| next.min(PROBE))
    }

    /// How many pairs will be scored at the end, as far as can be told.
    fn expected(&self, scored: usize, now: f64) -> usize {
        let waves = match self.deadline {
            Some(deadline) => self.whole(self.affordable(scored, now, deadline)).max(1),
            None => self.needed.len(),
        };
        waves.checked_sub(1).map_or(0, |last| self.needed[last]).max(scored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten waves of 100 pairs, until second 100.
    fn course() -> Course {
        Course {
            needed: (1..=10).map(|wave| 100 * wave).collect(),
            began: 0.0,
            deadline: Some(100.0),
        }
    }

    #[test]
    fn the_first_wave_is_scored_however_late_it_is() {
        assert_eq!(course().next(0, 0.0), Some(100));
        assert_eq!(course().next(0, 1e6), Some(100));
    }

    #[test]
    fn half_of_the_waves_that_fit_are_scored_together_and_then_estimated_anew() {
        // 100 pairs in 20 s: 400 more in the 80 s left.
        assert_eq!(course().next(100, 20.0), Some(300));
        // The two took longer: 300 pairs in 90 s, and 33 more until the end.
        assert_eq!(course().next(300, 90.0), None);
        // They took less.
        assert_eq!(course().next(300, 60.0), Some(400));
    }

    #[test]
    fn a_wave_that_does_not_fit_is_not_begun() {
        assert_eq!(course().next(100, 50.5), None);
        assert_eq!(course().next(100, 49.5), Some(200));
    }

    #[test]
    fn where_all_was_in_the_store_a_few_pairs_tell_the_pace() {
        let course = Course {
            needed: vec![0, 0, 100, 200],
            ..course()
        };
        assert_eq!(course.next(0, 1.0), Some(PROBE));
        assert_eq!(course.next(PROBE, 2.0), Some(100));
        assert_eq!(course.next(PROBE, 90.0), None);
        assert_eq!(course.next(0, 100.0), None, "the time is up");
    }

    #[test]
    fn without_a_time_all_waves_are_one() {
        let course = Course {
            deadline: None,
            ..course()
        };
        assert_eq!(course.next(0, 0.0), Some(1000));
        assert_eq!(course.next(1000, 1.0), None);
        assert_eq!(course.expected(0, 0.0), 1000);
    }

    #[test]
    fn what_is_expected_follows_the_pace() {
        assert_eq!(course().expected(0, 0.0), 100);
        assert_eq!(course().expected(50, 5.0), 1000);
        assert_eq!(course().expected(100, 20.0), 500);
        assert_eq!(course().expected(450, 101.0), 450);
    }
}
