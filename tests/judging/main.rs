//! Quick judging: what is asked, and what a person's answers come to.

#[path = "../common/mod.rs"]
mod common;

mod choice;
mod delivery;
mod figures;
mod log;
mod merged_texts;
mod rankings;
mod report;
mod verdict;
