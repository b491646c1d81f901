//! Trains a small adapter on relations and finds out, on queries left out, whether it helps.
//!
//! ```text
//! relations ─► training_set ─► trainer ─► cross_validation ─► fit: which step, or the base model
//!                              student    folds
//!                              batch      ranker
//!                              loss
//! ```
//!
//! A [`Student`] is what is trained: heads on vectors ([`Head`]), or low-rank changes of the encoder. What comes out
//! is an [`Adapter`]; [`Adapted`] puts one to work.

mod adapter;
mod batch;
mod cross_validation;
mod fit;
mod folds;
mod head;
mod loss;
mod options;
mod ranker;
mod recipe;
mod student;
mod trainer;
mod training_set;

pub use adapter::{Adapted, Adapter};
pub use batch::Batch;
pub use cross_validation::{Agreement, LeftOut, TrafficAgreement, agreement, mean, standard_error};
pub use fit::{BaseEncoder, Fit, HistoryPoint, fit, retrain};
pub use folds::{grouped_folds, random_folds};
pub use head::Head;
pub use options::{LoraOptions, RecipeOptions};
pub use ranker::{RANKED, Ranker};
pub use recipe::{LoraRecipe, LoraTarget, Loss, Method, Recipe, Sampling};
pub use student::{Student, Trainable, Weights};
pub use trainer::{StepLoss, Trained, Training, learning_rate, shuffled_batches};
pub use training_set::TrainingSet;
