//! Logits that need not be made again: scoring a set's pairs takes an hour or more, everything after that minutes.
//!
//! SciFact's are in a file of the repository, where somebody has made it; those of the CPU can be taken over for another
//! device. The file has a line `# SHA-256` with that of the cross-encoder's weights, then query id, document id and logit,
//! separated by tabs, compressed. `--save-logits` writes it of what is in the store.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use querytune::input::Texts;
use querytune::job::Job;
use querytune::model::CrossEncoder;
use querytune::results::{ContentKey, ResultLog, numbers_by_key, pair_key, text_key};
use querytune::synthesize::SynthesizeOptions;
use querytune::tuner::Tuner;

use super::data::Set;
use super::devices::On;
use super::host::block_on;

/// Candidates of each query whose logits are in the file.
const DEPTH: usize = 20;

fn path(root: &Path) -> PathBuf {
    root.join("tests/data/scifact/logits.tsv.gz")
}

fn first_line(cross_encoder: &CrossEncoder) -> String {
    format!("# SHA-256 {}", cross_encoder.info().sha256)
}

/// The content keys of texts by id.
fn keys<'t>(texts: impl IntoIterator<Item = &'t Texts>) -> HashMap<&'t str, ContentKey> {
    let items = texts.into_iter().flat_map(|texts| &texts.items);
    items.map(|text| (text.ids[0].as_str(), text_key(&text.text))).collect()
}

/// Puts the file's logits into the store, those that are not there; none if another cross-encoder made them.
pub fn load(root: &Path, scifact: &Set, tuner: &Tuner, job: &Job<'_>) {
    let Ok(file) = File::open(path(root)) else { return };
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).expect("a gzip file");
    let mut lines = text.lines();
    let cross_encoder = tuner.cross_encoder().expect("a cross-encoder");
    if lines.next() != Some(&first_line(cross_encoder)) {
        return;
    }
    let queries = keys([&*scifact.log].into_iter().chain(scifact.test.as_deref()));
    let documents = keys([&*scifact.documents]);
    let known: Vec<(ContentKey, f32)> = lines
        .filter_map(|line| {
            let mut cells = line.split('\t');
            let (query, document) = (queries.get(cells.next()?)?, documents.get(cells.next()?)?);
            Some((pair_key(query, document), cells.next()?.parse().ok()?))
        })
        .collect();
    keep(&known, cross_encoder, job);
}

/// Puts the logits that one device's cross-encoder gives a set's first candidates, of the log and of the test, into the
/// store as another's.
pub fn take_over(set: &Set, depth: usize, (from, from_job): On<'_>, (to, job): On<'_>) {
    let documents: Vec<ContentKey> = set.documents.items.iter().map(|text| text_key(&text.text)).collect();
    for queries in [Some(&set.log), set.test.as_ref()].into_iter().flatten() {
        let options = SynthesizeOptions {
            candidates: depth,
            depth,
            ..SynthesizeOptions::default()
        };
        let relations = block_on(from.synthesize(queries.clone(), set.documents.clone(), options, from_job));
        let relations = relations.expect("relations");
        let known: Vec<(ContentKey, f32)> = (queries.items.iter().zip(&relations.candidates))
            .flat_map(|(query, candidates)| {
                let query = text_key(&query.text);
                let key = |document: u32| pair_key(&query, &documents[document as usize]);
                let scored = candidates.iter().filter_map(|of| Some((of.document, of.logit?)));
                scored
                    .map(|(document, logit)| (key(document), logit))
                    .collect::<Vec<_>>()
            })
            .collect();
        keep(&known, to.cross_encoder().expect("a cross-encoder"), job);
    }
}

/// Puts logits into the store, those that are not there.
fn keep(known: &[(ContentKey, f32)], cross_encoder: &CrossEncoder, job: &Job<'_>) {
    let known: Vec<_> = known
        .iter()
        .map(|(key, logit)| (*key, std::slice::from_ref(logit)))
        .collect();
    append_missing(&ResultLog::new(job, "logits", cross_encoder.key(), 1), &known);
}

/// Puts results into the store, those that are not there.
pub fn append_missing(log: &ResultLog<'_>, known: &[(ContentKey, &[f32])]) {
    let mut is_missing = vec![true; known.len()];
    let wanted = numbers_by_key(known.iter().map(|(key, _)| *key));
    block_on(log.find(&wanted, |number, _| is_missing[number] = false)).expect("a store");
    let missing = known.iter().zip(is_missing).filter(|(_, is_missing)| *is_missing);
    block_on(log.append(missing.map(|(known, _)| *known))).expect("a store");
}

/// Writes the file of what the store has. Returns the number of logits.
pub fn save(root: &Path, scifact: &Set, tuner: &Tuner, job: &Job<'_>) -> usize {
    let cross_encoder = tuner.cross_encoder().expect("a cross-encoder");
    let log = ResultLog::new(job, "logits", cross_encoder.key(), 1);
    let mut lines = vec![first_line(cross_encoder)];
    for queries in [Some(&scifact.log), scifact.test.as_ref()].into_iter().flatten() {
        // The nearest are scored already, unless nothing is.
        let options = SynthesizeOptions {
            candidates: DEPTH,
            depth: 1,
            ..SynthesizeOptions::default()
        };
        let relations = tuner.synthesize(queries.clone(), scifact.documents.clone(), options, job);
        let relations = block_on(relations).expect("relations");
        let documents = keys([&*scifact.documents]);
        let pairs: Vec<(&str, &str)> = (queries.items.iter().zip(&relations.candidates))
            .flat_map(|(query, candidates)| {
                let document = |number: u32| scifact.documents.items[number as usize].ids[0].as_str();
                candidates
                    .iter()
                    .map(move |candidate| (query.ids[0].as_str(), document(candidate.document)))
            })
            .collect();
        let queries = keys([&**queries]);
        let mut logits: Vec<Option<f32>> = vec![None; pairs.len()];
        let wanted = numbers_by_key(
            pairs
                .iter()
                .map(|&(query, document)| pair_key(&queries[query], &documents[document])),
        );
        block_on(log.find(&wanted, |number, logit| logits[number] = Some(logit[0]))).expect("a store");
        let found = pairs.iter().zip(logits);
        lines.extend(found.filter_map(|((query, document), logit)| Some(format!("{query}\t{document}\t{}", logit?))));
    }
    let file = File::create(path(root)).expect("a file for the logits");
    let mut writer = GzEncoder::new(file, Compression::best());
    writeln!(writer, "{}", lines.join("\n")).expect("logits are written");
    writer.finish().expect("a whole file");
    lines.len() - 1
}
