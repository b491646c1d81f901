//! Work shared with other threads: members do a part of it, and the numbers are those of one thread.

use std::cell::RefCell;

use crate::common::crew::{HostWithCrew, yield_once};
use crate::common::{TestHost, block_on, encoder_files};
use querytune::device::{Device, Dtype};
use querytune::job::{Crew, Job, LocalFuture, Work};
use querytune::model::{Encoder, Lora, LoraLayer, TextKind};
use querytune::{Code, Error, Result};

/// A crew in this thread; `fails`: every piece of work, with an error.
struct TestCrew<'e> {
    encoder: &'e Encoder,
    fails: bool,
    pieces: RefCell<Vec<usize>>,
}

impl Crew for TestCrew<'_> {
    fn size(&self) -> usize {
        2
    }

    fn run<'a>(&'a self, work: Work, texts: &[&str]) -> LocalFuture<'a, Result<Vec<f32>>> {
        assert_eq!(work, Work::EncodeDocuments);
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        Box::pin(async move {
            // As a real member, it is not done at once.
            for _ in 0..4 {
                yield_once().await;
            }
            self.pieces.borrow_mut().push(texts.len());
            if self.fails {
                return Err(Error::new(Code::Internal, "A member is gone."));
            }
            let host = TestHost::new();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let vectors = self
                .encoder
                .encode(&texts, TextKind::Document, &Job::new(&host))
                .await?;
            Ok(vectors.into_data())
        })
    }
}

/// Encodes alone and with a crew that has the encoder unchanged; hands both results, and the texts that the crew was
/// given.
fn encode_both_ways(changes: Option<&Lora>, fails: bool, check: impl Fn(&[f32], &[f32], &[usize])) {
    let host = TestHost::new();
    let files = encoder_files();
    let load = |changes| {
        let (device, job) = (Device::cpu(Dtype::Int16), Job::new(&host));
        block_on(Encoder::load_changed(&files, changes, &device, &job)).expect("the encoder loads")
    };
    let (encoder, unchanged) = (load(changes), load(None));
    let texts: Vec<String> = (0..90)
        .map(|number| format!("Text {number} of a shop. ").repeat(1 + number % 7))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let alone = block_on(encoder.encode(&texts, TextKind::Document, &Job::new(&host))).expect("vectors");
    let helped = HostWithCrew {
        host: TestHost::new(),
        crew: TestCrew {
            encoder: &unchanged,
            fails,
            pieces: RefCell::default(),
        },
    };
    let together = block_on(encoder.encode(&texts, TextKind::Document, &Job::new(&helped))).expect("vectors");
    check(alone.as_slice(), together.as_slice(), &helped.crew.pieces.borrow());
}

#[test]
fn members_do_a_part_of_the_work_and_every_number_is_that_of_one_thread() {
    encode_both_ways(None, false, |alone, together, pieces| {
        assert_eq!(together, alone);
        let given: usize = pieces.iter().sum();
        assert!((30..90).contains(&given), "{given} of 90 texts in {pieces:?}");
        assert!(pieces.last() < pieces.first(), "the last pieces are small: {pieces:?}");
    });
}

#[test]
fn what_members_fail_at_is_done_without_them() {
    encode_both_ways(None, true, |alone, together, pieces| {
        assert_eq!(together, alone);
        assert!(!pieces.is_empty());
    });
}

#[test]
fn members_are_not_asked_for_the_vectors_of_an_encoder_that_they_do_not_have() {
    let layer = LoraLayer {
        module: "encoder.layer.0.attention.self.query".into(),
        inputs: 384,
        outputs: 384,
        a: vec![0.1; 384],
        b: vec![0.1; 384],
    };
    let changes = Lora {
        rank: 1,
        alpha: 1.0,
        layers: vec![layer],
    };
    encode_both_ways(Some(&changes), false, |alone, together, pieces| {
        assert!(together == alone, "some vectors are those of the unchanged encoder");
        assert!(pieces.is_empty(), "{pieces:?}");
    });
}
