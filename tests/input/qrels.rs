//! Judgements in the forms in which they go around.

use querytune::error::Code;
use querytune::input::{Qrels, ReadOptions, Role, read as read_texts};

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

#[test]
fn a_first_judgement_that_is_broken_is_not_taken_for_a_header() {
    let qrels = read("q1\td1\t\nq2\td1\t1\n");
    assert_eq!(qrels.skipped[0].line, 1);
}

#[test]
fn a_file_without_judgements_is_an_error() {
    let table: [(&[u8], Code, u64); 6] = [
        (b"", Code::InputEmpty, 0),
        (b"query_id\tdoc_id\trelevance\n", Code::InputEmpty, 1),
        (b"\nq1\td1\nq2\td2\n", Code::InputQrels, 2),
        (b"q,d,r\nq1,d1,yes\n", Code::InputQrels, 2),
        (b"just some words here\nand more\n", Code::InputQrels, 2),
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
