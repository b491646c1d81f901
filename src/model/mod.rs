//! Pre-trained BERT-family models: a sentence encoder (bi-encoder) and a cross-encoder, by their own configuration.
//!
//! ```text
//! files ─► config ─┐
//!       ─► tokenizer ├─► bert ─► encoder        texts -> vectors
//!       ─► weights ─┘        └► cross_encoder   (query, document) -> logit
//! ```

mod batch;
mod bert;
mod config;
mod cross_encoder;
mod encoder;
mod files;
mod forward;
mod linear;
mod tokenizer;
mod weights;

pub use config::{BertConfig, EncoderConfig, Pooling};
pub use cross_encoder::CrossEncoder;
pub use encoder::{Encoder, TextKind, normalize};
pub use files::{ModelFiles, ModelInfo};
pub use tokenizer::{Tokenized, Tokenizer};
