//! Reading that somebody watches: how far it is, and a rest for the thread's other work now and then.

use crate::error::Result;
use crate::job::{Job, Stage, StageProgress};

/// Rows between two looks at the clock, which takes longer than a row where it is JavaScript's.
const ROWS: u32 = 256;
/// Bytes between them, where rows are long.
const BYTES: usize = 1 << 18;

/// A text, or a list, on its way to becoming rows.
pub(super) struct Watched<'j> {
    job: &'j Job<'j>,
    stage: StageProgress<'j>,
    total: usize,
    reached: usize,
    rows: u32,
}

impl<'j> Watched<'j> {
    /// `total`: bytes of a text, items of a list.
    ///
    /// # Errors
    /// [`Code::Cancelled`](crate::error::Code::Cancelled) if the caller wants nothing any more.
    pub async fn begin(job: &'j Job<'j>, total: usize) -> Result<Self> {
        job.breathe().await?;
        Ok(Self {
            job,
            stage: job.stage(Stage::Read, total, 0),
            total,
            reached: 0,
            rows: 0,
        })
    }

    /// To be called after each row: what is before `position` is read.
    ///
    /// # Errors
    /// As [`Watched::begin`].
    pub async fn reach(&mut self, position: usize) -> Result<()> {
        self.rows += 1;
        if self.rows < ROWS && position < self.reached + BYTES {
            return Ok(());
        }
        self.rows = 0;
        self.advance(position);
        self.job.breathe().await
    }

    /// The same after a row that is only looked at, and read later.
    ///
    /// # Errors
    /// As [`Watched::begin`].
    pub async fn look(&mut self) -> Result<()> {
        self.rows += 1;
        if self.rows < ROWS {
            return Ok(());
        }
        self.rows = 0;
        self.job.breathe().await
    }

    /// All is read.
    pub fn finish(mut self) {
        self.advance(self.total);
        self.stage.finish();
    }

    fn advance(&mut self, position: usize) {
        self.stage.advance(position - self.reached);
        self.reached = position;
    }
}
