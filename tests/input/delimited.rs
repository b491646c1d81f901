//! CSV and its relatives: delimiters, quotes, ends of lines, physical line numbers.

use querytune::input::{Format, ReadOptions, Role, Texts, read};

fn queries(text: &str) -> Texts {
    read(text.as_bytes(), "log.csv", Role::Queries, &ReadOptions::default()).unwrap()
}

fn texts(texts: &Texts) -> Vec<&str> {
    texts.items.iter().map(|item| item.text.as_str()).collect()
}

#[test]
fn the_delimiter_is_found_by_itself() {
    let table = [
        ("id,query\n1,red shoes\n2,tent\n", ","),
        ("id;query\n1;red shoes\n2;tent\n", ";"),
        ("id\tquery\n1\tred shoes\n2\ttent\n", "\t"),
        ("id|query\n1|red shoes\n2|tent\n", "|"),
        // Commas inside texts do not outvote the delimiter.
        ("id;query\n1;\"red shoes\"\n2;tent\n3;a, b, c\n4;d, e, f\n", ";"),
        // Nor do delimiters inside quotes.
        ("id,query\n1,\"red shoes\"\n2,tent\n3,\"a;b;c\"\n4,\"d;e\nf;g\"\n", ","),
        // Nor decimal commas.
        ("query;price\nred shoes;3,50\ntent;4,20\n", ";"),
        // No header, no quotes.
        ("17\tred shoes\n18\ttent\n", "\t"),
        // The line that spreadsheets put in front.
        ("sep=;\nid;query\n1;red shoes\n2;tent\n", ";"),
    ];
    for (text, delimiter) in table {
        let read = queries(text);
        assert_eq!(read.reading.delimiter.as_deref(), Some(delimiter), "{text:?}");
        assert_eq!(texts(&read)[..2], ["red shoes", "tent"], "{text:?}");
        assert_eq!(read.reading.format, Format::Csv);
        assert_eq!(read.reading.skipped_total, 0, "{text:?}");
    }
}

#[test]
fn a_table_of_one_column_keeps_its_commas() {
    for text in [
        "query\nshoes, red\nboots\n",
        "query\nshoes, red\nboots, black\n",
        "\"query\"\n\"shoes, red\"\n\"boots\"\n",
    ] {
        let read = queries(text);
        assert_eq!(read.reading.delimiter, None, "{text:?}");
        assert_eq!(texts(&read)[0], "shoes, red", "{text:?}");
    }
    assert_eq!(
        texts(&queries("shoes, red\nboots\ntent\n")),
        ["shoes, red", "boots", "tent"]
    );
    // Not even a comma in most of the texts is a delimiter, nor one in all of them below the name of one column.
    assert_eq!(
        queries("shoes, red\nboots, blue\ntent\nhat, green\n").reading.delimiter,
        None
    );
    assert_eq!(
        queries(&format!("query\n{}", "shoes, red\n".repeat(9)))
            .reading
            .delimiter,
        None
    );
}

#[test]
fn a_delimiter_can_be_given() {
    for (name, delimiter) in [
        ("semicolon", ';'),
        ("~", '~'),
        ("tab", '\t'),
        ("\\t", '\t'),
        (",", ','),
        ("pipe", '|'),
    ] {
        let text = format!("id{delimiter}query\n1{delimiter}tent\n");
        let options = ReadOptions {
            delimiter: Some(name.to_owned()),
            ..Default::default()
        };
        let read = read(text.as_bytes(), "log.txt", Role::Queries, &options).unwrap();
        assert_eq!(read.reading.delimiter, Some(delimiter.to_string()));
        assert_eq!((texts(&read), read.items[0].ids[0].as_str()), (vec!["tent"], "1"));
    }
}

#[test]
fn quoted_fields_hold_anything() {
    let table = [
        ("\"a, b\"", "a, b"),
        ("\"say \"\"hi\"\"\"", "say \"hi\""),
        ("\"\"\"edges\"\"\"", "\"edges\""),
        ("\"two\nlines\"", "two\nlines"),
        ("\"two\r\nlines\"", "two\r\nlines"),
        ("a\"b\"c", "a\"b\"c"),
        ("17\" screen", "17\" screen"),
        ("\"\"\"\"\"\"", "\"\""),
        ("\"closed\" ", "closed"),
        (" padded ", "padded"),
        ("inner  space", "inner  space"),
    ];
    for (cell, text) in table {
        let read = queries(&format!("id,query,lang\n1,{cell},en\n2,next,en\n"));
        assert_eq!(texts(&read), [text, "next"], "{cell:?}");
        assert_eq!(read.reading.skipped_total, 0, "{cell:?}");
    }
}

