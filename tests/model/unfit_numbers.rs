//! Results that are no numbers are refused before anybody keeps them.

use crate::common::{TestHost, block_on, cross_encoder_files, encoder_files};
use querytune::device::{Device, Dtype};
use querytune::job::Job;
use querytune::model::{CrossEncoder, Encoder, ModelFiles, TextKind};
use querytune::{Code, Error};

/// Makes every value of a tensor so large that what is computed with it overflows.
fn overflow(files: &mut ModelFiles, tensor: &str) {
    let weights = files.files.get_mut("model.safetensors").expect("weights");
    let (length, rest) = weights.split_at_mut(8);
    let length = u64::from_le_bytes(length.try_into().expect("8 bytes")) as usize;
    let (header, data) = rest.split_at_mut(length);
    let header: serde_json::Value = serde_json::from_slice(header).expect("json");
    assert_eq!(header[tensor]["dtype"], "F32");
    let end = |which: usize| header[tensor]["data_offsets"][which].as_u64().expect("an offset") as usize;
    for value in data[end(0)..end(1)].as_chunks_mut::<4>().0 {
        *value = f32::MAX.to_le_bytes();
    }
}

fn assert_refused(error: Option<Error>) {
    let error = error.expect("refused");
    assert_eq!(error.code(), Code::DeviceFaulty);
    assert!(error.message().contains("no finite number"), "{error}");
}

#[test]
fn vectors_and_logits_that_are_no_numbers_are_refused_and_not_kept() {
    let (mut encoder, mut cross_encoder) = (encoder_files(), cross_encoder_files());
    overflow(&mut encoder, "embeddings.LayerNorm.weight");
    overflow(&mut cross_encoder, "bert.embeddings.LayerNorm.weight");
    for dtype in [Dtype::Fp32, Dtype::Int16, Dtype::Int8] {
        let host = TestHost::with_store();
        let (job, device) = (Job::new(&host), Device::cpu(dtype));
        let encoder = block_on(Encoder::load(&encoder, &device, &job)).expect("loads");
        assert_refused(block_on(encoder.encode(&["a text"], TextKind::Query, &job)).err());
        let cross_encoder = block_on(CrossEncoder::load(&cross_encoder, &device, &job)).expect("loads");
        let pairs = [("a query", "a document")];
        assert_refused(block_on(cross_encoder.score(&pairs, &job)).err());
        assert_refused(block_on(querytune::synthesize::score_pairs(&cross_encoder, &pairs, &job)).err());
        assert_eq!(host.store.as_ref().expect("a store").records("logits", 20), 0);
    }
}
