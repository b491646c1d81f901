//! Physical lines, and files with one text a line.

use super::names;
use super::options::{ReadOptions, Role};
use super::reading::excerpt;
use super::texts::{Collector, Row};
use super::watched::Watched;
use crate::error::{Code, Error, Result};

/// The lines of a text with their numbers, counted from 1. CR, LF and CRLF end a line.
pub(super) fn numbered(text: &str) -> impl Iterator<Item = (u64, &str)> {
    let mut rest = text;
    let mut number = 0;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        number += 1;
        let bytes = rest.as_bytes();
        let end = bytes
            .iter()
            .position(|&byte| byte == b'\n' || byte == b'\r')
            .unwrap_or(bytes.len());
        let line = &rest[..end];
        let next = end + if bytes[end..].starts_with(b"\r\n") { 2 } else { 1 };
        rest = rest.get(next..).unwrap_or("");
        Some((number, line))
    })
}

/// The lines that hold something.
pub(super) fn filled(text: &str) -> impl Iterator<Item = (u64, &str)> {
    numbered(text).filter(|(_, line)| !line.trim().is_empty())
}

/// How many bytes of `text` there are up to the end of `line`, which is a part of it.
pub(super) fn end(text: &str, line: &str) -> usize {
    line.as_ptr() as usize + line.len() - text.as_ptr() as usize
}

/// How many lines end in these bytes.
pub(super) fn ends(bytes: &[u8]) -> u64 {
    let mut count = 0;
    let mut previous = 0;
    for &byte in bytes {
        if byte == b'\r' || (byte == b'\n' && previous != b'\r') {
            count += 1;
        }
        previous = byte;
    }
    count
}

/// Reads one text a line.
pub(super) async fn read(
    text: &str,
    role: Role,
    options: &ReadOptions,
    collector: &mut Collector,
    watched: &mut Watched<'_>,
) -> Result<()> {
    let columns = [
        &options.id_column,
        &options.title_column,
        &options.text_column,
        &options.count_column,
    ];
    if let Some(name) = columns
        .into_iter()
        .flatten()
        .find(|name| !name.is_empty() && *name != "1")
    {
        let message = format!("There is no column {name:?}: the file was read as one text a line.");
        return Err(Error::new(Code::InputColumn, message).at(collector.file(), 0, 0));
    }
    let mut rows = filled(text).peekable();
    if let Some(&(line, first)) = rows.peek() {
        let detected = options.has_header.is_none() && names::is_text_name(first, role);
        if detected {
            collector.note(format!(
                "Line {line} ({:?}) was taken as a header, not as a text.",
                excerpt(first.trim())
            ));
        }
        if detected || options.has_header == Some(true) {
            collector.reading.has_header = true;
            rows.next();
        }
    }
    for (line, row) in rows {
        collector.add(
            line,
            Row {
                id: None,
                title: None,
                text: row,
                count: 1,
            },
        );
        watched.reach(end(text, row)).await?;
    }
    Ok(())
}
