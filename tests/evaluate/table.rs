//! The table query by query is complete, in order, and harmless where it is opened.

use querytune::evaluate::{Judged, Metrics, QueryAgreement, TableQuery, agreement_table, judged_table};

fn judged(figures: &[(&str, f64)]) -> Judged {
    let metrics = |ndcg_10: f64| Metrics {
        ndcg_10,
        mrr_10: 0.5,
        map_100: 0.25,
        recall_100: 1.0,
    };
    let queries = figures.iter().map(|&(id, value)| (id.to_owned(), metrics(value)));
    Judged {
        queries: queries.collect(),
        ..Judged::default()
    }
}

fn query<'a>(id: &'a str, text: &'a str, count: u32) -> TableQuery<'a> {
    TableQuery { id, text, count }
}

/// Each row's cells by the name of their column.
fn rows(table: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    csv::Reader::from_reader(table.as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()
        .expect("CSV")
}

fn column(table: &str, name: &str) -> Vec<String> {
    rows(table).into_iter().map(|row| row[name].clone()).collect()
}

#[test]
fn every_metric_of_every_system_is_there() {
    let (base, tuned, ceiling) = (
        judged(&[("a", 0.5)]),
        judged(&[("a", 2.0 / 3.0)]),
        judged(&[("a", 1.0)]),
    );
    let table = judged_table([query("a", "shoes", 3)], &base, &tuned, Some(&ceiling)).expect("a table");
    assert_eq!(
        table,
        "query-id,query,count,ndcg@10 base,ndcg@10 tuned,ndcg@10 ceiling,mrr@10 base,mrr@10 tuned,mrr@10 ceiling,\
         map@100 base,map@100 tuned,map@100 ceiling,recall@100 base,recall@100 tuned,recall@100 ceiling,ndcg@10 change\n\
         a,shoes,3,0.5,0.666667,1,0.5,0.5,0.5,0.25,0.25,0.25,1,1,1,0.166667\n"
    );
}

#[test]
fn gains_come_first_and_losses_last() {
    let base = judged(&[("a", 0.9), ("b", 0.5), ("c", 0.2), ("d", 0.3), ("e", 0.2), ("f", 0.0)]);
    let tuned = judged(&[("a", 0.1), ("b", 0.5), ("c", 0.3), ("d", 0.8), ("e", 0.2), ("f", 0.1)]);
    let queries = ["a", "b", "c", "d", "e", "f"].map(|id| query(id, "text", if id == "e" { 7 } else { 2 }));
    let table = judged_table(queries, &base, &tuned, None).expect("a table");
    // c and f have gained the same on paper, but not in their last bits: they stay in order.
    assert_eq!(column(&table, "query-id"), ["d", "c", "f", "e", "b", "a"]);
    assert_eq!(
        column(&table, "ndcg@10 change"),
        ["0.5", "0.1", "0.1", "0", "0", "-0.8"]
    );
}

#[test]
fn without_a_ceiling_its_cells_are_empty() {
    let table = judged_table(
        [query("a", "x", 1)],
        &judged(&[("a", 0.5)]),
        &judged(&[("a", 0.5)]),
        None,
    );
    let row = rows(&table.expect("a table")).remove(0);
    assert_eq!(
        (row["ndcg@10 ceiling"].as_str(), row["mrr@10 ceiling"].as_str()),
        ("", "")
    );
}

#[test]
fn queries_without_figures_are_left_out() {
    let queries = [query("a", "x", 1), query("b", "y", 1), query("c", "z", 1)];
    let table = judged_table(
        queries,
        &judged(&[("a", 0.5), ("b", 0.5)]),
        &judged(&[("b", 0.5)]),
        None,
    );
    assert_eq!(column(&table.expect("a table"), "query-id"), ["b"]);
}

#[test]
fn a_query_is_never_a_formula() {
    let texts = [
        "=HYPERLINK(\"http://example.org\")",
        "+49 30 1234",
        "-5 degrees",
        "@home",
        "\u{ff1d}1+1",
        "\t=1+1",
    ];
    let figures = |text| QueryAgreement {
        query: query("-Kx8=", text, 1),
        base: 0.0,
        tuned: 0.0,
    };
    let table = agreement_table(texts.map(figures)).expect("a table");
    assert_eq!(column(&table, "query"), texts.map(|text| format!("'{text}")));
    // The key to the data stays as it is.
    assert!(column(&table, "query-id").iter().all(|id| id == "-Kx8="));

    let harmless = ["shoes = 42", "a-b", "'tis", "3+4", "red, \"blue\"\nor green"];
    let table = agreement_table(harmless.map(figures)).expect("a table");
    assert_eq!(column(&table, "query"), harmless);
}

#[test]
fn without_judgements_the_table_has_the_agreement() {
    let row = |id, base, tuned| QueryAgreement {
        query: query(id, "text", 2),
        base,
        tuned,
    };
    let table = agreement_table([row("lost", 0.5, 0.25), row("won", 0.125, 0.75)]).expect("a table");
    assert_eq!(
        table,
        "query-id,query,count,agreement base,agreement tuned,agreement change\n\
         won,text,2,0.125,0.75,0.625\n\
         lost,text,2,0.5,0.25,-0.25\n"
    );
}
