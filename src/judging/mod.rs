//! Quick judging: a person answers for some 50 queries whether a few documents are relevant, and that decides between
//! the base model, the tuned model and the cross-encoder where there are no judgements.
//!
//! 1. [`Judging::choose`] picks queries and documents that tell the three rankings apart.
//! 2. [`JudgingLog`] keeps each [`Answer`] as it comes, so that a reloaded page goes on.
//! 3. [`Judging::verdict`] says which ranking is better, and whether that is more than chance.
//! 4. [`to_qrels`] exports the answers as judgements, to be used like any others.

mod answers;
mod choice;
mod log;
mod verdict;

pub use answers::{Answer, Relevance, to_qrels};
pub use choice::{Judging, JudgingItem, JudgingOptions, Rankings};
pub use log::JudgingLog;
pub use verdict::{Conclusion, Estimate, JudgingVerdict, Means, Versus};
