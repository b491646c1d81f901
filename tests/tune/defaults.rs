//! What a recipe is where nothing is chosen: the constants that the published figures were measured with.

use querytune::tune::{LoraOptions, Method, Recipe, RecipeOptions};
use serde_json::{Value, json};

fn recipe(method: Method, queries: usize) -> Recipe {
    let options = RecipeOptions {
        method,
        ..RecipeOptions::default()
    };
    options.recipe(queries).expect("a recipe")
}

#[test]
fn a_log_under_300_queries_has_batches_half_as_large_and_more_epochs() {
    for (method, queries, batch_size, epochs, checkpoints) in [
        (Method::QueryHead, 299, 32, 30, &[4, 10, 20, 30][..]),
        (Method::QueryHead, 300, 64, 15, &[2, 5, 10, 15]),
        (Method::Head, 300, 64, 15, &[2, 5, 10, 15]),
        (Method::Lora, 299, 32, 20, &[2, 6, 13, 20]),
        (Method::Lora, 300, 64, 5, &[1, 3, 5]),
    ] {
        let recipe = recipe(method, queries);
        assert_eq!(
            (recipe.batch_size, recipe.epochs),
            (batch_size, epochs),
            "{method:?}, {queries}"
        );
        assert_eq!(recipe.checkpoints, checkpoints, "{method:?}, {queries}");
    }
}

#[test]
fn constants_that_nobody_chose_are_the_measured_ones() {
    let shown = serde_json::to_value(recipe(Method::QueryHead, 1000)).expect("JSON");
    let expected = json!({
        "method": "query-head", "loss": "listwise", "sampling": "query", "seed": 0, "folds": 5,
        "learningRate": 1e-3, "warmup": 0.1, "finalLearningRate": 0.02, "weightDecay": 0.0,
        "scale": 20.0, "klWeight": 1.0, "rankingWeight": 1.0, "teacherCosine": 0.0,
    });
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(&shown[name], value, "{name}");
    }
    for (name, value) in [
        ("beta1", 0.9),
        ("beta2", 0.999),
        ("epsilon", 1e-8),
        ("ridge", 0.03),
        ("documentRidge", 0.1),
    ] {
        let shown = shown[name].as_f64().expect("a number");
        assert!((shown / value - 1.0).abs() < 1e-6, "{name} is {shown}");
    }
    assert_eq!(shown.get("lora").filter(|lora| !lora.is_null()), None::<&Value>);
}

#[test]
fn lora_changes_all_layers_by_rank_16_for_queries_only() {
    let lora = recipe(Method::Lora, 1000).lora.expect("its constants");
    assert_eq!((lora.rank, lora.alpha, lora.targets.len()), (16, 32.0, 4));
    assert_eq!(
        (lora.documents, lora.max_tokens, lora.micro_batch_tokens),
        (false, 128, 2048)
    );
    let options = RecipeOptions {
        method: Method::Lora,
        lora: LoraOptions {
            rank: Some(4),
            ..LoraOptions::default()
        },
        ..RecipeOptions::default()
    };
    assert_eq!(
        options
            .recipe(1000)
            .expect("a recipe")
            .lora
            .expect("its constants")
            .alpha,
        8.0
    );
}
