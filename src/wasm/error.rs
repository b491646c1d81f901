//! Errors as JavaScript knows them: an `Error` with a `code` and, about files, a `position`.

use wasm_bindgen::{JsCast, JsValue};

use crate::error::{Code, Error};

impl From<Error> for JsValue {
    fn from(error: Error) -> Self {
        let thrown = js_sys::Error::new(&error.to_string());
        thrown.set_name("QuerytuneError");
        let set = |key: &str, value: JsValue| {
            // Setting a property of a fresh object cannot fail.
            let _ = js_sys::Reflect::set(&thrown, &key.into(), &value);
        };
        set("code", error.code().as_str().into());
        if let Some(position) = error.position() {
            set("position", super::to_js(position).unwrap_or(JsValue::UNDEFINED));
        }
        thrown.into()
    }
}

/// What a function of the caller's threw, as an error of this crate.
pub fn thrown(code: Code, value: JsValue) -> Error {
    let error = value.dyn_ref::<js_sys::Error>();
    let code = match error.map(|error| String::from(error.name())).as_deref() {
        Some("AbortError") => Code::Cancelled,
        _ => code,
    };
    let message = error.map(|error| String::from(error.message()));
    Error::new(code, message.unwrap_or_else(|| format!("{value:?}")))
}
