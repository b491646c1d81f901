//! What a caller may choose about a training: every constant, with the measured recipe as the default.

use serde::Deserialize;

use super::recipe::{LoraRecipe, LoraTarget, Loss, Method, Recipe, Sampling};
use crate::error::{Code, Error, Result};

/// Choices that differ from the default recipe; see [`Recipe`] for what each constant does.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "they are the fields of Recipe and LoraRecipe")]
pub struct RecipeOptions {
    pub method: Method,
    pub loss: Loss,
    pub sampling: Sampling,
    pub seed: u64,
    pub batch_size: Option<usize>,
    pub epochs: Option<usize>,
    pub learning_rate: Option<f64>,
    pub warmup: Option<f64>,
    pub final_learning_rate: Option<f64>,
    pub beta_1: Option<f32>,
    pub beta_2: Option<f32>,
    pub epsilon: Option<f32>,
    pub weight_decay: Option<f32>,
    pub scale: Option<f32>,
    pub kl_weight: Option<f32>,
    pub ranking_weight: Option<f32>,
    pub ridge: Option<f32>,
    pub document_ridge: Option<f32>,
    pub margin_scale: Option<f32>,
    pub teacher_cosine: Option<f32>,
    pub folds: Option<usize>,
    pub lora: LoraOptions,
}

/// Choices about LoRA.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "they are the fields of LoraRecipe")]
pub struct LoraOptions {
    pub rank: Option<usize>,
    pub alpha: Option<f32>,
    pub targets: Option<Vec<LoraTarget>>,
    pub documents: Option<bool>,
    pub max_tokens: Option<usize>,
    pub micro_batch_tokens: Option<usize>,
}

/// Logs of fewer distinct queries take smaller batches and twice the epochs, so that there are enough steps.
const SMALL_LOG: usize = 300;

impl RecipeOptions {
    /// The recipe for a log of that many distinct queries.
    ///
    /// # Errors
    /// [`Code::Option`] for a constant that no training can have.
    pub fn recipe(&self, queries: usize) -> Result<Recipe> {
        let recipe = self.defaults(queries);
        check(&recipe)?;
        Ok(recipe)
    }

    /// As [`RecipeOptions::recipe`], unchecked.
    pub(super) fn defaults(&self, queries: usize) -> Recipe {
        let small = queries < SMALL_LOG;
        let through_encoder = self.method == Method::Lora;
        let epochs = self.epochs.unwrap_or(match (through_encoder, small) {
            (true, true) => 20,
            (true, false) => 5,
            (false, true) => 30,
            (false, false) => 15,
        });
        Recipe {
            method: self.method,
            loss: self.loss,
            sampling: self.sampling,
            seed: self.seed,
            batch_size: self.batch_size.unwrap_or(if small { 32 } else { 64 }),
            epochs,
            checkpoints: checkpoints(epochs),
            learning_rate: self.learning_rate.unwrap_or(1e-3),
            warmup: self.warmup.unwrap_or(0.1),
            final_learning_rate: self.final_learning_rate.unwrap_or(0.02),
            beta_1: self.beta_1.unwrap_or(0.9),
            beta_2: self.beta_2.unwrap_or(0.999),
            epsilon: self.epsilon.unwrap_or(1e-8),
            weight_decay: self.weight_decay.unwrap_or(0.0),
            scale: self.scale.unwrap_or(20.0),
            kl_weight: self.kl_weight.unwrap_or(1.0),
            ranking_weight: self.ranking_weight.unwrap_or(1.0),
            ridge: self.ridge.unwrap_or(0.03),
            document_ridge: self.document_ridge.unwrap_or(0.1),
            margin_scale: self.margin_scale,
            teacher_cosine: self.teacher_cosine.unwrap_or(0.0),
            folds: self.folds.unwrap_or(5),
            lora: through_encoder.then(|| self.lora.recipe()),
        }
    }
}

