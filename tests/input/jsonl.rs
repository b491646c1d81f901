//! JSON lines: objects and plain strings.

use querytune::error::Code;
use querytune::input::{Format, ReadOptions, Role, Texts, read};

fn read_jsonl(text: &str, file: &str, role: Role) -> Texts {
    read(text.as_bytes(), file, role, &ReadOptions::default()).unwrap()
}

#[test]
fn objects_are_read_by_their_keys() {
    let beir = concat!(
        r#"{"_id": "d1", "title": "Tents", "text": "for \"two\"", "metadata": {"a": 1}}"#,
        "\n\n",
        r#"{"metadata": {}, "_id": 2, "text": "only text\nin two lines"}"#,
        "\r\n",
    );
    for file in ["corpus.jsonl", "corpus.ndjson", "corpus.txt", "corpus"] {
        let texts = read_jsonl(beir, file, Role::Documents);
        assert_eq!(texts.reading.format, Format::Jsonl);
        assert!(!texts.reading.has_header);
        assert_eq!(texts.reading.columns, ["_id", "title", "text", "metadata"]);
        let items: Vec<_> = texts
            .items
            .iter()
            .map(|item| (item.ids[0].as_str(), item.text.as_str()))
            .collect();
        assert_eq!(items, [("d1", "Tents for \"two\""), ("2", "only text\nin two lines")]);
    }
}

#[test]
fn frequencies_ids_and_lists_are_read_from_objects() {
    let log = [
        r#"{"query":"tent","count":3}"#,
        r#"{"query":["two","words"],"count":null}"#,
        r#"{"query":"tent","count":"4"}"#,
    ];
    let texts = read_jsonl(&log.join("\n"), "log.jsonl", Role::Queries);
    let items: Vec<_> = texts
        .items
        .iter()
        .map(|item| (item.text.as_str(), item.count))
        .collect();
    assert_eq!(items, [("tent", 7), ("two words", 1)]);
    assert_eq!(texts.items[0].ids, ["1", "3"]);
}

#[test]
fn numbers_under_a_name_of_queries_are_frequencies_in_objects_too() {
    let log = [
        "{\"term\":\"zelt\",\"queries\":120}",
        "{\"term\":\"kocher\",\"queries\":7}",
    ];
    let texts = read_jsonl(&log.join("\n"), "log.jsonl", Role::Queries);
    let items: Vec<_> = texts
        .items
        .iter()
        .map(|item| (item.text.as_str(), item.count))
        .collect();
    assert_eq!(items, [("zelt", 120), ("kocher", 7)]);
}

#[test]
fn plain_strings_are_texts() {
    let texts = read_jsonl("\"red \\\"hot\\\"\"\n\"tent\"\n", "log.jsonl", Role::Queries);
    assert_eq!(texts.items[0].text, "red \"hot\"");
    assert_eq!(texts.items[1].ids, ["2"]);
    assert_eq!(texts.reading.used.text, None);
}

#[test]
fn lines_that_cannot_be_used_are_skipped_with_the_reason() {
    let text = [
        r#"{"id": "1", "text": "fine"}"#,
        "",
        r#"{"id": "2", "text": "broken"#,
        r#"{"id": "3", "text": {"nested": 1}}"#,
        r#"{"id": "4", "other": "no text"}"#,
        r#"{"text": "no id"}"#,
        r#""a string""#,
        "[1]",
        r#"{"id": "5", "text": "fine too"} trailing"#,
        r#"{"id": "6", "text": "fine again"}"#,
    ];
    let texts = read_jsonl(&text.join("\n"), "corpus.jsonl", Role::Documents);
    assert_eq!(texts.items.len(), 2);
    let reading = texts.reading;
    let skipped: Vec<_> = reading
        .skipped
        .iter()
        .map(|skipped| (skipped.line, skipped.reason.as_str()))
        .collect();
    assert_eq!(
        skipped,
        [
            (3, "broken JSON: EOF while parsing a string at column 27"),
            (4, "\"text\" is not a text"),
            (5, "the text is empty"),
            (6, "the id is empty"),
            (7, "not an object, as the other lines are"),
            (8, "not an object, as the other lines are"),
            (9, "broken JSON: trailing characters at column 33"),
        ]
    );
    assert_eq!((reading.rows, reading.skipped_total), (9, 7));
}

#[test]
fn columns_can_be_given() {
    let text = "{\"a\": \"tent\", \"b\": \"stove\"}\n";
    for (name, expected) in [("b", "stove"), ("2", "stove"), ("1", "tent")] {
        let options = ReadOptions {
            text_column: Some(name.to_owned()),
            ..Default::default()
        };
        let texts = read(text.as_bytes(), "log.jsonl", Role::Queries, &options).unwrap();
        assert_eq!(texts.items[0].text, expected);
    }
    let options = ReadOptions {
        text_column: Some("c".to_owned()),
        ..Default::default()
    };
    let error = read(text.as_bytes(), "log.jsonl", Role::Queries, &options).unwrap_err();
    assert_eq!(error.code(), Code::InputColumn);
    assert!(error.message().contains("1 \"a\", 2 \"b\""), "{error}");
}

#[test]
fn a_file_without_any_json_is_an_error_at_the_first_break() {
    let error = read(
        b"\n{\"a\": }\n{\"b\"\n",
        "log.jsonl",
        Role::Queries,
        &ReadOptions::default(),
    )
    .unwrap_err();
    let position = error.position().unwrap();
    assert_eq!(
        (error.code(), position.line, position.column),
        (Code::InputSyntax, 2, 7)
    );
}

#[test]
fn a_json_array_is_an_error_that_says_what_to_do() {
    for (file, text) in [("a.json", "[\"tent\"]"), ("a.jsonl", "\n[\n {\"text\": \"tent\"}\n]")] {
        let error = read(text.as_bytes(), file, Role::Queries, &ReadOptions::default()).unwrap_err();
        assert_eq!(error.code(), Code::InputSyntax);
        assert!(error.message().contains("one object a line"), "{error}");
    }
}
