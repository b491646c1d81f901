//! A host for a terminal: progress on one line, results kept in a folder, so that a stopped run goes on.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::future::Future;
use std::io::Write;
use std::path::PathBuf;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use querytune::job::{Host, LocalFuture, Progress, Stage, Store};
use querytune::{Code, Error, Result};

/// Runs a future that never waits for anything but itself.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

/// The terminal.
pub struct Terminal {
    started: Instant,
    shown: Cell<f64>,
    store: Folder,
}

impl Terminal {
    /// A host that keeps results in `folder`.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            started: Instant::now(),
            shown: Cell::new(0.0),
            store: Folder {
                folder,
                read: RefCell::default(),
                whole: RefCell::default(),
            },
        }
    }
}

impl Host for Terminal {
    fn progress(&self, progress: &Progress) {
        let watched = matches!(progress.stage, Stage::Encode | Stage::Score | Stage::Tune);
        if !watched || self.now() - self.shown.get() < 20.0 {
            return;
        }
        self.shown.set(self.now());
        let left = progress
            .seconds_left
            .map_or(String::new(), |left| format!(", {left:.0} s left"));
        eprintln!(
            "  {:?}: {} of {}, {:.1} a second{left}",
            progress.stage, progress.done, progress.total, progress.per_second
        );
    }

    fn cancelled(&self) -> bool {
        false
    }

    fn pause(&self) -> LocalFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn now(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    fn store(&self) -> Option<&dyn Store> {
        Some(&self.store)
    }
}

/// A file for each log: chunks, each after its length (u64, little-endian).
struct Folder {
    folder: PathBuf,
    /// The log that is being read, so that it is read from the disk once and not once a chunk.
    read: RefCell<HashMap<String, Vec<Vec<u8>>>>,
    /// Logs whose end is known to be whole.
    whole: RefCell<HashSet<String>>,
}

impl Folder {
    fn failed(error: &std::io::Error) -> Error {
        Error::new(Code::Store, format!("The folder of results cannot be used: {error}."))
    }

    /// The whole chunks of a log; one cut short by a stop is left out.
    fn chunks(&self, log: &str) -> Result<Vec<Vec<u8>>> {
        let bytes = match fs::read(self.folder.join(log)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(Self::failed(&error)),
        };
        let mut rest = &bytes[..];
        let mut chunks = Vec::new();
        while let Some((length, after)) = rest.split_first_chunk::<8>() {
            let length = u64::from_le_bytes(*length) as usize;
            let Some((chunk, after)) = after.split_at_checked(length) else {
                break;
            };
            chunks.push(chunk.to_vec());
            rest = after;
        }
        Ok(chunks)
    }
}

impl Store for Folder {
    fn count<'a>(&'a self, log: &'a str) -> LocalFuture<'a, Result<usize>> {
        Box::pin(async move {
            let chunks = self.chunks(log)?;
            let count = chunks.len();
            self.read.replace(HashMap::from([(log.to_owned(), chunks)]));
            Ok(count)
        })
    }

    fn read<'a>(&'a self, log: &'a str, chunk: usize) -> LocalFuture<'a, Result<Vec<u8>>> {
        Box::pin(async move {
            let read = self.read.borrow();
            let known = read.get(log).and_then(|chunks| chunks.get(chunk)).cloned();
            known.ok_or_else(|| Error::new(Code::Store, "There is no such chunk."))
        })
    }

    fn append<'a>(&'a self, log: &'a str, bytes: &'a [u8]) -> LocalFuture<'a, Result<()>> {
        Box::pin(async move {
            let write = || {
                let mut file = fs::OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(self.folder.join(log))?;
                if self.whole.borrow_mut().insert(log.to_owned()) {
                    // What a stop has cut short would be taken for the beginning of what follows.
                    let chunks = self.chunks(log).map_err(std::io::Error::other)?;
                    file.set_len(chunks.iter().map(|chunk| 8 + chunk.len() as u64).sum())?;
                }
                let mut record = (bytes.len() as u64).to_le_bytes().to_vec();
                record.extend_from_slice(bytes);
                file.write_all(&record)
            };
            write().map_err(|error| Self::failed(&error))
        })
    }
}
