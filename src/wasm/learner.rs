//! An encoder that helps another thread's training, as JavaScript holds it.

use std::rc::Rc;

use js_sys::{Float32Array, Promise};
use wasm_bindgen::prelude::*;

use super::host::JsHost;
use super::tuner::{model_files, promise};
use crate::model;

/// The encoder, so that gradients can be followed through it.
#[wasm_bindgen]
pub struct Learner {
    inner: Rc<model::Learner>,
}

#[wasm_bindgen]
impl Learner {
    /// Loads the encoder's files, as for `Tuner.load`; resolves to a `Learner`.
    #[wasm_bindgen(skip_typescript)]
    pub fn load(encoder: JsValue, host: JsHost) -> Promise {
        promise(host, async move |job| {
            let inner = Rc::new(model::Learner::load(&model_files(&encoder)?, job).await?);
            Ok(Learner { inner }.into())
        })
    }

    /// Does a part of a training step; resolves to a `Float32Array`.
    #[wasm_bindgen(skip_typescript)]
    pub fn learn(&self, lesson: Vec<u8>, host: JsHost) -> Promise {
        let learner = self.inner.clone();
        promise(host, async move |job| {
            Ok(Float32Array::from(&learner.learn(&lesson, job).await?[..]).into())
        })
    }
}
