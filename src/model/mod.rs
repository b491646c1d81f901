//! Pre-trained BERT-family models: a sentence encoder (bi-encoder) and a cross-encoder, by their own configuration.
//!
//! ```text
//! files ─► config ─┐
//!       ─► tokenizer ├─► bert ─► encoder        texts -> vectors
//!       ─► weights ─┘    │   └► cross_encoder   (query, document) -> logit
//!                    arithmetic on parts: on_cpu, on_gpu, on_tensors
//!                    trainable                     (texts, changes) -> gradients of the changes
//! ```

mod arithmetic;
mod beginnings;
mod bert;
mod config;
mod cross_encoder;
mod encoder;
mod files;
mod forward;
mod lora;
mod on_cpu;
#[cfg(feature = "webgpu")]
mod on_gpu;
mod on_tensors;
mod parts;
mod sizes;
mod stored;
mod tokenizer;
mod trainable;
mod weights;

pub use config::{BertConfig, EncoderConfig, Pooling};
pub use cross_encoder::CrossEncoder;
pub use encoder::{Encoder, TextKind};
pub use files::{ModelFiles, ModelInfo, ModelSource};
pub use lora::{Lora, LoraLayer, add_change};
pub use on_tensors::{normalize_rows, select_rows};
pub use sizes::Sizes;
pub(crate) use stored::{Quantisation, floats, values};
pub use tokenizer::{Tokenized, Tokenizer};
pub use trainable::{Learner, LowRank, Pass, TrainableEncoder};
pub(crate) use weights::NAME_PREFIXES;
