//! How much of the judgements is about what was read.

use std::collections::HashSet;

use serde::Serialize;

use super::{Qrels, Texts};

/// How many ids are given as examples.
const EXAMPLES: usize = 3;

/// Judgements held against the queries and documents that they should be of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Number of judgements.
    pub judgements: usize,
    /// Those whose query and document are both among the texts.
    pub known: usize,
    /// The queries that judgements name.
    pub queries: Named,
    /// The documents that judgements name.
    pub documents: Named,
}

/// What judgements name on one side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Named {
    /// Number of distinct ids in the judgements.
    pub ids: usize,
    /// Those that a text has.
    pub known: usize,
    /// The first of those that no text has, in order of the ids; at most three.
    pub unknown: Vec<String>,
    /// The first ids of the texts, in their order; at most three.
    pub texts: Vec<String>,
}

impl Qrels {
    /// Says how many judgements are of `queries` and `documents`. Merged duplicates count by each of their ids.
    #[must_use]
    pub fn coverage(&self, queries: &Texts, documents: &Texts) -> Coverage {
        let asked: HashSet<&str> = self.judgements.keys().map(String::as_str).collect();
        let judged = self.judgements.values().flat_map(|of_query| of_query.keys());
        let judged: HashSet<&str> = judged.map(String::as_str).collect();
        let (known_queries, known_documents) = (among(queries, &asked), among(documents, &judged));
        let of_known = self
            .judgements
            .iter()
            .filter(|(query, _)| known_queries.contains(query.as_str()));
        let known = of_known
            .flat_map(|(_, of_query)| of_query.keys())
            .filter(|document| known_documents.contains(document.as_str()))
            .count();
        Coverage {
            judgements: self.judgements.values().map(|of_query| of_query.len()).sum(),
            known,
            queries: named(&asked, &known_queries, queries),
            documents: named(&judged, &known_documents, documents),
        }
    }
}

/// Those of the `named` ids that a text has: no more memory than the judgements take, however many texts there are.
fn among<'q>(texts: &Texts, named: &HashSet<&'q str>) -> HashSet<&'q str> {
    let ids = texts.items.iter().flat_map(|text| &text.ids);
    ids.filter_map(|id| named.get(id.as_str()).copied()).collect()
}

fn named(ids: &HashSet<&str>, known: &HashSet<&str>, texts: &Texts) -> Named {
    let mut unknown: Vec<&str> = ids.difference(known).copied().collect();
    unknown.sort_unstable();
    Named {
        ids: ids.len(),
        known: known.len(),
        unknown: unknown.into_iter().take(EXAMPLES).map(str::to_owned).collect(),
        texts: texts
            .items
            .iter()
            .flat_map(|text| &text.ids)
            .take(EXAMPLES)
            .cloned()
            .collect(),
    }
}
