//! Judgements in the forms in which they go around.

use querytune::error::Code;
use querytune::input::{
    JudgementRow, Qrels, QrelsOptions, ReadOptions, Role, SHOWN_JUDGEMENTS, UsedQrelsColumns, read as read_texts,
};

fn read(text: &str) -> Qrels {
    Qrels::read(text.as_bytes(), "qrels.tsv").unwrap()
}

fn flat(qrels: &Qrels) -> Vec<(&str, &str, i32)> {
    qrels
        .judgements
        .iter()
        .flat_map(|(query, documents)| documents.iter().map(|(d, r)| (query.as_str(), d.as_str(), *r)))
        .collect()
}

#[test]
fn every_form_gives_the_same_judgements() {
    for text in [
        "query_id\tdoc_id\trelevance\nq1\td1\t1\nq1\td2\t0\nq2\td1\t3\n",
        "query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t0\nq2\td1\t3\n",
        "Frage\tTreffer\tNote\nq1\td1\t1\nq1\td2\t0\nq2\td1\t3\n",
        "q1\td1\t1\nq1\td2\t0\nq2\td1\t3\n",
        "q1,d1,1\r\nq1,d2,0\r\nq2,d1,3",
        "query,docid,rating\n\"q1\",\"d1\",\"1\"\n\"q1\",\"d2\",\"0\"\n\"q2\",\"d1\",\"3\"\n",
        "query;docid;rating\nq1;d1;1\nq1;d2;0\n\nq2;d1;3\n",
        "q1 d1 1\nq1 d2 0\nq2  d1  3\n",
        "q1 0 d1 1\nq1 0 d2 0\nq2 0 d1 3\n",
        "q1\t0\td1\t1\nq1\t0\td2\t0\nq2\t0\td1\t3\n",
        "q1 Q0 d1 1\nq1 Q0 d2 0\nq2 Q0 d1 3\n",
        "qid\titer\tdocid\trel\nq1\t0\td1\t1\nq1\t0\td2\t0\nq2\t0\td1\t3\n",
        "\u{feff}q1\td1\t1\nq1\td2\t0\nq2\td1\t3\n",
        "q1\td1\t1.0\nq1\td2\t0.0\nq2\td1\t3.0\n",
        "q1|d1|1\nq1|d2|0\nq2|d1|3\n",
        "sep=|\nq1|d1|1\nq1|d2|0\nq2|d1|3\n",
        "relevance,doc_id,query_id\n1,d1,q1\n0,d2,q1\n3,d1,q2\n",
        "date,sku,score,Search term\n1 May,d1,1,q1\n2 May,d2,0,q1\n3 May,d1,3,q2\n",
        "query_id,doc_id,score,label\nq1,d1,.9,1\nq1,d2,.8,0\nq2,d1,.7,3\n",
        "Thema\tnichts\tTreffer\tNote\nq1\t0\td1\t1\nq1\t0\td2\t0\nq2\t0\td1\t3\n",
    ] {
        let qrels = read(text);
        assert_eq!(
            flat(&qrels),
            [("q1", "d1", 1), ("q1", "d2", 0), ("q2", "d1", 3)],
            "{text:?}"
        );
        assert_eq!(qrels.skipped, [], "{text:?}");
    }
}

#[test]
fn ids_may_be_numbers_or_hold_spaces_and_quotes() {
    let qrels = read("red \"hot\" shoes\t17\t1\n\"tent\t18\t-1\n");
    assert_eq!(flat(&qrels), [("\"tent", "18", -1), ("red \"hot\" shoes", "17", 1)]);
    assert_eq!(flat(&read("\"hot\" shoes\t17\t1\n")), [("\"hot\" shoes", "17", 1)]);
    assert_eq!(
        flat(&read("\"a\t1\t1\n\"b\"\t2\t0\n")),
        [("\"a", "1", 1), ("\"b\"", "2", 0)]
    );
    assert_eq!(flat(&read("a\t1\t1\n\"b\t2\t0")), [("\"b", "2", 0), ("a", "1", 1)]);
    // Quotes that would enclose the end of a line.
    assert_eq!(
        flat(&read("\"a\t1\t1\nb\"\t2\t0\n")),
        [("\"a", "1", 1), ("b\"", "2", 0)]
    );
    assert_eq!(flat(&read("1 0 17 1\n2 0 18 0\n")), [("1", "17", 1), ("2", "18", 0)]);
    assert_eq!(
        flat(&read("1\t17\t1\t2024\n2\t18\t0\t2024\n")),
        [("1", "17", 1), ("2", "18", 0)]
    );
}

