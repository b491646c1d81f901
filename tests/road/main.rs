//! The road from a log to a tuned model: candidates, scores, training, and going on from there.

#[path = "../common/mod.rs"]
mod common;

mod bm25;
mod crew;
mod going_on;
mod log_size;
mod pooled_candidates;
mod scoring_waves;
mod search_is_exact;
mod tuned_model;
mod whole;
