//! The training against an independent one in float64 (numpy, analytic gradients): `tests/golden/make_tune.py`.

use crate::common::{TestHost, block_on, golden, numbers};
use querytune::device::{Device, Dtype};
use querytune::job::Job;
use querytune::tune::{Adapter, Recipe, Student, Trained, Training, TrainingSet, learning_rate, shuffled_batches};
use querytune::vectors::Vectors;
use serde_json::Value;

fn vectors(value: &Value) -> Vectors {
    let rows: Vec<Vec<f64>> = value.as_array().expect("rows").iter().map(numbers).collect();
    let dims = rows[0].len();
    Vectors::from_rows(rows.concat().into_iter().map(|number| number as f32).collect(), dims).expect("rows")
}

fn lists<T>(value: &Value, number: impl Fn(f64) -> T) -> Vec<Vec<T>> {
    let list = |list: &Value| numbers(list).into_iter().map(&number).collect();
    value.as_array().expect("lists").iter().map(list).collect()
}

fn training_set(golden: &Value) -> TrainingSet {
    TrainingSet::new(
        vectors(&golden["queries"]),
        vectors(&golden["documents"]),
        lists(&golden["candidates"], |number| number as u32),
        lists(&golden["logits"], |number| number as f32),
    )
    .expect("parts that fit")
}

fn train(set: &TrainingSet, batches: &[Vec<usize>], recipe: &Recipe) -> Trained {
    let host = TestHost::new();
    let job = Job::new(&host);
    let device = Device::cpu(Dtype::Int16);
    let student = Student::heads(set, false, &device);
    let training = Training {
        set,
        student: &student,
        recipe,
        device: &device,
        margin_scale: 1.0,
    };
    block_on(training.run(student.start(0), batches, &[batches.len()], &job, None)).expect("trains")
}

fn recipe(golden: &Value) -> Recipe {
    let constant = |name: &str| golden["constants"][name].as_f64().expect("a constant");
    Recipe {
        scale: constant("scale") as f32,
        ranking_weight: constant("mnrl_weight") as f32,
        ridge: constant("ridge") as f32,
        learning_rate: constant("peak_learning_rate"),
        final_learning_rate: constant("final_fraction"),
        ..Recipe::for_queries(24, 0)
    }
}

#[test]
fn forty_steps_have_the_reference_losses_and_end_at_the_reference_weight() {
    let golden = golden("tune.json");
    let set = training_set(&golden);
    let batches = lists(&golden["batches"], |number| number as usize);
    let recipe = recipe(&golden);
    let trained = train(&set, &batches, &recipe);

    let losses = golden["losses"].as_array().expect("losses");
    assert_eq!(trained.losses.len(), losses.len());
    for (step, (found, expected)) in trained.losses.iter().zip(losses).enumerate() {
        let parts = [
            (found.total, "total"),
            (found.distillation, "kl"),
            (found.ranking, "mnrl"),
            (found.ridge, "ridge"),
        ];
        for (found, name) in parts {
            let expected = expected[name].as_f64().expect("a loss");
            let found = f64::from(found);
            assert!(
                (found - expected).abs() < 1e-4,
                "{name} of step {step}: {found} is not {expected}"
            );
        }
    }
    let Some((_, Adapter::Heads { query: head, .. })) = trained.adapters.last() else {
        panic!("a head was trained")
    };
    let frobenius = head
        .weight
        .iter()
        .map(|value| f64::from(value * value))
        .sum::<f64>()
        .sqrt();
    assert!((frobenius - golden["final"]["frobenius"].as_f64().expect("a norm")).abs() < 1e-4);
    for entry in golden["final"]["entries"].as_array().expect("entries") {
        let [row, column, value] = numbers(entry)[..] else {
            panic!("an entry has three numbers")
        };
        let found = f64::from(head.weight[row as usize * head.dims + column as usize]);
        assert!(
            (found - value).abs() < 1e-4,
            "W[{row}, {column}]: {found} is not {value}"
        );
    }
}

#[test]
fn the_learning_rate_rises_then_falls_as_in_the_reference() {
    let golden = golden("tune.json");
    let recipe = recipe(&golden);
    let rates = numbers(&golden["learning_rates"]);
    for (step, expected) in rates.iter().enumerate() {
        assert!(
            (learning_rate(&recipe, step, rates.len()) - expected).abs() < 1e-9,
            "step {step}"
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_the_cpu() {
    let golden = golden("tune.json");
    let set = training_set(&golden);
    let recipe = recipe(&golden);
    let queries: Vec<usize> = (0..set.len()).collect();
    let batches = shuffled_batches(&queries, &set.counts, &recipe);
    let run = || train(&set, &batches, &recipe).adapters;
    assert_eq!(run(), run());
}
