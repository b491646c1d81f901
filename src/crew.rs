//! Sharing work out: chunks of texts go to other threads that hold the same models, and to this one.

use std::ops::{Range, RangeInclusive};
use std::pin::pin;

use futures_util::future::{Either, FutureExt, select};
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::error::{Code, Result};
use crate::job::{Job, LocalFuture};

/// Chunks for each thread that what is left to do is divided into, so that they all end at about the same time.
const CHUNKS_LEFT: usize = 3;

/// Chunks that a member has at once while there is much left to do: the next one is there when it finishes one. At the
/// end it has one, so that nobody waits for what another has before him.
const CHUNKS_AHEAD: usize = 2;

/// Items that are to be done, and those who help.
pub struct Shared<N, S, R> {
    /// Number of the items.
    pub count: usize,
    /// The size of an item, in any unit.
    pub size: S,
    /// The size of a chunk, at least and at most. A chunk should take more than passing it on costs, and less than people
    /// wait for.
    pub chunk: RangeInclusive<usize>,
    /// How many help at the moment, this thread not counted.
    pub helpers: N,
    /// Has one of them do some items; resolves to their values.
    pub run: R,
}

/// What is left to do: items from `next` to `count`.
struct Rest<S> {
    size: S,
    chunk: RangeInclusive<usize>,
    next: usize,
    count: usize,
    left: usize,
}

impl<S: Fn(usize) -> usize> Rest<S> {
    fn new(count: usize, size: S, chunk: RangeInclusive<usize>) -> Self {
        let left = (0..count).map(&size).sum();
        Self {
            size,
            chunk,
            next: 0,
            count,
            left,
        }
    }

    /// The next chunk for one of so many threads; none when nothing is left.
    fn chunk(&mut self, threads: usize) -> Option<Range<usize>> {
        let limit = (self.left / (CHUNKS_LEFT * threads)).clamp(*self.chunk.start(), *self.chunk.end());
        let start = self.next;
        let mut taken = 0;
        while self.next < self.count {
            let size = (self.size)(self.next);
            if self.next > start && taken + size > limit {
                break;
            }
            taken += size;
            self.next += 1;
        }
        self.left -= taken;
        (self.next > start).then_some(start..self.next)
    }

    /// Chunks that each member shall have.
    fn ahead(&self, threads: usize) -> usize {
        let is_much = self.left > threads * self.chunk.end();
        if is_much { CHUNKS_AHEAD } else { 1 }
    }
}

/// A chunk with what a member made of it.
type Landed = (Range<usize>, Result<Vec<f32>>);

/// What members are at.
type Flying<'c> = FuturesUnordered<LocalFuture<'c, Landed>>;

/// Does what is `shared`, chunk by chunk.
///
/// `own` does a chunk in this thread; `finished` receives each chunk with its values, in any order. A chunk that a member
/// fails at is done in this thread, so that its error, if it is one, is this thread's.
///
/// # Errors
/// What `own` and `finished` return, [`Code::Cancelled`]
pub async fn share<'c, N, S, R>(
    shared: Shared<N, S, R>,
    job: &Job<'_>,
    mut own: impl AsyncFnMut(Range<usize>) -> Result<Vec<f32>>,
    mut finished: impl AsyncFnMut(Range<usize>, Vec<f32>) -> Result<()>,
) -> Result<()>
where
    N: Fn() -> usize,
    S: Fn(usize) -> usize,
    R: Fn(Range<usize>) -> LocalFuture<'c, Result<Vec<f32>>>,
{
    let Shared {
        count,
        size,
        chunk,
        helpers,
        run,
    } = shared;
    let threads = helpers() + 1;
    let mut rest = Rest::new(count, size, chunk);
    let mut failed: Vec<Range<usize>> = Vec::new();
    let mut flying = Flying::new();
    loop {
        fill(&mut flying, &mut rest, &helpers, &run);
        // Members' answers are messages: they arrive only while this thread pauses.
        job.pause().await?;
        while let Some(Some(landed)) = flying.next().now_or_never() {
            failed.extend(settle(landed, &mut finished).await?);
            fill(&mut flying, &mut rest, &helpers, &run);
        }
        let Some(mine) = failed.pop().or_else(|| rest.chunk(threads)) else {
            match flying.next().await {
                Some(landed) => failed.extend(settle(landed, &mut finished).await?),
                None => return Ok(()),
            }
            continue;
        };
        let mut working = pin!(own(mine.clone()));
        let values = loop {
            // This thread's own work pauses too; members that have finished then get more at once.
            match select(working.as_mut(), pin!(landing(&mut flying))).await {
                Either::Left((values, _)) => break values?,
                Either::Right((landed, _)) => failed.extend(settle(landed, &mut finished).await?),
            }
            fill(&mut flying, &mut rest, &helpers, &run);
        };
        finished(mine, values).await?;
    }
}

/// Gives members as many chunks as they shall have.
fn fill<'c>(
    flying: &mut Flying<'c>,
    rest: &mut Rest<impl Fn(usize) -> usize>,
    helpers: &impl Fn() -> usize,
    run: &impl Fn(Range<usize>) -> LocalFuture<'c, Result<Vec<f32>>>,
) {
    let threads = helpers() + 1;
    while flying.len() < rest.ahead(threads) * helpers() {
        let Some(chunk) = rest.chunk(threads) else { break };
        let answer = run(chunk.clone());
        flying.push(Box::pin(async move { (chunk, answer.await) }));
    }
}

/// The next chunk that a member finishes; never, if none has one.
async fn landing(flying: &mut Flying<'_>) -> Landed {
    match flying.next().await {
        Some(landed) => landed,
        None => std::future::pending().await,
    }
}

/// Hands on what a member has finished; returns the chunk if it has failed.
async fn settle(
    (chunk, values): (Range<usize>, Result<Vec<f32>>),
    finished: &mut impl AsyncFnMut(Range<usize>, Vec<f32>) -> Result<()>,
) -> Result<Option<Range<usize>>> {
    match values {
        Ok(values) => finished(chunk, values).await.map(|()| None),
        Err(error) if error.code() == Code::Cancelled => Err(error),
        Err(_) => Ok(Some(chunk)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNK: RangeInclusive<usize> = 256..=4096;

    /// Sizes of the chunks that so many threads are given.
    fn chunks(sizes: &[usize], threads: usize) -> Vec<usize> {
        let mut rest = Rest::new(sizes.len(), |item| sizes[item], CHUNK);
        std::iter::from_fn(|| rest.chunk(threads))
            .map(|chunk| sizes[chunk].iter().sum())
            .collect()
    }

    #[test]
    fn every_item_is_in_one_chunk_and_a_chunk_has_one_at_least() {
        assert_eq!(chunks(&[100_000, 1], 2), [100_000, 1]);
        assert!(chunks(&[], 2).is_empty());
        let all = chunks(&[700; 100], 3);
        assert_eq!(all.iter().sum::<usize>(), 70_000);
    }

    #[test]
    fn chunks_are_large_first_and_small_in_the_end() {
        let all = chunks(&[100; 1000], 2);
        assert!(all[0] > 3900 && all[0] <= *CHUNK.end());
        assert!(all[all.len() - 1] <= 2 * CHUNK.start());
        assert!(all.is_sorted_by(|a, b| a >= b), "{all:?}");
    }
}
