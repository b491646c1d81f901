//! What judgements say of base, tuned and cross-encoder rankings.

use std::rc::Rc;

use serde::Serialize;

use crate::evaluate::{Comparison, Judged, Metrics};
use crate::input::Texts;
use crate::job::StageTime;

/// What the judgements say.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Which queries were judged: the log's own, which the adapter was trained on, or others.
    pub on: JudgedOn,
    /// Judged queries that were ranked.
    pub queries: usize,
    /// Judged test queries whose text is in the log, too; 0 where the log's own were judged.
    pub trained_on: usize,
    /// Judged queries that are not among the queries.
    pub missing_queries: usize,
    /// Judged documents that are not in the corpus; they count as not found.
    pub missing_documents: usize,
    /// Base, tuned, ceiling; the ceiling is the cross-encoder's order of the base encoder's first documents.
    pub judged: Metrics<Comparison>,
    /// What to expect of the log's queries, of others and of new documents, each by trainings that had not seen them.
    pub figures: Figures,
    /// Query by query, what `judged` is made from.
    #[serde(skip)]
    pub rankings: JudgedRankings,
    /// What it took.
    #[serde(skip)]
    pub time: StageTime,
}

/// The three rankings of some queries, each judged query by query.
#[derive(Clone, Debug)]
pub struct JudgedRankings {
    /// The queries.
    pub queries: Rc<Texts>,
    /// By the base encoder.
    pub base: Judged,
    /// By the tuned one.
    pub tuned: Judged,
    /// By the cross-encoder.
    pub ceiling: Option<Judged>,
}

/// Judged figures of the log's own queries, side by side; those that cannot be had are absent.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// Trained on, as most of tomorrow's queries will have been.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_queries: Option<Figure>,
    /// Left out of training at random: queries like the log's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub similar_queries: Option<Figure>,
    /// Left out of training together with all that share their best document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_queries: Option<Figure>,
    /// Trained on, but with candidates from one half of the documents only, and ranked on the other half.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_documents: Option<Figure>,
}

/// One of them.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// Judged queries in it.
    pub queries: usize,
    /// Base, tuned and ceiling.
    #[serde(flatten)]
    pub judged: Metrics<Comparison>,
}

/// Which queries were judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum JudgedOn {
    /// Those of the search log.
    #[serde(rename = "own queries")]
    OwnQueries,
    /// Queries that were given apart.
    #[serde(rename = "test queries")]
    TestQueries,
}