#[test]
fn rows_that_are_no_judgements_are_skipped_with_line_and_reason() {
    let qrels =
        read("q\td\tr\n\nq1\td1\t1\nq1\td2\nq1\td3\thigh\nq1\t\t1\nq1\td1\t1\nq1\td1\t2\nq1\td4\t1.5\nq2\td1\t1\n");
    assert_eq!(flat(&qrels), [("q1", "d1", 1), ("q2", "d1", 1)]);
    let skipped: Vec<_> = qrels
        .skipped
        .iter()
        .map(|skipped| (skipped.line, skipped.reason.as_str()))
        .collect();
    assert_eq!(
        skipped,
        [
            (4, "2 fields where 3 are needed"),
            (5, "the relevance \"high\" is not a whole number"),
            (6, "an id is empty"),
            (7, "judged before, in the same way"),
            (8, "judged before, as 1"),
            (9, "the relevance \"1.5\" is not a whole number"),
        ]
    );
    assert_eq!(qrels.skipped_total, 6);
}

fn named(query: &str, document: &str, relevance: &str) -> QrelsOptions {
    let column = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    QrelsOptions {
        query_column: column(query),
        document_column: column(document),
        relevance_column: column(relevance),
        ..QrelsOptions::default()
    }
}

#[test]
fn what_is_said_of_a_file_comes_before_what_is_found() {
    let option = |value: &str| Some(value.to_owned());
    let spaces = QrelsOptions {
        delimiter: option("space"),
        ..QrelsOptions::default()
    };
    let semicolons = QrelsOptions {
        delimiter: option("semicolon"),
        ..QrelsOptions::default()
    };
    let without_header = QrelsOptions {
        has_header: Some(false),
        ..QrelsOptions::default()
    };
    let with_header = QrelsOptions {
        has_header: Some(true),
        ..named("", "", "")
    };
    let without_quotes = QrelsOptions {
        quotes: Some(false),
        ..QrelsOptions::default()
    };
    let table = [
        ("k\tp\tn\nq1\td1\t1\n", named("k", "p", "n"), ("q1", "d1", 1)),
        ("p\tk\tn\nd1\tq1\t1\n", named("k", "p", "n"), ("q1", "d1", 1)),
        // The others are where they are left.
        ("n\tk\tp\n2\tq1\td1\n", named("k", "", "n"), ("q1", "d1", 2)),
        ("1,q1,d1\n", named("2", "3", "1"), ("q1", "d1", 1)),
        ("a,b 0 d,1 1\n", spaces, ("a,b", "d,1", 1)),
        ("a,1;d,1;1\n", semicolons, ("a,1", "d,1", 1)),
        ("q1,d1,high\nq1,d2,1\n", without_header, ("q1", "d2", 1)),
        ("1,2,1\n1,3,0\n", with_header, ("1", "3", 0)),
        ("\"q\",d1,1\n", without_quotes, ("\"q\"", "d1", 1)),
    ];
    for (text, options, judgement) in table {
        let qrels = Qrels::read_as(text.as_bytes(), "qrels", &options).expect(text);
        assert_eq!(flat(&qrels), [judgement], "{text:?}");
    }
    let latin = QrelsOptions {
        encoding: option("iso-8859-2"),
        ..QrelsOptions::default()
    };
    let qrels = Qrels::read_as(b"\xb9,d1,1\n", "qrels.csv", &latin).expect("judgements");
    assert_eq!(flat(&qrels), [("š", "d1", 1)]);
}

#[test]
fn a_column_that_is_not_there_or_asked_for_twice_is_refused() {
    let file = b"query_id,doc_id,relevance\nq1,d1,1\n";
    for (options, message) in [
        (
            named("session", "", ""),
            "There is no column \"session\". The columns are: 1 \"query_id\", 2 \"doc_id\", 3 \"relevance\".",
        ),
        (
            named("1", "query_id", ""),
            "The column of documents is asked for twice.",
        ),
        (named("", "", "4"), "There is no column \"4\"."),
    ] {
        let error = Qrels::read_as(file, "qrels.csv", &options).unwrap_err();
        assert_eq!(error.code(), Code::InputColumn);
        assert!(error.to_string().contains(message), "{error}");
    }
    let none = QrelsOptions {
        document_column: Some(String::new()),
        ..QrelsOptions::default()
    };
    let error = Qrels::read_as(file, "qrels.csv", &none).unwrap_err();
    assert!(error.to_string().contains("need a column of documents"), "{error}");
}

