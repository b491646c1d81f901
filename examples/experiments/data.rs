//! The sets that experiments are run on.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use flate2::read::GzDecoder;
use querytune::input::{Qrels, ReadOptions, Role, Text, Texts, read};

/// Queries without labels to learn from, documents, and judged queries to be measured on.
#[derive(Clone)]
pub struct Set {
    /// As results name it.
    pub name: String,
    /// The search log.
    pub log: Rc<Texts>,
    /// The corpus.
    pub documents: Rc<Texts>,
    /// The queries that are judged; the log's own if there are none.
    pub test: Option<Rc<Texts>>,
    /// The judgements.
    pub qrels: Rc<Qrels>,
}

impl Set {
    /// A part of it that is worked through in a minute: a few queries, and the documents that they are judged with among
    /// some others.
    pub fn slice(&self) -> Self {
        let judged = |text: &Text| self.qrels.judgements.get(&text.ids[0]);
        let test = self.test.as_ref().map(|test| only(test, |number, _| number < 20));
        let relevant = |text: &Text| {
            let asked = test.iter().flat_map(|test| &test.items).filter_map(judged);
            asked.flat_map(|of| of.keys()).any(|id| *id == text.ids[0])
        };
        Self {
            log: only(&self.log, |number, _| number < 40),
            documents: only(&self.documents, |number, text| number < 200 || relevant(text)),
            test: test.clone(),
            ..self.clone()
        }
    }
}

/// Where the sets are.
pub struct Data {
    /// The repository.
    pub root: PathBuf,
    /// A folder with the sets that the repository does not hold.
    pub more: Option<PathBuf>,
}

fn bytes(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if path.extension().is_none_or(|extension| extension != "gz") {
        return bytes;
    }
    let mut plain = Vec::new();
    GzDecoder::new(&bytes[..]).read_to_end(&mut plain).expect("a gzip file");
    plain
}

fn texts(bytes: &[u8], name: &str, role: Role) -> Rc<Texts> {
    Rc::new(read(bytes, name, role, &ReadOptions::default()).unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// The texts that are kept, in their order.
pub fn only(texts: &Texts, keep: impl Fn(usize, &Text) -> bool) -> Rc<Texts> {
    let mut kept = texts.clone();
    let mut number = 0;
    kept.items.retain(|text| {
        number += 1;
        keep(number - 1, text)
    });
    Rc::new(kept)
}

/// The threads of StackFAQ whose queries are the log: the first 62 of `numpy.random.RandomState(0).permutation(125)`, as in
/// the measurements that the targets come from.
const LOG_THREADS: [usize; 62] = [
    1, 2, 3, 4, 6, 7, 8, 10, 11, 13, 15, 16, 17, 18, 22, 24, 26, 27, 30, 33, 41, 42, 43, 45, 48, 50, 51, 54, 56, 59,
    60, 61, 62, 63, 66, 68, 71, 73, 75, 76, 78, 84, 86, 89, 90, 91, 93, 94, 96, 97, 98, 99, 101, 105, 107, 108, 111,
    115, 116, 118, 119, 124,
];

impl Data {
    /// SciFact: 1,109 claims as the log, 300 others to be measured on.
    pub fn scifact(&self) -> Set {
        let file = |name: &str| bytes(&self.root.join("tests/data/scifact").join(name));
        let documents = [file("documents-1.csv.gz"), file("documents-2.csv.gz")].concat();
        Set {
            name: "scifact".into(),
            log: texts(&file("log.csv"), "log.csv", Role::Queries),
            documents: texts(&documents, "documents.csv", Role::Documents),
            test: Some(texts(&file("queries.csv"), "queries.csv", Role::Queries)),
            qrels: Rc::new(Qrels::read(&file("qrels.tsv"), "qrels.tsv").expect("judgements")),
        }
    }

    fn file(&self, set: &str, name: &str) -> Option<Vec<u8>> {
        let path = self.more.as_ref()?.join(set).join(name);
        path.exists().then(|| bytes(&path))
    }

    /// StackFAQ: paraphrases of questions; the log has those of one half of the threads, the test those of the other.
    /// `documents` names the file of documents: questions with answers, or answers only.
    pub fn stackfaq(&self, name: &str, documents: &str) -> Option<Set> {
        let file = |name: &str| self.file("stackfaq", name);
        let queries = texts(&file("queries.csv")?, "queries.csv", Role::Queries);
        // Ids are tNNN_qM.
        let thread = |id: &str| id[1..4].parse::<usize>().expect("a thread's number");
        let half = |is_log: bool| {
            only(&queries, |_, text| {
                LOG_THREADS.contains(&thread(&text.ids[0])) == is_log
            })
        };
        Some(Set {
            name: name.into(),
            log: half(true),
            documents: texts(&file(documents)?, documents, Role::Documents),
            test: Some(half(false)),
            qrels: Rc::new(Qrels::read(&file("qrels.tsv")?, "qrels.tsv").expect("judgements")),
        })
    }

    /// Chorus: 116 queries of a shop that are both log and test, 8,000 products.
    pub fn chorus(&self) -> Option<Set> {
        let file = |name: &str| self.file("chorus-electronics", name);
        let qrels = Qrels::read(&file("qrels_116.tsv")?, "qrels_116.tsv").expect("judgements");
        let queries = texts(&file("queries.csv")?, "queries.csv", Role::Queries);
        let is_judged = |text: &Text| text.ids.iter().any(|id| qrels.judgements.contains_key(id));
        Some(Set {
            name: "chorus".into(),
            log: only(&queries, |_, text| is_judged(text)),
            documents: texts(&file("documents.csv")?, "documents.csv", Role::Documents),
            test: None,
            qrels: Rc::new(qrels),
        })
    }
}
