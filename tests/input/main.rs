//! Files that become texts and judgements.

#[path = "../common/mod.rs"]
mod common;

mod accounting;
mod columns;
mod coverage;
mod delimited;
mod encoding;
mod errors;
mod joined;
mod jsonl;
mod lines;
mod qrels;
mod watched;
