//! Trains a small adapter on relations and finds out, on queries left out, whether it helps.
//!
//! ```text
//! relations ─► training_set ─► trainer (head, loss) ─► cross_validation (folds) ─► fit: which step, or the base model
//! ```

mod cross_validation;
mod fit;
mod folds;
mod head;
mod loss;
mod recipe;
mod trainer;
mod training_set;

pub use cross_validation::Agreement;
pub use fit::{Fit, HistoryPoint, fit};
pub use folds::{grouped_folds, random_folds};
pub use head::QueryHead;
pub use recipe::{Method, Recipe};
pub use trainer::{StepLoss, Trained, learning_rate, shuffled_batches, train};
pub use training_set::TrainingSet;
