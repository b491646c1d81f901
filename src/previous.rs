//! What a job goes on from: the download of an earlier run.
//!
//! Its queries are joined to the newer log, its logits are taken over where the cross-encoder is the same, and its model
//! is compared with the new one. The adapter itself is trained anew, on all queries.

use std::collections::HashSet;

use serde::Serialize;
use serde_json::{Value, json};

use crate::artifact::{Data, check_adapter, open};
use crate::error::Result;
use crate::evaluate::{Comparison, Metrics, paired_bootstrap};
use crate::input::{Text, Texts};
use crate::job::Job;
use crate::model::{Encoder, ModelInfo};
use crate::relations::Relations;
use crate::results::{ContentKey, KnownLogits, pair_key, text_key};
use crate::tune::{Adapter, Fit, Ranker, agreement, mean, standard_error};

/// An earlier run, as far as a later one needs it.
#[derive(Debug)]
pub struct Previous {
    /// Its log.
    pub queries: Vec<Text>,
    /// The logits of its pairs; none if another cross-encoder made them.
    pub logits: KnownLogits,
    /// What it delivered; the base encoder if there is none.
    pub adapter: Option<Adapter>,
    /// Its documents.
    documents: HashSet<ContentKey>,
}

/// What is new since an earlier run, and how its model compares with this one; part of the report.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SincePrevious {
    /// Distinct queries of the earlier log.
    pub queries: usize,
    /// Distinct documents it was about.
    pub documents: usize,
    /// Queries that it did not have.
    pub new_queries: usize,
    /// Documents that it did not have.
    pub new_documents: usize,
    /// Pairs whose logit it has made.
    pub scores: usize,
    /// Which model it delivered: `tuned` or `base`.
    pub delivered: &'static str,
    /// On queries that are new; none if none of them was left out of training.
    pub agreement: Option<PreviousAgreement>,
    /// By judgements, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judged: Option<Metrics<PreviousComparison>>,
}

/// Mean [agreement](crate::tune::Agreement) with the cross-encoder on queries that neither model was trained on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PreviousAgreement {
    /// Queries it was measured on: new since the earlier run, and left out of this one's training at random.
    pub queries: usize,
    /// Of the base encoder.
    pub base: f64,
    /// Of what the earlier run delivered.
    pub previous: f64,
    /// Of what is trained now.
    pub tuned: f64,
    /// Standard error of the mean of tuned minus previous over queries.
    pub standard_error: f64,
    /// 95 % confidence interval of that mean ([`paired_bootstrap`]).
    pub ci95: [f64; 2],
}

/// The earlier model and this one by a metric of judgements.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PreviousComparison {
    /// The mean of what the earlier run delivered.
    pub previous: f64,
    /// The mean of what is trained now.
    pub tuned: f64,
    /// 95 % confidence interval of tuned minus previous.
    pub ci95: [f64; 2],
    /// How likely a difference this large is if they are equal.
    pub p: f64,
}

impl From<Comparison> for PreviousComparison {
    /// From a comparison in which the earlier model stands as the base.
    fn from(comparison: Comparison) -> Self {
        Self {
            previous: comparison.base,
            tuned: comparison.tuned,
            ci95: comparison.ci95,
            p: comparison.p,
        }
    }
}

impl Previous {
    /// Opens the download of a run with the same encoder.
    ///
    /// # Errors
    /// [`Code::Artifact`](crate::Code::Artifact) if it is none, damaged, put together of several, or of another encoder.
    pub fn open(zip: &[u8], encoder: &Encoder, cross_encoder: &ModelInfo) -> Result<Self> {
        let opened = open(zip)?;
        opened.check_base(encoder.info())?;
        check_adapter(&opened.adapter, encoder)?;
        let data = opened.data()?;
        let teacher = |key: &str| opened.report.pointer(&format!("/models/crossEncoder/{key}"));
        // In another precision its logits are the same but for thousandths, which is no reason to score again for hours.
        let is_same_teacher = teacher("sha256").and_then(Value::as_str) == Some(&cross_encoder.sha256)
            && teacher("maxLength").and_then(Value::as_u64) == Some(cross_encoder.max_length as u64);
        Ok(Self {
            logits: if is_same_teacher {
                logits(&data)
            } else {
                KnownLogits::new()
            },
            documents: data.documents.iter().map(|text| text_key(&text.text)).collect(),
            queries: data.queries,
            adapter: opened.is_tuned().then_some(opened.adapter),
        })
    }

    /// Whether what it delivered goes through the encoder's own layers, so that the encoder's files are needed to compare.
    pub fn needs_encoder(&self) -> bool {
        matches!(self.adapter, Some(Adapter::Lora { .. }))
    }

