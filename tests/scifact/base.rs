//! The base encoder on all of SciFact gives the published figures.

use std::fmt::Write;
use std::path::Path;

use querytune::evaluate::{Judged, Run};
use querytune::input::Qrels;

use crate::data::SciFact;

/// Leaves run, judgements and figures where `tests/interop/check_metrics.py` compares them with trec_eval's.
fn keep_for_trec_eval(run: &Run, qrels: &Qrels, judged: &Judged) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).expect("a writable folder");
    let mut text = String::new();
    for (query, hits) in run {
        for (rank, (document, score)) in hits.iter().enumerate() {
            writeln!(text, "{query} Q0 {document} {} {score} querytune", rank + 1).expect("memory");
        }
    }
    write("scifact.run", text);
    let mut text = String::new();
    for (query, documents) in &qrels.judgements {
        for (document, relevance) in documents {
            writeln!(text, "{query} 0 {document} {relevance}").expect("memory");
        }
    }
    write("scifact.qrels", text);
    write(
        "scifact.metrics.json",
        serde_json::to_string(&judged.queries).expect("json"),
    );
}

#[test]
fn the_base_encoder_has_the_published_figures() {
    let data = SciFact::read();
    assert_eq!((data.queries.items.len(), data.documents.reading.rows), (300, 5183));
    let run = data.run(None);
    let judged = data.judge(&run);
    keep_for_trec_eval(&run, &data.qrels, &judged);
    let mean = judged.mean;
    for (name, found, expected) in [
        ("nDCG@10", mean.ndcg_10, 0.6451),
        ("MRR@10", mean.mrr_10, 0.6047),
        ("MAP@100", mean.map_100, 0.6031),
        ("recall@100", mean.recall_100, 0.9250),
    ] {
        println!("{name} {found:.4}");
        assert!(
            (found - expected).abs() <= 0.001,
            "{name} is {found:.4}, published {expected:.4}"
        );
    }
}
