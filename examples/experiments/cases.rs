//! What is run: which log, which recipe, which seeds.

use std::collections::BTreeSet;

use querytune::synthesize::SynthesizeOptions;
use querytune::tune::{LoraOptions, LoraTarget, Loss, Method, RecipeOptions};

/// What the cross-encoder's logits are turned into before training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teacher {
    /// They stay.
    Honest,
    /// Each query's logits are dealt to its candidates at random: nothing can be learned.
    Permuted,
    /// Their signs are turned: the opposite can be learned.
    Inverted,
}

/// Which part of a set's log is used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Log {
    /// All of it.
    Whole,
    /// Without queries that have a test query at this cosine or nearer.
    WithoutTwins(f32),
    /// So many queries, drawn by the seed.
    Part(usize),
}

/// One row of the results: a recipe on a log, once for each seed.
#[derive(Clone, Debug)]
pub struct Case {
    /// As results name it.
    pub name: String,
    /// The part of the report it belongs to.
    pub group: &'static str,
    /// The set's name.
    pub set: &'static str,
    /// Its log.
    pub log: Log,
    /// What is scored for each query.
    pub synthesize: SynthesizeOptions,
    /// The recipe.
    pub options: RecipeOptions,
    /// The logits.
    pub teacher: Teacher,
    /// Whether it is trained as in the product, with folds and a decision; else once on the whole log, and every
    /// checkpoint is measured.
    pub is_selected: bool,
    /// The recipe's seeds.
    pub seeds: std::ops::Range<u64>,
}

/// All cases, the reference numbers first.
pub fn all() -> Vec<Case> {
    let case = |group, name: &str, set, depth| Case {
        name: name.to_owned(),
        group,
        set,
        log: Log::Whole,
        synthesize: SynthesizeOptions {
            depth,
            ..SynthesizeOptions::default()
        },
        options: RecipeOptions::default(),
        teacher: Teacher::Honest,
        is_selected: true,
        seeds: 0..3,
    };
    let mut cases = vec![
        case("reference", "scifact, 20 candidates", "scifact", 20),
        case("reference", "scifact, 10 candidates", "scifact", 10),
        case("reference", "ao, 20 candidates", "ao", 20),
        case("reference", "stackfaq, 10 candidates", "stackfaq", 10),
        case("reference", "chorus, 20 candidates", "chorus", 20),
    ];
    for (name, cosine) in [("scifact without twins (.7)", 0.7), ("scifact without twins (.6)", 0.6)] {
        cases.push(Case {
            log: Log::WithoutTwins(cosine),
            ..case("new queries", name, "scifact", 20)
        });
    }
    for (name, teacher) in [("permuted", Teacher::Permuted), ("inverted", Teacher::Inverted)] {
        cases.push(Case {
            teacher,
            ..case("controls", &format!("scifact, logits {name}"), "scifact", 20)
        });
    }
    for size in [50, 100, 200, 400, 700] {
        cases.push(Case {
            log: Log::Part(size),
            seeds: 0..5,
            ..case("size", &format!("scifact, {size} queries"), "scifact", 20)
        });
    }
    for (label, options) in methods() {
        for (set, depth) in [("scifact", 20), ("ao", 20), ("stackfaq", 10), ("chorus", 20)] {
            cases.push(Case {
                options: options.clone(),
                ..case("methods", &format!("{set}, {label}"), set, depth)
            });
        }
    }
    cases.extend(methods_on_scifact(&cases));
    for (name, set, depth, log) in [
        ("scifact", "scifact", 20, Log::Whole),
        ("scifact without twins (.7)", "scifact", 20, Log::WithoutTwins(0.7)),
        ("scifact without twins (.6)", "scifact", 20, Log::WithoutTwins(0.6)),
        ("ao", "ao", 20, Log::Whole),
        ("stackfaq", "stackfaq", 10, Log::Whole),
    ] {
        cases.push(Case {
            log,
            options: RecipeOptions {
                method: Method::Lora,
                ..RecipeOptions::default()
            },
            is_selected: false,
            ..case("LoRA", &format!("{name}, LoRA: the defaults"), set, depth)
        });
    }
    // Every candidate goes through the encoder in every epoch: on a processor only a small log can be waited for.
    cases.push(Case {
        options: RecipeOptions {
            method: Method::Lora,
            epochs: Some(2),
            lora: LoraOptions {
                documents: Some(true),
                ..LoraOptions::default()
            },
            ..RecipeOptions::default()
        },
        is_selected: false,
        seeds: 0..1,
        ..case("LoRA", "chorus, LoRA on both sides", "chorus", 20)
    });
    for (set, epochs) in [("scifact", 5), ("chorus", 30)] {
        for (label, options) in lora_search() {
            cases.push(Case {
                options: RecipeOptions {
                    epochs: Some(epochs),
                    ..options
                },
                is_selected: false,
                seeds: 0..1,
                ..case("LoRA", &format!("{set}, LoRA search: {label}"), set, 20)
            });
        }
    }
    for set in ["scifact", "chorus"] {
        let mut pooled = case("methods", &format!("{set}, BM25's 10 pooled in"), set, 20);
        pooled.synthesize.bm25 = 10;
        cases.push(pooled);
    }
    cases
}

