//! Every kind of training against an independent one in torch (float64, its own gradients): `tests/golden/make_fit.py`.

use std::rc::Rc;

use crate::common::{TestHost, block_on, golden, golden_model, numbers};
use querytune::device::{Device, Dtype};
use querytune::input::{InputItem, Role, Texts};
use querytune::job::Job;
use querytune::model::{Encoder, TextKind};
use querytune::relations::{Candidate, Relations, StageTimes};
use querytune::tune::{
    Adapted, Adapter, LoraOptions, LoraTarget, Loss, Method, Recipe, RecipeOptions, StepLoss, Student, Trainable,
    Trained, Training, TrainingSet,
};
use querytune::vectors::Vectors;
use serde_json::{Value, json};

fn vectors(value: &Value) -> Vectors {
    let rows: Vec<Vec<f64>> = value.as_array().expect("rows").iter().map(numbers).collect();
    let dims = rows[0].len();
    Vectors::from_rows(rows.concat().into_iter().map(|number| number as f32).collect(), dims).expect("rows")
}

fn lists<T>(value: &Value, number: impl Fn(f64) -> T) -> Vec<Vec<T>> {
    let list = |list: &Value| numbers(list).into_iter().map(&number).collect();
    value.as_array().expect("lists").iter().map(list).collect()
}

/// The set of the part `of` of the reference, with the scores given.
fn set(of: &Value, queries: &str, documents: &str, scores: &Value) -> TrainingSet {
    TrainingSet::new(
        vectors(&of[queries]),
        vectors(&of[documents]),
        lists(&of["candidates"], |number| number as u32),
        lists(scores, |number| number as f32),
    )
    .expect("parts that fit")
}

/// The reference's vectors as what comes out of scoring.
fn relations(of: &Value) -> Relations {
    let (query_vectors, document_vectors) = (vectors(&of["queries"]), vectors(&of["documents"]));
    let texts = |count: usize, role| {
        let item = |number| InputItem {
            text: format!("text {number}"),
            ..InputItem::default()
        };
        Rc::new(Texts::from_items((0..count).map(item), role).expect("texts"))
    };
    let documents = lists(&of["candidates"], |number| number as u32);
    let logits = lists(&of["logits"], |number| number as f32);
    let candidates = documents
        .iter()
        .zip(&logits)
        .enumerate()
        .map(|(query, (documents, logits))| {
            let candidate = |(&document, &logit): (&u32, &f32)| {
                let pair = query_vectors
                    .row(query)
                    .iter()
                    .zip(document_vectors.row(document as usize));
                Candidate {
                    document,
                    cosine: pair.map(|(a, b)| a * b).sum(),
                    logit: Some(logit),
                }
            };
            documents.iter().zip(logits).map(candidate).collect()
        });
    Relations {
        queries: texts(query_vectors.len(), Role::Queries),
        documents: texts(document_vectors.len(), Role::Documents),
        candidates: candidates.collect(),
        query_vectors,
        document_vectors: Rc::new(document_vectors),
        depth: 7,
        bm25: 0,
        per_query: None,
        times: StageTimes::default(),
    }
}

fn options(method: Method) -> RecipeOptions {
    RecipeOptions {
        method,
        learning_rate: Some(1e-3),
        ..RecipeOptions::default()
    }
}

fn assert_near(found: f64, expected: &Value, tolerance: f64, what: &str) {
    let expected = expected.as_f64().expect("a number");
    assert!(
        (found - expected).abs() < tolerance,
        "{what}: {found} is not {expected}"
    );
}

/// The losses by the reference's names.
fn assert_losses(found: &[StepLoss], expected: &Value, tolerance: f64) {
    type Part = fn(&StepLoss) -> f32;
    let parts: [(&str, Part); 5] = [
        ("total", |loss| loss.total),
        ("kl", |loss| loss.distillation),
        ("margin_mse", |loss| loss.distillation),
        ("mnrl", |loss| loss.ranking),
        ("ridge", |loss| loss.ridge),
    ];
    for (name, part) in parts {
        let Some(expected) = expected.get(name) else { continue };
        let expected = expected.as_array().expect("losses");
        assert_eq!(found.len(), expected.len());
        for (step, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert_near(
                f64::from(part(found)),
                expected,
                tolerance,
                &format!("{name} of step {step}"),
            );
        }
    }
}

