//! Headers and columns: detected by name, by what the cells hold, or given.

use querytune::error::Code;
use querytune::input::{ReadOptions, Role, Texts, UsedColumns, read};

use Role::{Documents, Queries};

fn read_csv(text: &str, role: Role) -> Texts {
    read(text.as_bytes(), "table.csv", role, &ReadOptions::default()).unwrap()
}

fn used(id: &str, title: &str, text: &str, count: &str) -> UsedColumns {
    let column = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    UsedColumns {
        id: column(id),
        title: column(title),
        text: column(text),
        count: column(count),
    }
}

#[test]
fn columns_are_found_by_their_names() {
    let table = [
        (Queries, "id,text\n1,tent\n", used("id", "", "text", "")),
        (Queries, "_id;query\n1;tent\n", used("_id", "", "query", "")),
        (Queries, "query_id\tquery\n1\ttent\n", used("query_id", "", "query", "")),
        (
            Queries,
            "Search Term,Total Unique Searches,Count\ntent,4,5\n",
            used("", "", "Search Term", "Count"),
        ),
        (
            Queries,
            "Suchbegriff;Anzahl\ntent;5\n",
            used("", "", "Suchbegriff", "Anzahl"),
        ),
        (Queries, "Häufigste Suchanfragen,Klicks,Impressionen\ntent,1,5\n", {
            used("", "", "Häufigste Suchanfragen", "Impressionen")
        }),
        (
            Queries,
            "Top queries,Clicks,Impressions,CTR,Position\ntent,1,5,2%,1.2\n",
            { used("", "", "Top queries", "Impressions") },
        ),
        // A document's id is no query's id.
        (Queries, "query,docid,rating\ntent,17,3\n", used("", "", "query", "")),
        (
            Queries,
            "date,question,frequency\n2024-01-02,tent,7\n",
            used("", "", "question", "frequency"),
        ),
        (Queries, ",query\n0,tent\n", used("", "", "query", "")),
        (Queries, "запрос;частота\ntent;5\n", used("", "", "запрос", "частота")),
        // A name that says "count" over cells that are no numbers does not.
        (Queries, "query,total\ntent,much\n", used("", "", "query", "")),
        (
            Documents,
            "id,title,text\n1,Tents,for two\n",
            used("id", "title", "text", ""),
        ),
        (Documents, "docid,body\n1,for two\n", used("docid", "", "body", "")),
        (
            Documents,
            "sku,name,price,description\nA1,Tents,3,for two\n",
            used("sku", "name", "description", ""),
        ),
        (Documents, "Artikelnummer;Bezeichnung;Beschreibung\n1;Tents;x\n", {
            used("Artikelnummer", "Bezeichnung", "Beschreibung", "")
        }),
        (
            Documents,
            "question,answer\nWhy?,Because.\n",
            used("", "question", "answer", ""),
        ),
        // Titles alone are texts, and stock is no frequency.
        (Documents, "id,title,count\n1,Tents,4\n", used("id", "", "title", "")),
        // The text is where most letters are.
        (
            Documents,
            "id,url,kind,remarks\n1,https://a.example/a/very/long/path,x,for two\n",
            { used("id", "", "remarks", "") },
        ),
        // Of two columns of a name the number tells which.
        (Queries, "text,text,lang\ntent,b,en\n", used("", "", "1", "")),
    ];
    for (role, text, expected) in table {
        let reading = read_csv(text, role).reading;
        assert!(reading.has_header, "{text:?}");
        assert_eq!(reading.used, expected, "{text:?}");
        assert_eq!((reading.rows, reading.texts), (1, 1), "{text:?}");
    }
}

