//! One training on the whole log without folds, measured on the judged queries after each of its checkpoints: what
//! each epoch brings, in a tenth of a fit's time.

use std::rc::Rc;

use querytune::evaluate::{Run, judge};
use querytune::input::Texts;
use querytune::job::Job;
use querytune::judge::by_text;
use querytune::model::ModelFiles;
use querytune::relations::Relations;
use querytune::tune::{Adapted, Adapter, Method, Recipe, Student, Trainable, Training, TrainingSet, shuffled_batches};
use querytune::tuner::Tuner;
use serde_json::{Value, json};

use crate::data::Set;
use crate::host::block_on;

/// The judged figures after each checkpoint: `[{ epoch, metrics }]`, the base encoder's first (epoch 0).
pub fn curve(tuner: &Tuner, files: &ModelFiles, relations: &Relations, recipe: &Recipe, set: &Set, job: &Job) -> Value {
    let training_set = TrainingSet::from_relations(relations, recipe, |_| true).expect("a training set");
    let device = tuner.device();
    let trainable = block_on(Trainable::load(files, tuner.encoder(), device, job)).expect("the encoder loads");
    let student = match &recipe.lora {
        Some(lora) => Student::changes(&trainable, &training_set, relations, lora).expect("a student"),
        None => Student::heads(&training_set, recipe.method == Method::Head, device),
    };
    let training = Training {
        set: &training_set,
        student: &student,
        recipe,
        device,
        margin_scale: recipe.margin_scale.unwrap_or_else(|| training_set.margin_scale()),
    };
    let queries = training_set.trainable();
    let steps_of = |epoch: usize| epoch * queries.len().div_ceil(recipe.batch_size);
    let keep: Vec<usize> = recipe.checkpoints.iter().map(|&epoch| steps_of(epoch)).collect();
    let batches = shuffled_batches(&queries, &training_set.counts, recipe);
    let start = student.start(recipe.seed);
    let trained = block_on(training.run(start, &batches, &keep, job, None)).expect("a training");

    let adapters = trained.adapters.iter().map(|(_, adapter)| Some(adapter));
    let epochs = std::iter::once(0).chain(recipe.checkpoints.iter().copied());
    let points = epochs
        .zip(std::iter::once(None).chain(adapters))
        .map(|(epoch, adapter)| {
            let metrics = judged(tuner, files, relations, adapter, set, job);
            json!({ "epoch": epoch, "metrics": metrics })
        });
    points.collect()
}

fn judged(
    tuner: &Tuner,
    files: &ModelFiles,
    relations: &Relations,
    adapter: Option<&Adapter>,
    set: &Set,
    job: &Job,
) -> querytune::evaluate::Metrics {
    let adapted = adapter.map(|adapter| {
        let adapted = block_on(Adapted::new(adapter.clone(), Some(files), tuner.device(), job));
        Rc::new(adapted.expect("an adapter"))
    });
    let documents = relations.documents.clone();
    let index = block_on(tuner.index(documents.clone(), adapted, job)).expect("an index");
    let asked: &Texts = set.test.as_ref().unwrap_or(&set.log);
    let judgements = by_text(&set.qrels.judgements, asked, &documents);
    let mut run = Run::new();
    for query in asked
        .items
        .iter()
        .filter(|query| judgements.contains_key(&query.ids[0]))
    {
        let found = block_on(tuner.search(&index, &query.text, 100, job)).expect("a ranking");
        let hits = found
            .iter()
            .map(|hit| (documents.items[hit.document as usize].ids[0].clone(), hit.score));
        run.insert(query.ids[0].clone(), hits.collect());
    }
    judge(&judgements, &run).mean
}
