//! The texts of a file, equal ones merged.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::options::{Format, Role};
use super::reading::{LISTED_REMARKS, LISTED_SKIPS, LONG_TEXT, Reading, Skipped, UsedColumns, excerpt};
use super::watched::Watched;
use crate::error::{Code, Error, Result};
use crate::job::{Job, unwatched};

/// A query or document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Its ids. The first is the one to show; the others belong to rows with the same text.
    pub ids: Vec<String>,
    /// What is encoded: title and text joined by one space where both are there, trimmed; never empty.
    pub text: String,
    /// The title alone, for display.
    pub title: Option<String>,
    /// How often it was in the file, or the sum of the frequency column over its rows; at least 1.
    pub count: u32,
}

/// Different texts in the order in which they were first met. No id belongs to two of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Texts {
    /// The texts, at least one.
    pub items: Vec<Text>,
    /// How they were read.
    pub reading: Reading,
}

/// A text given by a program instead of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InputItem {
    /// Its id; the item's number, counted from 1, if `None`.
    pub id: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// The text.
    pub text: String,
    /// How often it occurred; once if `None`.
    pub count: Option<u32>,
}

impl Texts {
    /// Texts given by a program: merged and checked as those of a file are.
    ///
    /// # Errors
    /// [`Code::InputEmpty`] if there is no item, or none with a text.
    pub fn from_items(items: impl IntoIterator<Item = InputItem>, role: Role) -> Result<Self> {
        let items: Vec<InputItem> = items.into_iter().collect();
        unwatched(async |job| Self::from_items_watched(items.into_iter().map(Ok), role, job).await)
    }

    /// [`Texts::from_items`] for whoever watches: reports how far it is, and lets the thread's other work run.
    ///
    /// # Errors
    /// As [`Texts::from_items`], [`Code::Cancelled`], and the first item's that is an error.
    pub async fn from_items_watched(
        items: impl ExactSizeIterator<Item = Result<InputItem>>,
        role: Role,
        job: &Job<'_>,
    ) -> Result<Self> {
        let mut collector = Collector::new("array", Format::Array, "");
        collector.reading.encoding = None;
        let mut watched = Watched::begin(job, items.len()).await?;
        for (index, item) in items.enumerate() {
            let item = item?;
            let number = (index + 1).to_string();
            collector.add(
                index as u64 + 1,
                Row {
                    id: Some(item.id.as_deref().unwrap_or(&number)),
                    title: item.title.as_deref(),
                    text: &item.text,
                    count: item.count.unwrap_or(1),
                },
            );
            watched.reach(index + 1).await?;
        }
        watched.finish();
        if collector.reading.rows == 0 {
            let what = match role {
                Role::Queries => "queries",
                Role::Documents => "documents",
            };
            return Err(Error::new(Code::InputEmpty, format!("The list of {what} is empty.")));
        }
        collector.finish()
    }
}

/// An id without tabs and line ends, which are spaces: files of tabs and lines have to hold it, and all of them the same.
pub(crate) fn plain_id(id: &str) -> String {
    id.replace(['\t', '\r', '\n'], " ")
}

/// The cells of one row that are used.
pub(super) struct Row<'a> {
    /// `None` where the file has no ids.
    pub id: Option<&'a str>,
    pub title: Option<&'a str>,
    pub text: &'a str,
    pub count: u32,
}

/// Takes rows one by one, merges equal texts and keeps account of every row.
pub(super) struct Collector {
    pub reading: Reading,
    items: Vec<Text>,
    /// The line on which each item was first met.
    lines: Vec<u64>,
    /// Where a text is among the items, by its hash and a number that tells texts of the same hash apart: the texts
    /// themselves are not kept twice.
    by_text: HashMap<(u64, u32), usize>,
    /// Which item an id belongs to, and the line it was first on.
    by_id: HashMap<String, (usize, u64)>,
}

impl Collector {
    pub fn new(file: &str, format: Format, encoding: &str) -> Self {
        let reading = Reading {
            file: file.to_owned(),
            format,
            delimiter: None,
            encoding: Some(encoding.to_owned()),
            has_header: false,
            columns: Vec::new(),
            used: UsedColumns::default(),
            rows: 0,
            texts: 0,
            duplicates: 0,
            merged: Vec::new(),
            skipped: Vec::new(),
            skipped_total: 0,
            long: Vec::new(),
            long_total: 0,
            notes: Vec::new(),
        };
        Self {
            reading,
            items: Vec::new(),
            lines: Vec::new(),
            by_text: HashMap::new(),
            by_id: HashMap::new(),
        }
    }