#[test]
fn numbers_under_a_name_of_queries_are_their_frequencies_where_another_column_is_the_text() {
    let table = [
        (
            "Keyword;Suchanfragen\nlaufschuhe;1200\nzelt;80\n",
            "Keyword",
            "Suchanfragen",
        ),
        (
            "Suchbegriff;Suchanfragen\nlaufschuhe;1.200\nzelt;80\n",
            "Suchbegriff",
            "Suchanfragen",
        ),
        (
            "Suchanfragen;Suchbegriff\n1200;laufschuhe\n80;zelt\n",
            "Suchbegriff",
            "Suchanfragen",
        ),
        ("Term,Queries\nlaufschuhe,1200\nzelt,80\n", "Term", "Queries"),
        ("Término;Consultas\nlaufschuhe;1200\nzelt;80\n", "Término", "Consultas"),
        // A name that nobody knows, beside one that is known for both.
        ("Wort;Suchanfragen\nlaufschuhe;1200\nzelt;80\n", "Wort", "Suchanfragen"),
        // Only most cells are numbers.
        (
            "Keyword;Suchanfragen\nlaufschuhe;1200\nzelt;80\nkocher;n/a\n",
            "Keyword",
            "Suchanfragen",
        ),
        // The name of the frequencies alone comes first.
        ("term,queries,count\nlaufschuhe,9,1200\nzelt,9,80\n", "term", "count"),
        // A name that is of texts alone is no frequency, but no text either.
        ("query,term\n1200,laufschuhe\n80,zelt\n", "term", ""),
    ];
    for (text, column, count) in table {
        let texts = read_csv(text, Queries);
        assert_eq!(texts.reading.used, used("", "", column, count), "{text:?}");
        assert_eq!(texts.items[0].text, "laufschuhe", "{text:?}");
        assert_eq!(
            texts.items[0].count,
            if count.is_empty() { 1 } else { 1200 },
            "{text:?}"
        );
    }
}

#[test]
fn numbers_are_queries_where_nothing_else_is() {
    for (text, column) in [
        ("query\n4711\n4712\n", "query"),
        ("query,device\n4711,mobile\n4712,desktop\n", "query"),
        ("Suchanfragen;Datum\n4711;2024-01-02\n4712;2024-01-03\n", "Suchanfragen"),
        ("Suchanfragen\n4711\n4712\n", "Suchanfragen"),
        ("Queries,keyword\nred tent,4711\nstove,4712\n", "Queries"),
    ] {
        let reading = read_csv(text, Queries).reading;
        assert_eq!(reading.used, used("", "", column, ""), "{text:?}");
        assert_eq!(reading.texts, 2, "{text:?}");
    }
    let reading = read_csv("query,hits\n4711,3\n4712,9\n", Queries).reading;
    assert_eq!(reading.used, used("", "", "query", "hits"));
}

#[test]
fn what_is_asked_for_comes_before_what_the_cells_say() {
    let text = "Keyword;Suchanfragen\nlaufschuhe;1200\n";
    let column = |name: &str| Some(name.to_owned());
    let read_with = |options: ReadOptions| {
        read(text.as_bytes(), "table.csv", Queries, &options)
            .unwrap()
            .reading
            .used
    };
    let of_numbers = ReadOptions {
        text_column: column("Suchanfragen"),
        ..Default::default()
    };
    assert_eq!(read_with(of_numbers), used("", "", "Suchanfragen", ""));
    let without_count = ReadOptions {
        count_column: column(""),
        ..Default::default()
    };
    assert_eq!(read_with(without_count), used("", "", "Keyword", ""));
}

#[test]
fn a_documents_number_is_not_its_text_where_another_column_is() {
    let reading = read_csv("doc,description\n17,a tent for two\n18,a gas stove\n", Documents).reading;
    assert_eq!(reading.used, used("", "", "description", ""));
}

