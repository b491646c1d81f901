//! Files that cannot be read: the kind of error, where it is, and what to do.

use querytune::error::Code;
use querytune::input::{ReadOptions, Role, read};

fn check(name: &str, bytes: &[u8], file: &str, code: Code, line: u64, says: &str) {
    let error = read(bytes, file, Role::Queries, &ReadOptions::default()).expect_err(name);
    assert_eq!(error.code(), code, "{name}: {error}");
    let position = error.position().expect(name);
    assert_eq!((position.file.as_str(), position.line), (file, line), "{name}: {error}");
    assert!(error.message().contains(says), "{name}: {error}");
}

#[test]
fn a_file_without_rows_is_empty() {
    check("nothing", b"", "a.csv", Code::InputEmpty, 0, "empty");
    check("only a mark", b"\xEF\xBB\xBF", "a.csv", Code::InputEmpty, 0, "empty");
    check("only blank lines", b"\r\n \n\n", "a.txt", Code::InputEmpty, 0, "empty");
    check("only a header", b"\nid,query\n", "a.csv", Code::InputEmpty, 2, "header");
    check(
        "only a header of one column",
        b"query\n",
        "a.csv",
        Code::InputEmpty,
        1,
        "header",
    );
    check(
        "only a header in lines",
        b"query\n",
        "a.txt",
        Code::InputEmpty,
        1,
        "header",
    );
    check("only a hint", b"sep=;\n", "a.csv", Code::InputEmpty, 0, "empty");
}

#[test]
fn a_file_whose_rows_are_all_skipped_is_an_error_at_the_first() {
    check(
        "empty texts",
        b"id,query\n1,\n2,\n",
        "a.csv",
        Code::InputEmpty,
        2,
        "None of the 2 rows",
    );
    check("one row", b"id,query\n1,\n", "a.csv", Code::InputEmpty, 2, "only row");
    check(
        "short rows",
        b"id,query\n1\n2\n3\n4\n",
        "a.csv",
        Code::InputEmpty,
        2,
        "1 field where the header has 2",
    );
    check(
        "no texts",
        b"{\"query\":\"\"}\n",
        "a.jsonl",
        Code::InputEmpty,
        1,
        "empty",
    );
}

#[test]
fn a_binary_file_is_told_by_its_first_bytes() {
    check(
        "xlsx",
        b"PK\x03\x04\x14\x00\x06\x00",
        "a.xlsx",
        Code::InputBinary,
        0,
        "save it as CSV",
    );
    check(
        "xlsx named csv",
        b"PK\x03\x04\x14\x00\x06\x00",
        "a.csv",
        Code::InputBinary,
        0,
        "save it as CSV",
    );
    check(
        "xls",
        b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\x00",
        "a.xls",
        Code::InputBinary,
        0,
        "save it as CSV",
    );
    check("PDF", b"%PDF-1.7\n", "a.pdf", Code::InputBinary, 0, "PDF");
    check("PNG", b"\x89PNG\r\n\x1A\n\x00", "a.png", Code::InputBinary, 0, "PNG");
    check("gzip", b"\x1F\x8B\x08\x00", "a.csv.gz", Code::InputBinary, 0, "gzip");
    check("NUL", b"query\ntent\nst\x00ve\n", "a.csv", Code::InputBinary, 3, "NUL");
    check(
        "UTF-16 without a mark",
        b"q\0u\0\n\0a\0b\0",
        "a.csv",
        Code::InputBinary,
        1,
        "utf-16le",
    );
    check(
        "big-endian",
        b"\0q\0u\0\n\0a\0b",
        "a.csv",
        Code::InputBinary,
        1,
        "utf-16be",
    );
}

#[test]
fn a_quote_that_swallows_rows_is_an_error_where_it_opens() {
    let rest = "3,a\n4,b\n".repeat(1000);
    check(
        "unclosed",
        format!("id,query\n1,tent\n2,\"stove\n{rest}").as_bytes(),
        "a.csv",
        Code::InputSyntax,
        3,
        "never closed",
    );
    check(
        "unclosed after a blank line",
        b"id,query\r\n\r\n1,\"te\r\nnt\"\r\n2,\"stove\r\n3,a",
        "a.csv",
        Code::InputSyntax,
        5,
        "never closed",
    );
    check(
        "unclosed at the end",
        b"id,query\n1,tent\n2,\"",
        "a.csv",
        Code::InputSyntax,
        3,
        "never closed",
    );
    check(
        "opened in a second line",
        b"id,query,x\n1,\"a\nb\",\"stove\n3,a,b\n",
        "a.csv",
        Code::InputSyntax,
        3,
        "never closed",
    );
    check(
        "one column",
        b"query\ntent\n\"stove\nlamp\n",
        "a.csv",
        Code::InputSyntax,
        3,
        "never closed",
    );
    check(
        "closed by a later quote",
        b"id,query\n1,\"17 inch\n2,tent\n3,\"stove\"\n4,lamp\n",
        "a.csv",
        Code::InputSyntax,
        2,
        "line 4",
    );
    let error = read(b"id,query\n1,\"tent\n", "a.csv", Role::Queries, &ReadOptions::default()).unwrap_err();
    assert_eq!(error.position().unwrap().column, 2, "the field's number");
    assert_eq!(error.to_string().split(": ").next(), Some("a.csv, line 2, column 2"));
}

#[test]
fn a_delimiter_has_to_be_one_ascii_character() {
    for delimiter in ["", "ab", "\"", "\n", "§", "\0"] {
        let options = ReadOptions {
            delimiter: Some(delimiter.to_owned()),
            ..Default::default()
        };
        let error = read(b"id,query\n1,tent\n", "a.csv", Role::Queries, &options).unwrap_err();
        assert_eq!(error.code(), Code::Option, "{delimiter:?}");
    }
}