#[test]
fn the_reading_says_which_columns_were_taken_and_what_became_of_the_first_rows() {
    let qrels = read("Nr;Suchbegriff;SKU;Rating\n1;zelt;17;2\n2;zelt;18;gut\n3;zelt\n");
    let reading = &qrels.reading;
    assert_eq!(
        (&*reading.file, &*reading.delimiter, &*reading.encoding),
        ("qrels.tsv", ";", "utf-8")
    );
    assert!(reading.has_header);
    assert_eq!(reading.columns, ["Nr", "Suchbegriff", "SKU", "Rating"]);
    let used = |query: &str, document: &str, relevance: &str| UsedQrelsColumns {
        query: query.to_owned(),
        document: document.to_owned(),
        relevance: relevance.to_owned(),
    };
    assert_eq!(reading.used, used("Suchbegriff", "SKU", "Rating"));
    assert_eq!(reading.rows, 3);
    let row = |line, document: &str, relevance: &str, grade| JudgementRow {
        line,
        query: "zelt".to_owned(),
        document: document.to_owned(),
        relevance: relevance.to_owned(),
        grade,
    };
    assert_eq!(
        reading.first,
        [
            row(2, "17", "2", Some(2)),
            row(3, "18", "gut", None),
            row(4, "", "", None)
        ]
    );
    let trec = read("q1 0 d1 1\n");
    assert_eq!((&*trec.reading.delimiter, trec.reading.has_header), (" ", false));
    assert_eq!(trec.reading.columns, ["1", "2", "3", "4"]);
    assert_eq!(trec.reading.used, used("1", "3", "4"));
    let many: String = (0..500).map(|number| format!("q{number}\td\t1\n")).collect();
    let many = read(&many);
    assert_eq!((many.reading.rows, many.reading.first.len()), (500, SHOWN_JUDGEMENTS));
}

#[test]
fn a_first_judgement_that_is_broken_is_not_taken_for_a_header() {
    let qrels = read("q1\td1\t\nq2\td1\t1\n");
    assert_eq!(qrels.skipped[0].line, 1);
}

#[test]
fn a_file_without_judgements_is_an_error() {
    let table: [(&[u8], Code, u64); 7] = [
        (b"", Code::InputEmpty, 0),
        (b"query_id\tdoc_id\trelevance\n", Code::InputEmpty, 1),
        (b"\nq1\td1\nq2\td2\n", Code::InputQrels, 2),
        (b"q,d,r\nq1,d1,yes\n", Code::InputQrels, 2),
        (b"just some words here\nand more\n", Code::InputQrels, 2),
        (
            b"{\"query-id\":\"q1\",\"corpus-id\":\"d1\",\"score\":1}\n",
            Code::InputQrels,
            1,
        ),
        (b"PK\x03\x04", Code::InputBinary, 0),
    ];
    for (bytes, code, line) in table {
        let error = Qrels::read(bytes, "qrels.tsv").unwrap_err();
        assert_eq!((error.code(), error.position().unwrap().line), (code, line), "{error}");
    }
}

#[test]
fn ids_that_a_table_of_tabs_could_not_hold_are_made_plain_as_those_of_texts_are() {
    let documents = "id,text\n\"d\t1\",a tent\n\"d\n2\",a stove\n";
    let documents = read_texts(
        documents.as_bytes(),
        "documents.csv",
        Role::Documents,
        &ReadOptions::default(),
    );
    let ids: Vec<String> = documents
        .expect("texts")
        .items
        .into_iter()
        .map(|text| text.ids[0].clone())
        .collect();
    assert_eq!(ids, ["d 1", "d 2"]);
    let qrels = read("query;document;relevance\nq1;d\t1;1\nq1;d2;2\n");
    assert_eq!(flat(&qrels), [("q1", "d 1", 1), ("q1", "d2", 2)]);
}
