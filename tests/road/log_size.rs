//! What a run says of logs that are too small to promise anything for new queries.

use crate::common::tiny_job::{DOCUMENTS, OPTIONS, texts, tuner};
use crate::common::{TestHost, block_on};
use querytune::input::Role;
use querytune::job::Job;
use querytune::synthesize::SynthesizeOptions;
use querytune::tune::{Fit, RecipeOptions};
use querytune::tuner::Tuner;

fn fit(tuner: &Tuner, queries: usize) -> Fit {
    let host = TestHost::new();
    let log: Vec<String> = (0..queries).map(|number| format!("size {number}")).collect();
    let log: Vec<&str> = log.iter().map(String::as_str).collect();
    let (log, shop) = (texts(&log, Role::Queries), texts(&DOCUMENTS, Role::Documents));
    let options = SynthesizeOptions { depth: 2, ..OPTIONS };
    let relations = block_on(tuner.synthesize(log, shop, options, &Job::new(&host))).expect("relations");
    let options = RecipeOptions {
        epochs: Some(1),
        folds: Some(2),
        ..RecipeOptions::default()
    };
    let recipe = options.recipe(queries).expect("a recipe");
    block_on(tuner.fit(&relations, recipe, None, &Job::new(&host))).expect("a fit")
}

#[test]
fn under_200_queries_it_is_an_experiment_under_400_a_small_gain_and_from_400_on_nothing_is_said() {
    let tuner = tuner(&TestHost::new());
    for (queries, is_experimental, said) in [
        (199, true, Some("for new queries this is an experiment")),
        (200, false, Some("new queries gain little")),
        (399, false, Some("new queries gain little")),
        (400, false, None),
    ] {
        let fit = fit(&tuner, queries);
        assert_eq!(fit.experimental, is_experimental, "{queries}");
        let found = fit.warnings.first().map(String::as_str);
        match said {
            Some(said) => {
                let found = found.unwrap_or_default();
                assert!(found.contains(said) && found.contains(&queries.to_string()), "{found}");
                assert!(
                    found.contains("own queries gain from far fewer"),
                    "both are said: {found}"
                );
            }
            None => assert_eq!(found, None),
        }
    }
}