    /// The queries of a log that the earlier one did not have, by number.
    fn new_queries(&self, queries: &Texts) -> HashSet<usize> {
        let known: HashSet<&str> = self.queries.iter().map(|text| text.text.as_str()).collect();
        let is_new = |number: &usize| !known.contains(queries.items[*number].text.as_str());
        (0..queries.items.len()).filter(is_new).collect()
    }

    /// Holds the earlier model against a fit on relations that went on from it.
    ///
    /// # Errors
    /// As [`Ranker::rank`].
    pub async fn compare(
        &self,
        relations: &Relations,
        fit: &Fit,
        ranker: &Ranker<'_>,
        job: &Job<'_>,
    ) -> Result<SincePrevious> {
        let new_queries = self.new_queries(&relations.queries);
        let is_new = |text: &&Text| !self.documents.contains(&text_key(&text.text));
        Ok(SincePrevious {
            queries: self.queries.len(),
            documents: self.documents.len(),
            new_queries: new_queries.len(),
            new_documents: relations.documents.items.iter().filter(is_new).count(),
            scores: relations.times.known_pairs,
            delivered: if self.adapter.is_some() { "tuned" } else { "base" },
            agreement: self.agreement(relations, fit, ranker, &new_queries, job).await?,
            judged: None,
        })
    }

    async fn agreement(
        &self,
        relations: &Relations,
        fit: &Fit,
        ranker: &Ranker<'_>,
        new: &HashSet<usize>,
        job: &Job<'_>,
    ) -> Result<Option<PreviousAgreement>> {
        let Some(left_out) = &fit.left_out_at_random else {
            return Ok(None);
        };
        let places: Vec<usize> = (0..left_out.queries.len())
            .filter(|&place| new.contains(&left_out.queries[place]))
            .collect();
        if places.is_empty() {
            return Ok(None);
        }
        let queries: Vec<usize> = places.iter().map(|&place| left_out.queries[place]).collect();
        let pool = left_out.pooled.then(|| ranker.candidates(&left_out.queries));
        let rankings = ranker
            .rank(self.adapter.as_ref(), &queries, pool.as_deref(), job)
            .await?;
        let previous = agreement(relations, &queries, &rankings);
        let of = |values: &[f64]| -> Vec<f64> { places.iter().map(|&place| values[place]).collect() };
        let (base, tuned) = (of(&left_out.base), of(&left_out.tuned));
        let changes: Vec<f64> = tuned
            .iter()
            .zip(&previous)
            .map(|(tuned, previous)| tuned - previous)
            .collect();
        Ok(Some(PreviousAgreement {
            queries: places.len(),
            base: mean(&base),
            previous: mean(&previous),
            tuned: mean(&tuned),
            standard_error: standard_error(&changes),
            ci95: paired_bootstrap(&changes, fit.recipe.seed),
        }))
    }
}

impl SincePrevious {
    /// Adds itself to a report, as `previous`, with a warning where the earlier model is ahead.
    pub fn add_to(&self, mut report: Value) -> Value {
        report["previous"] = json!(self);
        let mut warnings = Vec::new();
        if let Some(PreviousAgreement {
            queries,
            previous,
            tuned,
            ci95,
            ..
        }) = self.agreement
            && ci95[1] < 0.0
        {
            warnings.push(format!(
                "On {queries} queries that are new since the earlier run, the model it delivered agrees more with the \
                 cross-encoder ({previous:.4}) than this one does where they are left out ({tuned:.4})."
            ));
        }
        if let Some(PreviousComparison {
            previous, tuned, ci95, ..
        }) = self.judged.map(|judged| judged.ndcg_10)
            && ci95[1] < 0.0
        {
            warnings.push(format!(
                "By your judgements the model of the earlier run is better than this one (nDCG@10 {previous:.4} and \
                 {tuned:.4}): keep it."
            ));
        }
        if let Some(known) = report["fit"]["warnings"].as_array_mut() {
            known.extend(warnings.into_iter().map(Value::from));
        }
        report
    }
}

/// What the cross-encoder has said, by content.
fn logits(data: &Data) -> KnownLogits {
    let documents: Vec<ContentKey> = data.documents.iter().map(|text| text_key(&text.text)).collect();
    let of_query = |(query, candidates): (&Text, &Vec<crate::relations::Candidate>)| {
        let query = text_key(&query.text);
        let scored = candidates.iter().filter_map(|candidate| {
            Some((
                pair_key(&query, &documents[candidate.document as usize]),
                candidate.logit?,
            ))
        });
        scored.collect::<Vec<_>>()
    };
    data.queries.iter().zip(&data.candidates).flat_map(of_query).collect()
}
