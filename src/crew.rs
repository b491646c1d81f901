//! Sharing work out: chunks of texts go to other threads that hold the same models, and to this one.

use std::ops::{Range, RangeInclusive};
use std::pin::pin;

use futures_util::future::{Either, FutureExt, select};
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::error::{Code, Result};
use crate::job::{Job, LocalFuture};

/// A chunk is one thread's part of what is to be done, divided by this: chunks become smaller, so that all threads end
/// at about the same time, and not many more than need be, as a small one takes more for each text.
const CHUNKS_LEFT: usize = 2;

/// Chunks that a member has at once: the next one is there when it finishes one, while this thread computes and hears
/// of nothing.
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

/// Items that one thread does at once.
struct Chunk {
    items: Range<usize>,
    size: usize,
}

/// What is left to do: items from `next` to `count`, and what members are at.
struct Rest<S> {
    size: S,
    chunk: RangeInclusive<usize>,
    next: usize,
    count: usize,
    /// The size of those items.
    left: usize,
    /// The size of the members' chunks.
    held: usize,
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
            held: 0,
        }
    }

    /// The next items, about so many that their size is a thread's part of `total`; none when nothing is left.
    fn take(&mut self, total: usize, threads: usize) -> Option<Chunk> {
        let limit = (total / (CHUNKS_LEFT * threads)).clamp(*self.chunk.start(), *self.chunk.end());
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
        (self.next > start).then_some(Chunk {
            items: start..self.next,
            size: taken,
        })
    }

    /// This thread's next chunk. What members hold they do meanwhile, so this thread's part is of that too.
    fn own(&mut self, threads: usize) -> Option<Chunk> {
        self.take(self.left + self.held, threads)
    }

    /// The next chunk for a member, while there are `flying` of them; none if members have enough before them.
    fn ahead(&mut self, flying: usize, threads: usize) -> Option<Chunk> {
        let helpers = threads - 1;
        // Near the end no thread should wait for what waits with a member.
        let is_enough = self.held / helpers.max(1) > CHUNKS_AHEAD * (self.left / threads);
        if flying >= CHUNKS_AHEAD * helpers || (flying >= helpers && is_enough) {
            return None;
        }
        let chunk = self.take(self.left, threads)?;
        self.held += chunk.size;
        Some(chunk)
    }
}

/// A chunk with what a member made of it.
type Landed = (Chunk, Result<Vec<f32>>);

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
    let mut rest = Rest::new(count, size, chunk);
    let mut failed: Vec<Range<usize>> = Vec::new();
    let mut flying = Flying::new();
    loop {
        fill(&mut flying, &mut rest, &helpers, &run);
        // Members' answers are messages: they arrive only while this thread pauses.
        job.pause().await?;
        while let Some(Some(landed)) = flying.next().now_or_never() {
            failed.extend(settle(landed, &mut rest, &mut finished).await?);
            fill(&mut flying, &mut rest, &helpers, &run);
        }
        let Some(mine) = failed.pop().or_else(|| Some(rest.own(helpers() + 1)?.items)) else {
            match flying.next().await {
                Some(landed) => failed.extend(settle(landed, &mut rest, &mut finished).await?),
                None => return Ok(()),
            }
            continue;
        };
        let mut working = pin!(own(mine.clone()));
        let values = loop {
            // This thread's own work pauses too; members that have finished then get more at once.
            match select(working.as_mut(), pin!(landing(&mut flying))).await {
                Either::Left((values, _)) => break values?,
                Either::Right((landed, _)) => failed.extend(settle(landed, &mut rest, &mut finished).await?),
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
    while let Some(chunk) = rest.ahead(flying.len(), helpers() + 1) {
        let answer = run(chunk.items.clone());
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

/// Hands on what a member has finished; returns the items if it has failed.
async fn settle<S>(
    (chunk, values): Landed,
    rest: &mut Rest<S>,
    finished: &mut impl AsyncFnMut(Range<usize>, Vec<f32>) -> Result<()>,
) -> Result<Option<Range<usize>>> {
    rest.held -= chunk.size;
    match values {
        Ok(values) => finished(chunk.items, values).await.map(|()| None),
        Err(error) if error.code() == Code::Cancelled => Err(error),
        Err(_) => Ok(Some(chunk.items)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNK: RangeInclusive<usize> = 256..=4096;

    /// Sizes of the chunks that so many threads are given.
    fn chunks(sizes: &[usize], threads: usize) -> Vec<usize> {
        let mut rest = Rest::new(sizes.len(), |item| sizes[item], CHUNK);
        std::iter::from_fn(|| rest.own(threads))
            .map(|chunk| chunk.size)
            .collect()
    }

    #[test]
    fn every_item_is_in_one_chunk_and_a_chunk_has_one_at_least() {
        assert_eq!(chunks(&[100_000, 1], 2), [100_000, 1]);
        assert!(chunks(&[], 2).is_empty());
        let all = chunks(&[700; 100], 3);
        assert_eq!(all.iter().sum::<usize>(), 70_000);
    }

    /// When each of so many equally fast threads, this one first, ends; the size of a text is the time it takes.
    fn ends(sizes: &[usize], threads: usize) -> Vec<usize> {
        let mut rest = Rest::new(sizes.len(), |item| sizes[item], CHUNK);
        let mut ends = vec![0; threads];
        let mut flying: Vec<(usize, usize)> = Vec::new();
        loop {
            let now = ends[0];
            flying.retain(|&(end, size)| {
                rest.held -= if end > now { 0 } else { size };
                end > now
            });
            while let Some(chunk) = rest.ahead(flying.len(), threads) {
                let member = ends[1..].iter_mut().min().expect("a member");
                *member = now.max(*member) + chunk.size;
                flying.push((*member, chunk.size));
            }
            let Some(mine) = rest.own(threads) else { return ends };
            ends[0] += mine.size;
        }
    }

    #[test]
    fn chunks_are_large_first_and_small_in_the_end() {
        let all = chunks(&[100; 1000], 2);
        assert!(all[0] > 3900 && all[0] <= *CHUNK.end());
        assert!(all[all.len() - 1] <= 2 * CHUNK.start());
        assert!(all.is_sorted_by(|a, b| a >= b), "{all:?}");
    }

    #[test]
    fn equally_fast_threads_end_at_about_the_same_time() {
        for (texts, threads) in [(64, 2), (128, 2), (1000, 2), (1000, 4), (1000, 8)] {
            let ends = ends(&vec![100; texts], threads);
            let mean = texts * 100 / threads;
            let last = ends.iter().max().expect("a thread");
            assert!(*last <= mean + 2 * CHUNK.start(), "{texts} texts of {mean}: {ends:?}");
        }
    }

    #[test]
    fn what_a_member_holds_counts_and_it_holds_its_next_chunk_but_not_in_the_end() {
        let sizes = [100; 40];
        let mut rest = Rest::new(sizes.len(), |item| sizes[item], CHUNK);
        assert!(rest.ahead(0, 2).is_some());
        assert!(rest.ahead(1, 2).is_some(), "the next one");
        assert!(rest.ahead(2, 2).is_none(), "a third one");
        let expected = (rest.left + rest.held) / (CHUNKS_LEFT * 2);
        let mine = rest.own(2).expect("a chunk").size;
        assert!(expected - mine < 100, "{mine}: of what the member holds, too");
        while rest.left > 500 {
            rest.own(2);
        }
        assert!(rest.ahead(1, 2).is_none(), "much before it, little left");
        assert!(rest.ahead(0, 2).is_some(), "nothing before it");
    }
}
