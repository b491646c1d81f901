//! What the tests that need real weights share: where the weights are, and a host without a screen.
#![allow(dead_code, reason = "each test file is a crate of its own and uses a part")]

pub mod crew;
pub mod tiny_job;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use querytune::input::{InputItem, Role, Texts};
use querytune::job::{Host, LocalFuture, Progress, Stage, Store};
use querytune::model::ModelFiles;
use querytune::relations::{Candidate, Relations};
use querytune::{Code, Error, Result};

/// The folder with the prepared models: `QUERYTUNE_MODELS`, or where `npm run setup` puts them.
pub fn models_folder() -> PathBuf {
    let cache = || std::env::var_os("QUERYTUNE_CACHE").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/querytune"));
    std::env::var_os("QUERYTUNE_MODELS")
        .map(PathBuf::from)
        .or_else(|| cache().or_else(home).map(|cache| cache.join("models")))
        .expect("QUERYTUNE_MODELS or HOME is set")
}

/// The files of one prepared model.
pub fn model(name: &str) -> ModelFiles {
    read_model(&models_folder(), name)
}

/// The files of a small model with random weights, which numbers of other programs belong to.
pub fn golden_model(name: &str) -> ModelFiles {
    read_model(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden"), name)
}

fn read_model(folder: &Path, name: &str) -> ModelFiles {
    fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
        let entries = std::fs::read_dir(folder)
            .unwrap_or_else(|error| panic!("{}: {error}; `npm run setup` fetches the models", folder.display()));
        for entry in entries {
            let path = entry.expect("a folder entry").path();
            let name = format!("{prefix}{}", path.file_name().expect("a name").to_string_lossy());
            if path.is_dir() {
                collect(&path, &format!("{name}/"), files);
            } else {
                files.insert(name, std::fs::read(&path).expect("a readable file"));
            }
        }
    }
    let mut files = BTreeMap::new();
    collect(&folder.join(name), "", &mut files);
    ModelFiles::new(name, files)
}

/// A zip's files by name.
pub fn unzip(zip: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut zip = zip::ZipArchive::new(Cursor::new(zip)).expect("a zip");
    let mut files = BTreeMap::new();
    for number in 0..zip.len() {
        let mut file = zip.by_index(number).expect("a file");
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).expect("its bytes");
        files.insert(file.name().expect("its name").into_owned(), bytes);
    }
    files
}

/// A zip of files by name.
pub fn zip(files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name.as_str(), zip::write::SimpleFileOptions::default())
            .expect("a file");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("a zip").into_inner()
}

/// all-MiniLM-L6-v2.
pub fn encoder_files() -> ModelFiles {
    model("all-MiniLM-L6-v2")
}

/// ms-marco-MiniLM-L-12-v2.
pub fn cross_encoder_files() -> ModelFiles {
    model("ms-marco-MiniLM-L-12-v2")
}

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

/// A host that keeps what it is told and stores in memory.
pub struct TestHost {
    started: Instant,
    pub reports: RefCell<Vec<Progress>>,
    pub store: Option<MemoryStore>,
    /// Cancelled once this many progress reports were made.
    pub cancel_after: Cell<Option<usize>>,
    /// Cancelled once this stage has begun.
    pub cancel_at: Cell<Option<Stage>>,
    /// Cancelled once this many chunks of logits are in the store.
    pub cancel_after_scores: Cell<Option<usize>>,
    /// A clock that stands still but for the logits that come into the store: so many seconds each.
    pub seconds_per_score: Cell<Option<f64>>,
}

impl TestHost {
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            reports: RefCell::default(),
            store: None,
            cancel_after: Cell::new(None),
            cancel_at: Cell::new(None),
            cancel_after_scores: Cell::new(None),
            seconds_per_score: Cell::new(None),
        }
    }

    pub fn with_store() -> Self {
        Self {
            store: Some(MemoryStore::default()),
            ..Self::new()
        }
    }
}

impl Host for TestHost {
    fn progress(&self, progress: &Progress) {
        self.reports.borrow_mut().push(progress.clone());
    }

    fn cancelled(&self) -> bool {
        let reports = || self.reports.borrow().len();
        let scores = || self.store.as_ref().map_or(0, |store| store.chunks("logits"));
        let has_begun = |stage| self.reports.borrow().iter().any(|report| report.stage == stage);
        self.cancel_after.get().is_some_and(|after| reports() >= after)
            || self.cancel_at.get().is_some_and(has_begun)
            || self.cancel_after_scores.get().is_some_and(|after| scores() >= after)
    }

