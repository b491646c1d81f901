//! CSV, TSV and their relatives.

use csv::{ReaderBuilder, StringRecord};

use super::columns::{self, Columns, Counts, Table};
use super::options::{QrelsOptions, ReadOptions, Role};
use super::reading::excerpt;
use super::records::{Quoted, Record, Records};
use super::sniff;
use super::texts::{Collector, Row};
use super::watched::Watched;
use crate::error::{Code, Error, Result};

/// Stands for "no delimiter": texts that reach this module hold no NUL.
const NONE: u8 = 0;
/// A quoted field of more lines than this is worth a look.
const MANY_LINES: u64 = 100;

/// How fields are told apart.
#[derive(Clone, Copy)]
pub(super) struct Dialect {
    delimiter: u8,
    quotes: bool,
}

/// Reads delimited text.
pub(super) async fn read(
    text: &str,
    role: Role,
    options: &ReadOptions,
    collector: &mut Collector,
    watched: &mut Watched<'_>,
) -> Result<()> {
    let (text, hint) = spreadsheet_hint(text);
    let delimiter = match (options.delimiter.as_deref(), hint) {
        (Some(name), _) => delimiter_named(name)?,
        (None, Some(hint)) => hint,
        (None, None) => sniff::delimiter(text, options.quotes.unwrap_or(true)).map_or(NONE, |found| found.delimiter),
    };
    collector.reading.delimiter = (delimiter != NONE).then(|| char::from(delimiter).to_string());
    let quotes = check_quotes(text, delimiter, options.quotes, collector, watched).await?;
    let dialect = Dialect { delimiter, quotes };

    let mut sample = sample(text, dialect);
    if sample.is_empty() {
        return Err(Error::new(Code::InputEmpty, "The file is empty.").at(collector.file(), 0, 0));
    }
    let first = sample.remove(0);
    let (has_header, guess) = columns::header(&first, &sample, role, options);
    let header_line = Records::new(text, delimiter, quotes)
        .next()
        .map_or(1, |record| record.line);
    if let Some(why) = guess {
        let shown = excerpt(&first.join(", "));
        collector.note(format!(
            "Line {header_line} ({shown}) was taken as a header, not as data: {why}."
        ));
    }
    if has_header && sample.is_empty() {
        let message = "The file has a header but no rows.";
        return Err(Error::new(Code::InputEmpty, message).at(collector.file(), header_line, 0));
    }
    let width = if has_header {
        first.len()
    } else {
        sample.insert(0, first.clone());
        let widths: Vec<usize> = sample.iter().map(Vec::len).collect();
        sniff::commonest(&widths).map_or(1, |(width, _)| width)
    };
    let table = Table {
        header: has_header.then_some(&first),
        width,
        rows: &sample,
    };
    let columns = Columns::choose(&table, role, options, &mut collector.reading)
        .map_err(|error| error.at(collector.file(), header_line, 0))?;
    read_rows(text, dialect, has_header, width, &columns, collector, watched).await
}

async fn read_rows(
    text: &str,
    dialect: Dialect,
    has_header: bool,
    width: usize,
    columns: &Columns,
    collector: &mut Collector,
    watched: &mut Watched<'_>,
) -> Result<()> {
    let mut counts = Counts::default();
    let mut rows = Rows::new(text, dialect);
    if has_header {
        rows.next_row();
    }
    while let Some((line, cells)) = rows.next_row() {
        let expected = if has_header { "the header has" } else { "most rows have" };
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            collector.skip(line, "the row is empty");
        } else if cells.len() <= columns.last() {
            collector.skip(line, format!("{} where {expected} {width}", fields(cells.len())));
        } else if cells.iter().skip(width).any(|cell| !cell.trim().is_empty()) {
            let delimiter = char::from(dialect.delimiter);
            let advice = format!("a text with {delimiter:?} in it has to be in quotes");
            collector.skip(
                line,
                format!("{} where {expected} {width}; {advice}", fields(cells.len())),
            );
        } else {
            let row = Row {
                id: columns.id.map(|column| &cells[column]),
                title: columns.title.map(|column| &cells[column]),
                text: &cells[columns.text],
                count: counts.read(columns.count.map(|column| &cells[column]), line),
            };
            collector.add(line, row);
        }
        watched.reach(rows.position()).await?;
    }
    counts.note(&mut collector.reading);
    Ok(())
}

/// "1 field", "2 fields" …
pub(super) fn fields(number: usize) -> String {
    if number == 1 {
        "1 field".to_owned()
    } else {
        format!("{number} fields")
    }
}

/// The rows with the physical lines on which they begin.
pub(super) struct Rows<'t> {
    length: usize,
    records: Records<'t>,
    reader: csv::Reader<&'t [u8]>,
    cells: StringRecord,
}

impl<'t> Rows<'t> {
    pub fn new(text: &'t str, dialect: Dialect) -> Self {
        let mut builder = ReaderBuilder::new();
        builder
            .has_headers(false)
            .flexible(true)
            .delimiter(dialect.delimiter)
            .quoting(dialect.quotes);
        Self {
            length: text.len(),
            records: Records::new(text, dialect.delimiter, dialect.quotes),
            reader: builder.buffer_capacity(1 << 16).from_reader(text.as_bytes()),
            cells: StringRecord::new(),
        }
    }

    /// The next row that is not blank.
    pub fn next_row(&mut self) -> Option<(u64, &StringRecord)> {
        let record = self.records.next()?;
        // The source is text in memory, of rows of any length: reading it cannot fail.
        let read = self.reader.read_record(&mut self.cells).unwrap_or(false);
        debug_assert!(read && record.fields == self.cells.len(), "{record:?} {:?}", self.cells);
        read.then_some((record.line, &self.cells))
    }

