//! Sharing work out: chunks of texts go to other threads that hold the same models, and to this one.

use std::ops::Range;

use futures_util::future::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::error::{Code, Result};
use crate::job::{Crew, Job, Work};

/// Bytes of text in a chunk: some thousand tokens, a fraction of a second. Far more than passing it on costs; short
/// enough that all members are done at about the same time.
const CHUNK_BYTES: usize = 4096;

/// Chunks that a member has at once: the next one is there when it finishes one, while this thread computes.
const CHUNKS_AHEAD: usize = 2;

/// Ends of chunks of about [`CHUNK_BYTES`] in `sizes`, the items' bytes.
fn next_chunk(sizes: impl Iterator<Item = usize>, start: usize) -> Range<usize> {
    let mut bytes = 0;
    let mut end = start;
    for size in sizes {
        if end > start && bytes + size > CHUNK_BYTES {
            break;
        }
        // A text of no bytes has its special tokens.
        bytes += size + 8;
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
    let size = |item: usize| texts(item).iter().map(|text| text.len()).sum::<usize>();
    let mut next = 0;
    let mut chunk = || {
        let chunk = next_chunk((next..count).map(size), next);
        next = chunk.end;
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
        job.breathe().await?;
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
        assert_eq!(next_chunk([100_000, 1].into_iter(), 3), 3..4);
        assert_eq!(next_chunk([1000; 10].into_iter(), 0), 0..4);
        assert_eq!(next_chunk(std::iter::empty(), 7), 7..7);
    }
}
