//! The same data and seed give the same bytes, whatever is trained; another seed gives others.

use crate::common::tiny_job::{OPTIONS, QUERIES, synthesize, tuner};
use crate::common::{TestHost, block_on, encoder_files};
use querytune::job::Job;
use querytune::tune::{Adapter, LoraOptions, Method, RecipeOptions};

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Every number of an adapter, as it lies in memory.
fn numbers(adapter: &Adapter) -> Vec<u32> {
    match adapter {
        Adapter::Heads { query, document } => {
            let heads = std::iter::once(query).chain(document);
            heads.flat_map(|head| bits(&head.weight)).collect()
        }
        Adapter::Lora { lora, .. } => {
            let layers = lora.layers.iter();
            layers
                .flat_map(|layer| [bits(&layer.a), bits(&layer.b)].concat())
                .collect()
        }
    }
}

#[test]
fn every_method_trains_to_the_same_bytes_again() {
    let host = TestHost::new();
    let (tuner, files) = (tuner(&host), encoder_files());
    let relations = synthesize(&tuner, OPTIONS, &host).expect("relations");
    for (method, documents) in [
        (Method::QueryHead, false),
        (Method::Head, false),
        (Method::Lora, false),
        (Method::Lora, true),
    ] {
        let trained = |seed| {
            let options = RecipeOptions {
                method,
                seed,
                epochs: Some(2),
                folds: Some(2),
                lora: LoraOptions {
                    rank: Some(2),
                    documents: Some(documents),
                    ..LoraOptions::default()
                },
                ..RecipeOptions::default()
            };
            let recipe = options.recipe(QUERIES.len()).expect("a recipe");
            let fit = block_on(tuner.fit(&relations, recipe, Some(&files), &Job::new(&host))).expect("a fit");
            (
                numbers(fit.adapted.adapter()),
                fit.random.map(|agreement| agreement.ci95),
            )
        };
        let (first, again, other) = (trained(5), trained(5), trained(6));
        assert!(first == again, "{method:?}, documents too: {documents}");
        assert!(first != other, "{method:?} does not depend on its seed");
    }
}
