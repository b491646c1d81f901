//! What a person answered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::rows::written;

/// Whether a document answers a query. Serialised as 0, 1 or 2, which is also its gain in nDCG.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum Relevance {
    /// 0: it does not.
    No,
    /// 1: somewhat.
    Somewhat,
    /// 2: yes.
    Yes,
}

impl From<Relevance> for u8 {
    fn from(relevance: Relevance) -> Self {
        match relevance {
            Relevance::No => 0,
            Relevance::Somewhat => 1,
            Relevance::Yes => 2,
        }
    }
}

impl TryFrom<u8> for Relevance {
    type Error = Error;

    fn try_from(level: u8) -> Result<Self> {
        match level {
            0 => Ok(Self::No),
            1 => Ok(Self::Somewhat),
            2 => Ok(Self::Yes),
            _ => Err(Error::new(
                Code::Option,
                format!("A relevance is 0, 1 or 2, not {level}."),
            )),
        }
    }
}

/// One answer. Of several about the same pair the last one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The query's number.
    pub query: usize,
    /// The document's number.
    pub document: u32,
    /// Its relevance; `None` (null) where the person would not say.
    pub relevance: Option<Relevance>,
}

/// The last answer about each pair.
pub(super) fn latest(answers: &[Answer]) -> BTreeMap<(usize, u32), Option<Relevance>> {
    answers
        .iter()
        .map(|answer| ((answer.query, answer.document), answer.relevance))
        .collect()
}

/// The answers as judgements: a header and a row for each pair, `query-id`, `corpus-id` and `score` (0, 1 or 2),
/// separated by tabs, in the order of the numbers. Pairs that were skipped are left out.
///
/// [`Qrels::read`](crate::input::Qrels::read) reads them back.
///
/// # Errors
/// [`Code::Internal`]
pub fn to_qrels<'t>(
    answers: &[Answer],
    query_id: impl Fn(usize) -> &'t str,
    document_id: impl Fn(u32) -> &'t str,
) -> Result<String> {
    let rows = latest(answers)
        .into_iter()
        .filter_map(|((query, document), relevance)| {
            let score = u8::from(relevance?).to_string();
            Some([query_id(query).to_owned(), document_id(document).to_owned(), score])
        });
    written(b'\t', Some(&["query-id", "corpus-id", "score"]), rows)
}
