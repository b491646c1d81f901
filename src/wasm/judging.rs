//! Quick judging as JavaScript holds it: questions with their texts, answers, and what they come to.

use std::rc::Rc;

use js_sys::Promise;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::host::JsHost;
use super::relations::DocumentItem;
use super::tuner::{Fit, FitState, promise};
use super::{from_js, to_js};
use crate::error::{Code, Error, Result};
use crate::judging::{self, Answer, JudgingLog, JudgingOptions, Relevance, rank_log};

impl FitState {
    fn texts(&self, query: usize, document: u32) -> (&str, &str) {
        let (queries, documents) = (&self.relations.queries.items, &self.relations.documents.items);
        (&queries[query].text, &documents[document as usize].text)
    }

    /// The answers as judgements, if there are any.
    pub(super) fn judgements(&self) -> Result<Option<String>> {
        let judged = self.judged.borrow();
        let any = judged.has_judgements();
        any.then(|| judged.to_qrels(&self.relations)).transpose()
    }
}

/// Questions about a fit's log.
#[wasm_bindgen]
pub struct Judging {
    state: Rc<FitState>,
    inner: judging::Judging,
}

#[derive(Serialize)]
struct Item<'j> {
    query: usize,
    text: &'j str,
    documents: Vec<DocumentItem<'j>>,
}

#[wasm_bindgen]
impl Fit {
    /// Ranks the log's queries and chooses what to ask; answers to it that are in the store are taken over. Resolves to
    /// a `Judging`.
    #[wasm_bindgen(skip_typescript)]
    pub fn judging(&self, options: JsValue, host: JsHost) -> Promise {
        let state = self.inner.clone();
        promise(host, async move |job| {
            let options: JudgingOptions = from_js(options)?;
            let [_, tuned] = &*state.indexes(job).await?;
            let rankings = rank_log(&state.relations, tuned, state.tuner.device(), job).await?;
            let inner = judging::Judging::choose(&rankings, &options)?;
            let texts = |query, document| state.texts(query, document);
            for answer in JudgingLog::new(job).answers(&inner, texts).await? {
                state.judged.borrow_mut().take(answer);
            }
            Ok(Judging { state, inner }.into())
        })
    }
}

#[wasm_bindgen]
impl Judging {
    /// The questions, in the order in which they are to be asked.
    #[wasm_bindgen(skip_typescript)]
    pub fn items(&self) -> std::result::Result<JsValue, JsValue> {
        let documents = &self.state.relations.documents;
        let item = |item: &judging::JudgingItem| Item {
            query: item.query,
            text: &self.state.relations.queries.items[item.query].text,
            documents: item
                .documents
                .iter()
                .map(|&document| DocumentItem::new(documents, document))
                .collect(),
        };
        Ok(to_js(&self.inner.items.iter().map(item).collect::<Vec<_>>())?)
    }

    /// The answers to these questions that are there.
    #[wasm_bindgen(skip_typescript)]
    pub fn answers(&self) -> std::result::Result<JsValue, JsValue> {
        let judged = self.state.judged.borrow();
        Ok(to_js(&judged.answers(&self.inner).collect::<Vec<_>>())?)
    }

    /// Takes an answer: 0, 1, 2, or null for a pair that the person would not judge. Resolves once it is in the store.
    #[wasm_bindgen(skip_typescript)]
    pub fn answer(&self, query: usize, document: u32, relevance: JsValue, host: JsHost) -> Promise {
        let (state, asked) = (self.state.clone(), self.inner.asks(query, document));
        promise(host, async move |job| {
            if !asked {
                let text = format!("Document {document} of query {query} is not asked about; see the items.");
                return Err(Error::new(Code::Option, text));
            }
            let relevance = level(&relevance)?;
            state.judged.borrow_mut().take(Answer {
                query,
                document,
                relevance,
            });
            let (query, document) = state.texts(query, document);
            JudgingLog::new(job).keep(query, document, relevance).await?;
            Ok(JsValue::UNDEFINED)
        })
    }

    /// What the answers come to; the fit's report has it from then on.
    #[wasm_bindgen(skip_typescript)]
    pub fn verdict(&self) -> std::result::Result<JsValue, JsValue> {
        Ok(to_js(self.state.judged.borrow_mut().decide(&self.inner))?)
    }

    /// The fit's report.
    #[wasm_bindgen(skip_typescript)]
    pub fn report(&self) -> std::result::Result<JsValue, JsValue> {
        Ok(to_js(&self.state.report())?)
    }

    /// The answers about the fit's queries as a file of judgements.
    #[wasm_bindgen(js_name = toQrels, skip_typescript)]
    pub fn to_qrels(&self) -> std::result::Result<String, JsValue> {
        Ok(self.state.judged.borrow().to_qrels(&self.state.relations)?)
    }
}

fn level(relevance: &JsValue) -> Result<Option<Relevance>> {
    if relevance.is_null() {
        return Ok(None);
    }
    let level = relevance.as_f64().filter(|level| [0.0, 1.0, 2.0].contains(level));
    let level = level.ok_or_else(|| {
        let text = "A relevance is 0, 1 or 2, or null where the person would not say.";
        Error::new(Code::Option, text)
    })?;
    Relevance::try_from(level as u8).map(Some)
}
