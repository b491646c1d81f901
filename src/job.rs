//! What every long step receives: a place to report progress, a way to be cancelled, a store for finished work.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use serde::Serialize;

use crate::error::{Code, Error, Result};

/// A future that stays on its thread: the browser's promises cannot move to another.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// The steps of the road that take long enough to be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// A file or list becomes texts or judgements; counts bytes of the file's text, items of the list.
    Read,
    /// Weights are read and moved to the device.
    Load,
    /// The device's numbers are compared with known ones.
    SelfTest,
    /// Texts become vectors; counts texts.
    Encode,
    /// Each query's nearest documents are looked up; counts queries, twice where BM25 looks too.
    Search,
    /// The cross-encoder scores pairs; counts pairs.
    Score,
    /// The adapter is trained; counts optimizer steps over all folds.
    Tune,
    /// Rankings are compared; counts queries, and steps of the trainings that this takes.
    Evaluate,
    /// The download is put together; counts files.
    Artifact,
}

/// How far a stage is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Which stage.
    pub stage: Stage,
    /// Items finished, those found in the store included.
    pub done: usize,
    /// Items in all.
    pub total: usize,
    /// Items found in the store, which took no time.
    pub cached: usize,
    /// Items a second since the stage began, without the cached ones; 0 before the first is done.
    pub per_second: f64,
    /// Estimated seconds to the end of the stage; absent before the first item is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<f64>,
    /// Training loss, in the `tune` stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<f32>,
}

/// What surrounds the engine: a page's worker, a terminal, a test.
pub trait Host {
    /// Receives progress, at most some ten times a second per stage.
    fn progress(&self, progress: &Progress);

    /// Whether the caller wants the job to stop.
    fn cancelled(&self) -> bool;

    /// Lets other work of this thread run, messages that ask for cancelling among it.
    ///
    /// In a browser this has to be a macrotask: microtasks run before any message is delivered.
    fn pause(&self) -> LocalFuture<'_, ()>;

    /// Seconds since an arbitrary moment, never going back.
    fn now(&self) -> f64;

    /// Where finished work is kept, if anywhere.
    fn store(&self) -> Option<&dyn Store>;

    /// Who helps with the models' work on the CPU, if anybody.
    fn crew(&self) -> Option<&dyn Crew> {
        None
    }
}

/// What a crew does with texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// The vector of each text, a query.
    EncodeQueries,
    /// The vector of each text, a document.
    EncodeDocuments,
    /// The logit of each pair: the texts are a query, a document, a query, and so on.
    Score,
}

/// Other threads that hold the same models.
///
/// In a browser they are workers with an engine each, so that no memory has to be shared, which only pages with
/// special headers may do. Natively there is no crew: the kernels use all processors by themselves.
pub trait Crew {
    /// How many they are, this thread not counted; fewer when one has failed.
    fn size(&self) -> usize;

    /// Gives the texts to whoever has least to do; the values are in the texts' order.
    ///
    /// When the caller of the job cancels it, the future ends at once with [`Code::Cancelled`].
    fn run<'a>(&'a self, work: Work, texts: &[&str]) -> LocalFuture<'a, Result<Vec<f32>>>;

    /// The numbers of those who help a training of the encoder's layers, each a
    /// [`Learner`](crate::model::Learner); one that has failed is not there any more.
    fn learners(&self) -> Vec<usize> {
        Vec::new()
    }

    /// Gives a part of a training step to one of those, or to whoever has least to do.
    ///
    /// When the caller of the job cancels it, the future ends at once with [`Code::Cancelled`].
    fn learn<'a>(&'a self, _learner: Option<usize>, _lesson: Vec<u8>) -> LocalFuture<'a, Result<Vec<f32>>> {
        Box::pin(async { Err(Error::new(Code::Internal, "Nobody here helps a training.")) })
    }
}

/// Append-only logs of bytes that outlive the job: IndexedDB in a page, a folder in a terminal.
///
/// Each log has a name and holds chunks, numbered from 0 in the order they were appended. A chunk is durable
/// once `append` has returned; a chunk cut short by a crash must not be returned by `read`.
pub trait Store {
    /// How many chunks the log holds; 0 for a log never written.
    fn count<'a>(&'a self, log: &'a str) -> LocalFuture<'a, Result<usize>>;
    /// The chunk of that number.
    fn read<'a>(&'a self, log: &'a str, chunk: usize) -> LocalFuture<'a, Result<Vec<u8>>>;
    /// Adds a chunk at the end.
    fn append<'a>(&'a self, log: &'a str, bytes: &'a [u8]) -> LocalFuture<'a, Result<()>>;
}

/// Whoever does not watch: a short piece of work for somebody who waits.
struct Nobody;

impl Host for Nobody {
    fn progress(&self, _: &Progress) {}

    fn cancelled(&self) -> bool {
        false
    }

    fn pause(&self) -> LocalFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn now(&self) -> f64 {
        0.0
    }

    fn store(&self) -> Option<&dyn Store> {
        None
    }
}