    /// One row that can be taken apart; it may still turn out to be unusable.
    pub fn add(&mut self, line: u64, row: Row<'_>) {
        let text = row.text.trim();
        let title = row.title.map(str::trim).filter(|title| !title.is_empty());
        if text.is_empty() && title.is_none() {
            return self.skip(line, "the text is empty");
        }
        let whole = match title {
            Some(title) if text.is_empty() => title.to_owned(),
            Some(title) => format!("{title} {text}"),
            None => text.to_owned(),
        };
        let id = match row.id.map(str::trim) {
            Some("") => return self.skip(line, "the id is empty"),
            Some(id) => plain_id(id),
            None => (self.reading.rows + 1).to_string(),
        };

        let found = self.find(&whole);
        let known_id = row.id.is_some().then(|| self.by_id.get(&id)).flatten();
        if let Some((item, first)) = known_id
            && found != Ok(*item)
        {
            let reason = format!(
                "the id {:?} is already used, with another text, on line {first}",
                excerpt(&id)
            );
            return self.skip(line, reason);
        }
        let new_id = known_id.is_none();
        let index = match found {
            Ok(index) => {
                let item = &mut self.items[index];
                item.count = item.count.saturating_add(row.count.max(1));
                if new_id {
                    item.ids.push(id.clone());
                }
                self.merge(line, self.lines[index]);
                index
            }
            Err(key) => {
                let index = self.items.len();
                self.by_text.insert(key, index);
                self.remark_on_length(line, &whole);
                self.lines.push(line);
                self.items.push(Text {
                    ids: vec![id.clone()],
                    text: whole,
                    title: title.map(str::to_owned),
                    count: row.count.max(1),
                });
                index
            }
        };
        if row.id.is_some() && new_id {
            self.by_id.insert(id, (index, line));
        }
        self.reading.rows += 1;
    }

    /// One row that is not used.
    pub fn skip(&mut self, line: u64, reason: impl Into<String>) {
        self.reading.rows += 1;
        self.reading.skipped_total += 1;
        if self.reading.skipped.len() < LISTED_SKIPS {
            self.reading.skipped.push(self.remark(line, reason.into()));
        }
    }

    /// One row whose text was there before.
    fn merge(&mut self, line: u64, first: u64) {
        self.reading.duplicates += 1;
        if self.reading.merged.len() < LISTED_REMARKS {
            let reason = format!("the same text as on line {first}");
            self.reading.merged.push(self.remark(line, reason));
        }
    }

    /// Says of a new text that it is long, if it is.
    fn remark_on_length(&mut self, line: u64, text: &str) {
        // No text has more characters than bytes.
        if text.len() <= LONG_TEXT {
            return;
        }
        let characters = text.chars().count();
        if characters <= LONG_TEXT {
            return;
        }
        self.reading.long_total += 1;
        if self.reading.long.len() < LISTED_REMARKS {
            let reason = format!("{characters} characters; models may not read to the end");
            self.reading.long.push(self.remark(line, reason));
        }
    }

    fn remark(&self, line: u64, reason: String) -> Skipped {
        Skipped {
            file: self.reading.file.clone(),
            line,
            reason,
        }
    }

    /// A decision a person may want to check.
    pub fn note(&mut self, note: impl Into<String>) {
        self.reading.notes.push(note.into());
    }

    pub fn file(&self) -> &str {
        &self.reading.file
    }

    /// The texts, if there are any.
    pub fn finish(mut self) -> Result<Texts> {
        if self.items.is_empty() {
            let file = &self.reading.file;
            return Err(match self.reading.skipped.first() {
                Some(first) => {
                    let message = match self.reading.rows {
                        1 => format!("The only row cannot be used: {}.", first.reason),
                        rows => format!("None of the {rows} rows can be used. The first: {}.", first.reason),
                    };
                    Error::new(Code::InputEmpty, message).at(file, first.line, 0)
                }
                None => Error::new(Code::InputEmpty, "The file has a header but no rows.").at(file, 1, 0),
            });
        }
        self.reading.texts = self.items.len();
        Ok(Texts {
            items: self.items,
            reading: self.reading,
        })
    }

    /// The item with that text, or the key under which to file a new one.
    fn find(&self, text: &str) -> std::result::Result<usize, (u64, u32)> {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let mut key = (hasher.finish(), 0);
        while let Some(&index) = self.by_text.get(&key) {
            if self.items[index].text == text {
                return Ok(index);
            }
            key.1 += 1;
        }
        Err(key)
    }
}