/// One case of each kind, of SciFact.
pub fn slice() -> Vec<Case> {
    let mut kinds = BTreeSet::new();
    let is_new = |case: &Case| {
        let kind = (
            case.group,
            case.teacher,
            case.is_selected,
            case.synthesize.bm25,
            &case.options,
        );
        kinds.insert(format!("{kind:?}"))
    };
    let mut cases = all();
    cases.retain(|case| case.set == "scifact");
    cases.retain(is_new);
    cases
}

/// What is run of SciFact with the default recipe, with the other methods and with MarginMSE.
fn methods_on_scifact(cases: &[Case]) -> Vec<Case> {
    let compared = ["head on both sides", "MarginMSE", "LoRA, queries"];
    let methods: Vec<_> = methods()
        .into_iter()
        .filter(|(label, _)| compared.contains(label))
        .collect();
    let groups = [
        ("reference", "methods"),
        ("new queries", "new queries"),
        ("controls", "controls"),
        ("size", "size by method"),
    ];
    let mut made = Vec::new();
    for (of, group) in groups {
        // With 20 candidates all methods are among those of every set.
        let is_compared =
            |case: &&Case| case.group == of && case.set == "scifact" && case.name != "scifact, 20 candidates";
        for case in cases.iter().filter(is_compared) {
            for (label, options) in &methods {
                // A fit with LoRA takes minutes.
                let is_once = options.method == Method::Lora && ["controls", "size"].contains(&of);
                made.push(Case {
                    name: format!("{}, {label}", case.name),
                    group,
                    options: options.clone(),
                    seeds: if is_once { 0..1 } else { case.seeds.clone() },
                    ..case.clone()
                });
            }
        }
    }
    made
}

/// LoRA's constants, one changed at a time.
fn lora_search() -> Vec<(String, RecipeOptions)> {
    let with = |rate: f64, rank, targets: &[LoraTarget]| RecipeOptions {
        method: Method::Lora,
        learning_rate: Some(rate),
        lora: LoraOptions {
            rank: Some(rank),
            targets: Some(targets.to_vec()),
            ..LoraOptions::default()
        },
        ..RecipeOptions::default()
    };
    let two = [LoraTarget::Query, LoraTarget::Value];
    let rates = [1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3];
    let by_rate = rates.map(|rate| (format!("rate {rate:e}"), with(rate, 16, &two)));
    let others = [
        ("rate 1e-3, rank 4".to_owned(), with(1e-3, 4, &two)),
        ("rate 1e-3, rank 64".to_owned(), with(1e-3, 64, &two)),
        ("rate 1e-3, all layers".to_owned(), with(1e-3, 16, &LoraTarget::ALL)),
        ("rate 2e-3, all layers".to_owned(), with(2e-3, 16, &LoraTarget::ALL)),
    ];
    by_rate.into_iter().chain(others).collect()
}

/// The methods and losses beside the default.
fn methods() -> Vec<(&'static str, RecipeOptions)> {
    let options = RecipeOptions::default;
    vec![
        (
            "head on both sides",
            RecipeOptions {
                method: Method::Head,
                ..options()
            },
        ),
        (
            "MarginMSE",
            RecipeOptions {
                loss: Loss::MarginMse,
                ..options()
            },
        ),
        (
            "MNRL alone",
            RecipeOptions {
                loss: Loss::Mnrl,
                ..options()
            },
        ),
        (
            "teacher CE + 40 cos",
            RecipeOptions {
                teacher_cosine: Some(40.0),
                ..options()
            },
        ),
        (
            "LoRA, queries",
            RecipeOptions {
                method: Method::Lora,
                ..options()
            },
        ),
    ]
}
