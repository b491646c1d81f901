//! The base encoder on all of SciFact gives the published figures.
//!
//! Takes minutes, so it has a file of its own, and is computed as the CPU does by default, in 16-bit integers: in fp32 it
//! takes twice as long, and what that gives is held to golden vectors elsewhere. The data are in `tests/data/scifact`,
//! with their licence.

mod common;

use std::fmt::Write;
use std::io::Read;
use std::path::Path;

use common::{TestHost, block_on, encoder_files};
use flate2::read::GzDecoder;
use querytune::device::{Device, Dtype};
use querytune::evaluate::{Judged, Run, judge};
use querytune::input::{Qrels, ReadOptions, Role, Texts, read};
use querytune::job::Job;
use querytune::model::{Encoder, TextKind};
use querytune::search::top_k;
use querytune::synthesize::encode_texts;
use querytune::vectors::Vectors;

fn file(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/scifact")
        .join(name);
    let bytes = std::fs::read(path).expect("a data file");
    if !name.ends_with(".gz") {
        return bytes;
    }
    let mut plain = Vec::new();
    GzDecoder::new(&bytes[..]).read_to_end(&mut plain).expect("gzip");
    plain
}

fn texts(bytes: &[u8], name: &str, role: Role) -> Texts {
    read(bytes, name, role, &ReadOptions::default()).expect("a readable file")
}

fn encode(texts: &[&str], kind: TextKind) -> Vectors {
    let host = TestHost::new();
    let job = Job::new(&host);
    let (files, device) = (encoder_files(), Device::cpu(Dtype::Int16));
    let encoder = block_on(Encoder::load(&files, &device, &job)).expect("the encoder loads");
    let (mut vectors, _) = block_on(encode_texts(&encoder, &[(texts, kind)], &job)).expect("vectors");
    vectors.remove(0)
}

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
fn the_base_encoder_has_the_published_figures_on_scifact() {
    let queries = texts(&file("queries.csv"), "queries.csv", Role::Queries);
    // Two parts of one CSV file; the second has no header of its own.
    let bytes = [file("documents-1.csv.gz"), file("documents-2.csv.gz")].concat();
    let documents = texts(&bytes, "documents.csv", Role::Documents);
    assert_eq!((queries.items.len(), documents.reading.rows), (300, 5183));
    let qrels = Qrels::read(&file("qrels.tsv"), "qrels.tsv").expect("judgements");

    let query_texts: Vec<&str> = queries.items.iter().map(|query| query.text.as_str()).collect();
    let document_texts: Vec<&str> = documents.items.iter().map(|document| document.text.as_str()).collect();
    let query_vectors = encode(&query_texts, TextKind::Query);
    let document_vectors = encode(&document_texts, TextKind::Document);
    let host = TestHost::new();
    let job = Job::new(&host);
    let found = block_on(top_k(
        &query_vectors,
        &document_vectors,
        100,
        &Device::cpu(Dtype::Int16),
        &job,
        |_| {},
    ));
    let found = found.expect("neighbours");

    let mut run = Run::new();
    for (query, found) in queries.items.iter().zip(&found) {
        let hits = found.iter().flat_map(|hit| {
            documents.items[hit.document as usize]
                .ids
                .iter()
                .map(|id| (id.clone(), hit.score))
        });
        run.insert(query.ids[0].clone(), hits.collect());
    }
    let judged = judge(&qrels.judgements, &run);
    keep_for_trec_eval(&run, &qrels, &judged);
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