    /// How many bytes the rows so far are, with all between them.
    pub fn position(&self) -> usize {
        self.length - self.records.left()
    }
}

impl Dialect {
    /// How a table of ids and numbers is written: tab, semicolon, comma or pipe, whichever the first line holds; `None` if
    /// spaces stand between its fields. Quotes count only if all of them enclose fields within a line, as no id has a
    /// line's end in it.
    ///
    /// # Errors
    /// [`Code::Option`] if the delimiter asked for cannot be one.
    pub fn of_ids(text: &str, first_line: &str, options: &QrelsOptions, hint: Option<u8>) -> Result<Option<Self>> {
        let found = match options.delimiter.as_deref() {
            Some("space" | " ") => None,
            Some(name) => Some(delimiter_named(name)?),
            None => hint.or_else(|| {
                let mut usual = [b'\t', b';', b',', b'|'].into_iter();
                usual.find(|delimiter| first_line.as_bytes().contains(delimiter))
            }),
        };
        let sound =
            |record: Record<'_>| record.stray.is_none() && record.unclosed.is_none() && record.line == record.last_line;
        Ok(found.map(|delimiter| Self {
            delimiter,
            quotes: options
                .quotes
                .unwrap_or_else(|| Records::new(text, delimiter, true).all(sound)),
        }))
    }

    /// The character between two fields.
    pub fn delimiter(self) -> char {
        char::from(self.delimiter)
    }
}

/// The first rows, their cells trimmed.
fn sample(text: &str, dialect: Dialect) -> Vec<Vec<String>> {
    let mut rows = Rows::new(text, dialect);
    let mut sample = Vec::new();
    let mut bytes = 0;
    while sample.len() <= columns::SAMPLE_ROWS && bytes <= columns::SAMPLE_BYTES {
        let Some((_, cells)) = rows.next_row() else { break };
        bytes += cells.as_slice().len() + cells.len();
        sample.push(cells.iter().map(|cell| cell.trim().to_owned()).collect());
    }
    sample
}

/// Spreadsheets write and read a first line `sep=;` that is no data.
pub(super) fn spreadsheet_hint(text: &str) -> (&str, Option<u8>) {
    let end = text.find(['\r', '\n']).unwrap_or(text.len());
    if let [b's', b'e', b'p', b'=', delimiter] = text.as_bytes()[..end]
        && usable(delimiter)
    {
        // The end of this line stays, as a blank line of its own, and keeps the line numbers right.
        return (&text[end..], Some(delimiter));
    }
    (text, None)
}

fn usable(delimiter: u8) -> bool {
    delimiter.is_ascii() && !matches!(delimiter, b'"' | b'\r' | b'\n' | 0)
}

fn delimiter_named(name: &str) -> Result<u8> {
    Ok(match (name, name.as_bytes()) {
        ("tab" | "\\t", _) => b'\t',
        ("comma", _) => b',',
        ("semicolon", _) => b';',
        ("pipe", _) => b'|',
        (_, [delimiter]) if usable(*delimiter) => *delimiter,
        _ => {
            let message = format!("{name:?} cannot be a delimiter. It has to be one ASCII character, such as \";\".");
            return Err(Error::new(Code::Option, message));
        }
    })
}

/// Whether quotes enclose fields in this text; an error if they do and one of them swallows what follows.
///
/// Programs that write tabs often know no quotes at all: if quotes make no sense in such a file, they are text.
async fn check_quotes(
    text: &str,
    delimiter: u8,
    asked: Option<bool>,
    collector: &mut Collector,
    watched: &mut Watched<'_>,
) -> Result<bool> {
    if asked == Some(false) {
        return Ok(false);
    }
    let mut strays = 0;
    let mut first_stray: Option<u64> = None;
    let mut longest: Option<(u64, u64)> = None;
    for record in Records::new(text, delimiter, true) {
        watched.look().await?;
        if record.stray.is_some() || record.unclosed.is_some() {
            if delimiter == b'\t' && asked.is_none() {
                let line = record.line;
                collector.note(format!(
                    "Quotes were taken as ordinary characters: on line {line} they enclose no field."
                ));
                return Ok(false);
            }
            refuse_swallowed_lines(&record, collector.file())?;
            strays += 1;
            first_stray.get_or_insert(record.line);
        }
        let lines = record.last_line - record.line + 1;
        if lines > MANY_LINES && longest.is_none_or(|(_, most)| lines > most) {
            longest = Some((record.line, lines));
        }
    }
    if let Some(line) = first_stray {
        collector.note(format!(
            "{strays} rows have a quote in the middle of a quoted field (the first on line {line}); it should be doubled."
        ));
    }
    if let Some((line, lines)) = longest {
        collector.note(format!(
            "The quoted row on line {line} is {lines} lines long. Check that its quote is closed."
        ));
    }
    Ok(true)
}

fn refuse_swallowed_lines(record: &Record<'_>, file: &str) -> Result<()> {
    let advice = "Write a quote inside a field twice (\"\"), or read the file without quotes (option quotes: false).";
    let (Quoted { opened, field, .. }, what) = match (record.unclosed, record.stray) {
        (Some(quoted), _) => (
            quoted,
            "is never closed, so the rest of the file is one field".to_owned(),
        ),
        (None, Some(quoted)) if quoted.closed > quoted.opened => {
            let what = format!(
                "is closed only on line {}, in the middle of a field, and swallows rows",
                quoted.closed
            );
            (quoted, what)
        }
        _ => return Ok(()),
    };
    let message = format!("The quote that opens here {what}. {advice}");
    Err(Error::new(Code::InputSyntax, message).at(file, opened, field as u64))
}
