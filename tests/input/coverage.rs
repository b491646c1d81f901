//! How many judgements are of what was read.

use querytune::input::{Qrels, ReadOptions, Role, Texts, read};

fn texts(csv: &str, role: Role) -> Texts {
    read(csv.as_bytes(), "texts.csv", role, &ReadOptions::default()).expect("texts")
}

fn qrels(tsv: &str) -> Qrels {
    Qrels::read(tsv.as_bytes(), "qrels.tsv").expect("judgements")
}

#[test]
fn a_judgement_counts_if_both_its_query_and_its_document_were_read() {
    let queries = texts("id,query\nq1,boots\nq2,tent\n", Role::Queries);
    let documents = texts(
        "id,text\nd1,red shoe\nd2,black boot\nd3,stove\nd4,rope\n",
        Role::Documents,
    );
    let judged = qrels("q1\td1\t1\nq1\td9\t0\nq2\td2\t0\nq7\td1\t1\nq8\td8\t1\n");
    let coverage = judged.coverage(&queries, &documents);
    assert_eq!((coverage.judgements, coverage.known), (5, 2));
    assert_eq!((coverage.queries.ids, coverage.queries.known), (4, 2));
    assert_eq!((coverage.documents.ids, coverage.documents.known), (4, 2));
    assert_eq!(coverage.queries.unknown, ["q7", "q8"]);
    assert_eq!(coverage.documents.unknown, ["d8", "d9"]);
    assert_eq!(coverage.queries.texts, ["q1", "q2"]);
    assert_eq!(coverage.documents.texts, ["d1", "d2", "d3"]);
}

#[test]
fn a_merged_text_is_known_by_each_of_its_ids() {
    let queries = texts("id,query\nq1,boots\nq2,tent\nq3,boots\n", Role::Queries);
    let documents = texts("id,text\nd1,red shoe\nd2,red shoe\n", Role::Documents);
    let coverage = qrels("q1\td1\t1\nq3\td2\t1\n").coverage(&queries, &documents);
    assert_eq!((coverage.judgements, coverage.known), (2, 2));
    assert_eq!(coverage.queries.unknown, [""; 0]);
}
