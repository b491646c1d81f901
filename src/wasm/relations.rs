//! Relations, fits and indexes as JavaScript holds them.

use std::rc::Rc;

use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::texts::text_items;
use super::to_js;
use crate::data_set::whole;
use crate::input;
use crate::previous::Previous;

/// The synthetic data set.
#[wasm_bindgen]
pub struct Relations {
    pub(super) inner: Rc<crate::relations::Relations>,
    /// What they go on from.
    pub(super) previous: Option<Rc<Previous>>,
}

#[derive(Serialize)]
struct RowItem<'r> {
    query: &'r str,
    similar: &'r str,
    dissimilar: &'r str,
    margin: f32,
}

#[derive(Serialize)]
struct CandidateItem<'r> {
    #[serde(flatten)]
    document: DocumentItem<'r>,
    cosine: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    logit: Option<f32>,
}

/// A document by number, with what a page shows of it.
#[derive(Serialize)]
pub(super) struct DocumentItem<'r> {
    document: u32,
    id: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'r str>,
    text: &'r str,
}

impl<'r> DocumentItem<'r> {
    pub(super) fn new(documents: &'r input::Texts, document: u32) -> Self {
        let text = &documents.items[document as usize];
        Self {
            document,
            id: &text.ids[0],
            title: text.title.as_deref(),
            text: &text.text,
        }
    }
}

/// A document found.
#[derive(Serialize)]
pub struct Hit<'r> {
    #[serde(flatten)]
    document: DocumentItem<'r>,
    score: f32,
}

/// Neighbours with the documents they stand for.
pub fn hits<'r>(documents: &'r input::Texts, found: &[crate::search::Neighbour]) -> Vec<Hit<'r>> {
    let hit = |found: &crate::search::Neighbour| Hit {
        document: DocumentItem::new(documents, found.document),
        score: found.score,
    };
    found.iter().map(hit).collect()
}

#[wasm_bindgen]
impl Relations {
    /// The data set in figures.
    #[wasm_bindgen(skip_typescript)]
    pub fn summary(&self) -> Result<JsValue, JsValue> {
        Ok(to_js(&self.inner.summary())?)
    }

    /// Some rows in Finetuner's form.
    #[wasm_bindgen(skip_typescript)]
    pub fn rows(&self, from: usize, count: usize) -> Result<JsValue, JsValue> {
        let document = |number: u32| self.inner.documents.items[number as usize].text.as_str();
        let item = |row: crate::relations::Row| RowItem {
            query: &self.inner.queries.items[row.query].text,
            similar: document(row.similar),
            dissimilar: document(row.dissimilar),
            margin: row.margin,
        };
        let rows: Vec<RowItem<'_>> = self.inner.rows().skip(from).take(count).map(item).collect();
        Ok(to_js(&rows)?)
    }

    /// Some of the queries.
    #[wasm_bindgen(skip_typescript)]
    pub fn queries(&self, from: usize, count: usize) -> Result<JsValue, JsValue> {
        Ok(to_js(&text_items(&self.inner.queries, from, count))?)
    }

    /// A query's candidates, nearest first; none for a query that is not there.
    #[wasm_bindgen(skip_typescript)]
    pub fn candidates(&self, query: usize) -> Result<JsValue, JsValue> {
        let candidates = self.inner.candidates.get(query).map(Vec::as_slice).unwrap_or_default();
        let item = |candidate: &crate::relations::Candidate| CandidateItem {
            document: DocumentItem::new(&self.inner.documents, candidate.document),
            cosine: candidate.cosine,
            logit: candidate.logit,
        };
        let candidates: Vec<CandidateItem<'_>> = candidates.iter().map(item).collect();
        Ok(to_js(&candidates)?)
    }

    /// Whether the model of the run they go on from takes the encoder's files to be compared with.
    #[wasm_bindgen(js_name = needsEncoder)]
    pub fn needs_encoder(&self) -> bool {
        self.previous.as_ref().is_some_and(|previous| previous.needs_encoder())
    }

    /// Finetuner's rows as CSV.
    #[wasm_bindgen(js_name = toCsv, skip_typescript)]
    pub fn to_csv(&self) -> Result<String, JsValue> {
        Ok(whole(self.inner.csv())?)
    }

    /// Finetuner's rows for GPL.
    #[wasm_bindgen(js_name = toGplTsv, skip_typescript)]
    pub fn to_gpl_tsv(&self) -> Result<String, JsValue> {
        Ok(whole(self.inner.gpl_tsv())?)
    }

    /// Listwise rows.
    #[wasm_bindgen(js_name = toJsonl, skip_typescript)]
    pub fn to_jsonl(&self) -> Result<String, JsValue> {
        Ok(whole(self.inner.jsonl())?)
    }

    /// Every candidate.
    #[wasm_bindgen(js_name = toScoresTsv, skip_typescript)]
    pub fn to_scores_tsv(&self) -> Result<String, JsValue> {
        Ok(whole(self.inner.scores_tsv())?)
    }
}
