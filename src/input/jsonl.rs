//! JSON lines: one object, or one string, a line.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::columns::{self, Columns, Counts, Table};
use super::lines;
use super::options::{ReadOptions, Role};
use super::reading::excerpt;
use super::texts::{Collector, Row};
use super::watched::Watched;
use crate::error::{Code, Error, Result};

/// More keys than any table has columns: beyond them, keys are data and none of them a column.
const MOST_COLUMNS: usize = 1000;

/// Reads JSON lines. The first line that is an object or a string decides which of the two the others have to be.
pub(super) async fn read(
    text: &str,
    role: Role,
    options: &ReadOptions,
    collector: &mut Collector,
    watched: &mut Watched<'_>,
) -> Result<()> {
    let sample = Sample::take(text, collector.file())?;
    let Sample::Objects { names, rows } = sample else {
        return read_strings(text, options, collector, watched).await;
    };
    let table = Table {
        header: Some(&names),
        width: names.len(),
        rows: &rows,
    };
    let columns = Columns::choose(&table, role, options, &mut collector.reading)
        .map_err(|error| error.at(collector.file(), 0, 0))?;
    // The keys are names, but no row of the file is a header.
    collector.reading.has_header = false;

    let mut counts = Counts::default();
    for (line, json) in lines::filled(text) {
        watched.reach(lines::end(text, json)).await?;
        let object = match parse(json) {
            Ok(Value::Object(object)) => object,
            Ok(_) => {
                collector.skip(line, "not an object, as the other lines are");
                continue;
            }
            Err(broken) => {
                collector.skip(line, broken.reason);
                continue;
            }
        };
        let get = |column: usize| cell(&object, &names[column]);
        let cells = (
            columns.id.map(get).transpose(),
            columns.title.map(get).transpose(),
            get(columns.text),
        );
        match cells {
            (Ok(id), Ok(title), Ok(text)) => {
                let count = columns.count.and_then(|column| get(column).ok());
                let count = counts.read(count.as_deref(), line);
                collector.add(
                    line,
                    Row {
                        id: id.as_deref(),
                        title: title.as_deref(),
                        text: &text,
                        count,
                    },
                );
            }
            (Err(reason), ..) | (_, Err(reason), _) | (.., Err(reason)) => collector.skip(line, reason),
        }
    }
    counts.note(&mut collector.reading);
    Ok(())
}

async fn read_strings(
    text: &str,
    options: &ReadOptions,
    collector: &mut Collector,
    watched: &mut Watched<'_>,
) -> Result<()> {
    let asked = [
        &options.id_column,
        &options.title_column,
        &options.text_column,
        &options.count_column,
    ];
    if let Some(name) = asked.into_iter().flatten().find(|name| !name.is_empty()) {
        let message = format!("There is no column {name:?}: the lines are JSON strings, not objects.");
        return Err(Error::new(Code::InputColumn, message).at(collector.file(), 0, 0));
    }
    for (line, json) in lines::filled(text) {
        watched.reach(lines::end(text, json)).await?;
        match parse(json) {
            Ok(Value::String(text)) => collector.add(
                line,
                Row {
                    id: None,
                    title: None,
                    text: &text,
                    count: 1,
                },
            ),
            Ok(_) => collector.skip(line, "not a string, as the other lines are"),
            Err(broken) => collector.skip(line, broken.reason),
        }
    }
    Ok(())
}

/// What the first lines hold.
enum Sample {
    /// Objects: their keys in the order of first appearance, and the cells below them.
    Objects {
        names: Vec<String>,
        rows: Vec<Vec<String>>,
    },
    Strings,
}

impl Sample {
    fn take(text: &str, file: &str) -> Result<Self> {
        let mut names: Vec<String> = Vec::new();
        let mut rows = Vec::new();
        let mut first_broken: Option<(u64, Broken)> = None;
        let mut bytes = 0;
        for (line, json) in lines::filled(text) {
            match parse(json) {
                Ok(Value::Object(object)) => {
                    for name in object.keys() {
                        if names.len() < MOST_COLUMNS && !names.contains(name) {
                            names.push(name.clone());
                        }
                    }
                    let cells = names
                        .iter()
                        .map(|name| cell(&object, name).unwrap_or_default().into_owned());
                    rows.push(cells.collect());
                }
                Ok(Value::String(_)) if rows.is_empty() => return Ok(Self::Strings),
                Ok(_) => {
                    let reason = "neither an object nor a string".to_owned();
                    first_broken.get_or_insert((line, Broken { reason, column: 0 }));
                }
                Err(broken) => {
                    first_broken.get_or_insert((line, broken));
                }
            }
            bytes += json.len();
            if !rows.is_empty() && (rows.len() >= columns::SAMPLE_ROWS || bytes > columns::SAMPLE_BYTES) {
                break;
            }
        }
        match first_broken {
            Some((line, Broken { reason, column })) if rows.is_empty() => {
                let message = format!("No line is a JSON object or string. The first: {reason}.");
                Err(Error::new(Code::InputSyntax, message).at(file, line, column))
            }
            _ => Ok(Self::Objects { names, rows }),
        }
    }
}

/// Why a line is not JSON.
struct Broken {
    reason: String,
    column: u64,
}

fn parse(json: &str) -> std::result::Result<Value, Broken> {
    serde_json::from_str(json).map_err(|error| {
        let column = error.column();
        let whole = error.to_string();
        // Each line is a text of its own to the parser; its line number would mislead.
        let what = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(what, _)| what);
        Broken {
            reason: format!("broken JSON: {what} at column {column}"),
            column: column as u64,
        }
    })
}

/// The value as text: a missing one is empty, a list of texts is joined by spaces.
fn cell<'a>(object: &'a Map<String, Value>, name: &str) -> std::result::Result<Cow<'a, str>, String> {
    let text = |value: &'a Value| match value {
        Value::Null => Some(Cow::Borrowed("")),
        Value::String(text) => Some(Cow::Borrowed(text.as_str())),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let value = object.get(name).unwrap_or(&Value::Null);
    let found = match value {
        Value::Array(list) => list
            .iter()
            .map(text)
            .collect::<Option<Vec<_>>>()
            .map(|parts| Cow::Owned(parts.join(" "))),
        value => text(value),
    };
    found.ok_or_else(|| format!("{:?} is not a text", excerpt(name)))
}
