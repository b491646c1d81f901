//! A log's own queries are ranked by base encoder, fitted adapter and cross-encoder, from what a job has found.

use std::rc::Rc;

use crate::common::{TestHost, block_on};
use querytune::Code;
use querytune::device::{Device, Dtype};
use querytune::input::{InputItem, Role, Texts};
use querytune::job::{Job, Stage};
use querytune::judging::{Rankings, rank_log};
use querytune::relations::{Candidate, Relations};
use querytune::tune::{Adapted, Adapter, Head};
use querytune::tuner::Index;
use querytune::vectors::Vectors;

const DOCUMENTS: usize = 12;

fn texts(prefix: &str, count: usize, role: Role) -> Rc<Texts> {
    let item = |number| InputItem {
        text: format!("{prefix} {number}"),
        ..InputItem::default()
    };
    Rc::new(Texts::from_items((0..count).map(item), role).expect("texts"))
}

/// A vector of length 1 at that angle, in degrees.
fn at(degrees: f32) -> [f32; 2] {
    [degrees.to_radians().cos(), degrees.to_radians().sin()]
}

/// Documents at 0, 5, ..., 55 degrees; queries at 1 and at 21. Of the first the nearest four are scored, the farther
/// the better; of the second none.
fn relations() -> Relations {
    let vectors = |angles: Vec<f32>| Vectors::from_rows(angles.into_iter().flat_map(at).collect(), 2).expect("vectors");
    let candidate = |document: u32, logit| Candidate {
        document,
        cosine: at(5.0 * document as f32)[0],
        logit,
    };
    Relations {
        queries: texts("query", 2, Role::Queries),
        documents: texts("document", DOCUMENTS, Role::Documents),
        query_vectors: vectors(vec![1.0, 21.0]),
        document_vectors: Rc::new(vectors((0..DOCUMENTS).map(|document| 5.0 * document as f32).collect())),
        candidates: vec![
            (0..6)
                .map(|document| candidate(document, (document < 4).then_some(document as f32)))
                .collect(),
            vec![candidate(4, None)],
        ],
        bm25: 0,
        depth: 4,
        per_query: None,
        times: Default::default(),
    }
}

fn rank(relations: &Relations, weight: [f32; 4], host: &TestHost) -> querytune::Result<Vec<Rankings>> {
    let (job, device) = (Job::new(host), Device::cpu(Dtype::Fp32));
    let query = Head {
        weight: weight.to_vec(),
        dims: 2,
    };
    let adapter = Adapter::Heads { query, document: None };
    let adapted = Rc::new(block_on(Adapted::new(adapter, None, &device, &job)).expect("an adapter"));
    let (vectors, documents) = (relations.document_vectors.clone(), relations.documents.clone());
    let tuned = block_on(Index::new(vectors, documents, Some(adapted), &job)).expect("an index");
    block_on(rank_log(relations, &tuned, &device, &job))
}

/// Turns a vector by 30 degrees, whatever its length becomes.
const TURNED: [f32; 4] = [0.0, -0.577_350_26, 0.577_350_26, 0.0];

#[test]
fn base_and_adapter_rank_all_documents_and_no_more_than_ten() {
    let found = rank(&relations(), TURNED, &TestHost::new()).expect("rankings");
    assert_eq!(found[0].base, (0..10).collect::<Vec<u32>>());
    assert_eq!(found[0].tuned[..3], [6, 7, 5], "31 degrees");
    assert_eq!(found[1].base[..4], [4, 5, 3, 6], "21 degrees");
    assert_eq!(found[1].tuned[..3], [10, 11, 9], "51 degrees");
    assert!(
        found
            .iter()
            .all(|query| query.base.len() == 10 && query.tuned.len() == 10)
    );
}

#[test]
fn an_adapter_that_changes_nothing_ranks_as_the_base_encoder() {
    for query in rank(&relations(), [0.0; 4], &TestHost::new()).expect("rankings") {
        assert_eq!(query.tuned, query.base);
    }
}

#[test]
fn the_cross_encoder_ranks_what_it_scored_by_its_logits() {
    let found = rank(&relations(), TURNED, &TestHost::new()).expect("rankings");
    assert_eq!(found[0].cross_encoder, [3, 2, 1, 0]);
    assert!(found[1].cross_encoder.is_empty(), "nothing was scored");
}

#[test]
fn of_equal_logits_the_nearer_document_is_first() {
    let mut relations = relations();
    for candidate in &mut relations.candidates[0] {
        candidate.logit = candidate.logit.map(|logit| (logit / 2.0).floor());
    }
    let found = rank(&relations, TURNED, &TestHost::new()).expect("rankings");
    assert_eq!(found[0].cross_encoder, [2, 3, 0, 1]);
}

#[test]
fn progress_counts_both_rankings_of_every_query() {
    let host = TestHost::new();
    rank(&relations(), TURNED, &host).expect("rankings");
    let reports = host.reports.borrow();
    let last = reports.last().expect("a report");
    assert_eq!((last.stage, last.done, last.total), (Stage::Evaluate, 4, 4));
}

#[test]
fn it_can_be_cancelled() {
    let host = TestHost::new();
    host.cancel_after.set(Some(1));
    let error = rank(&relations(), TURNED, &host).expect_err("it was cancelled");
    assert_eq!(error.code(), Code::Cancelled);
}
