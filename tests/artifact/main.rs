//! The download: what is in it, and that it loads where it says it does.

#[path = "../common/mod.rs"]
mod common;

mod interop;
mod merged_weights;
mod methods;
mod model_card;
mod open;
mod zip;