#[test]
fn a_first_row_of_data_is_kept() {
    let table = [
        (Queries, "12,red shoes\n13,tent\n14,stove\n", used("1", "", "2", "")),
        (Queries, "q1\tred shoes\nq2\ttent\n", used("1", "", "2", "")),
        // The text "query" with a number before it is data.
        (Queries, "1,query\n2,tent\n", used("1", "", "2", "")),
        (Queries, "red shoes,40\ntent,9\nstove,9\n", used("", "", "1", "2")),
        (Queries, "red shoes\ntent\nstove\n", used("", "", "1", "")),
        (
            Documents,
            "7;short;a much longer text\n8;brief;another long text\n",
            used("1", "", "3", ""),
        ),
        // The first cells are not unique: no ids.
        (
            Documents,
            "a;short;a much longer text\na;brief;another long text\n",
            used("", "", "3", ""),
        ),
    ];
    for (role, text, expected) in table {
        let reading = read_csv(text, role).reading;
        assert!(!reading.has_header, "{text:?}");
        assert_eq!(reading.rows, text.lines().count(), "{text:?}");
        assert_eq!(reading.used, expected, "{text:?}");
    }
}

#[test]
fn a_guessed_header_is_noted() {
    let text = "Zoekstring,Keren gezocht\ntent,3\nstove,4\nlamp,4\n";
    let reading = read_csv(text, Queries).reading;
    assert!(reading.has_header);
    assert!(reading.notes[0].contains("Zoekstring"), "{:?}", reading.notes);
    let reading = read_csv("keyword\ntent\n", Queries).reading;
    assert!(
        reading.has_header && reading.notes[0].contains("keyword"),
        "{:?}",
        reading.notes
    );
}

#[test]
fn the_header_can_be_given() {
    let text = b"query,lang\ntent,en\n";
    for (has_header, rows) in [(Some(true), 1), (Some(false), 2), (None, 1)] {
        let options = ReadOptions {
            has_header,
            ..Default::default()
        };
        let reading = read(text, "table.csv", Queries, &options).unwrap().reading;
        assert_eq!((reading.has_header, reading.rows), (has_header != Some(false), rows));
        let columns = if reading.has_header {
            ["query", "lang"]
        } else {
            ["1", "2"]
        };
        assert_eq!(reading.columns, columns);
    }
}

#[test]
fn columns_can_be_given_by_name_or_number() {
    let text = "id,title,text,extra,hits\n1,Tents,for two,other words,5\n";
    let column = |name: &str| Some(name.to_owned());
    let table = [
        (
            ReadOptions {
                text_column: column("extra"),
                ..Default::default()
            },
            "Tents other words",
            "1",
            1,
        ),
        (
            ReadOptions {
                text_column: column("4"),
                ..Default::default()
            },
            "Tents other words",
            "1",
            1,
        ),
        (
            ReadOptions {
                text_column: column("EXTRA"),
                ..Default::default()
            },
            "Tents other words",
            "1",
            1,
        ),
        (
            ReadOptions {
                title_column: column(""),
                ..Default::default()
            },
            "for two",
            "1",
            1,
        ),
        (
            ReadOptions {
                id_column: column("extra"),
                ..Default::default()
            },
            "Tents for two",
            "other words",
            1,
        ),
        (
            ReadOptions {
                id_column: column(""),
                ..Default::default()
            },
            "Tents for two",
            "1",
            1,
        ),
        (
            ReadOptions {
                count_column: column("hits"),
                ..Default::default()
            },
            "Tents for two",
            "1",
            5,
        ),
    ];
    for (options, text_read, id, count) in table {
        let texts = read(text.as_bytes(), "table.csv", Documents, &options).unwrap();
        let item = &texts.items[0];
        assert_eq!(
            (item.text.as_str(), item.ids[0].as_str(), item.count),
            (text_read, id, count),
            "{options:?}"
        );
    }
}

#[test]
fn a_name_given_for_a_column_shows_that_there_is_a_header() {
    let options = ReadOptions {
        text_column: Some("frotz".to_owned()),
        ..Default::default()
    };
    let texts = read(b"grue,frotz\nb,tent\n", "table.csv", Queries, &options).unwrap();
    assert!(texts.reading.has_header);
    assert_eq!(texts.items[0].text, "tent");
}

