//! A run's download: model, adapter, data set and report in one zip.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::artifact::{Adapter, Artifact, Delivered};
use crate::data_set::{Pieces, in_one_piece};
use crate::error::Result;
use crate::job::{Job, Stage};
use crate::judge::Verdict;
use crate::per_query::{agreement_csv, judged_csv};
use crate::relations::Relations;
use crate::tune::Fit;

/// The files of the download's `data/` folder: name and text.
pub fn data(relations: &Relations) -> Vec<(String, Pieces<'_>)> {
    vec![
        ("relations.csv".into(), relations.csv()),
        ("relations.gpl.tsv".into(), relations.gpl_tsv()),
        ("relations.jsonl".into(), relations.jsonl()),
        ("scores.tsv".into(), relations.scores_tsv()),
        ("beir/corpus.jsonl".into(), relations.beir_corpus()),
        ("beir/queries.jsonl".into(), relations.beir_queries()),
        ("beir/qrels/train.tsv".into(), relations.beir_qrels()),
    ]
}

/// The files of `data/` that tell of the fit, query by query: `per-query-agreement.csv`, and `per-query-judged.csv` where
/// there is a verdict.
///
/// # Errors
/// [`crate::Code::Internal`]
pub fn per_query(relations: &Relations, fit: &Fit, verdict: Option<&Verdict>) -> Result<Vec<(String, String)>> {
    let agreement = agreement_csv(relations, fit)?;
    let judged = verdict.map(|verdict| judged_csv(&verdict.rankings)).transpose()?;
    let named = [("per-query-agreement.csv", agreement), ("per-query-judged.csv", judged)];
    let there = named
        .into_iter()
        .filter_map(|(name, text)| Some((name.to_owned(), text?)));
    Ok(there.collect())
}

/// The bytes of the zip. The report says which model is delivered; `base` are the encoder's files as they were loaded,
/// `more` files of `data/` beside the [data set](data).
///
/// # Errors
/// [`crate::Code::Cancelled`], and those of [`Artifact::pack`].
pub async fn download(
    report: &Value,
    relations: &Relations,
    fit: &Fit,
    base: &BTreeMap<String, Vec<u8>>,
    more: Vec<(String, String)>,
    job: &Job<'_>,
) -> Result<Vec<u8>> {
    let mut data = data(relations);
    data.extend(more.into_iter().map(|(name, text)| (name, in_one_piece(text))));
    let artifact = Artifact {
        base,
        adapter: Adapter::from(fit.adapter()),
        delivered: if report["fit"]["delivered"] == "tuned" {
            Delivered::Tuned
        } else {
            Delivered::Base
        },
        report,
        data,
    };
    let mut packing = artifact.pack()?;
    if relations.most_bytes() > u64::from(u32::MAX) {
        packing.expect_long_data();
    }
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