fn assert_matrix(found: &[f32], expected: &Value, tolerance: f64, what: &str) {
    let expected = lists(expected, |number| number).concat();
    assert_eq!(found.len(), expected.len());
    for (place, (&found, expected)) in found.iter().zip(expected).enumerate() {
        let distance = (f64::from(found) - expected).abs();
        assert!(
            distance < tolerance,
            "{what}, number {place}: {found} is not {expected}"
        );
    }
}

/// Trains heads as the reference's case of that name.
fn train_heads(name: &str, recipe: &Recipe) -> (TrainingSet, Trained, Value) {
    let reference = golden("fit.json");
    let (of, case) = (&reference["vectors"], &reference["heads"][name]);
    // As the product makes it: the teacher's cosines are added to the logits there.
    let set = TrainingSet::from_relations(&relations(of), recipe, |_| true).expect("a training set");
    if let Some(targets) = case.get("targets") {
        for (query, expected) in targets.as_array().expect("targets").iter().enumerate() {
            assert_matrix(
                &set.scores[query],
                &json!([expected]),
                1e-4,
                &format!("targets of query {query}"),
            );
        }
    }
    let steps = case["losses"]["total"].as_array().expect("losses").len();
    let batches = &lists(&of["batches"], |number| number as usize)[..steps];
    let (host, device) = (TestHost::new(), Device::cpu(Dtype::Fp32));
    let student = Student::heads(&set, recipe.method == Method::Head, &device);
    let training = Training {
        set: &set,
        student: &student,
        recipe,
        device: &device,
        margin_scale: set.margin_scale(),
    };
    let trained = block_on(training.run(student.start(0), batches, &[steps], &Job::new(&host), None)).expect("trains");
    (set, trained, case.clone())
}

fn assert_heads(name: &str, options: &RecipeOptions) {
    let (set, trained, case) = train_heads(name, &options.recipe(1000).expect("a recipe"));
    for (query, best) in numbers(&case["best"]).into_iter().enumerate() {
        assert_eq!(set.best(query), best as usize, "the best candidate of query {query}");
    }
    assert_losses(&trained.losses, &case["losses"], 1e-4);
    let Some((_, Adapter::Heads { query, document })) = trained.adapters.last() else {
        panic!("heads were trained")
    };
    assert_matrix(&query.weight, &case["final"]["query"]["matrix"], 1e-6, "the query head");
    assert_eq!(document.is_some(), case["final"].get("document").is_some());
    if let Some(document) = document {
        let expected = &case["final"]["document"]["matrix"];
        assert_matrix(&document.weight, expected, 1e-6, "the document head");
    }
}

#[test]
fn a_query_head_follows_the_reference_with_ragged_candidates() {
    assert_heads("query-head", &options(Method::QueryHead));
}

#[test]
fn heads_on_both_sides_follow_the_reference() {
    assert_heads("head", &options(Method::Head));
}

#[test]
fn margin_mse_follows_the_reference_with_its_fitted_scale() {
    let options = RecipeOptions {
        loss: Loss::MarginMse,
        ..options(Method::QueryHead)
    };
    let (set, ..) = train_heads("margin-mse", &options.recipe(1000).expect("a recipe"));
    let expected = &golden("fit.json")["heads"]["margin-mse"]["scale"];
    assert_near(f64::from(set.margin_scale()), expected, 1e-4, "the scale");
    assert_heads("margin-mse", &options);
}

#[test]
fn mnrl_alone_follows_the_reference() {
    assert_heads(
        "mnrl",
        &RecipeOptions {
            loss: Loss::Mnrl,
            ..options(Method::QueryHead)
        },
    );
}

#[test]
fn a_teacher_with_cosines_follows_the_reference() {
    assert_heads(
        "teacher-cos",
        &RecipeOptions {
            teacher_cosine: Some(40.0),
            ..options(Method::QueryHead)
        },
    );
}

fn strings(value: &Value) -> Vec<&str> {
    let texts = value.as_array().expect("texts").iter();
    texts.map(|text| text.as_str().expect("a text")).collect()
}

