//! A training that goes astray, or cannot go anywhere, says so and what to change.

use crate::common::tiny_job::{OPTIONS, QUERIES, synthesize, tuner};
use crate::common::{TestHost, block_on};
use querytune::Code;
use querytune::job::Job;
use querytune::tune::{LoraOptions, Method, RecipeOptions};

#[test]
fn weights_that_are_no_numbers_any_more_are_an_error_of_the_learning_rate() {
    let host = TestHost::new();
    let tuner = tuner(&host);
    let relations = synthesize(&tuner, OPTIONS, &host).expect("relations");
    let options = RecipeOptions {
        learning_rate: Some(1e38),
        ..RecipeOptions::default()
    };
    let recipe = options.recipe(QUERIES.len()).expect("nothing forbids it");
    let error = block_on(tuner.fit(&relations, recipe, None, &Job::new(&host)))
        .err()
        .expect("no fit");
    assert_eq!(error.code(), Code::Option);
    assert!(error.message().contains("learningRate"), "{error}");
}

#[test]
fn a_beta_of_one_would_divide_by_nothing() {
    for beta in [1.0, -0.1, f32::NAN] {
        let options = RecipeOptions {
            beta_2: Some(beta),
            ..RecipeOptions::default()
        };
        let error = options.recipe(500).expect_err("refused");
        assert_eq!(error.code(), Code::Option);
        assert!(error.message().contains("beta2"), "{error}");
    }
}

#[test]
fn numbers_that_no_memory_holds_are_refused_as_options() {
    let lora = |rank| RecipeOptions {
        method: Method::Lora,
        lora: LoraOptions {
            rank: Some(rank),
            ..LoraOptions::default()
        },
        ..RecipeOptions::default()
    };
    let epochs = RecipeOptions {
        epochs: Some(100_000_000),
        ..RecipeOptions::default()
    };
    let batch_size = RecipeOptions {
        batch_size: Some(1_000_000),
        ..RecipeOptions::default()
    };
    let folds = RecipeOptions {
        folds: Some(1_000_000),
        ..RecipeOptions::default()
    };
    let mut no_tokens = lora(16);
    no_tokens.lora.micro_batch_tokens = Some(0);
    for (options, name) in [
        (lora(100_000_000), "lora.rank"),
        (epochs, "epochs"),
        (batch_size, "batchSize"),
        (folds, "folds"),
        (no_tokens, "lora.microBatchTokens"),
    ] {
        let error = options.recipe(500).expect_err("refused");
        assert_eq!(error.code(), Code::Option);
        assert!(error.message().contains(name), "{error}");
    }
    assert!(lora(384).recipe(500).is_ok());
}
