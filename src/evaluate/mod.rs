//! Is the tuned ranking better than the base model's, and is the difference more than chance?
//!
//! * [`judge`] measures a run against judgements, by trec_eval's definitions ([`Metrics`]).
//! * [`compare`] puts base, tuned and ceiling side by side, with a confidence interval and a test ([`Comparison`]).
//! * [`Judged::weighted_mean`] counts each query as often as it was asked ([`Traffic`]).
//! * [`judged_table`] and [`agreement_table`] list query by query what was gained and lost.
//! * [`soft_ndcg_10`] measures agreement with the cross-encoder, where there are no judgements.

mod metrics;
mod significance;
mod table;

pub use metrics::{Judged, Judgements, Metrics, Run, Weights, judge, ranked, soft_ndcg_10};
pub use significance::{Comparison, SIGNIFICANT, Traffic, compare, paired_bootstrap, paired_randomisation};
pub use table::{QueryAgreement, TableQuery, agreement_table, judged_table};
