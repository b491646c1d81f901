//! Judgements: which document is relevant to which query.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::columns::Table;
use super::delimited::{self, Dialect, Rows};
use super::options::QrelsOptions;
use super::reading::{JudgementRow, LISTED_SKIPS, QrelsReading, SHOWN_JUDGEMENTS, Skipped, UsedQrelsColumns, excerpt};
use super::texts::plain_id;
use super::watched::Watched;
use super::{encoding, lines, names};
use crate::error::{Code, Error, Result};
use crate::job::{Job, unwatched};

/// Relevance judgements. No pair of query and document is judged twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Qrels {
    /// Relevance by query id and document id; 0 and less mean "not relevant".
    pub judgements: BTreeMap<String, BTreeMap<String, i32>>,
    /// How they were read.
    pub reading: QrelsReading,
    /// The first [`LISTED_SKIPS`] rows that were not used.
    pub skipped: Vec<Skipped>,
    /// How many rows were not used.
    pub skipped_total: usize,
}

impl Qrels {
    /// Reads judgements: query id, document id, relevance, with or without a header, separated by tabs, semicolons,
    /// commas, pipes or spaces; or the four columns of TREC (query id, `0`, document id, relevance).
    ///
    /// Names that judgements usually have in a header (`query_id`, `corpus-id`, `score` …) tell the columns apart;
    /// where they do not, the places above do. The first row is a header if it has such names, or a word where the
    /// relevance is. A relevance is a whole number. Of two judgements of the same pair the first is kept.
    ///
    /// # Errors
    /// - [`Code::InputEmpty`]: no content, or only a header;
    /// - [`Code::InputQrels`]: no row that is a judgement;
    /// - [`Code::InputBinary`], [`Code::InputEncoding`]: as [`read`](super::read) has them.
    pub fn read(bytes: &[u8], file: &str) -> Result<Self> {
        Self::read_as(bytes, file, &QrelsOptions::default())
    }

    /// [`Qrels::read`] for whoever knows more of the file.
    ///
    /// # Errors
    /// As [`Qrels::read`]; [`Code::InputColumn`] if a column asked for is not there, or is asked for twice;
    /// [`Code::Option`]: an unknown encoding label or a delimiter that is not one ASCII character.
    pub fn read_as(bytes: &[u8], file: &str, options: &QrelsOptions) -> Result<Self> {
        unwatched(async |job| Self::read_watched(bytes, file, options, job).await)
    }

