//! The same encoder on two devices: how near their vectors are, and the one's vectors in the place of the other's.

use querytune::input::Texts;
use querytune::job::Job;
use querytune::model::TextKind;
use querytune::results::{ResultLog, text_key};
use querytune::synthesize::encode_texts;
use querytune::tuner::Tuner;
use querytune::vectors::Vectors;

use super::data::Set;
use super::host::block_on;
use super::logits::append_missing;
use super::texts;

/// Models on a device, and the store that they work with.
pub type On<'a> = (&'a Tuner, &'a Job<'a>);

fn vectors(of: &Texts, kind: TextKind, (tuner, job): On<'_>) -> Vectors {
    let (mut vectors, _) = block_on(encode_texts(tuner.encoder(), &[(&texts(of)[..], kind)], job)).expect("vectors");
    vectors.remove(0)
}

/// Puts the vectors that one device gives a set's documents into the store as another's.
pub fn take_over_documents(set: &Set, from: On<'_>, (to, job): On<'_>) {
    let vectors = vectors(&set.documents, TextKind::Document, from);
    let keys = set.documents.items.iter().map(|text| text_key(&text.text));
    let known: Vec<_> = keys
        .enumerate()
        .map(|(number, key)| (key, vectors.row(number)))
        .collect();
    let log = ResultLog::new(job, "document-vectors", to.encoder().key(), to.encoder().info().dims);
    append_missing(&log, &known);
}

/// The smallest cosine of a text's vectors on two devices.
pub fn smallest_cosine(of: &Texts, kind: TextKind, one: On<'_>, other: On<'_>) -> f64 {
    let (one, other) = (vectors(of, kind, one), vectors(of, kind, other));
    let cosines = (0..one.len()).map(|number| {
        let products = one.row(number).iter().zip(other.row(number));
        products.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
    });
    cosines.fold(1.0, f64::min)
}
