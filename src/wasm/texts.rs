//! Inputs: texts and judgements.

use std::rc::Rc;

use js_sys::Array;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::host::{JsHost, PageHost};
use super::{from_js, to_js};
use crate::error::{Code, Error};
use crate::input::{self, InputItem, QrelsOptions, ReadOptions, Role, Text};
use crate::job::Job;

/// Queries or documents.
#[wasm_bindgen]
pub struct Texts {
    pub(super) inner: Rc<input::Texts>,
}

#[derive(Serialize)]
struct TextItem<'t> {
    ids: &'t [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'t str>,
    text: &'t str,
    count: u32,
}

impl<'t> From<&'t Text> for TextItem<'t> {
    fn from(text: &'t Text) -> Self {
        Self {
            ids: &text.ids,
            title: text.title.as_deref(),
            text: &text.text,
            count: text.count,
        }
    }
}

/// Some of the texts, as a page shows them.
pub(super) fn text_items(texts: &input::Texts, from: usize, count: usize) -> Vec<impl Serialize> {
    texts.items.iter().skip(from).take(count).map(TextItem::from).collect()
}

fn role(role: &str) -> Result<Role, Error> {
    match role {
        "queries" => Ok(Role::Queries),
        "documents" => Ok(Role::Documents),
        other => Err(Error::new(
            Code::Option,
            format!("\"{other}\" is neither \"queries\" nor \"documents\"."),
        )),
    }
}

#[wasm_bindgen]
impl Texts {
    /// Reads a file's bytes.
    #[wasm_bindgen(skip_typescript)]
    pub async fn read(
        bytes: Vec<u8>,
        file: String,
        role_name: String,
        options: JsValue,
        host: JsHost,
    ) -> Result<Texts, JsValue> {
        let (role, options): (Role, ReadOptions) = (role(&role_name)?, from_js(options)?);
        let host = PageHost::from(host);
        let read = input::read_watched(&bytes, &file, role, &options, &Job::new(&host)).await?;
        Ok(Self { inner: Rc::new(read) })
    }

    /// Takes texts from an array.
    #[wasm_bindgen(js_name = fromItems, skip_typescript)]
    pub async fn from_items(items: Array, role_name: String, host: JsHost) -> Result<Texts, JsValue> {
        let role = role(&role_name)?;
        let host = PageHost::from(host);
        let items = items.iter().map(from_js::<InputItem>);
        let read = input::Texts::from_items_watched(items, role, &Job::new(&host)).await?;
        Ok(Self { inner: Rc::new(read) })
    }

    /// How the texts were read.
    #[wasm_bindgen(skip_typescript)]
    pub fn reading(&self) -> Result<JsValue, JsValue> {
        Ok(to_js(&self.inner.reading)?)
    }

    /// Some of the texts.
    #[wasm_bindgen(skip_typescript)]
    pub fn items(&self, from: usize, count: usize) -> Result<JsValue, JsValue> {
        Ok(to_js(&text_items(&self.inner, from, count))?)
    }

    /// How many there are.
    #[wasm_bindgen(getter, skip_typescript)]
    pub fn length(&self) -> usize {
        self.inner.items.len()
    }
}

/// Judgements.
#[wasm_bindgen]
pub struct Qrels {
    pub(super) inner: Rc<input::Qrels>,
}

#[derive(Serialize)]
struct QrelsSummary<'q> {
    queries: usize,
    judgements: usize,
    relevant: usize,
    skipped: &'q [input::Skipped],
    #[serde(rename = "skippedTotal")]
    skipped_total: usize,
}

#[wasm_bindgen]
impl Qrels {
    /// Reads a file's bytes.
    #[wasm_bindgen(skip_typescript)]
    pub async fn read(bytes: Vec<u8>, file: String, options: JsValue, host: JsHost) -> Result<Qrels, JsValue> {
        let (options, host): (QrelsOptions, _) = (from_js(options)?, PageHost::from(host));
        let read = input::Qrels::read_watched(&bytes, &file, &options, &Job::new(&host)).await?;
        Ok(Self { inner: Rc::new(read) })
    }

    /// How the judgements were read.
    #[wasm_bindgen(skip_typescript)]
    pub fn reading(&self) -> Result<JsValue, JsValue> {
        Ok(to_js(&self.inner.reading)?)
    }

    /// The judgements in figures.
    #[wasm_bindgen(skip_typescript)]
    pub fn summary(&self) -> Result<JsValue, JsValue> {
        let all = || self.inner.judgements.values().flat_map(|judged| judged.values());
        Ok(to_js(&QrelsSummary {
            queries: self.inner.judgements.len(),
            judgements: all().count(),
            relevant: all().filter(|relevance| **relevance > 0).count(),
            skipped: &self.inner.skipped,
            skipped_total: self.inner.skipped_total,
        })?)
    }

    /// How many judgements are of these texts.
    #[wasm_bindgen(skip_typescript)]
    pub fn coverage(&self, queries: &Texts, documents: &Texts) -> Result<JsValue, JsValue> {
        Ok(to_js(&self.inner.coverage(&queries.inner, &documents.inner))?)
    }
}
