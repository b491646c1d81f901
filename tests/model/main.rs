//! Encoder and cross-encoder with real weights.

#[path = "../common/mod.rs"]
mod common;

mod errors;
mod goldens;
mod long_texts;
mod max_length;
mod odd_texts;
mod roberta;
mod trainable;
mod unfit_numbers;
