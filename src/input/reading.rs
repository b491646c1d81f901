//! What reading a file found, for people to check.

use serde::Serialize;

use super::options::Format;

/// At most this many skipped rows are listed one by one; the total goes on counting.
pub const LISTED_SKIPS: usize = 1000;

/// At most this many merged rows, and this many long ones, are listed one by one.
pub const LISTED_REMARKS: usize = 100;

/// Texts of more characters than this are remarked upon: an encoder that reads 256 tokens does not see their end.
pub const LONG_TEXT: usize = 1500;

/// At most this many rows of judgements are shown as they were understood.
pub const SHOWN_JUDGEMENTS: usize = 10;

/// How a file was read and what became of its rows.
///
/// `rows = texts + duplicates + skipped_total`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    /// The file's name as the caller gave it; `array` for texts given by a program.
    pub file: String,
    /// The layout.
    pub format: Format,
    /// The character between two fields; `None` if there is but one column.
    pub delimiter: Option<String>,
    /// The encoding's name; `None` for texts given by a program.
    pub encoding: Option<String>,
    /// Whether the first row was taken as names of the columns, not as data.
    pub has_header: bool,
    /// The columns there are: their names, or their numbers where there is no header. Empty for lines.
    pub columns: Vec<String>,
    /// Which of them were used.
    pub used: UsedColumns,
    /// Rows of data: without header and blank lines, with the skipped ones.
    pub rows: usize,
    /// Different texts.
    pub texts: usize,
    /// Rows whose text was there before and that were merged with it.
    pub duplicates: usize,
    /// The first [`LISTED_REMARKS`] of them, with the line of the text they were merged with.
    pub merged: Vec<Skipped>,
    /// The first [`LISTED_SKIPS`] rows that were not used.
    pub skipped: Vec<Skipped>,
    /// How many rows were not used.
    pub skipped_total: usize,
    /// The first [`LISTED_REMARKS`] texts of more than [`LONG_TEXT`] characters. They are used.
    pub long: Vec<Skipped>,
    /// How many texts are that long.
    pub long_total: usize,
    /// Decisions that a person may want to check, in words.
    pub notes: Vec<String>,
}

/// The columns that were used, by name, or by number where a column has no name of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UsedColumns {
    /// Ids; without this column the ids are the numbers of the rows.
    pub id: Option<String>,
    /// Titles.
    pub title: Option<String>,
    /// Texts; `None` where there are no columns.
    pub text: Option<String>,
    /// How often each text occurred.
    pub count: Option<String>,
}

/// How judgements were read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QrelsReading {
    /// The file's name as the caller gave it.
    pub file: String,
    /// The character between two fields; a space stands for any number of spaces and tabs.
    pub delimiter: String,
    /// The encoding's name.
    pub encoding: String,
    /// Whether the first row was taken as names of the columns, not as a judgement.
    pub has_header: bool,
    /// The columns there are: their names, or their numbers where there is no header.
    pub columns: Vec<String>,
    /// Which of them were used, by name, or by number where a column has no name of its own.
    pub used: UsedQrelsColumns,
    /// Rows without header and blank lines, with the skipped ones.
    pub rows: usize,
    /// The first [`SHOWN_JUDGEMENTS`] of them.
    pub first: Vec<JudgementRow>,
    /// Decisions that a person may want to check, in words.
    pub notes: Vec<String>,
}

/// The columns that judgements were taken from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UsedQrelsColumns {
    /// Ids of queries.
    pub query: String,
    /// Ids of documents.
    pub document: String,
    /// Relevances.
    pub relevance: String,
}

/// A row of judgements; a cell is empty where the row does not reach that far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JudgementRow {
    /// Line of the file, counted from 1.
    pub line: u64,
    /// The query's id.
    pub query: String,
    /// The document's id.
    pub document: String,
    /// The relevance as it is written.
    pub relevance: String,
    /// The relevance as a number; `None` if the row was not used.
    pub grade: Option<i32>,
}

/// A row that was not used, or that there is something to say about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Skipped {
    /// The file's name.
    pub file: String,
    /// Line of the file on which the row begins, counted from 1; for texts given by a program the item's number.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// The beginning of a cell, short enough for a message.
pub(super) fn excerpt(cell: &str) -> String {
    const LETTERS: usize = 60;
    match cell.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("{}…", &cell[..end]),
        None => cell.to_owned(),
    }
}
