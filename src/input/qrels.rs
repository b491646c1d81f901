//! Judgements: which document is relevant to which query.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::delimited::{self, Dialect, Rows};
use super::reading::{LISTED_SKIPS, Skipped, excerpt};
use super::texts::plain_id;
use super::watched::Watched;
use super::{encoding, lines};
use crate::error::{Code, Error, Result};
use crate::job::{Job, unwatched};

/// Relevance judgements. No pair of query and document is judged twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Qrels {
    /// Relevance by query id and document id; 0 and less mean "not relevant".
    pub judgements: BTreeMap<String, BTreeMap<String, i32>>,
    /// The first [`LISTED_SKIPS`] rows that were not used.
    pub skipped: Vec<Skipped>,
    /// How many rows were not used.
    pub skipped_total: usize,
}

impl Qrels {
    /// Reads judgements: query id, document id, relevance, with or without a header, separated by tabs, semicolons,
    /// commas or spaces; or the four columns of TREC (query id, `0`, document id, relevance).
    ///
    /// The first row is a header if its relevance begins with a letter. A relevance is a whole number. Of two
    /// judgements of the same pair the first is kept.
    ///
    /// # Errors
    /// - [`Code::InputEmpty`]: no content, or only a header;
    /// - [`Code::InputQrels`]: no row that is a judgement;
    /// - [`Code::InputBinary`], [`Code::InputEncoding`]: as [`read`](super::read) has them.
    pub fn read(bytes: &[u8], file: &str) -> Result<Self> {
        unwatched(async |job| Self::read_watched(bytes, file, job).await)
    }

    /// [`Qrels::read`] for whoever watches: reports how far it is, and lets the thread's other work run.
    ///
    /// # Errors
    /// As [`Qrels::read`], and [`Code::Cancelled`].
    pub async fn read_watched(bytes: &[u8], file: &str, job: &Job<'_>) -> Result<Self> {
        let decoded = encoding::decode(bytes, file, None)?;
        let text = decoded.text();
        let Some((first_line, first)) = lines::filled(text).next() else {
            return Err(Error::new(Code::InputEmpty, "The file is empty.").at(file, 0, 0));
        };
        let mut judgements = Judgements {
            file,
            qrels: Self::default(),
            layout: None,
            rows: 0,
        };
        let mut watched = Watched::begin(job, text.len()).await?;
        match Dialect::of_ids(text, first) {
            Some(dialect) => {
                let mut rows = Rows::new(text, dialect);
                while let Some((line, cells)) = rows.next_row() {
                    judgements.row(
                        line,
                        line == first_line,
                        &cells.iter().map(str::trim).collect::<Vec<_>>(),
                    );
                    watched.reach(rows.position()).await?;
                }
            }
            None => {
                for (line, row) in lines::filled(text) {
                    judgements.row(line, line == first_line, &row.split_whitespace().collect::<Vec<_>>());
                    watched.reach(lines::end(text, row)).await?;
                }
            }
        }
        watched.finish();
        let Judgements { qrels, rows, .. } = judgements;
        match qrels.skipped.first() {
            _ if !qrels.judgements.is_empty() => Ok(qrels),
            Some(skipped) => {
                let message = format!(
                    "None of the {rows} rows is a judgement. The first: {}. A row has a query id, a document id and a \
                     relevance.",
                    skipped.reason
                );
                Err(Error::new(Code::InputQrels, message).at(file, skipped.line, 0))
            }
            None => {
                Err(Error::new(Code::InputEmpty, "The file has a header but no judgements.").at(file, first_line, 0))
            }
        }
    }
}

/// Where the fields are, counted from 0.
#[derive(Clone, Copy)]
struct Layout {
    document: usize,
    relevance: usize,
}

const PLAIN: Layout = Layout {
    document: 1,
    relevance: 2,
};
const TREC: Layout = Layout {
    document: 2,
    relevance: 3,
};

/// Takes rows one by one.
struct Judgements<'f> {
    file: &'f str,
    qrels: Qrels,
    /// Told by the first row that is not a header.
    layout: Option<Layout>,
    rows: usize,
}

impl Judgements<'_> {
    fn row(&mut self, line: u64, is_first: bool, cells: &[&str]) {
        if is_first && is_header(cells) {
            return;
        }
        let layout = *self.layout.get_or_insert_with(|| layout(cells));
        self.rows += 1;
        if let Err(reason) = self.judge(layout, cells) {
            self.qrels.skipped_total += 1;
            if self.qrels.skipped.len() < LISTED_SKIPS {
                self.qrels.skipped.push(Skipped {
                    file: self.file.to_owned(),
                    line,
                    reason,
                });
            }
        }
    }

    fn judge(&mut self, layout: Layout, cells: &[&str]) -> std::result::Result<(), String> {
        let Layout { document, relevance } = layout;
        let (Some(query), Some(document), Some(cell)) = (cells.first(), cells.get(document), cells.get(relevance))
        else {
            return Err(format!(
                "{} where {} are needed",
                delimited::fields(cells.len()),
                relevance + 1
            ));
        };
        if query.is_empty() || document.is_empty() {
            return Err("an id is empty".to_owned());
        }
        let relevance =
            whole(cell).ok_or_else(|| format!("the relevance {:?} is not a whole number", excerpt(cell)))?;
        match self
            .qrels
            .judgements
            .entry(plain_id(query))
            .or_default()
            .entry(plain_id(document))
        {
            Entry::Vacant(free) => {
                free.insert(relevance);
                Ok(())
            }
            Entry::Occupied(first) if *first.get() == relevance => Err("judged before, in the same way".to_owned()),
            Entry::Occupied(first) => Err(format!("judged before, as {}", first.get())),
        }
    }
}

/// A relevance is a number, the name of its column is a word.
fn is_header(cells: &[&str]) -> bool {
    let word = |cell: &&str| cell.starts_with(char::is_alphabetic);
    match cells {
        [_, _, relevance] => word(relevance),
        [_, _, third, fourth, ..] => word(third) && word(fourth),
        _ => false,
    }
}

/// TREC's second column is a constant that means nothing.
fn layout(cells: &[&str]) -> Layout {
    match cells {
        [_, "0" | "Q0", _, relevance] if whole(relevance).is_some() => TREC,
        [_, _, third, relevance] if whole(third).is_none() && whole(relevance).is_some() => TREC,
        _ => PLAIN,
    }
}

/// A whole number, also one that a table program wrote as `1.0`.
fn whole(cell: &str) -> Option<i32> {
    let (number, fraction) = cell.split_once('.').unwrap_or((cell, ""));
    let number = number.parse().ok()?;
    fraction.bytes().all(|digit| digit == b'0').then_some(number)
}