    /// [`Qrels::read_as`] for whoever watches: reports how far it is, and lets the thread's other work run.
    ///
    /// # Errors
    /// As [`Qrels::read_as`], and [`Code::Cancelled`].
    pub async fn read_watched(bytes: &[u8], file: &str, options: &QrelsOptions, job: &Job<'_>) -> Result<Self> {
        let decoded = encoding::decode(bytes, file, options.encoding.as_deref())?;
        let (text, hint) = delimited::spreadsheet_hint(decoded.text());
        let Some((first_line, first)) = lines::filled(text).next() else {
            return Err(Error::new(Code::InputEmpty, "The file is empty.").at(file, 0, 0));
        };
        let dialect = Dialect::of_ids(text, first, options, hint)?;
        let mut judgements = Judgements {
            options,
            qrels: Self::default(),
            header: None,
            places: None,
        };
        judgements.qrels.reading = QrelsReading {
            file: file.to_owned(),
            delimiter: dialect.map_or(' ', Dialect::delimiter).to_string(),
            encoding: decoded.encoding.to_owned(),
            notes: decoded.note.clone().into_iter().collect(),
            ..QrelsReading::default()
        };
        let mut watched = Watched::begin(job, text.len()).await?;
        match dialect {
            Some(dialect) => {
                let mut rows = Rows::new(text, dialect);
                while let Some((line, cells)) = rows.next_row() {
                    judgements.row(line, &cells.iter().map(str::trim).collect::<Vec<_>>())?;
                    watched.reach(rows.position()).await?;
                }
            }
            None => {
                for (line, row) in lines::filled(text) {
                    judgements.row(line, &row.split_whitespace().collect::<Vec<_>>())?;
                    watched.reach(lines::end(text, row)).await?;
                }
            }
        }
        watched.finish();
        let qrels = judgements.qrels;
        match qrels.skipped.first() {
            _ if !qrels.judgements.is_empty() => Ok(qrels),
            Some(_) if first.trim_start().starts_with(['{', '[']) => {
                let message = "The file is JSON, which judgements are not read from. Write rows of a query id, a document \
                               id and a relevance, separated by tabs.";
                Err(Error::new(Code::InputQrels, message).at(file, first_line, 0))
            }
            Some(skipped) => {
                let UsedQrelsColumns {
                    query,
                    document,
                    relevance,
                } = &qrels.reading.used;
                let message = format!(
                    "None of the {} rows is a judgement. The first: {}. A row has a query id (taken from column \
                     {query:?}), a document id ({document:?}) and a relevance ({relevance:?}).",
                    qrels.reading.rows, skipped.reason
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Places {
    query: usize,
    document: usize,
    relevance: usize,
}

const PLAIN: Places = Places {
    query: 0,
    document: 1,
    relevance: 2,
};
const TREC: Places = Places {
    query: 0,
    document: 2,
    relevance: 3,
};

impl Places {
    /// Those that the options ask for, then those that the header names, then the usual ones.
    fn choose(options: &QrelsOptions, header: Option<&[String]>, first: &[&str]) -> Result<Self> {
        let table = Table {
            header,
            width: header.map_or(first.len(), <[String]>::len),
            rows: &[],
        };
        let asked = [
            (&options.query_column, "queries"),
            (&options.document_column, "documents"),
            (&options.relevance_column, "relevances"),
        ];
        let mut found = [None; 3];
        for ((name, what), found) in asked.into_iter().zip(&mut found) {
            *found = match table.asked(name)? {
                Some(None) => {
                    let message = format!("Judgements need a column of {what}. {}", table.listing());
                    return Err(Error::new(Code::InputColumn, message));
                }
                Some(place) => place,
                None => None,
            };
        }
        let twice = (0..3).find(|&one| found[one].is_some() && found[..one].contains(&found[one]));
        if let Some(one) = twice {
            let message = format!("The column of {} is asked for twice. {}", asked[one].1, table.listing());
            return Err(Error::new(Code::InputColumn, message));
        }
        for (kind, lists) in names::OF_JUDGEMENTS.iter().enumerate() {
            if found[kind].is_none() {
                let taken: Vec<usize> = found.iter().flatten().copied().collect();
                found[kind] = lists.iter().find_map(|list| table.named(list, &taken));
            }
        }
        let usual = usual(first);
        for (kind, place) in [usual.query, usual.document, usual.relevance].into_iter().enumerate() {
            if found[kind].is_none() {
                let mut free = std::iter::once(place)
                    .chain(0..)
                    .filter(|place| !found.contains(&Some(*place)));
                found[kind] = free.next();
            }
        }
        let [query, document, relevance] = found.map(Option::unwrap_or_default);
        Ok(Self {
            query,
            document,
            relevance,
        })
    }

    /// The last of them: a row has to reach that far.
    fn last(self) -> usize {
        self.query.max(self.document).max(self.relevance)
    }
}

/// Takes rows one by one.
struct Judgements<'o> {
    options: &'o QrelsOptions,
    qrels: Qrels,
    header: Option<Vec<String>>,
    /// Told by the header, and by the first row below it.
    places: Option<Places>,
}

impl Judgements<'_> {
    fn row(&mut self, line: u64, cells: &[&str]) -> Result<()> {
        let is_first = self.header.is_none() && self.places.is_none();
        if is_first
            && self
                .options
                .has_header
                .unwrap_or_else(|| is_header(cells, self.options))
        {
            self.header = Some(cells.iter().map(|cell| (*cell).to_owned()).collect());
            return Ok(());
        }
        let places = match self.places {
            Some(places) => places,
            None => self.begin(line, cells)?,
        };
        self.qrels.reading.rows += 1;
        let judged = self.judge(places, cells);
        if self.qrels.reading.first.len() < SHOWN_JUDGEMENTS {
            let cell = |place: usize| excerpt(cells.get(place).unwrap_or(&""));
            self.qrels.reading.first.push(JudgementRow {
                line,
                query: cell(places.query),
                document: cell(places.document),
                relevance: cell(places.relevance),
                grade: judged.as_ref().ok().copied(),
            });
        }
        if let Err(reason) = judged {
            self.qrels.skipped_total += 1;
            if self.qrels.skipped.len() < LISTED_SKIPS {
                self.qrels.skipped.push(Skipped {
                    file: self.qrels.reading.file.clone(),
                    line,
                    reason,
                });
            }
        }
        Ok(())
    }

    /// Finds the columns by the header, and by the first row below it.
    fn begin(&mut self, line: u64, first: &[&str]) -> Result<Places> {
        let header = self.header.as_deref();
        let reading = &mut self.qrels.reading;
        let places = Places::choose(self.options, header, first).map_err(|error| error.at(&reading.file, line, 0))?;
        let table = Table {
            header,
            width: header.map_or(first.len(), <[String]>::len).max(places.last() + 1),
            rows: &[],
        };
        reading.has_header = header.is_some();
        reading.columns = (0..table.width).map(|column| table.name(column)).collect();
        reading.used = UsedQrelsColumns {
            query: table.label(places.query),
            document: table.label(places.document),
            relevance: table.label(places.relevance),
        };
        self.places = Some(places);
        Ok(places)
    }

    /// The row's relevance if it is a judgement, else why it is none.
    fn judge(&mut self, places: Places, cells: &[&str]) -> std::result::Result<i32, String> {
        let cell = |place: usize| cells.get(place);
        let (Some(query), Some(document), Some(cell)) =
            (cell(places.query), cell(places.document), cell(places.relevance))
        else {
            return Err(format!(
                "{} where {} are needed",
                delimited::fields(cells.len()),
                places.last() + 1
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
                Ok(relevance)
            }
            Entry::Occupied(first) if *first.get() == relevance => Err("judged before, in the same way".to_owned()),
            Entry::Occupied(first) => Err(format!("judged before, as {}", first.get())),
        }
    }
}

/// A relevance is a number, the name of its column is a word; and a row that names the columns is no judgement.
fn is_header(cells: &[&str], options: &QrelsOptions) -> bool {
    let asked = [
        &options.query_column,
        &options.document_column,
        &options.relevance_column,
    ];
    let is_asked_for = |cell: &&str| {
        let asked = asked.into_iter().flatten();
        cell.contains(char::is_alphabetic)
            && asked
                .map(|name| names::plain(name))
                .any(|name| name == names::plain(cell))
    };
    let word = |cell: &&str| cell.starts_with(char::is_alphabetic);
    let is_named = |lists: &&[&[&str]]| {
        let mut plain = cells.iter().map(|cell| names::plain(cell));
        plain.any(|name| lists.iter().any(|list| list.contains(&&*name)))
    };
    let asked_number = options
        .relevance_column
        .as_deref()
        .and_then(|name| name.trim().parse::<usize>().ok());
    let asked_place = asked_number.and_then(|number| number.checked_sub(1));
    cells.iter().any(is_asked_for)
        || names::OF_JUDGEMENTS.iter().all(is_named)
        || match (asked_place, cells) {
            (Some(place), _) => cells.get(place).is_some_and(word),
            (None, [_, _, relevance]) => word(relevance),
            (None, [_, _, third, fourth, ..]) => word(third) && word(fourth),
            _ => false,
        }
}

/// The places without better knowledge. TREC's second column is a constant that means nothing.
fn usual(cells: &[&str]) -> Places {
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
