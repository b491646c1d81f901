//! Training: losses, folds, determinism.

#[path = "../common/mod.rs"]
mod common;

mod again;
mod astray;
mod defaults;
mod folds;
mod golden;
mod reference;
mod traffic;
