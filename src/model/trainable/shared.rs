//! A step whose pieces several threads share, which hold the same encoder.
//!
//! Of the first texts, as many as are kept in memory, each thread takes a part, forward and back, and keeps what the
//! gradients need. Of the others nobody keeps anything: they go through once more when gradients are followed back (gradient
//! caching, Gao et al. 2021), by whichever thread has time. What another thread fails at is done in this one.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use super::lesson::{ChangeValues, Part, span};
use super::pieces::{Changed, PieceTrace};
use crate::cpu::rows::add;
use crate::crew::{Shared, share};
use crate::error::{Code, Error, Result};
use crate::job::{Crew, Job, LocalFuture};
use crate::model::tokenizer::Tokenized;

/// A piece takes a tenth of a second and more: each is passed on by itself.
const CHUNK_PIECES: RangeInclusive<usize> = 1..=1;

/// What a step is about.
pub struct Step<'p> {
    /// The encoder, as it is in this step.
    pub changed: Changed<'p>,
    /// What makes it so.
    pub changes: Vec<ChangeValues>,
    /// What goes through it.
    pub texts: &'p [Tokenized],
    /// Pieces that have to go through again, some at a time.
    pub others: Vec<Vec<Range<usize>>>,
}

/// Who holds what the gradients of the first pieces need.
pub struct Held {
    pieces: Vec<Range<usize>>,
    /// Numbers of pieces that this thread holds, one after the other.
    own: Vec<(Range<usize>, Vec<PieceTrace>)>,
    /// The same of other threads.
    others: Vec<(usize, Range<usize>)>,
    /// Which of all passes they were kept in.
    pass: u64,
}

/// A sum of what the pieces lead to, in their order, whenever that comes.
struct OrderedSum {
    width: usize,
    sum: Vec<f32>,
    next: usize,
    waiting: BTreeMap<usize, Vec<f32>>,
}

type Answer<'c> = LocalFuture<'c, Result<Vec<f32>>>;

/// Who helps, if anybody.
pub fn learners<'j>(job: &'j Job<'_>) -> Option<&'j dyn Crew> {
    job.crew().filter(|crew| !crew.learners().is_empty())
}

impl Step<'_> {
    /// Sends all texts through; `first` are the pieces that are kept. Gives the vectors, [texts, dims], of length 1.
    pub async fn forward_shared(
        &self,
        first: Vec<Range<usize>>,
        crew: &dyn Crew,
        job: &Job<'_>,
    ) -> Result<(Held, Vec<f32>)> {
        let mut vectors = VectorsByPiece::new(self);
        let learners = crew.learners();
        let share_of_each = first.len().div_ceil(learners.len() + 1);
        let starts = (0..first.len()).step_by(share_of_each);
        let mut parts: Vec<Range<usize>> = starts
            .map(|start| start..first.len().min(start + share_of_each))
            .collect();
        // The last one may be smaller: this thread has other work, too.
        let mine = parts.pop().unwrap_or_default();
        let pass = next_pass();
        let ask = |(learner, part): (usize, Range<usize>)| {
            let lesson = self.part(&first[part.clone()]).forward(&self.changes, Some(pass));
            (learner, part, ask(crew, Some(learner), lesson))
        };
        let asked: Vec<_> = learners.into_iter().zip(parts).map(ask).collect();
        let (mut own, mut others) = (Vec::new(), Vec::new());
        let mut hold = async |part: Range<usize>, vectors: &mut VectorsByPiece| {
            let pieces = &first[part.clone()];
            let traces = self.changed.send(self.texts, pieces, true, job).await?;
            vectors.set(pieces, &self.changed.vectors(&traces))?;
            own.push((part, traces));
            Ok::<(), Error>(())
        };
        // Meanwhile this thread does its own part.
        hold(mine, &mut vectors).await?;
        for (learner, part, answer) in asked {
            match unless_cancelled(answer.await)? {
                Some(values) => {
                    vectors.set(&first[part.clone()], &values)?;
                    others.push((learner, part));
                }
                None => hold(part, &mut vectors).await?,
            }
        }

        let pieces = self.others.concat();
        let own_chunk = async |chunk: Range<usize>| {
            let traces = self.changed.send(self.texts, &pieces[chunk], false, job).await?;
            Ok(self.changed.vectors(&traces))
        };
        let lesson = |part: Part<'_>| part.forward(&self.changes, None);
        let finished = async |chunk: Range<usize>, values: Vec<f32>| vectors.set(&pieces[chunk], &values);
        share(self.shared(crew, &pieces, lesson), job, own_chunk, finished).await?;
        let held = Held {
            pieces: first,
            own,
            others,
            pass,
        };
        Ok((held, vectors.values))
    }

    /// The gradients of the changes, one change after the other, from those of all vectors.
    pub async fn gradients_shared(&self, held: Held, of_vectors: &[f32], job: &Job<'_>) -> Result<Vec<f32>> {
        let width = self.changes.iter().map(|change| change.a.len() + change.b.len()).sum();
        let mut sum = OrderedSum::new(width);
        let crew = job.crew().ok_or_else(nobody)?;
        let ask = |(learner, part): (usize, Range<usize>)| {
            let lesson = self.part(&held.pieces[part.clone()]).back(held.pass, of_vectors);
            (part, ask(crew, Some(learner), lesson))
        };
        let asked: Vec<_> = held.others.into_iter().map(ask).collect();
        // Meanwhile this thread follows back what it holds itself.
        for (part, traces) in held.own {
            let gradients = self.changed.gradients_of_each(traces, of_vectors, job).await?;
            sum.add(part, &gradients)?;
        }
        for (part, answer) in asked {
            let gradients = match unless_cancelled(answer.await)? {
                Some(gradients) => gradients,
                None => {
                    self.forward_and_back(&held.pieces[part.clone()], of_vectors, job)
                        .await?
                }
            };
            sum.add(part, &gradients)?;
        }

        let (pieces, first) = (self.others.concat(), held.pieces.len());
        let own_chunk = async |chunk: Range<usize>| self.forward_and_back(&pieces[chunk], of_vectors, job).await;
        let lesson = |part: Part<'_>| part.forward_and_back(&self.changes, of_vectors);
        let finished = async |chunk: Range<usize>, gradients: Vec<f32>| {
            sum.add(first + chunk.start..first + chunk.end, &gradients)
        };
        share(self.shared(crew, &pieces, lesson), job, own_chunk, finished).await?;
        Ok(sum.sum)
    }

    /// What some pieces lead to, from the beginning.
    async fn forward_and_back(&self, pieces: &[Range<usize>], of_vectors: &[f32], job: &Job<'_>) -> Result<Vec<f32>> {
        let traces = self.changed.send(self.texts, pieces, true, job).await?;
        self.changed.gradients_of_each(traces, of_vectors, job).await
    }

    fn part<'s>(&'s self, pieces: &'s [Range<usize>]) -> Part<'s> {
        Part {
            texts: self.texts,
            pieces,
        }
    }

    /// Pieces that whoever has time does.
    fn shared<'s>(
        &'s self,
        crew: &'s dyn Crew,
        pieces: &'s [Range<usize>],
        lesson: impl Fn(Part<'_>) -> Result<Vec<u8>> + 's,
    ) -> Shared<impl Fn() -> usize + 's, impl Fn(usize) -> usize + 's, impl Fn(Range<usize>) -> Answer<'s> + 's> {
        Shared {
            count: pieces.len(),
            size: |_| 1,
            chunk: CHUNK_PIECES,
            helpers: || crew.learners().len(),
            run: move |chunk: Range<usize>| ask(crew, None, lesson(self.part(&pieces[chunk]))),
        }
    }
}

