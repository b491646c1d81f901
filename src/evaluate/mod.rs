//! Is the tuned ranking better than the base model's, and is the difference more than chance?
//!
//! * [`judge`] measures a run against judgements, by trec_eval's definitions ([`Metrics`]).
//! * [`compare`] puts base, tuned and ceiling side by side, with a confidence interval and a test ([`Comparison`]).
//! * [`soft_ndcg_10`] measures agreement with the cross-encoder, where there are no judgements.

mod metrics;
mod significance;

pub use metrics::{Judged, Judgements, Metrics, Run, judge, ranked, soft_ndcg_10};
pub use significance::{Comparison, compare, paired_bootstrap, paired_randomisation};
