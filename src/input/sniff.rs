//! Which character separates the fields of delimited text.

use super::names;
use super::records::Records;

/// The delimiters that are looked for.
const CANDIDATES: [u8; 4] = [b'\t', b';', b'|', b','];
/// How many records are looked at, and about how many bytes.
const RECORDS: usize = 200;
const BYTES: usize = 1 << 18;
/// The share of records that must have the same number of fields where no header helps.
const AGREEMENT: f64 = 0.8;

/// A delimiter that explains the beginning of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sniffed {
    pub delimiter: u8,
    /// How many fields of the first record are names that columns have.
    pub names: usize,
    /// Whether each first field holds a digit and no space, as ids do.
    pub ids_first: bool,
    /// The share of records with the commonest number of fields.
    agreement: f64,
    /// The commonest number of fields.
    fields: usize,
}

/// The delimiter that gives the most known names in the first record, and then the most regular table; `None` if
/// the text has but one column.
pub(super) fn delimiter(text: &str, quotes: bool) -> Option<Sniffed> {
    let mut best: Option<Sniffed> = None;
    for candidate in CANDIDATES {
        let Some(found) = try_delimiter(text, candidate, quotes) else {
            continue;
        };
        let better = best.is_none_or(|best| {
            (found.names, found.agreement, found.fields) > (best.names, best.agreement, best.fields)
        });
        if better {
            best = Some(found);
        }
    }
    best
}

fn try_delimiter(text: &str, delimiter: u8, quotes: bool) -> Option<Sniffed> {
    let mut widths = Vec::new();
    let mut names = 0;
    let mut ids_first = true;
    let mut seen = 0;
    for record in Records::new(text, delimiter, quotes).take(RECORDS) {
        let mut cells = record
            .bytes
            .split(|&byte| byte == delimiter)
            .map(String::from_utf8_lossy);
        if widths.is_empty() {
            names = cells.clone().filter(|cell| names::is_known(cell)).count();
            if record.fields == 1 && names == 1 {
                return None;
            }
        }
        ids_first &= cells.next().is_some_and(|cell| {
            cell.contains(|letter: char| letter.is_ascii_digit()) && !cell.contains(char::is_whitespace)
        });
        widths.push(record.fields);
        seen += record.bytes.len();
        if seen > BYTES {
            break;
        }
    }
    let (fields, agreement) = commonest(&widths)?;
    let first = *widths.first()?;
    let like_first = widths.iter().filter(|&&width| width == first).count() as f64 / widths.len() as f64;
    let by_name = names > 0 && first > 1 && (names == first || like_first >= 0.5);
    let by_shape = fields > 1 && agreement >= AGREEMENT;
    (by_name || by_shape).then_some(Sniffed {
        delimiter,
        names,
        ids_first,
        agreement,
        fields,
    })
}

/// The commonest of these numbers and its share; the greater of two that are equally common.
pub(super) fn commonest(numbers: &[usize]) -> Option<(usize, f64)> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    let runs = sorted.chunk_by(|a, b| a == b).max_by_key(|run| run.len())?;
    Some((*runs.first()?, runs.len() as f64 / numbers.len() as f64))
}
