//! The default recipe gains what it is said to gain; a teacher without any signal is rejected; one that is wrong is not,
//! which is why agreement is never called quality.

use querytune::job::Job;
use querytune::relations::Relations;
use querytune::tune::{BaseEncoder, Fit, RecipeOptions, fit};

use crate::common::{TestHost, block_on};
use crate::data::{SciFact, device, encoder};

fn fit_by_default(relations: &Relations) -> Fit {
    let host = TestHost::new();
    let encoder = encoder();
    let base = BaseEncoder {
        encoder: &encoder,
        files: None,
    };
    let options = RecipeOptions {
        seed: 0,
        ..RecipeOptions::default()
    };
    let recipe = options.recipe(relations.queries.items.len()).expect("a recipe");
    block_on(fit(relations, recipe, base, &device(), &Job::new(&host))).expect("a fit")
}

/// Turns the logits of each query's candidates, in their order, into others.
fn taught_by(mut relations: Relations, mut others: impl FnMut(&mut [f32])) -> Relations {
    for candidates in &mut relations.candidates {
        let mut logits: Vec<f32> = candidates.iter().filter_map(|candidate| candidate.logit).collect();
        others(&mut logits);
        for (candidate, logit) in candidates.iter_mut().zip(logits) {
            candidate.logit = Some(logit);
        }
    }
    relations
}

/// How much more the tuned model agrees with its teacher than the base model, on queries left out at random.
fn agreement(fit: &Fit) -> f64 {
    let agreement = fit.random.as_ref().expect("agreement");
    agreement.tuned - agreement.base
}

#[test]
fn the_default_recipe_reaches_its_reference_numbers() {
    let data = SciFact::read();
    let relations = data.relations();
    assert!(relations.candidates.iter().all(|candidates| candidates.len() == 20));
    let fit = fit_by_default(&relations);
    assert!(fit.delivered, "{}", fit.reason);
    let tuned = data.judge(&data.run(Some(&fit.adapted))).mean;
    println!("{tuned:?}");
    assert!(tuned.ndcg_10 >= 0.682, "nDCG@10 {:.4}", tuned.ndcg_10);
    assert!(tuned.mrr_10 >= 0.645, "MRR@10 {:.4}", tuned.mrr_10);
    assert!(tuned.recall_100 >= 0.930, "recall@100 {:.4}", tuned.recall_100);
}

#[test]
fn logits_that_are_dealt_at_random_are_rejected() {
    let mut random = fastrand::Rng::with_seed(0);
    let relations = taught_by(SciFact::read().relations(), |logits| random.shuffle(logits));
    let fit = fit_by_default(&relations);
    assert!(!fit.delivered, "{}", fit.reason);
    assert!(agreement(&fit) < 0.0, "{}", agreement(&fit));
}

#[test]
fn an_inverted_teacher_is_agreed_with_and_makes_search_worse() {
    let data = SciFact::read();
    let relations = taught_by(data.relations(), |logits| {
        logits.iter_mut().for_each(|logit| *logit = -*logit)
    });
    let fit = fit_by_default(&relations);
    assert!(fit.delivered, "{}", fit.reason);
    assert!(agreement(&fit) > 0.1, "{}", agreement(&fit));
    let [base, tuned] = [None, Some(&*fit.adapted)].map(|model| data.judge(&data.run(model)).mean.ndcg_10);
    assert!(tuned < base - 0.03, "{base:.4} to {tuned:.4}");
}
