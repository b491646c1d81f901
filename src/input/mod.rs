//! Files of queries, documents and judgements become [`Texts`] and [`Qrels`].
//!
//! CSV and its relatives, JSONL and plain lines are read. Encoding, format, delimiter, header and columns are
//! detected; [`ReadOptions`] overrides each of them and [`Reading`] says what was found. Equal texts are merged and
//! counted. A row that cannot be used is listed with its line and the reason, so that nothing is dropped silently:
//! `rows = texts + duplicates + skipped_total` holds for every file.
//!
//! ```
//! use querytune::input::{ReadOptions, Role, read};
//!
//! let log = "Suchbegriff;Anzahl\nlaufschuhe;12\nzelt;3\nlaufschuhe;5\n";
//! let queries = read(log.as_bytes(), "log.csv", Role::Queries, &ReadOptions::default())?;
//! assert_eq!(queries.items[0].text, "laufschuhe");
//! assert_eq!(queries.items[0].count, 17);
//! assert_eq!(queries.reading.duplicates, 1);
//! # Ok::<(), querytune::error::Error>(())
//! ```

mod columns;
mod coverage;
mod delimited;
mod encoding;
mod format;
mod joined;
mod jsonl;
mod lines;
mod names;
mod options;
mod qrels;
mod reading;
mod records;
mod sniff;
mod texts;
mod watched;

pub use coverage::{Coverage, Named};
pub use options::{Format, QrelsOptions, ReadOptions, Role};
pub use qrels::Qrels;
pub use reading::{
    JudgementRow, LISTED_REMARKS, LISTED_SKIPS, LONG_TEXT, QrelsReading, Reading, SHOWN_JUDGEMENTS, Skipped,
    UsedColumns, UsedQrelsColumns,
};
pub(crate) use texts::plain_id;
pub use texts::{InputItem, Text, Texts};

use crate::error::{Code, Error, Result};
use crate::job::{Job, unwatched};
use texts::Collector;
use watched::Watched;

/// Reads a file of queries or documents.
///
/// `file` is the file's name: its extension helps to tell the format, and errors and skipped rows carry it. The
/// rows are taken one by one; beside `bytes` only the texts that are kept and the ids of all rows are held, and a
/// decoded copy if the file is not UTF-8.
///
/// # Errors
/// - [`Code::InputEmpty`]: no content, only a header, or no row that can be used;
/// - [`Code::InputBinary`]: a spreadsheet, archive, image or other file that is not text;
/// - [`Code::InputEncoding`]: not in the encoding asked for, or in none that can be told by itself;
/// - [`Code::InputSyntax`]: a quote that is never closed, no line that is JSON;
/// - [`Code::InputColumn`]: a column asked for is not there, or no column holds text;
/// - [`Code::Option`]: an unknown encoding label or a delimiter that is not one ASCII character.
pub fn read(bytes: &[u8], file: &str, role: Role, options: &ReadOptions) -> Result<Texts> {
    unwatched(async |job| read_watched(bytes, file, role, options, job).await)
}

/// [`read`] for whoever watches: reports how far it is, and lets the thread's other work run.
///
/// # Errors
/// As [`read`], and [`Code::Cancelled`].
pub async fn read_watched(bytes: &[u8], file: &str, role: Role, options: &ReadOptions, job: &Job<'_>) -> Result<Texts> {
    let decoded = encoding::decode(bytes, file, options.encoding.as_deref())?;
    let text = decoded.text();
    if text.trim().is_empty() {
        return Err(Error::new(Code::InputEmpty, "The file is empty.").at(file, 0, 0));
    }
    let format = format::detect(text, file, options)?;
    let mut collector = Collector::new(file, format, decoded.encoding);
    collector.reading.notes.extend(decoded.note.clone());
    let mut watched = Watched::begin(job, text.len()).await?;
    match format {
        Format::Csv => delimited::read(text, role, options, &mut collector, &mut watched).await?,
        Format::Jsonl => jsonl::read(text, role, options, &mut collector, &mut watched).await?,
        Format::Lines | Format::Array => lines::read(text, role, options, &mut collector, &mut watched).await?,
    }
    watched.finish();
    collector.finish()
}
