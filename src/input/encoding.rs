//! Bytes become text: which encoding a file is in, and whether it is text at all.

use std::borrow::Cow;

use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::lines;
use crate::error::{Code, Error, Result};

/// A file's text without its byte order mark.
pub(super) struct Decoded<'a> {
    /// Borrowed from the bytes if they are UTF-8. Holds no NUL.
    text: Cow<'a, str>,
    /// The encoding's name in lower case.
    pub encoding: &'static str,
    /// What a person may want to check.
    pub note: Option<String>,
}

impl Decoded<'_> {
    /// The text, without the further marks that files glued together have at their beginning.
    pub fn text(&self) -> &str {
        self.text.trim_start_matches('\u{feff}')
    }
}

/// Decodes by the label, or else by the byte order mark, or else as UTF-8 if it is, or else as windows-1252.
pub(super) fn decode<'a>(bytes: &'a [u8], file: &str, label: Option<&str>) -> Result<Decoded<'a>> {
    refuse_binary(bytes, file)?;
    let decoded = match label.map(str::trim).filter(|label| !label.is_empty()) {
        Some(label) => decode_as(bytes, file, label)?,
        None => decode_detected(bytes, file)?,
    };
    if let Some(at) = decoded.text.bytes().position(|byte| byte == 0) {
        let hint = match utf_16_without_mark(bytes) {
            Some(name) => format!("It looks like UTF-16 without a byte order mark: give the encoding {name:?}."),
            None => "It is not text. Save it as CSV in UTF-8.".to_owned(),
        };
        let line = lines::ends(&decoded.text.as_bytes()[..at]) + 1;
        return Err(Error::new(Code::InputBinary, format!("The file holds NUL bytes. {hint}")).at(file, line, 0));
    }
    Ok(decoded)
}

/// First bytes of files that people take for text files, what they are, and whether a table is inside.
const SIGNATURES: [(&[u8], &str, bool); 15] = [
    (
        b"PK\x03\x04",
        "an Excel or OpenDocument file (or another zip archive)",
        true,
    ),
    (b"PK\x05\x06", "an empty zip archive", false),
    (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "an old Excel or Word file", true),
    (b"%PDF-", "a PDF", false),
    (b"{\\rtf", "an RTF document", false),
    (b"\x89PNG\r\n\x1A\n", "a PNG image", false),
    (b"\xFF\xD8\xFF", "a JPEG image", false),
    (b"GIF87a", "a GIF image", false),
    (b"GIF89a", "a GIF image", false),
    (b"\x1F\x8B", "compressed (gzip)", false),
    (b"\x28\xB5\x2F\xFD", "compressed (zstd)", false),
    (b"\xFD7zXZ\x00", "compressed (xz)", false),
    (b"7z\xBC\xAF\x27\x1C", "a 7-Zip archive", false),
    (b"PAR1\x15", "a Parquet file", true),
    (b"SQLite format 3\x00", "an SQLite database", true),
];

fn refuse_binary(bytes: &[u8], file: &str) -> Result<()> {
    let Some((_, what, table)) = SIGNATURES.iter().find(|(signature, ..)| bytes.starts_with(signature)) else {
        return Ok(());
    };
    let advice = if *table {
        "Open it in its program, save it as CSV (UTF-8) and choose that file."
    } else {
        "Choose a text file: CSV, TSV, JSONL or one text a line."
    };
    Err(Error::new(
        Code::InputBinary,
        format!("This is not a text file but {what}. {advice}"),
    )
    .at(file, 0, 0))
}

fn decode_detected<'a>(bytes: &'a [u8], file: &str) -> Result<Decoded<'a>> {
    if bytes.starts_with(b"\xFF\xFE\x00\x00") || bytes.starts_with(b"\x00\x00\xFE\xFF") {
        return Err(Error::new(Code::InputEncoding, "The file is in UTF-32. Save it as UTF-8.").at(file, 0, 0));
    }
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return decode_strictly(&bytes[mark..], file, encoding, "as its byte order mark says");
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Decoded {
            text: Cow::Borrowed(text),
            encoding: "utf-8",
            note: None,
        }),
        Err(error) => decode_undeclared(bytes, file, lines::ends(&bytes[..error.valid_up_to()]) + 1),
    }
}

