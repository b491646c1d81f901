//! Which of the formats a file is in.

use serde_json::Value;

use super::options::{Format, ReadOptions};
use super::{lines, sniff};
use crate::error::{Code, Error, Result};

/// The format asked for, or the one that fits.
///
/// JSON is told by its content, CSV by the file's extension; any other file is CSV only if the delimiter leaves
/// little doubt, since a comma in a line of text means nothing.
pub(super) fn detect(text: &str, file: &str, options: &ReadOptions) -> Result<Format> {
    if let Some(format) = options.format {
        return Ok(format);
    }
    let extension = file
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase())
        .unwrap_or_default();
    let start = text.trim_start();
    let array_of_objects = start
        .strip_prefix('[')
        .is_some_and(|rest| rest.trim_start().starts_with('{'));
    if array_of_objects || (extension == "json" && start.starts_with('[')) {
        let line = lines::ends(&text.as_bytes()[..text.len() - start.len()]) + 1;
        let message = "The file is one JSON array. Write one object a line instead (JSONL): jq -c '.[]' turns one into \
                       the other.";
        return Err(Error::new(Code::InputSyntax, message).at(file, line, 0));
    }
    let object = |line: &str| matches!(serde_json::from_str(line), Ok(Value::Object(_)));
    if start.starts_with('{') && lines::filled(text).take(10).any(|(_, line)| object(line)) {
        return Ok(Format::Jsonl);
    }
    Ok(match extension.as_str() {
        "jsonl" | "ndjson" | "json" | "jl" => Format::Jsonl,
        "csv" | "tsv" | "tab" => Format::Csv,
        _ if options.delimiter.is_some() => Format::Csv,
        _ => match sniff::delimiter(text, options.quotes.unwrap_or(true)) {
            Some(found) if found.delimiter == b'\t' || found.names > 0 || found.ids_first => Format::Csv,
            _ => Format::Lines,
        },
    })
}
