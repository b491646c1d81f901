//! Sharing work out: chunks of texts go to other threads that hold the same models, and to this one.

use std::ops::Range;

use futures_util::future::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::error::{Code, Result};
use crate::job::{Crew, Job, Work};

/// Bytes of text in a chunk at most: some thousand tokens, a fraction of a second; at least: a few milliseconds, more
/// than passing it on costs.
const CHUNK_BYTES: std::ops::RangeInclusive<usize> = 256..=4096;

/// Chunks for each thread that what is left to do is divided into, so that they all end at about the same time.
const CHUNKS_LEFT: usize = 3;

/// Chunks that a member has at once: the next one is there when it finishes one, while this thread computes.
const CHUNKS_AHEAD: usize = 2;

/// The next chunk of about `limit` bytes, where `sizes` are those of the items from `start`.
fn next_chunk(sizes: impl Iterator<Item = usize>, start: usize, limit: usize) -> Range<usize> {
    let mut bytes = 0;
    let mut end = start;
    for size in sizes {
        if end > start && bytes + size > limit {
            break;
        }
        bytes += size;
        end += 1;
    }
    start..end
}

/// Does `work` on `count` items, chunk by chunk, with the crew's help.
///
/// `texts` are the texts of an item; `own` does a chunk in this thread; `finished` receives each chunk with its
/// values, in any order. A chunk that a member fails at is done in this thread, so that its error, if it is one, is
/// this thread's.
///
/// # Errors
/// What `own` and `finished` return, [`Code::Cancelled`]
pub async fn share<'t>(
    crew: &dyn Crew,
    work: Work,
    count: usize,
    job: &Job<'_>,
    texts: impl Fn(usize) -> Vec<&'t str>,
    mut own: impl AsyncFnMut(Range<usize>) -> Result<Vec<f32>>,
    mut finished: impl AsyncFnMut(Range<usize>, Vec<f32>) -> Result<()>,
) -> Result<()> {
    // A text of no bytes has its special tokens.
    let size = |item: usize| 8 + texts(item).iter().map(|text| text.len()).sum::<usize>();
    let mut left: usize = (0..count).map(size).sum();
    let mut next = 0;
    let mut chunk = || {
        let share = left / (CHUNKS_LEFT * (crew.size() + 1));
        let limit = share.clamp(*CHUNK_BYTES.start(), *CHUNK_BYTES.end());
        let chunk = next_chunk((next..count).map(size), next, limit);
        next = chunk.end;
        left -= chunk.clone().map(size).sum::<usize>();
        (!chunk.is_empty()).then_some(chunk)
    };
    let mut failed: Vec<Range<usize>> = Vec::new();
    let mut flying = FuturesUnordered::new();
    loop {
        while flying.len() < CHUNKS_AHEAD * crew.size() {
            let Some(chunk) = chunk() else { break };
            let texts: Vec<&str> = chunk.clone().flat_map(&texts).collect();
            let answer = crew.run(work, &texts);
            flying.push(async move { (chunk, answer.await) });
        }
        // Members' answers are messages: they arrive only while this thread pauses.
        job.pause().await?;
        let mine = failed.pop().or_else(&mut chunk);
        let landed = match &mine {
            Some(_) => flying.next().now_or_never().flatten(),
            None => flying.next().await,
        };
        match (landed, mine) {
            (None, None) => return Ok(()),
            (landed, mine) => {
                if let Some(mine) = mine {
                    let values = own(mine.clone()).await?;
                    finished(mine, values).await?;
                }
                match landed {
                    Some((chunk, Ok(values))) => finished(chunk, values).await?,
                    Some((_, Err(error))) if error.code() == Code::Cancelled => return Err(error),
                    Some((chunk, Err(_))) => failed.push(chunk),
                    None => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_hold_at_least_one_item_and_about_as_many_bytes() {
        assert_eq!(next_chunk([100_000, 1].into_iter(), 3, 4096), 3..4);
        assert_eq!(next_chunk([1000; 10].into_iter(), 0, 4096), 0..4);
        assert_eq!(next_chunk(std::iter::empty(), 7, 4096), 7..7);
    }
}
