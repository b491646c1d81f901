//! Judgements of texts: what was merged in reading has its judgements together.

use std::collections::HashMap;

use crate::evaluate::Judgements;
use crate::input::Texts;

/// Judgements under the first ids of the texts they are of: the ids of a text are one query, or one document, as they
/// are in search and training. Of several relevances of the same document the highest counts. Ids that no text has
/// stay as they are.
#[must_use]
pub fn by_text(judgements: &Judgements, queries: &Texts, documents: &Texts) -> Judgements {
    let (queries, documents) = (first_ids(queries), first_ids(documents));
    let mut merged = Judgements::new();
    for (query, judged) in judgements {
        let of_query = merged.entry(first(&queries, query)).or_default();
        for (document, &relevance) in judged {
            let highest = of_query.entry(first(&documents, document)).or_insert(relevance);
            *highest = relevance.max(*highest);
        }
    }
    merged
}

/// Each text's first id, by all of them.
fn first_ids(texts: &Texts) -> HashMap<&str, &str> {
    let ids = texts
        .items
        .iter()
        .flat_map(|text| text.ids.iter().map(|id| (id, &text.ids[0])));
    ids.map(|(id, first)| (id.as_str(), first.as_str())).collect()
}

fn first(ids: &HashMap<&str, &str>, id: &str) -> String {
    ids.get(id).map_or_else(|| id.to_owned(), |&first| first.to_owned())
}