/// Bytes that are not UTF-8 (first on `line`) and say nothing about themselves.
fn decode_undeclared<'a>(bytes: &'a [u8], file: &str, line: u64) -> Result<Decoded<'a>> {
    // Text in windows-1252 hardly ever holds valid multi-byte sequences of UTF-8. If the file has more of those than
    // of broken ones, it is UTF-8 with damage, and reading it as anything else would spoil all its letters.
    let (mut valid, mut broken) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        valid += chunk.valid().chars().filter(|letter| !letter.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    let problem = if valid > broken {
        "The file is UTF-8, but this line is damaged. Repair it, or give the encoding the file is in."
    } else if bytes
        .iter()
        .any(|byte| matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D))
    {
        "The file is neither UTF-8 nor windows-1252. Save it as UTF-8, or give the encoding it is in."
    } else {
        let note = format!(
            "The file is not UTF-8 (line {line}), so it was read as windows-1252. If letters look wrong, give its encoding."
        );
        let decoded = decode_strictly(bytes, file, WINDOWS_1252, "")?;
        return Ok(Decoded {
            note: Some(note),
            ..decoded
        });
    };
    Err(Error::new(Code::InputEncoding, problem).at(file, line, 0))
}

fn decode_as<'a>(bytes: &'a [u8], file: &str, label: &str) -> Result<Decoded<'a>> {
    let Some(mut encoding) = Encoding::for_label(label.as_bytes()) else {
        let message = format!("There is no encoding {label:?}. Names are those of the web: utf-8, windows-1252, …");
        return Err(Error::new(Code::Option, message));
    };
    let mark = Encoding::for_bom(bytes);
    // The label without a byte order leaves the order to the mark.
    if label.eq_ignore_ascii_case("utf-16")
        && let Some((marked, _)) = mark
        && marked == UTF_16BE
    {
        encoding = UTF_16BE;
    }
    let start = match mark {
        Some((marked, length)) if marked == encoding => length,
        Some((marked, _)) => {
            let message = format!(
                "The file is not in {label}: its byte order mark says {}.",
                marked.name()
            );
            return Err(Error::new(Code::InputEncoding, message).at(file, 1, 0));
        }
        None => 0,
    };
    let mut decoded = decode_strictly(&bytes[start..], file, encoding, "as asked for")?;
    if encoding.is_single_byte() && !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok() {
        decoded.note = Some(format!(
            "The file was read as {label} as asked for, but it is valid UTF-8."
        ));
    }
    Ok(decoded)
}

/// Decodes the whole of `bytes`, which have no byte order mark; `why` ends the sentence of the error.
fn decode_strictly<'a>(bytes: &'a [u8], file: &str, encoding: &'static Encoding, why: &str) -> Result<Decoded<'a>> {
    let wrong = |before: &[u8]| {
        let message = format!(
            "The file cannot be read as {} {why}. Save it as UTF-8, or give its encoding.",
            encoding.name()
        );
        Error::new(Code::InputEncoding, message).at(file, lines::ends(before) + 1, 0)
    };
    let text = if encoding == UTF_8 {
        match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(error) => return Err(wrong(&bytes[..error.valid_up_to()])),
        }
    } else {
        let mut decoder = encoding.new_decoder_without_bom_handling();
        let mut text = String::with_capacity(bytes.len());
        // Piece by piece, since the room the decoder wants for the worst case is three times the file.
        let mut pieces = bytes.chunks(1 << 16).peekable();
        while let Some(piece) = pieces.next() {
            let room = decoder
                .max_utf8_buffer_length_without_replacement(piece.len())
                .unwrap_or(0);
            text.reserve(room);
            let last = pieces.peek().is_none();
            let (outcome, _) = decoder.decode_to_string_without_replacement(piece, &mut text, last);
            if outcome != DecoderResult::InputEmpty {
                return Err(wrong(text.as_bytes()));
            }
        }
        Cow::Owned(text)
    };
    let name = match encoding {
        encoding if encoding == UTF_8 => "utf-8",
        encoding if encoding == UTF_16LE => "utf-16le",
        encoding if encoding == UTF_16BE => "utf-16be",
        encoding if encoding == WINDOWS_1252 => "windows-1252",
        other => other.name(),
    };
    Ok(Decoded {
        text,
        encoding: name,
        note: None,
    })
}

/// Text in UTF-16 has a NUL in every second byte as long as its letters are Latin.
fn utf_16_without_mark(bytes: &[u8]) -> Option<&'static str> {
    let head = &bytes[..bytes.len().min(1000)];
    let zeros = |offset: usize| head.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let many = head.len() / 4;
    match (even, odd) {
        (0, odd) if odd > many => Some("utf-16le"),
        (even, 0) if even > many => Some("utf-16be"),
        _ => None,
    }
}
