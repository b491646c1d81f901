//! Encodings: found by the byte order mark, by being UTF-8, or taken as windows-1252; or given.

use querytune::error::Code;
use querytune::input::{ReadOptions, Role, Texts, read};

const GERMAN: &str = "Suchbegriff;Anzahl\r\nfußball für mädchen;3\r\n„zelt“ größe – 20 €;1\r\n";

fn utf_16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

fn windows_1252(text: &str) -> Vec<u8> {
    encoding_rs::WINDOWS_1252.encode(text).0.into_owned()
}

fn with_mark(mark: &[u8], bytes: &[u8]) -> Vec<u8> {
    [mark, bytes].concat()
}

fn read_as(bytes: &[u8], encoding: Option<&str>) -> querytune::error::Result<Texts> {
    let options = ReadOptions {
        encoding: encoding.map(str::to_owned),
        ..Default::default()
    };
    read(bytes, "log.csv", Role::Queries, &options)
}

#[test]
fn every_encoding_gives_the_same_texts() {
    let utf_16le = utf_16(GERMAN, u16::to_le_bytes);
    let utf_16be = utf_16(GERMAN, u16::to_be_bytes);
    let table = [
        (GERMAN.as_bytes().to_vec(), None, "utf-8"),
        (with_mark(b"\xEF\xBB\xBF", GERMAN.as_bytes()), None, "utf-8"),
        (with_mark(b"\xEF\xBB\xBF\xEF\xBB\xBF", GERMAN.as_bytes()), None, "utf-8"),
        (with_mark(b"\xFF\xFE", &utf_16le), None, "utf-16le"),
        (with_mark(b"\xFE\xFF", &utf_16be), None, "utf-16be"),
        (with_mark(b"\xFE\xFF", &utf_16be), Some("utf-16"), "utf-16be"),
        (with_mark(b"\xFF\xFE", &utf_16le), Some("UTF-16"), "utf-16le"),
        (utf_16le, Some("utf-16le"), "utf-16le"),
        (utf_16be, Some("utf-16be"), "utf-16be"),
        (windows_1252(GERMAN), None, "windows-1252"),
        (windows_1252(GERMAN), Some("latin1"), "windows-1252"),
        (GERMAN.as_bytes().to_vec(), Some("UTF-8"), "utf-8"),
    ];
    for (bytes, label, encoding) in table {
        let queries = read_as(&bytes, label).unwrap();
        assert_eq!(queries.reading.encoding.as_deref(), Some(encoding));
        assert_eq!(queries.reading.columns, ["Suchbegriff", "Anzahl"]);
        let texts: Vec<_> = queries
            .items
            .iter()
            .map(|item| (item.text.as_str(), item.count))
            .collect();
        assert_eq!(
            texts,
            [("fußball für mädchen", 3), ("„zelt“ größe – 20 €", 1)],
            "{encoding} {label:?}"
        );
    }
}

#[test]
fn a_guessed_encoding_is_noted_with_the_line_that_ruled_out_utf_8() {
    let queries = read_as(&windows_1252(GERMAN), None).unwrap();
    assert!(
        queries.reading.notes[0].contains("line 2"),
        "{:?}",
        queries.reading.notes
    );
    assert!(queries.reading.notes[0].contains("windows-1252"));
    assert!(read_as(GERMAN.as_bytes(), None).unwrap().reading.notes.is_empty());
}

#[test]
fn text_longer_than_one_piece_is_decoded_without_a_seam() {
    let long: String = (0..40_000).map(|row| format!("{row};größe {row}\n")).collect();
    let text = format!("id;query\n{long}");
    for bytes in [
        windows_1252(&text),
        with_mark(b"\xFF\xFE", &utf_16(&text, u16::to_le_bytes)),
    ] {
        let queries = read_as(&bytes, None).unwrap();
        assert_eq!(queries.items.len(), 40_000);
        assert!(
            queries
                .items
                .iter()
                .enumerate()
                .all(|(row, item)| item.text == format!("größe {row}"))
        );
    }
}

#[test]
fn what_does_not_fit_is_an_error_with_its_line() {
    let truncated = with_mark(b"\xFF\xFE", b"q\0\n\0a");
    let lone_surrogate = with_mark(b"\xFF\xFE", b"q\0\n\0a\0\n\0\x00\xD8b\0");
    type Case<'a> = (&'a str, &'a [u8], Option<&'a str>, Code, u64);
    let table: [Case; 10] = [
        (
            "windows-1252 read as UTF-8",
            b"query\ntent\ngr\xFC\xDFe\n",
            Some("utf-8"),
            Code::InputEncoding,
            3,
        ),
        (
            "CRLF counts once",
            b"query\r\ntent\r\ngr\xFC\xDFe\r\n",
            Some("utf-8"),
            Code::InputEncoding,
            3,
        ),
        (
            "mark says UTF-8, bytes do not",
            b"\xEF\xBB\xBFquery\ngr\xFC\xDFe\n",
            None,
            Code::InputEncoding,
            2,
        ),
        (
            "mark says otherwise",
            b"\xEF\xBB\xBFquery\ntent\n",
            Some("windows-1252"),
            Code::InputEncoding,
            1,
        ),
        ("UTF-16 cut in a character", &truncated, None, Code::InputEncoding, 2),
        ("half a surrogate pair", &lone_surrogate, None, Code::InputEncoding, 3),
        ("UTF-32", b"\xFF\xFE\x00\x00a\x00\x00\x00", None, Code::InputEncoding, 0),
        (
            "Shift JIS undeclared",
            b"query\ntent\n\x8C\x9F\x8D\xF5\n",
            None,
            Code::InputEncoding,
            3,
        ),
        (
            "Shift JIS broken",
            b"query\ntent\n\x8C\n",
            Some("shift_jis"),
            Code::InputEncoding,
            3,
        ),
        ("no such label", b"query\ntent\n", Some("utf-9"), Code::Option, 0),
    ];
    for (name, bytes, label, code, line) in table {
        let error = read_as(bytes, label).expect_err(name);
        assert_eq!(error.code(), code, "{name}: {error}");
        assert_eq!(
            error.position().map_or(0, |position| position.line),
            line,
            "{name}: {error}"
        );
    }
}

#[test]
fn utf_8_with_a_damaged_line_is_not_taken_for_windows_1252() {
    let mut bytes = "query\ngröße\nmaß\nfußball\n".as_bytes().to_vec();
    bytes.extend(b"gr\xFC\n");
    let error = read_as(&bytes, None).unwrap_err();
    assert_eq!((error.code(), error.position().unwrap().line), (Code::InputEncoding, 5));
}

#[test]
fn other_encodings_are_read_by_their_label() {
    let queries = read_as(b"query\n\x8C\x9F\x8D\xF5\n", Some("shift_jis")).unwrap();
    assert_eq!(queries.items[0].text, "検索");
}

#[test]
fn a_label_that_spoils_utf_8_is_noted() {
    let queries = read_as("query\ngröße\n".as_bytes(), Some("windows-1252")).unwrap();
    assert!(queries.reading.notes[0].contains("valid UTF-8"));
}
