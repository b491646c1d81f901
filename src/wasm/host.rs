//! The caller's surroundings: a JavaScript object with the functions of [`Host`] and, if it keeps one, a store.

use js_sys::{Array, Float32Array, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::error::thrown;
use crate::error::{Code, Error, Result};
use crate::job::{Crew, Host, LocalFuture, Progress, Store, Work};

#[wasm_bindgen]
extern "C" {
    /// `{ progress(p), cancelled(), pause(), store?, crew? }`
    #[wasm_bindgen(js_name = Host)]
    pub type JsHost;
    #[wasm_bindgen(method)]
    fn progress(this: &JsHost, progress: JsValue);
    #[wasm_bindgen(method)]
    fn cancelled(this: &JsHost) -> bool;
    #[wasm_bindgen(method)]
    fn pause(this: &JsHost) -> Promise;
    #[wasm_bindgen(method, getter)]
    fn store(this: &JsHost) -> Option<JsStore>;
    #[wasm_bindgen(method, getter)]
    fn crew(this: &JsHost) -> Option<JsCrew>;

    /// `{ count(log), read(log, chunk), append(log, bytes) }`, each returning a promise.
    #[wasm_bindgen(js_name = Store)]
    pub type JsStore;
    #[wasm_bindgen(method, catch)]
    fn count(this: &JsStore, log: &str) -> std::result::Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn read(this: &JsStore, log: &str, chunk: usize) -> std::result::Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn append(this: &JsStore, log: &str, bytes: Uint8Array) -> std::result::Result<Promise, JsValue>;

    /// `{ size, run(work, texts), learners, learn(learner, lesson) }`; `run` and `learn` return promises of a Float32Array.
    #[wasm_bindgen(js_name = Crew)]
    pub type JsCrew;
    #[wasm_bindgen(method, getter)]
    fn size(this: &JsCrew) -> usize;
    #[wasm_bindgen(method, catch)]
    fn run(this: &JsCrew, work: JsValue, texts: Array) -> std::result::Result<Promise, JsValue>;
    #[wasm_bindgen(method, getter)]
    fn learners(this: &JsCrew) -> Array;
    #[wasm_bindgen(method, catch)]
    fn learn(this: &JsCrew, learner: Option<u32>, lesson: Uint8Array) -> std::result::Result<Promise, JsValue>;

    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

/// A [`Host`] in JavaScript.
pub struct PageHost {
    host: JsHost,
    store: Option<PageStore>,
    crew: Option<PageCrew>,
}

struct PageStore(JsStore);

struct PageCrew(JsCrew);

impl From<JsHost> for PageHost {
    fn from(host: JsHost) -> Self {
        let store = host.store().map(PageStore);
        let crew = host.crew().map(PageCrew);
        Self { host, store, crew }
    }
}

impl Host for PageHost {
    fn progress(&self, progress: &Progress) {
        if let Ok(progress) = super::to_js(progress) {
            self.host.progress(progress);
        }
    }

    fn cancelled(&self) -> bool {
        self.host.cancelled()
    }

    fn pause(&self) -> LocalFuture<'_, ()> {
        let pause = self.host.pause();
        Box::pin(async move {
            // A pause has no result; if it fails the job simply goes on.
            let _ = JsFuture::from(pause).await;
        })
    }

    fn now(&self) -> f64 {
        performance_now() / 1000.0
    }

    fn store(&self) -> Option<&dyn Store> {
        self.store.as_ref().map(|store| store as &dyn Store)
    }

    fn crew(&self) -> Option<&dyn Crew> {
        self.crew.as_ref().map(|crew| crew as &dyn Crew)
    }
}

async fn settle(promise: std::result::Result<Promise, JsValue>) -> Result<JsValue> {
    let failed = |value| thrown(Code::Store, value);
    JsFuture::from(promise.map_err(failed)?).await.map_err(failed)
}

impl Store for PageStore {
    fn count<'a>(&'a self, log: &'a str) -> LocalFuture<'a, Result<usize>> {
        Box::pin(async move { Ok(settle(self.0.count(log)).await?.as_f64().unwrap_or(0.0) as usize) })
    }

    fn read<'a>(&'a self, log: &'a str, chunk: usize) -> LocalFuture<'a, Result<Vec<u8>>> {
        Box::pin(async move { Ok(Uint8Array::new(&settle(self.0.read(log, chunk)).await?).to_vec()) })
    }

    fn append<'a>(&'a self, log: &'a str, bytes: &'a [u8]) -> LocalFuture<'a, Result<()>> {
        // A copy, not a view: wasm memory may move while the store writes.
        let bytes = Uint8Array::from(bytes);
        Box::pin(async move { settle(self.0.append(log, bytes)).await.map(|_| ()) })
    }
}

impl Crew for PageCrew {
    fn size(&self) -> usize {
        self.0.size()
    }

    fn run<'a>(&'a self, work: Work, texts: &[&str]) -> LocalFuture<'a, Result<Vec<f32>>> {
        let texts: Array = texts.iter().map(|text| JsValue::from_str(text)).collect();
        values(super::to_js(&work).and_then(|work| self.0.run(work, texts).map_err(failed)))
    }

    fn learners(&self) -> Vec<usize> {
        let numbers = self.0.learners().into_iter();
        numbers
            .filter_map(|number| number.as_f64())
            .map(|number| number as usize)
            .collect()
    }

    fn learn<'a>(&'a self, learner: Option<usize>, lesson: Vec<u8>) -> LocalFuture<'a, Result<Vec<f32>>> {
        // A copy of its own, which can be handed on without another one.
        let lesson = Uint8Array::from(&lesson[..]);
        values(
            self.0
                .learn(learner.map(|number| number as u32), lesson)
                .map_err(failed),
        )
    }
}

fn failed(value: JsValue) -> Error {
    thrown(Code::Internal, value)
}

/// The numbers that a member promises.
fn values<'a>(promise: Result<Promise>) -> LocalFuture<'a, Result<Vec<f32>>> {
    // Listened to from the start: the future may be dropped before anybody asks it, and a rejection that nobody hears
    // ends the worker.
    let answer = promise.map(JsFuture::from);
    Box::pin(async move {
        let values = answer?.await.map_err(failed)?;
        Ok(Float32Array::new(&values).to_vec())
    })
}