#[test]
fn a_column_that_is_not_there_is_an_error_that_lists_those_that_are() {
    for (text, name, listed) in [
        ("id,text\n1,tent\n", "frotz", "1 \"id\", 2 \"text\""),
        ("id,text\n1,tent\n", "3", "1 \"id\", 2 \"text\""),
        ("id,text\n1,tent\n", "0", "1 \"id\", 2 \"text\""),
        ("17,tent\n18,stove\n", "id", "1, 2"),
    ] {
        let options = ReadOptions {
            text_column: Some(name.to_owned()),
            ..Default::default()
        };
        let error = read(text.as_bytes(), "table.csv", Queries, &options).unwrap_err();
        assert_eq!(error.code(), Code::InputColumn);
        assert!(error.message().contains(listed), "{error}");
        assert!(error.message().contains(&format!("{name:?}")), "{error}");
    }
}

#[test]
fn a_table_of_numbers_has_no_text() {
    let error = read(b"1,2\n3,4\n", "table.csv", Queries, &ReadOptions::default()).unwrap_err();
    assert_eq!(error.code(), Code::InputColumn, "{error}");
}

#[test]
fn a_column_named_id_whose_values_come_back_with_other_texts_is_not_used() {
    let rows: String = (0..40).map(|row| format!("{},query {row}\n", row % 4)).collect();
    let texts = read_csv(&format!("id,query\n{rows}"), Queries);
    assert_eq!(texts.items.len(), 40);
    assert_eq!(texts.reading.used.id, None);
    assert!(texts.reading.notes[0].contains("id"), "{:?}", texts.reading.notes);
}

#[test]
fn title_and_text_are_joined_by_one_space() {
    let texts = read_csv("id,title,text\n1, Tents , for two \n2,,alone\n3,Stoves,\n", Documents);
    let items: Vec<_> = texts
        .items
        .iter()
        .map(|item| (item.text.as_str(), item.title.as_deref()))
        .collect();
    assert_eq!(
        items,
        [
            ("Tents for two", Some("Tents")),
            ("alone", None),
            ("Stoves", Some("Stoves"))
        ]
    );
}

#[test]
fn frequencies_are_read_as_people_write_them() {
    for (cell, count) in [
        ("7", 7),
        ("1,234", 1234),
        ("1.234.567", 1_234_567),
        ("1 234", 1234),
        ("12.0", 12),
        ("12,00", 12),
        ("1.234,00", 1234),
        ("1,234,567.0", 1_234_567),
        ("0", 1),
        ("99999999999", u32::MAX),
        ("", 1),
        ("n/a", 1),
        ("-3", 1),
        ("1.5", 1),
        ("1.000,50", 1),
        ("1,234.567", 1),
        ("0.125", 1),
    ] {
        let texts = read_csv(&format!("query;count\ntent;{cell}\nstove;2\nlamp;3\n"), Queries);
        assert_eq!(texts.items[0].count, count, "{cell:?}");
        let odd = ["n/a", "-3", "1.5", "1.000,50", "1,234.567", "0.125"].contains(&cell);
        assert_eq!(
            texts.reading.notes.len(),
            usize::from(odd),
            "{cell:?}: {:?}",
            texts.reading.notes
        );
    }
}

#[test]
fn options_come_from_json_in_camel_case() {
    let json = r#"{"format":"tsv","delimiter":"\t","hasHeader":true,"textColumn":"2","encoding":null}"#;
    let options: ReadOptions = serde_json::from_str(json).unwrap();
    let texts = read(b"a\tb\n1\ttent\n", "table", Queries, &options).unwrap();
    assert_eq!(texts.items[0].text, "tent");
    let reading = serde_json::to_value(&texts.reading).unwrap();
    for key in [
        "file",
        "format",
        "delimiter",
        "encoding",
        "hasHeader",
        "columns",
        "used",
        "rows",
        "skippedTotal",
    ] {
        assert!(reading.get(key).is_some(), "{key}");
    }
    assert_eq!(reading["format"], "csv");
}