impl LoraOptions {
    fn recipe(&self) -> LoraRecipe {
        let rank = self.rank.unwrap_or(16);
        LoraRecipe {
            rank,
            alpha: self.alpha.unwrap_or(2.0 * rank as f32),
            targets: self.targets.clone().unwrap_or_else(|| LoraTarget::ALL.to_vec()),
            documents: self.documents.unwrap_or(false),
            max_tokens: self.max_tokens.unwrap_or(128),
            micro_batch_tokens: self.micro_batch_tokens.unwrap_or(2048),
        }
    }
}

/// The epochs to try: about a seventh, a third, two thirds and all of them (2, 5, 10 and 15 of 15).
fn checkpoints(epochs: usize) -> Vec<usize> {
    let mut tried: Vec<usize> = [2, 5, 10, 15].iter().map(|part| epochs * part / 15).collect();
    tried.retain(|&epoch| epoch > 0);
    tried.dedup();
    tried
}

fn check(recipe: &Recipe) -> Result<()> {
    let refuse = |name: &str, value: &dyn std::fmt::Display, rule: &str| {
        Err(Error::new(
            Code::Option,
            format!("{name} is {value}; it has to be {rule}."),
        ))
    };
    // The upper ends keep a slip of the finger from taking all memory.
    let counts = [
        ("epochs", recipe.epochs, 1, 10_000),
        ("batchSize", recipe.batch_size, 1, 256),
        ("folds", recipe.folds, 2, 100),
    ];
    for (name, value, least, most) in counts {
        if value < least {
            return refuse(name, &value, &format!("at least {least}"));
        }
        if value > most {
            return refuse(name, &value, &format!("at most {most}"));
        }
    }
    let positive = [
        ("learningRate", recipe.learning_rate),
        ("scale", f64::from(recipe.scale)),
        ("epsilon", f64::from(recipe.epsilon)),
        ("marginScale", recipe.margin_scale.map_or(1.0, f64::from)),
    ];
    for (name, value) in positive {
        if !(value.is_finite() && value > 0.0) {
            return refuse(name, &value, "above 0");
        }
    }
    let not_negative = [
        ("weightDecay", recipe.weight_decay),
        ("klWeight", recipe.kl_weight),
        ("rankingWeight", recipe.ranking_weight),
        ("ridge", recipe.ridge),
        ("documentRidge", recipe.document_ridge),
    ];
    for (name, value) in not_negative {
        if !(value.is_finite() && value >= 0.0) {
            return refuse(name, &value, "0 or more");
        }
    }
    let shares = [
        ("warmup", recipe.warmup),
        ("finalLearningRate", recipe.final_learning_rate),
    ];
    for (name, value) in shares {
        if !(0.0..=1.0).contains(&value) {
            return refuse(name, &value, "from 0 to 1");
        }
    }
    for (name, value) in [("beta1", recipe.beta_1), ("beta2", recipe.beta_2)] {
        if !(0.0..1.0).contains(&value) {
            return refuse(name, &value, "from 0 to below 1");
        }
    }
    if !recipe.teacher_cosine.is_finite() {
        return refuse("teacherCosine", &recipe.teacher_cosine, "a number");
    }
    let Some(lora) = &recipe.lora else { return Ok(()) };
    if !(1..=1024).contains(&lora.rank) {
        return refuse("lora.rank", &lora.rank, "from 1 to 1024");
    }
    if !(lora.alpha.is_finite() && lora.alpha > 0.0) {
        return refuse("lora.alpha", &lora.alpha, "above 0");
    }
    if lora.targets.is_empty() {
        return refuse("lora.targets", &"empty", "one of query, key, value, dense at least");
    }
    if lora.micro_batch_tokens == 0 {
        return refuse("lora.microBatchTokens", &lora.micro_batch_tokens, "at least 1");
    }
    if lora.max_tokens < 3 {
        return refuse("lora.maxTokens", &lora.max_tokens, "at least 3");
    }
    Ok(())
}