/// Does at once what can be watched, with nobody to watch it.
///
/// # Panics
/// If the work waits for anything but its job.
pub(crate) fn unwatched<T>(work: impl AsyncFnOnce(&Job<'_>) -> T) -> T {
    let job = Job::new(&Nobody);
    let work = std::pin::pin!(work(&job));
    match work.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => unreachable!("nobody's job rests"),
    }
}

/// A running piece of work, as the engine's long functions see it.
pub struct Job<'h> {
    host: &'h dyn Host,
    last_pause: Cell<f64>,
}

/// How long the engine computes before it lets the thread's other work run, in seconds. Members that have finished what
/// they were given wait for it as well.
const PAUSE_EVERY: f64 = 0.02;

impl<'h> Job<'h> {
    /// A job that reports to `host`.
    pub fn new(host: &'h dyn Host) -> Self {
        Self {
            host,
            last_pause: Cell::new(host.now()),
        }
    }

    /// To be called between pieces of work of less than 100 ms: lets other work run when it is time to.
    ///
    /// # Errors
    /// [`Code::Cancelled`] if the caller wants the job to stop.
    pub async fn breathe(&self) -> Result<()> {
        if self.host.now() - self.last_pause.get() >= PAUSE_EVERY {
            return self.pause().await;
        }
        self.go_on()
    }

    /// Lets other work run at once.
    ///
    /// # Errors
    /// As [`Job::breathe`].
    pub async fn pause(&self) -> Result<()> {
        self.host.pause().await;
        self.last_pause.set(self.host.now());
        self.go_on()
    }

    fn go_on(&self) -> Result<()> {
        if self.host.cancelled() {
            return Err(Error::new(
                Code::Cancelled,
                "Cancelled. What was finished is kept: start again to go on.",
            ));
        }
        Ok(())
    }

    /// The store, if the host keeps one.
    pub fn store(&self) -> Option<&dyn Store> {
        self.host.store()
    }

    /// Who helps, if anybody.
    pub fn crew(&self) -> Option<&dyn Crew> {
        self.host.crew()
    }

    /// Seconds since an arbitrary moment.
    pub fn now(&self) -> f64 {
        self.host.now()
    }

    /// Begins a stage of `total` items, `cached` of them already there.
    pub fn stage(&self, stage: Stage, total: usize, cached: usize) -> StageProgress<'_> {
        let now = self.host.now();
        let progress = StageProgress {
            host: self.host,
            stage,
            total: Cell::new(total),
            cached,
            done: Cell::new(cached),
            reported: Cell::new(cached),
            started: now,
            last_report: Cell::new(now),
        };
        progress.report(None);
        progress
    }
}

/// Counts a stage's items, reports them, and knows at the end what the stage took.
pub struct StageProgress<'h> {
    host: &'h dyn Host,
    stage: Stage,
    total: Cell<usize>,
    cached: usize,
    done: Cell<usize>,
    reported: Cell<usize>,
    started: f64,
    last_report: Cell<f64>,
}

/// What a stage took, as the report shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StageTime {
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Items of the stage, cached ones included.
    pub items: usize,
    /// Items a second, without the cached ones.
    pub per_second: f64,
}

impl StageProgress<'_> {
    /// There are so many items in all, as it turns out.
    pub fn expect(&self, total: usize) {
        self.total.set(total);
    }

    /// There are `items` more than was known.
    pub fn expect_more(&self, items: usize) {
        self.total.set(self.total.get() + items);
    }

    /// `items` more are finished.
    pub fn advance(&self, items: usize) {
        self.advance_with(items, None);
    }

    /// `items` more are finished, with the training loss they had.
    pub fn advance_with(&self, items: usize, loss: Option<f32>) {
        self.done.set(self.done.get() + items);
        let now = self.host.now();
        if now - self.last_report.get() >= 0.1 {
            self.last_report.set(now);
            self.report(loss);
        }
    }

    /// Ends the stage.
    pub fn finish(self) -> StageTime {
        self.report(None);
        let (seconds, per_second) = self.rate();
        StageTime {
            seconds,
            items: self.done.get(),
            per_second,
        }
    }

    fn rate(&self) -> (f64, f64) {
        let seconds = self.host.now() - self.started;
        let fresh = (self.done.get() - self.cached) as f64;
        (seconds, if seconds > 0.0 { fresh / seconds } else { 0.0 })
    }

    fn report(&self, loss: Option<f32>) {
        let (_, per_second) = self.rate();
        let left = self.total.get().saturating_sub(self.done.get()) as f64;
        let seconds_left = (per_second > 0.0).then(|| left / per_second);
        self.reported.set(self.done.get());
        self.host.progress(&Progress {
            stage: self.stage,
            done: self.done.get(),
            total: self.total.get(),
            cached: self.cached,
            per_second,
            seconds_left,
            loss,
        });
    }
}

/// A stage that was cancelled or has failed still says how far it came: what is done is kept.
impl Drop for StageProgress<'_> {
    fn drop(&mut self) {
        if self.reported.get() != self.done.get() {
            self.report(None);
        }
    }
}