    fn pause(&self) -> LocalFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn now(&self) -> f64 {
        let scores = || self.store.as_ref().map_or(0, |store| store.records("logits", 20));
        match self.seconds_per_score.get() {
            Some(seconds) => seconds * scores() as f64,
            None => self.started.elapsed().as_secs_f64(),
        }
    }

    fn store(&self) -> Option<&dyn Store> {
        self.store.as_ref().map(|store| store as &dyn Store)
    }
}

/// Logs in memory.
#[derive(Default)]
pub struct MemoryStore {
    pub logs: RefCell<BTreeMap<String, Vec<Vec<u8>>>>,
}

impl MemoryStore {
    /// Records of that many bytes in the logs of that kind.
    pub fn records(&self, kind: &str, size: usize) -> usize {
        let logs = self.logs.borrow();
        let of_kind = logs.iter().filter(|(name, _)| name.starts_with(kind));
        of_kind
            .flat_map(|(_, chunks)| chunks)
            .map(|chunk| chunk.len() / size)
            .sum()
    }

    /// Chunks in the logs of that kind.
    pub fn chunks(&self, kind: &str) -> usize {
        self.logs
            .borrow()
            .iter()
            .filter(|(name, _)| name.starts_with(kind))
            .map(|(_, chunks)| chunks.len())
            .sum()
    }
}

impl Store for MemoryStore {
    fn count<'a>(&'a self, log: &'a str) -> LocalFuture<'a, Result<usize>> {
        Box::pin(async move { Ok(self.logs.borrow().get(log).map_or(0, Vec::len)) })
    }

    fn read<'a>(&'a self, log: &'a str, chunk: usize) -> LocalFuture<'a, Result<Vec<u8>>> {
        Box::pin(async move {
            let logs = self.logs.borrow();
            let chunk = logs.get(log).and_then(|chunks| chunks.get(chunk));
            chunk
                .cloned()
                .ok_or_else(|| Error::new(Code::Store, "There is no such chunk."))
        })
    }

    fn append<'a>(&'a self, log: &'a str, bytes: &'a [u8]) -> LocalFuture<'a, Result<()>> {
        Box::pin(async move {
            self.logs
                .borrow_mut()
                .entry(log.to_owned())
                .or_default()
                .push(bytes.to_vec());
            Ok(())
        })
    }
}

/// A JSON file of `tests/golden`.
pub fn golden(name: &str) -> serde_json::Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    serde_json::from_slice(&std::fs::read(path).expect("a golden file")).expect("JSON")
}

/// A JSON array of numbers.
pub fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value
        .as_array()
        .expect("an array")
        .iter()
        .map(|number| number.as_f64().expect("a number"))
        .collect()
}

/// Relations of few texts with everything in them that a file's format could stumble over.
pub fn small_relations() -> Relations {
    let item = |id: &str, title: Option<&str>, text: &str, count: Option<u32>| InputItem {
        id: Some(id.to_owned()),
        title: title.map(str::to_owned),
        text: text.to_owned(),
        count,
    };
    let queries = [
        item("q1", None, "usb-c \"cable\"", Some(7)),
        item("q 2", None, "Zürich\tcafé, 100 %", None),
        item("q3", None, "usb-c \"cable\"", Some(2)),
        item("q4", None, "never scored", Some(3)),
    ];
    let documents = [
        item("d1", Some("Cable"), "USB-C to HDMI,\n2 m", None),
        item("d\"2", None, "A café in Zürich", None),
        item("d3", Some("Title alone"), "", None),
        item("d4", None, "A café in Zürich", None),
        item("d5", Some("Tea"), "Tea\u{2028}pot", None),
    ];
    let texts = |items: Vec<InputItem>, role| Rc::new(Texts::from_items(items, role).expect("texts"));
    let candidate = |document, cosine, logit| Candidate {
        document,
        cosine,
        logit,
    };
    Relations {
        queries: texts(queries.into(), Role::Queries),
        documents: texts(documents.into(), Role::Documents),
        query_vectors: Default::default(),
        document_vectors: Default::default(),
        candidates: vec![
            vec![
                candidate(0, 0.123_456_79, Some(-1.5)),
                candidate(3, 0.1, Some(9.876_543)),
                candidate(1, -0.25, None),
            ],
            vec![candidate(2, 1.0 / 3.0, Some(1e-7)), candidate(1, 0.2, Some(-11.0))],
            vec![candidate(1, 0.5, None)],
        ],
        depth: 2,
        bm25: 0,
        per_query: None,
        times: Default::default(),
    }
}
