//! BM25 against an independent implementation: `tests/golden/make_bm25.py`.

use std::io::Read;
use std::path::Path;

use crate::common::{TestHost, block_on, golden, numbers};
use flate2::read::GzDecoder;
use querytune::Code;
use querytune::bm25::{Bm25, Bm25Options, words};
use querytune::evaluate::{Run, judge};
use querytune::input::{Qrels, ReadOptions, Role, read};
use querytune::job::Job;

fn index(documents: &[&str], options: Bm25Options) -> Bm25 {
    let host = TestHost::new();
    block_on(Bm25::build(documents.iter().copied(), options, &Job::new(&host))).expect("an index")
}

fn found(index: &Bm25, query: &str, k: usize) -> Vec<u32> {
    index.top_k(query, k).iter().map(|hit| hit.document).collect()
}

#[test]
fn words_are_those_of_unicodes_word_boundaries() {
    for document in golden("bm25.json")["documents"].as_array().expect("documents") {
        let expected: Vec<&str> = document["words"]
            .as_array()
            .expect("words")
            .iter()
            .map(|word| word.as_str().expect("a word"))
            .collect();
        let text = document["text"].as_str().expect("a text");
        assert_eq!(words(text).collect::<Vec<_>>(), expected, "{text}");
    }
}

#[test]
fn scores_are_those_of_an_independent_implementation() {
    let golden = golden("bm25.json");
    let documents = golden["documents"].as_array().expect("documents");
    let documents: Vec<&str> = documents.iter().map(|d| d["text"].as_str().expect("a text")).collect();
    for case in golden["scores"].as_array().expect("scores") {
        let options = Bm25Options {
            k1: case["k1"].as_f64().expect("k1") as f32,
            b: case["b"].as_f64().expect("b") as f32,
        };
        let query = case["query"].as_str().expect("a query");
        let mut scores = vec![0.0; documents.len()];
        for hit in index(&documents, options).top_k(query, documents.len()) {
            scores[hit.document as usize] = f64::from(hit.score);
        }
        for (document, expected) in numbers(&case["scores"]).into_iter().enumerate() {
            assert!(
                (scores[document] - expected).abs() < 2e-6,
                "{query} in document {document}, {options:?}: {} is not {expected}",
                scores[document]
            );
        }
    }
}

#[test]
fn scifact_is_ranked_as_well_as_by_an_independent_implementation() {
    let bytes = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scifact");
        std::fs::read(path.join(name)).expect("a data file")
    };
    let mut documents = Vec::new();
    for part in ["documents-1.csv.gz", "documents-2.csv.gz"] {
        GzDecoder::new(&bytes(part)[..])
            .read_to_end(&mut documents)
            .expect("gzip");
    }
    let options = ReadOptions::default();
    let documents = read(&documents, "documents.csv", Role::Documents, &options).expect("documents");
    let queries = read(&bytes("queries.csv"), "queries.csv", Role::Queries, &options).expect("queries");
    let qrels = Qrels::read(&bytes("qrels.tsv"), "qrels.tsv").expect("judgements");

    let texts: Vec<&str> = documents.items.iter().map(|document| document.text.as_str()).collect();
    let index = index(&texts, Bm25Options::default());
    let host = TestHost::new();
    let query_texts: Vec<&str> = queries.items.iter().map(|query| query.text.as_str()).collect();
    let done = std::cell::Cell::new(0);
    let finished = |count| done.set(done.get() + count);
    let found = block_on(index.search(&query_texts, 100, &Job::new(&host), finished)).expect("documents");
    assert_eq!(done.get(), 300);
    let run: Run = queries
        .items
        .iter()
        .zip(&found)
        .map(|(query, hits)| {
            let ids = |document: u32| documents.items[document as usize].ids.iter().cloned();
            let hits = hits.iter().flat_map(|hit| ids(hit.document).map(|id| (id, hit.score)));
            (query.ids[0].clone(), hits.collect())
        })
        .collect();
    let figure = judge(&qrels.judgements, &run).mean.ndcg_10;
    // Stemmed words have .6762 with the same constants.
    assert!((figure - 0.662_152).abs() < 0.0002, "{figure:.4}");
}

#[test]
fn equal_documents_stand_in_order_of_their_numbers() {
    let documents = ["other words", "a fox", "a fox", "nothing", "a fox", "a fox"];
    let index = index(&documents, Bm25Options::default());
    assert_eq!(found(&index, "fox", 10), [1, 2, 4, 5]);
    assert_eq!(found(&index, "fox", 3), [1, 2, 4]);
    assert_eq!(found(&index, "fox", 0), [0; 0]);
}

#[test]
fn the_first_k_are_those_of_the_whole_ranking() {
    let mut random = fastrand::Rng::with_seed(5);
    let word = |random: &mut fastrand::Rng| format!("w{}", (random.f64().powi(3) * 300.0) as usize);
    let texts: Vec<String> = (0..3000)
        .map(|_| {
            let length = random.usize(1..40);
            (0..length).map(|_| word(&mut random) + " ").collect()
        })
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let index = index(&texts, Bm25Options::default());
    assert_eq!(index.len(), 3000);
    for query in ["w0 w1", "w250 w3 w3 w17", "w299"] {
        let all = index.top_k(query, usize::MAX);
        let sorted = |pair: &[querytune::search::Neighbour]| {
            pair[0].score > pair[1].score || (pair[0].score == pair[1].score && pair[0].document < pair[1].document)
        };
        assert!(all.windows(2).all(sorted), "{query}");
        // Every document with one of the words is found, and no other.
        let with = texts
            .iter()
            .filter(|text| text.split(' ').any(|word| query.split(' ').any(|q| q == word)));
        assert_eq!(all.len(), with.count(), "{query}");
        for k in [1, 10, 100] {
            assert_eq!(index.top_k(query, k), all[..k.min(all.len())], "{query}");
        }
    }
}

#[test]
fn an_empty_corpus_and_an_empty_query_find_nothing() {
    assert!(index(&[], Bm25Options::default()).top_k("fox", 10).is_empty());
    let index = index(&["", "—", "fox"], Bm25Options::default());
    assert!(index.top_k("", 10).is_empty());
    assert_eq!(found(&index, "fox", 10), [2]);
}

#[test]
fn constants_out_of_range_are_refused() {
    let host = TestHost::new();
    for (k1, b) in [(-1.0, 0.4), (0.9, 1.1), (0.9, -0.1), (f32::NAN, 0.4), (0.9, f32::NAN)] {
        let built = block_on(Bm25::build(["a"], Bm25Options { k1, b }, &Job::new(&host)));
        assert_eq!(built.err().expect("an error").code(), Code::Option, "{k1} {b}");
    }
}

#[test]
fn building_and_searching_can_be_cancelled() {
    let text = "word ".repeat(10_000);
    let built = index(&[&text], Bm25Options::default());
    let host = TestHost::new();
    host.cancel_after.set(Some(0));
    let job = Job::new(&host);
    let build = block_on(Bm25::build([text.as_str()], Bm25Options::default(), &job));
    assert_eq!(build.err().expect("an error").code(), Code::Cancelled);
    let search = block_on(built.search(&["word"], 1, &job, |_| {}));
    assert_eq!(search.expect_err("an error").code(), Code::Cancelled);
}