/// LoRA as the reference's case of that name; a micro-batch has so many tokens.
fn assert_lora(name: &str, micro_batch_tokens: usize) {
    let reference = golden("fit.json");
    let (of, case) = (&reference["texts"], &reference["lora"][name]);
    let (targets, adapters) = match name {
        "all" => (LoraTarget::ALL.to_vec(), &of["all_adapters"]),
        _ => (vec![LoraTarget::Query, LoraTarget::Value], &of["adapters"]),
    };
    let options = RecipeOptions {
        learning_rate: Some(2e-3),
        lora: LoraOptions {
            rank: Some(4),
            alpha: Some(8.0),
            targets: Some(targets),
            documents: Some(name == "both"),
            micro_batch_tokens: Some(micro_batch_tokens),
            ..LoraOptions::default()
        },
        ..options(Method::Lora)
    };
    let recipe = options.recipe(1000).expect("a recipe");
    let (host, device, files) = (TestHost::new(), Device::cpu(Dtype::Fp32), golden_model("tiny-encoder"));
    let job = Job::new(&host);
    let encoder = block_on(Encoder::load(&files, &device, &job)).expect("the encoder loads");
    let trainable = block_on(Trainable::load(&files, &encoder, &device, &job)).expect("the encoder loads");
    let set = set(of, "query_vectors", "document_vectors", &of["logits"]);
    let (queries, texts) = (strings(&of["queries"]), strings(&of["documents"]));
    let lora = recipe.lora.as_ref().expect("LoRA's part");
    let student = Student::changes_of(&trainable, &set, &queries, &texts, lora).expect("a student");
    let start = adapters.as_array().expect("adapters").iter().flat_map(|adapter| {
        let a = lists(&adapter["a"], |number| number as f32).concat();
        let outputs = if adapter["target"] == "intermediate.dense" {
            64
        } else {
            32
        };
        [a, vec![0.0; outputs * 4]]
    });
    let training = Training {
        set: &set,
        student: &student,
        recipe: &recipe,
        device: &device,
        margin_scale: 1.0,
    };
    let batches = lists(&of["batches"], |number| number as usize);
    let start = student.start_from(start.collect());
    let trained = block_on(training.run(start, &batches, &[batches.len()], &job, None)).expect("trains");
    assert_losses(&trained.losses, &case["losses"], 1e-4);

    let (_, adapter) = trained.adapters.into_iter().next_back().expect("an adapter");
    let Adapter::Lora { lora, .. } = &adapter else {
        panic!("LoRA was trained")
    };
    let finals = case["final"].as_array().expect("adapters");
    assert_eq!(lora.layers.len(), finals.len());
    for (layer, expected) in lora.layers.iter().zip(finals) {
        let (number, target) = (expected["layer"].as_u64().expect("a layer"), &expected["target"]);
        let target = target.as_str().expect("a target");
        let place = if target.contains('.') { "" } else { "attention.self." };
        let name = format!("encoder.layer.{number}.{place}{target}");
        assert_eq!(layer.module, name);
        assert_matrix(&layer.a, &expected["a"], 1e-4, &format!("A of {name}"));
        assert_matrix(&layer.b, &expected["b"], 1e-4, &format!("B of {name}"));
    }
    let adapted = block_on(Adapted::new(adapter, Some(&files), &device, &job)).expect("the tuned encoder loads");
    for expected in case["vectors"].as_array().expect("vectors") {
        let row = expected["row"].as_u64().expect("a row") as usize;
        let is_query = expected["side"] == "query";
        let text = if is_query { queries[row] } else { texts[row] };
        let kind = if is_query { TextKind::Query } else { TextKind::Document };
        let base = block_on(encoder.encode(&[text], kind, &job)).expect("a vector");
        let found = if is_query {
            block_on(adapted.queries(&[text], &base, &job)).expect("a vector")
        } else {
            let documents = block_on(adapted.documents(&[text], &base, &job)).expect("a vector");
            documents.expect("documents have vectors of their own")
        };
        for (found, expected) in found.as_slice().iter().zip(numbers(&expected["vector"])) {
            assert!(
                (f64::from(*found) - expected).abs() < 1e-4,
                "{text}: {found} is not {expected}"
            );
        }
    }
}

#[test]
fn lora_on_queries_follows_the_reference() {
    assert_lora("query", 4096);
}

#[test]
fn lora_on_both_sides_follows_the_reference() {
    assert_lora("both", 4096);
}

#[test]
fn lora_on_every_layer_follows_the_reference() {
    assert_lora("all", 4096);
    assert_lora("all", 32);
}

#[test]
fn lora_in_small_micro_batches_has_the_same_gradients() {
    assert_lora("query", 32);
    assert_lora("both", 64);
}
