//! JavaScript's view of the crate: values in, values out, no logic of its own.
//!
//! Long functions return promises and hold no borrow of their object while they wait, so calls may overlap.

mod artifact;
#[cfg(feature = "bench")]
mod bench;
mod error;
mod host;
mod judging;
mod learner;
mod relations;
mod relaxed;
mod texts;
mod tuner;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

use crate::device::DtypePreference;
use crate::error::{Code, Error, Result};
use crate::tuner::LoadOptions;

unsafe extern "C" {
    /// What has to run before everything else: lists that dependencies fill (the crate `inventory`).
    ///
    /// The linker makes it. Unless somebody calls it, the linker has every single export call it, the allocator's
    /// among them: that takes a third of a millisecond each time, and fills the lists again and again.
    fn __wasm_call_ctors();
}

/// Runs what has to run first, and makes a panic readable in the console before it ends the worker.
#[wasm_bindgen(start)]
pub fn start() {
    // SAFETY: called once, before anything else.
    unsafe { __wasm_call_ctors() };
    console_error_panic_hook::set_once();
}

/// Plain objects, as `JSON.parse` would make them.
fn to_js(value: &impl Serialize) -> Result<JsValue> {
    value
        .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
        .map_err(|error| Error::new(Code::Internal, error.to_string()))
}

/// Options, with defaults for what is absent.
fn from_js<T: DeserializeOwned + Default>(value: JsValue) -> Result<T> {
    if value.is_undefined() || value.is_null() {
        return Ok(T::default());
    }
    serde_wasm_bindgen::from_value(value)
        .map_err(|error| Error::new(Code::Option, format!("The options are not understood: {error}.")))
}

/// How models are to be loaded; what this browser needs for that is made ready.
fn load_options(value: JsValue) -> Result<LoadOptions> {
    let options: LoadOptions = from_js(value)?;
    if options.dtype == DtypePreference::Int8 {
        relaxed::prepare();
    }
    Ok(options)
}
