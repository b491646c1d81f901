//! Quick judging: a person answers for some 50 queries whether a few documents are relevant, and that decides between
//! the base model, the tuned model and the cross-encoder where there are no judgements.
//!
//! 1. [`rank_log`] ranks the log's own queries by all three.
//! 2. [`Judging::choose`] picks queries and documents that tell the three rankings apart.
//! 3. [`JudgingLog`] keeps each [`Answer`] as it comes, so that a reloaded page goes on.
//! 4. [`Judging::verdict`] says which ranking is better, and whether that is more than chance.
//! 5. [`to_qrels`] exports the answers as judgements, to be used like any others.
//!
//! [`Judged`] holds what was answered about a fit; [`with_judging`](crate::report::with_judging) puts the verdict into its
//! report, where it may decide what is delivered.

mod answers;
mod choice;
mod judged;
mod log;
mod rankings;
mod verdict;

pub use answers::{Answer, Relevance, to_qrels};
pub use choice::{Judging, JudgingItem, JudgingOptions, Rankings};
pub use judged::Judged;
pub use log::JudgingLog;
pub use rankings::rank_log;
pub use verdict::{Conclusion, Estimate, JudgingVerdict, Means, Versus};
