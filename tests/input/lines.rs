//! One text a line.

use querytune::error::Code;
use querytune::input::{Format, ReadOptions, Role, read};

#[test]
fn each_line_is_a_text_as_it_is() {
    let text = "shoes, red; cheap\r\n\"quoted\"\n\n  tent  \rshoes, red; cheap\n{not json\n";
    for file in ["log.txt", "log", "pasted text"] {
        let texts = read(text.as_bytes(), file, Role::Queries, &ReadOptions::default()).unwrap();
        let items: Vec<_> = texts
            .items
            .iter()
            .map(|item| (item.text.as_str(), item.count))
            .collect();
        assert_eq!(
            items,
            [
                ("shoes, red; cheap", 2),
                ("\"quoted\"", 1),
                ("tent", 1),
                ("{not json", 1)
            ]
        );
        assert_eq!(texts.items[0].ids, ["1", "4"]);
        assert_eq!(texts.reading.format, Format::Lines);
        assert_eq!((texts.reading.rows, texts.reading.duplicates), (5, 1));
    }
}

#[test]
fn commas_in_sentences_do_not_make_a_table() {
    let text = "shoes, red\nboots, black\nsocks, white\n";
    let reading = read(text.as_bytes(), "log.txt", Role::Queries, &ReadOptions::default())
        .unwrap()
        .reading;
    assert_eq!((reading.format, reading.texts), (Format::Lines, 3));
}

#[test]
fn a_table_is_told_from_lines_without_an_extension() {
    for text in ["query,count\ntent,3\n", "tent\t3\nstove\t4\n", "q1,tent\nq2,stove\n"] {
        let reading = read(text.as_bytes(), "log.txt", Role::Queries, &ReadOptions::default())
            .unwrap()
            .reading;
        assert_eq!(reading.format, Format::Csv, "{text:?}");
    }
}

#[test]
fn a_usual_header_is_left_out_and_noted_unless_told_otherwise() {
    for (has_header, texts) in [(None, 1), (Some(true), 1), (Some(false), 2)] {
        let options = ReadOptions {
            has_header,
            ..Default::default()
        };
        let reading = read(b"Query\ntent\n", "log.txt", Role::Queries, &options)
            .unwrap()
            .reading;
        assert_eq!((reading.texts, reading.has_header), (texts, has_header != Some(false)));
        assert_eq!(reading.notes.len(), usize::from(has_header.is_none()));
    }
}

#[test]
fn lines_have_no_columns() {
    let options = ReadOptions {
        format: Some(Format::Lines),
        id_column: Some("id".to_owned()),
        ..Default::default()
    };
    let error = read(b"id,query\n1,tent\n", "log.csv", Role::Queries, &options).unwrap_err();
    assert_eq!(error.code(), Code::InputColumn);
}

#[test]
fn the_format_can_be_given() {
    let options = ReadOptions {
        format: Some(Format::Lines),
        ..Default::default()
    };
    let texts = read(b"id,query\n1,tent\n", "log.csv", Role::Queries, &options).unwrap();
    assert_eq!(texts.items[1].text, "1,tent");
}
