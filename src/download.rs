//! A run's download: model, adapter, data set and report in one zip.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::artifact::{Adapter, Artifact, Delivered};
use crate::error::Result;
use crate::job::{Job, Stage};
use crate::relations::Relations;
use crate::tune::Fit;

/// The files of the download's `data/` folder: name and text.
///
/// # Errors
/// [`crate::Code::Internal`]
pub fn data(relations: &Relations) -> Result<Vec<(String, String)>> {
    Ok(vec![
        ("relations.csv".into(), relations.to_csv()?),
        ("relations.gpl.tsv".into(), relations.to_gpl_tsv()?),
        ("relations.jsonl".into(), relations.to_jsonl()),
        ("scores.tsv".into(), relations.to_scores_tsv()?),
        ("beir/corpus.jsonl".into(), relations.to_beir_corpus()),
        ("beir/queries.jsonl".into(), relations.to_beir_queries()),
    ])
}

/// The bytes of the zip; `base` are the encoder's files as they were loaded.
///
/// # Errors
/// [`crate::Code::Cancelled`], and those of [`Artifact::pack`].
pub async fn download(
    report: &Value,
    relations: &Relations,
    fit: &Fit,
    base: &BTreeMap<String, Vec<u8>>,
    job: &Job<'_>,
) -> Result<Vec<u8>> {
    let artifact = Artifact {
        base,
        adapter: Adapter::from(fit.adapter()),
        delivered: if fit.delivered {
            Delivered::Tuned
        } else {
            Delivered::Base
        },
        report,
        data: data(relations)?,
    };
    let mut packing = artifact.pack()?;
    let progress = job.stage(Stage::Artifact, packing.total(), 0);
    let mut done = 0;
    while packing.step()? {
        job.breathe().await?;
        progress.advance(packing.done() - done);
        done = packing.done();
    }
    progress.finish();
    packing.finish()
}