#[test]
fn lf_crlf_and_cr_end_lines_and_the_last_may_be_missing() {
    for end in ["\n", "\r\n", "\r"] {
        for last in ["", end] {
            let read = queries(&format!("id,query{end}1,red{end}{end}2,\"a{end}b\"{end}3,blue{last}"));
            assert_eq!(texts(&read), ["red", format!("a{end}b").as_str(), "blue"]);
            assert_eq!(read.reading.rows, 3);
        }
    }
}

#[test]
fn skipped_rows_carry_their_physical_line() {
    for end in ["\n", "\r\n", "\r"] {
        let lines = [
            "",              // 1
            "id,query,lang", // 2
            "1,\"two",       // 3
            "",              // 4
            "lines\",en",    // 5
            "",              // 6
            "2,,en",         // 7: empty
            "3,\"a",         // 8
            "b\",en",        // 9
            "4",             // 10: too short
            ",,",            // 11: nothing
            "5,\"",          // 12: empty over two lines
            "\",en",         // 13
            "6,a, b,en",     // 14: too long
            "7,fine,en,,",   // 15: too long, but by nothing
        ];
        let read = queries(&lines.join(end));
        assert_eq!(
            texts(&read),
            [format!("two{end}{end}lines"), format!("a{end}b"), "fine".to_owned()]
        );
        let skipped: Vec<(u64, &str)> = read
            .reading
            .skipped
            .iter()
            .map(|skipped| (skipped.line, skipped.reason.as_str()))
            .collect();
        assert_eq!(
            skipped,
            [
                (7, "the text is empty"),
                (10, "1 field where the header has 3"),
                (11, "the row is empty"),
                (12, "the text is empty"),
                (
                    14,
                    "4 fields where the header has 3; a text with ',' in it has to be in quotes"
                ),
            ]
        );
        assert!(read.reading.skipped.iter().all(|skipped| skipped.file == "log.csv"));
    }
}

#[test]
fn a_short_row_is_used_if_it_reaches_the_columns_that_are_needed() {
    let read = queries("query,lang,user\ntent,en,7\nstove\n");
    assert_eq!(texts(&read), ["tent", "stove"]);
}

#[test]
fn tabs_with_quotes_that_enclose_nothing_are_read_without_quotes() {
    let read = queries("id\tquery\n1\t\"red hot\" lyrics\n2\t\"how to\n3\ttent\n");
    assert_eq!(texts(&read), ["\"red hot\" lyrics", "\"how to", "tent"]);
    assert!(
        read.reading
            .notes
            .iter()
            .any(|note| note.contains("ordinary characters")),
        "{:?}",
        read.reading.notes
    );
}

#[test]
fn quotes_can_be_switched_off() {
    let options = ReadOptions {
        quotes: Some(false),
        ..Default::default()
    };
    let read = read(b"id,query\n1,\"how to\n2,tent\n", "log.csv", Role::Queries, &options).unwrap();
    assert_eq!(texts(&read), ["\"how to", "tent"]);
}

#[test]
fn text_after_a_closing_quote_is_kept_and_noted() {
    let read = queries("id,query\n1,\"HP 17\" monitor\"\n2,tent\n");
    assert_eq!(texts(&read), ["HP 17 monitor\"", "tent"]);
    assert!(
        read.reading.notes.iter().any(|note| note.contains("line 2")),
        "{:?}",
        read.reading.notes
    );
}

#[test]
fn a_quoted_field_of_very_many_lines_is_noted() {
    let long = "line\n".repeat(150);
    let read = queries(&format!("id,query\n1,\"{long}\"\n2,tent\n"));
    assert!(
        read.reading.notes.iter().any(|note| note.contains("151 lines long")),
        "{:?}",
        read.reading.notes
    );
}
