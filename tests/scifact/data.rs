//! SciFact as its tests see it.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::rc::Rc;
use std::sync::LazyLock;

use flate2::read::GzDecoder;
use querytune::device::{Device, Dtype};
use querytune::evaluate::{Judged, Run, judge};
use querytune::input::{Qrels, ReadOptions, Role, Texts, read};
use querytune::job::Job;
use querytune::model::{Encoder, TextKind};
use querytune::relations::{Candidate, Relations, StageTimes};
use querytune::search::top_k;
use querytune::synthesize::encode_texts;
use querytune::tune::Adapted;
use querytune::vectors::Vectors;

use crate::common::{TestHost, block_on, encoder_files};

/// Candidates of each query that have a logit in the file.
const DEPTH: usize = 20;

pub fn device() -> Device {
    Device::cpu(Dtype::Int16)
}

pub fn encoder() -> Encoder {
    let host = TestHost::new();
    block_on(Encoder::load(&encoder_files(), &device(), &Job::new(&host))).expect("the encoder loads")
}

/// The vectors of all abstracts, made once.
static DOCUMENT_VECTORS: LazyLock<Vectors> = LazyLock::new(|| encode(&SciFact::read().documents, TextKind::Document));

fn encode(texts: &Texts, kind: TextKind) -> Vectors {
    let host = TestHost::new();
    let texts: Vec<&str> = texts.items.iter().map(|text| text.text.as_str()).collect();
    let vectors = block_on(encode_texts(&encoder(), &[(&texts, kind)], &Job::new(&host)));
    vectors.expect("vectors").0.remove(0)
}

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

fn texts(bytes: &[u8], name: &str, role: Role) -> Rc<Texts> {
    Rc::new(read(bytes, name, role, &ReadOptions::default()).expect("a readable file"))
}

pub struct SciFact {
    /// 1,109 claims to adapt to.
    pub log: Rc<Texts>,
    /// 300 others.
    pub queries: Rc<Texts>,
    /// All abstracts.
    pub documents: Rc<Texts>,
    /// What answers the 300.
    pub qrels: Qrels,
}

impl SciFact {
    pub fn read() -> Self {
        // Two parts of one CSV file; the second has no header of its own.
        let documents = [file("documents-1.csv.gz"), file("documents-2.csv.gz")].concat();
        Self {
            log: texts(&file("log.csv"), "log.csv", Role::Queries),
            queries: texts(&file("queries.csv"), "queries.csv", Role::Queries),
            documents: texts(&documents, "documents.csv", Role::Documents),
            qrels: Qrels::read(&file("qrels.tsv"), "qrels.tsv").expect("judgements"),
        }
    }

    /// The log with the cross-encoder's logits of each query's first candidates, from the file.
    pub fn relations(&self) -> Relations {
        let number = |texts: &Texts| -> HashMap<String, usize> {
            let ids = texts.items.iter().enumerate();
            ids.map(|(number, text)| (text.ids[0].clone(), number)).collect()
        };
        let (queries, documents) = (number(&self.log), number(&self.documents));
        let query_vectors = encode(&self.log, TextKind::Query);
        let mut candidates = vec![Vec::new(); self.log.items.len()];
        let rows = String::from_utf8(file("logits.tsv.gz")).expect("text");
        for row in rows.lines().skip(1) {
            let cells: Vec<&str> = row.split('\t').collect();
            let Some(&query) = queries.get(cells[0]) else { continue };
            let document = documents[cells[1]];
            let pair = query_vectors.row(query).iter().zip(DOCUMENT_VECTORS.row(document));
            candidates[query].push(Candidate {
                document: document as u32,
                cosine: pair.map(|(a, b)| a * b).sum(),
                logit: Some(cells[2].parse().expect("a logit")),
            });
        }
        Relations {
            queries: self.log.clone(),
            documents: self.documents.clone(),
            query_vectors,
            document_vectors: Rc::new(DOCUMENT_VECTORS.clone()),
            candidates,
            depth: DEPTH,
            bm25: 0,
            per_query: None,
            times: StageTimes::default(),
        }
    }

    /// The 100 abstracts nearest to each of the 300 queries, by the base encoder or a tuned one.
    pub fn run(&self, tuned: Option<&Adapted>) -> Run {
        let host = TestHost::new();
        let job = Job::new(&host);
        let mut queries = encode(&self.queries, TextKind::Query);
        if let Some(tuned) = tuned {
            let vectors = tuned.after_encoder(TextKind::Query, queries, &job);
            queries = block_on(vectors).expect("tuned vectors");
        }
        let found = block_on(top_k(&queries, &DOCUMENT_VECTORS, 100, &device(), &job, |_| {}));
        let ranking = |found: &[querytune::search::Neighbour]| {
            let hits = found.iter().flat_map(|hit| {
                let ids = &self.documents.items[hit.document as usize].ids;
                ids.iter().map(|id| (id.clone(), hit.score))
            });
            hits.collect()
        };
        let queries = self.queries.items.iter().map(|query| query.ids[0].clone());
        let found = found.expect("neighbours");
        queries.zip(found.iter().map(|found| ranking(found))).collect()
    }

    pub fn judge(&self, run: &Run) -> Judged {
        judge(&self.qrels.judgements, run)
    }
}
