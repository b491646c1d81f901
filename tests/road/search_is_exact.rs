//! Exact search against a plain sort over all documents.

use crate::common::{TestHost, block_on};
use querytune::device::{Device, Dtype};
use querytune::job::Job;
use querytune::search::{Neighbour, top_k};
use querytune::vectors::Vectors;

fn random_unit_vectors(rows: usize, dims: usize, seed: u64) -> Vectors {
    let mut random = fastrand::Rng::with_seed(seed);
    let data = (0..rows * dims).map(|_| random.f32() - 0.5).collect();
    let mut vectors = Vectors::from_rows(data, dims).expect("rows");
    vectors.normalize_rows();
    vectors
}

fn search(queries: &Vectors, documents: &Vectors, k: usize) -> Vec<Vec<Neighbour>> {
    let host = TestHost::new();
    block_on(top_k(
        queries,
        documents,
        k,
        &Device::cpu(Dtype::Int16),
        &Job::new(&host),
        |_| {},
    ))
    .expect("found")
}

#[test]
fn the_best_k_are_those_of_a_sort_over_more_than_one_tile() {
    let (queries, documents) = (random_unit_vectors(300, 16, 1), random_unit_vectors(9000, 16, 2));
    let found = search(&queries, &documents, 100);
    for (query, found) in found.iter().enumerate() {
        let dot = |document: usize| -> f64 {
            let pairs = queries.row(query).iter().zip(documents.row(document));
            pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        let mut expected: Vec<usize> = (0..documents.len()).collect();
        expected.sort_by_cached_key(|&document| std::cmp::Reverse((dot(document) * 1e12) as i64));
        assert_eq!(found.len(), 100);
        for (rank, hit) in found.iter().enumerate() {
            // Sums in another order differ in the last bits, so near-equal neighbours may swap.
            let (found, expected) = (dot(hit.document as usize), dot(expected[rank]));
            assert!(
                (found - expected).abs() < 1e-6,
                "query {query}, rank {rank}: {found} is not {expected}"
            );
        }
    }
}

#[test]
fn ties_go_to_the_document_that_comes_first() {
    let one = random_unit_vectors(1, 8, 3);
    let documents = one.select(std::iter::repeat_n(0, 5000));
    let documents: Vec<u32> = search(&one, &documents, 10)[0].iter().map(|hit| hit.document).collect();
    assert_eq!(documents, (0..10).collect::<Vec<u32>>());
}

#[test]
fn a_small_corpus_gives_all_its_documents() {
    let found = search(&random_unit_vectors(2, 8, 4), &random_unit_vectors(3, 8, 5), 100);
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3]);
    let all = search(&random_unit_vectors(2, 8, 4), &random_unit_vectors(3, 8, 5), usize::MAX);
    assert_eq!(all, found);
}

#[test]
fn no_query_finds_nothing() {
    assert!(search(&Vectors::default(), &random_unit_vectors(3, 8, 6), 10).is_empty());
}
