//! What a caller may say about a file instead of having it detected.

use serde::{Deserialize, Serialize};

/// What the texts of a file are for; decides which column names are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// What people search for: a text, perhaps an id and how often it was asked.
    Queries,
    /// What is searched: a text, perhaps an id and a title.
    Documents,
}

/// How a file is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Delimited text with optional quotes: CSV, TSV and the like.
    #[serde(alias = "tsv")]
    Csv,
    /// One JSON object, or one JSON string, a line.
    #[serde(alias = "ndjson")]
    Jsonl,
    /// One text a line, taken as it is.
    Lines,
    /// Not a file: texts given by a program ([`Texts::from_items`](super::Texts::from_items)). As an option it means
    /// the same as `Lines`.
    Array,
}

/// How to read a file. Whatever is `None` is detected.
///
/// A column is named by its header or by its number, counted from 1 (`"3"`); a header that is literally `3` comes
/// before the number. The empty string means "none", for instance to leave a title out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ReadOptions {
    /// The layout.
    pub format: Option<Format>,
    /// The character between two fields, or one of the names `tab`, `comma`, `semicolon`, `pipe`.
    pub delimiter: Option<String>,
    /// Label of the encoding, as the web names them (`utf-8`, `windows-1252`, `shift_jis` …).
    pub encoding: Option<String>,
    /// Whether the first row names the columns.
    pub has_header: Option<bool>,
    /// Whether `"` encloses fields; `false` takes quotes as ordinary characters.
    pub quotes: Option<bool>,
    /// The column with the ids.
    pub id_column: Option<String>,
    /// The column with the titles.
    pub title_column: Option<String>,
    /// The column with the texts.
    pub text_column: Option<String>,
    /// The column that says how often each text occurred.
    pub count_column: Option<String>,
}

/// How to read judgements. Whatever is `None` is detected.
///
/// A column is named by its header or by its number, counted from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct QrelsOptions {
    /// The character between two fields, or one of the names `tab`, `comma`, `semicolon`, `pipe`, `space`; any number of
    /// spaces and tabs stand between two fields if it is `space`.
    pub delimiter: Option<String>,
    /// Label of the encoding, as the web names them (`utf-8`, `windows-1252`, `shift_jis` …).
    pub encoding: Option<String>,
    /// Whether the first row names the columns.
    pub has_header: Option<bool>,
    /// Whether `"` encloses fields; `false` takes quotes as ordinary characters.
    pub quotes: Option<bool>,
    /// The column with the ids of queries.
    pub query_column: Option<String>,
    /// The column with the ids of documents.
    pub document_column: Option<String>,
    /// The column with the relevances.
    pub relevance_column: Option<String>,
}
