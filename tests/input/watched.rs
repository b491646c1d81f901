//! Reading a large file tells how far it is, can be stopped, and gives what reading it at once gives.

use std::cell::{Cell, RefCell};

use crate::common::block_on;
use querytune::error::Code;
use querytune::input::{InputItem, Qrels, QrelsOptions, ReadOptions, Role, Texts, read, read_watched};
use querytune::job::{Host, Job, LocalFuture, Progress, Stage, Store};

/// Somebody to whom every look at the clock is a second later than the last one.
#[derive(Default)]
struct Watcher {
    seconds: Cell<f64>,
    reports: RefCell<Vec<Progress>>,
    pauses: Cell<usize>,
    /// Wants no more after so many pauses.
    patience: Option<usize>,
}

impl Host for Watcher {
    fn progress(&self, progress: &Progress) {
        self.reports.borrow_mut().push(progress.clone());
    }

    fn cancelled(&self) -> bool {
        self.patience.is_some_and(|most| self.pauses.get() >= most)
    }

    fn pause(&self) -> LocalFuture<'_, ()> {
        self.pauses.set(self.pauses.get() + 1);
        Box::pin(std::future::ready(()))
    }

    fn now(&self) -> f64 {
        self.seconds.set(self.seconds.get() + 1.0);
        self.seconds.get()
    }

    fn store(&self) -> Option<&dyn Store> {
        None
    }
}

const ROWS: usize = 5000;

fn file(name: &str) -> Vec<u8> {
    let mut text = if name.ends_with(".csv") {
        "id;text\n".to_owned()
    } else {
        String::new()
    };
    for row in 0..ROWS {
        text += &match name {
            "texts.csv" => format!("d{row};\"text; number {row}\"\n"),
            "texts.jsonl" => format!("{{\"id\": {row}, \"text\": \"text number {row}\"}}\n"),
            "strings.jsonl" => format!("\"text number {row}\"\n"),
            "qrels.tsv" => format!("q{row}\td{row}\t1\n"),
            "qrels.txt" => format!("q{row} 0 d{row} 1\n"),
            _ => format!("text number {row}\n"),
        };
    }
    text.into_bytes()
}

fn items() -> Vec<InputItem> {
    let text = |row| InputItem {
        text: format!("text number {row}"),
        ..InputItem::default()
    };
    (0..ROWS).map(text).collect()
}

/// The watched reading grows to `total`, with the first rows told of long before the last.
fn assert_told(watcher: &Watcher, total: usize, what: &str) {
    let reports = watcher.reports.borrow();
    assert!(reports.iter().all(|report| report.stage == Stage::Read), "{what}");
    assert!(reports.iter().all(|report| report.total == total), "{what}");
    let done: Vec<usize> = reports.iter().map(|report| report.done).collect();
    assert!(done.is_sorted(), "{what}: {done:?}");
    assert_eq!((done[0], done.last()), (0, Some(&total)), "{what}");
    assert!(
        done.iter().filter(|&&done| done > 0 && done < total).count() >= 10,
        "{what}: {done:?}"
    );
    assert!(watcher.pauses.get() >= 10, "{what}: {} pauses", watcher.pauses.get());
}

#[test]
fn texts_of_every_format_tell_how_far_they_are() {
    for name in ["texts.csv", "texts.jsonl", "strings.jsonl", "lines.txt"] {
        let (bytes, options) = (file(name), ReadOptions::default());
        let watcher = Watcher::default();
        let job = Job::new(&watcher);
        let watched = block_on(read_watched(&bytes, name, Role::Documents, &options, &job)).unwrap();
        assert_eq!(watched.items.len(), ROWS, "{name}");
        assert_eq!(
            watched,
            read(&bytes, name, Role::Documents, &options).unwrap(),
            "{name}"
        );
        assert_told(&watcher, bytes.len(), name);
    }
}

#[test]
fn so_do_judgements_and_lists() {
    for name in ["qrels.tsv", "qrels.txt"] {
        let bytes = file(name);
        let watcher = Watcher::default();
        let watched = block_on(Qrels::read_watched(
            &bytes,
            name,
            &QrelsOptions::default(),
            &Job::new(&watcher),
        ))
        .unwrap();
        assert_eq!(watched.judgements.len(), ROWS, "{name}");
        assert_eq!(watched, Qrels::read(&bytes, name).unwrap(), "{name}");
        assert_told(&watcher, bytes.len(), name);
    }
    let watcher = Watcher::default();
    let job = Job::new(&watcher);
    let watched = block_on(Texts::from_items_watched(
        items().into_iter().map(Ok),
        Role::Queries,
        &job,
    ))
    .unwrap();
    assert_eq!(watched, Texts::from_items(items(), Role::Queries).unwrap());
    assert_told(&watcher, ROWS, "list");
}

#[test]
fn bytes_are_those_of_the_decoded_text() {
    let text: String = (0..ROWS).map(|row| format!("Müller Nummer {row}\n")).collect();
    let utf_16: Vec<u8> = [0xFEFF]
        .into_iter()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let watcher = Watcher::default();
    let job = Job::new(&watcher);
    block_on(read_watched(
        &utf_16,
        "log.txt",
        Role::Queries,
        &ReadOptions::default(),
        &job,
    ))
    .unwrap();
    assert_told(&watcher, text.len(), "UTF-16");
}

#[test]
fn long_rows_wait_for_no_number_of_rows() {
    let row = "a word ".repeat(100_000);
    let text: String = (0..20).map(|number| format!("{number} {row}\n")).collect();
    let watcher = Watcher::default();
    let job = Job::new(&watcher);
    block_on(read_watched(
        text.as_bytes(),
        "log.txt",
        Role::Documents,
        &ReadOptions::default(),
        &job,
    ))
    .unwrap();
    assert_told(&watcher, text.len(), "long rows");
}

#[test]
fn a_reading_ends_when_nobody_wants_it_any_more() {
    let options = ReadOptions::default();
    let impatient = || Watcher {
        patience: Some(3),
        ..Watcher::default()
    };
    for name in ["texts.csv", "texts.jsonl", "lines.txt"] {
        let watcher = impatient();
        let reading = block_on(read_watched(
            &file(name),
            name,
            Role::Documents,
            &options,
            &Job::new(&watcher),
        ));
        assert_eq!(reading.unwrap_err().code(), Code::Cancelled, "{name}");
        assert_eq!(watcher.pauses.get(), 3, "{name}");
    }
    let watcher = impatient();
    let reading = block_on(Qrels::read_watched(
        &file("qrels.tsv"),
        "qrels.tsv",
        &QrelsOptions::default(),
        &Job::new(&watcher),
    ));
    assert_eq!(reading.unwrap_err().code(), Code::Cancelled);
    let watcher = impatient();
    let job = Job::new(&watcher);
    let reading = block_on(Texts::from_items_watched(
        items().into_iter().map(Ok),
        Role::Queries,
        &job,
    ));
    assert_eq!(reading.unwrap_err().code(), Code::Cancelled);
}
