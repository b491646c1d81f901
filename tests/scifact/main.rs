//! All of SciFact: the base encoder, and what adaptation makes of it with right and with wrong teachers.
//!
//! It takes minutes, nearly all of them for the vectors of 5,183 abstracts, which the tests here share. They are computed as
//! the CPU does by default, in 16-bit integers: fp32 takes twice as long, and what that gives is held to golden vectors
//! elsewhere. The data are in `tests/data/scifact`, with their licence, and so are the cross-encoder's logits, which take
//! an hour to make.

#[path = "../common/mod.rs"]
mod common;

mod adaptation;
mod base;
mod data;
