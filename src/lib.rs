//! Adapt a search model to your own domain from the search log you already have.
//!
//! The road the data takes, one module a step:
//!
//! ```text
//! files ─► input ─► model ─► search ─► synthesize ─► relations ─► tune ─► judge ─► report ─► artifact
//!          texts    vectors  top-k     logits        data set     adapter figures  json      zip
//! ```
//!
//! Roads beside it: [`judging`] asks a person where there are no judgements; [`previous`] goes on from an earlier run's
//! download; [`tuned_model`] searches with one.
//!
//! [`tuner::Tuner`] holds the models and walks the road; [`job::Job`] is what every long step reports to.
//! All of it runs on a [`device::Device`] chosen at run time, natively as in a browser; [`cpu`] has the kernels that the
//! models use where there is no GPU, `gpu` those for WebGPU.

pub mod artifact;
pub mod bm25;
pub mod cpu;
mod crew;
pub mod data_set;
pub mod device;
pub mod download;
pub mod error;
pub mod evaluate;
#[cfg(feature = "webgpu")]
pub mod gpu;
pub mod input;
pub mod job;
pub mod judge;
pub mod judging;
pub mod model;
pub mod per_query;
mod pool;
pub mod previous;
mod random;
pub mod relations;
pub mod report;
pub mod results;
mod rows;
pub mod search;
pub mod synthesize;
pub mod tune;
pub mod tuned_model;
pub mod tuner;
pub mod vectors;
#[cfg(target_arch = "wasm32")]
mod wasm;
mod waves;

pub use error::{Code, Error, Position, Result};