/// The vectors of texts, which come piece by piece.
struct VectorsByPiece {
    values: Vec<f32>,
    dims: usize,
}

impl VectorsByPiece {
    fn new(step: &Step<'_>) -> Self {
        let dims = step.changed.encoder.dims();
        Self {
            values: vec![0.0; step.texts.len() * dims],
            dims,
        }
    }

    /// Those of pieces that lie one after the other.
    fn set(&mut self, pieces: &[Range<usize>], values: &[f32]) -> Result<()> {
        let Range { start, end } = span(pieces);
        let places = start * self.dims..end * self.dims;
        check_length(values, places.len())?;
        self.values[places].copy_from_slice(values);
        Ok(())
    }
}

impl OrderedSum {
    /// Of as many numbers for each piece.
    fn new(width: usize) -> Self {
        Self {
            width,
            sum: Vec::new(),
            next: 0,
            waiting: BTreeMap::new(),
        }
    }

    /// What some pieces lead to, one after the other.
    fn add(&mut self, pieces: Range<usize>, values: &[f32]) -> Result<()> {
        check_length(values, pieces.len() * self.width)?;
        let each = values.chunks_exact(self.width.max(1));
        self.waiting.extend(pieces.zip(each.map(<[f32]>::to_vec)));
        while let Some(values) = self.waiting.remove(&self.next) {
            match self.next {
                0 => self.sum = values,
                _ => add(&mut self.sum, &values),
            }
            self.next += 1;
        }
        Ok(())
    }
}

/// Has a learner, or the one who has time, do a lesson if it can be written.
fn ask<'c>(crew: &'c dyn Crew, learner: Option<usize>, lesson: Result<Vec<u8>>) -> Answer<'c> {
    match lesson {
        Ok(lesson) => crew.learn(learner, lesson),
        Err(error) => Box::pin(async { Err(error) }),
    }
}

/// What was answered; nothing where it has to be done without the one who was asked.
fn unless_cancelled(answer: Result<Vec<f32>>) -> Result<Option<Vec<f32>>> {
    match answer {
        Err(error) if error.code() == Code::Cancelled => Err(error),
        answer => Ok(answer.ok()),
    }
}

/// A number that no other pass of this thread has.
fn next_pass() -> u64 {
    thread_local! {
        static LAST: Cell<u64> = const { Cell::new(0) };
    }
    LAST.set(LAST.get() + 1);
    LAST.get()
}

fn nobody() -> Error {
    Error::new(Code::Internal, "There is no crew any more.")
}

fn check_length(values: &[f32], expected: usize) -> Result<()> {
    if values.len() == expected {
        return Ok(());
    }
    let text = format!(
        "A thread gave {} numbers of a training step, not {expected}.",
        values.len()
    );
    Err(Error::new(Code::Internal, text))
}
