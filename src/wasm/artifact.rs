//! A download that is used again, as JavaScript holds it.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Object, Promise, Uint8Array};
use serde::Deserialize;
use wasm_bindgen::prelude::*;

use super::host::JsHost;
use super::texts::Texts;
use super::tuner::{Index, embeddings, promise, remember_hashes, set};
use super::{from_js, load_options, to_js};
use crate::error::{Code, Error};
use crate::model::TextKind;
use crate::tuned_model::{self, Which};

/// What a zip holds of its model, until it is loaded.
#[wasm_bindgen]
pub struct Unpacked {
    inner: RefCell<Option<tuned_model::Unpacked>>,
}

/// A download's model.
#[wasm_bindgen]
pub struct TunedModel {
    inner: Rc<tuned_model::TunedModel>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Choice {
    model: Which,
}

fn used_up() -> Error {
    Error::new(Code::Internal, "What was unpacked has been loaded already.")
}

#[wasm_bindgen]
impl Unpacked {
    /// Reads a zip's bytes, which are not needed any more then.
    #[wasm_bindgen(skip_typescript)]
    pub fn read(zip: &[u8]) -> std::result::Result<Unpacked, JsValue> {
        let inner = RefCell::new(Some(tuned_model::Unpacked::read(zip)?));
        Ok(Self { inner })
    }

    /// The encoder that documents go through: `{ id, files: { path: Uint8Array } }`, copied.
    #[wasm_bindgen(skip_typescript)]
    pub fn encoder(&self) -> std::result::Result<Object, JsValue> {
        let unpacked = self.inner.borrow();
        let encoder = unpacked.as_ref().ok_or_else(used_up)?.encoder();
        let (model, files) = (Object::new(), Object::new());
        for (path, bytes) in &encoder.files {
            set(&files, path, Uint8Array::from(&bytes[..]).into());
        }
        set(&model, "id", encoder.id.as_str().into());
        set(&model, "files", files.into());
        Ok(model)
    }
}

#[wasm_bindgen]
impl TunedModel {
    /// Loads what was unpacked, which is used up by that; resolves to a `TunedModel`. `hashes`: the SHA-256 of the
    /// encoder's files, as far as they are known.
    #[wasm_bindgen(skip_typescript)]
    pub fn load(unpacked: &Unpacked, hashes: JsValue, options: JsValue, host: JsHost) -> Promise {
        let unpacked = unpacked.inner.borrow_mut().take();
        promise(host, async move |job| {
            let options = load_options(options)?;
            let mut unpacked = unpacked.ok_or_else(used_up)?;
            remember_hashes(unpacked.encoder_mut(), hashes);
            let inner = tuned_model::TunedModel::load(unpacked, options, job).await?;
            Ok(TunedModel { inner: Rc::new(inner) }.into())
        })
    }

    /// What runs where, and why there.
    #[wasm_bindgen(skip_typescript)]
    pub fn info(&self) -> std::result::Result<JsValue, JsValue> {
        Ok(to_js(&self.inner.info())?)
    }

    /// The run's `report.json`.
    #[wasm_bindgen(skip_typescript)]
    pub fn report(&self) -> std::result::Result<JsValue, JsValue> {
        Ok(to_js(self.inner.report())?)
    }

    /// Whether the trained model was delivered.
    #[wasm_bindgen(getter, js_name = isTuned, skip_typescript)]
    pub fn is_tuned(&self) -> bool {
        self.inner.is_tuned()
    }

    /// Vectors of queries; resolves to `{ data: Float32Array, dims: [texts, numbers] }`.
    #[wasm_bindgen(js_name = embedQueries, skip_typescript)]
    pub fn embed_queries(&self, texts: Vec<String>, options: JsValue, host: JsHost) -> Promise {
        self.embed(texts, TextKind::Query, options, host)
    }

    /// The same of documents.
    #[wasm_bindgen(js_name = embedDocuments, skip_typescript)]
    pub fn embed_documents(&self, texts: Vec<String>, options: JsValue, host: JsHost) -> Promise {
        self.embed(texts, TextKind::Document, options, host)
    }

    /// Encodes documents for searching; resolves to an `Index`.
    #[wasm_bindgen(skip_typescript)]
    pub fn index(&self, documents: &Texts, options: JsValue, host: JsHost) -> Promise {
        let (model, documents) = (self.inner.clone(), documents.inner.clone());
        promise(host, async move |job| {
            let Choice { model: which } = from_js(options)?;
            let inner = Rc::new(model.index(documents, which, job).await?);
            let tuner = model.tuner().clone();
            Ok(Index { tuner, inner }.into())
        })
    }
}

impl TunedModel {
    fn embed(&self, texts: Vec<String>, kind: TextKind, options: JsValue, host: JsHost) -> Promise {
        let model = self.inner.clone();
        promise(host, async move |job| {
            let Choice { model: which } = from_js(options)?;
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            embeddings(&model.embed(&texts, kind, which, job).await?)
        })
    }
}
