//! A download is used again: each method's gives the rankings of the run that made it, with the base model beside it.

use std::collections::BTreeMap;

use crate::common::tiny_job::{DOCUMENTS, OPTIONS, QUERIES, synthesize, texts};
use crate::common::{TestHost, block_on, cross_encoder_files, encoder_files, golden_model, unzip, zip};
use querytune::Code;
use querytune::device::{DevicePreference, DtypePreference};
use querytune::download::download;
use querytune::input::Role;
use querytune::job::{Job, Stage};
use querytune::model::TextKind;
use querytune::relations::Relations;
use querytune::report::report;
use querytune::search::Neighbour;
use querytune::tune::{LoraOptions, Method, RecipeOptions};
use querytune::tuned_model::{TunedModel, Unpacked, Which};
use querytune::tuner::{Index, LoadOptions, Tuner};
use serde_json::json;

/// In f32: with integers another order of sums would make a difference that hides others.
const OPTIONS_OF_LOAD: LoadOptions = LoadOptions {
    device: DevicePreference::Cpu,
    dtype: DtypePreference::Fp32,
    threads: 1,
};

fn tuner(host: &TestHost) -> Tuner {
    let (encoder, cross_encoder) = (encoder_files(), cross_encoder_files());
    let job = Job::new(host);
    block_on(Tuner::load(&encoder, Some(&cross_encoder), OPTIONS_OF_LOAD, &job)).expect("models load")
}

fn lora(documents: bool) -> RecipeOptions {
    RecipeOptions {
        method: Method::Lora,
        lora: LoraOptions {
            documents: Some(documents),
            rank: Some(4),
            ..LoraOptions::default()
        },
        ..RecipeOptions::default()
    }
}

fn heads(method: Method) -> RecipeOptions {
    RecipeOptions {
        method,
        ..RecipeOptions::default()
    }
}

/// A run's rankings of the log's queries, and what it saves.
struct Run {
    base: Vec<Vec<Neighbour>>,
    trained: Vec<Vec<Neighbour>>,
    tuned: Vec<u8>,
    untuned: Vec<u8>,
}

fn rankings(search: impl Fn(&str) -> Vec<Neighbour>) -> Vec<Vec<Neighbour>> {
    QUERIES.iter().map(|query| search(query)).collect()
}

fn run(tuner: &Tuner, relations: &Relations, options: RecipeOptions) -> Run {
    let (host, files) = (TestHost::new(), encoder_files());
    let job = Job::new(&host);
    let options = RecipeOptions {
        epochs: Some(2),
        folds: Some(2),
        learning_rate: Some(5e-3),
        ..options
    };
    let recipe = options.recipe(QUERIES.len()).expect("a recipe");
    let fit = block_on(tuner.fit(relations, recipe, Some(&files), &job)).expect("a fit");
    let documents = || texts(&DOCUMENTS, Role::Documents);
    let ranked = |index: Index| rankings(|query| block_on(tuner.search(&index, query, 5, &job)).expect("a ranking"));
    let save = |delivered: &str| {
        let mut report = report(&tuner.info(), relations, &fit, None);
        report["fit"]["delivered"] = json!(delivered);
        block_on(download(&report, relations, &fit, &files.files, Vec::new(), &job)).expect("a zip")
    };
    Run {
        base: ranked(block_on(tuner.index(documents(), None, &job)).expect("an index")),
        trained: ranked(block_on(tuner.index(documents(), Some(fit.adapted.clone()), &job)).expect("an index")),
        tuned: save("tuned"),
        untuned: save("base"),
    }
}

fn assert_same(found: &[Vec<Neighbour>], expected: &[Vec<Neighbour>], what: &str) {
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert_eq!(found.document, expected.document, "{what}");
        let (a, b) = (found.score, expected.score);
        assert!((a - b).abs() < 2e-5, "{what}: {a} is not {b}");
    }
}

#[test]
fn each_methods_download_ranks_as_the_run_did_delivered_or_not() {
    let host = TestHost::new();
    let tuner = tuner(&host);
    let relations = synthesize(&tuner, OPTIONS, &host).expect("relations");
    let methods = [
        ("query head", heads(Method::QueryHead)),
        ("heads", heads(Method::Head)),
        ("LoRA for queries", lora(false)),
        ("LoRA for both", lora(true)),
    ];
    for (name, options) in methods {
        let run = run(&tuner, &relations, options);
        let differ = |a: &Neighbour, b: &Neighbour| (a.score - b.score).abs() > 1e-3;
        assert!(differ(&run.base[0][0], &run.trained[0][0]), "{name} changes something");
        for (zip, delivered, is_tuned) in [(&run.tuned, &run.trained, true), (&run.untuned, &run.base, false)] {
            let host = TestHost::with_store();
            let job = Job::new(&host);
            let model = block_on(TunedModel::open(zip, OPTIONS_OF_LOAD, &job)).expect("it opens");
            assert_eq!(model.is_tuned(), is_tuned);
            assert!(model.info().models.cross_encoder.is_none());
            assert_eq!(model.report()["models"]["crossEncoder"]["layers"], 12);
            let sides = [
                (Which::Delivered, delivered),
                (Which::Base, &run.base),
                (Which::Trained, &run.trained),
            ];
            for (which, expected) in sides {
                let what = format!("{name}, {which:?}, tuned: {is_tuned}");
                let index =
                    || block_on(model.index(texts(&DOCUMENTS, Role::Documents), which, &job)).expect("an index");
                let first = index();
                let found = rankings(|query| block_on(model.search(&first, query, 5, &job)).expect("a ranking"));
                assert_same(&found, expected, &what);

                host.reports.borrow_mut().clear();
                let again = rankings(|query| block_on(model.search(&index(), query, 5, &job)).expect("a ranking"));
                assert_same(&again, &found, &what);
                let encoded: Vec<usize> = (host.reports.borrow().iter())
                    .filter(|report| report.stage == Stage::Encode)
                    .map(|report| report.cached)
                    .collect();
                assert!(
                    encoded.iter().all(|&cached| cached == DOCUMENTS.len()),
                    "{what}: encoded twice"
                );

                let embed = |texts: &[&str], kind| block_on(model.embed(texts, kind, which, &job)).expect("vectors");
                let queries = embed(&QUERIES[..1], TextKind::Query);
                let documents = embed(&DOCUMENTS, TextKind::Document);
                let best = documents.row(found[0][0].document as usize);
                let cosine: f32 = queries.row(0).iter().zip(best).map(|(a, b)| a * b).sum();
                assert!(
                    (cosine - found[0][0].score).abs() < 2e-5,
                    "{what}: vectors are those of the search"
                );
                let length = queries.row(0).iter().map(|value| value * value).sum::<f32>();
                assert!((length - 1.0).abs() < 1e-5, "{what}");
            }
        }
    }
}

#[test]
fn parts_of_different_downloads_are_refused() {
    let host = TestHost::new();
    let tuner = tuner(&host);
    let relations = synthesize(&tuner, OPTIONS, &host).expect("relations");
    let head = unzip(&run(&tuner, &relations, heads(Method::QueryHead)).tuned);
    let changed = unzip(&run(&tuner, &relations, lora(false)).tuned);
    let tiny = golden_model("tiny-encoder").files;
    let refused = |files: &BTreeMap<String, Vec<u8>>| {
        let error = block_on(TunedModel::open(&zip(files), OPTIONS_OF_LOAD, &Job::new(&host))).err();
        let error = error.expect("it is refused");
        assert_eq!(error.code(), Code::Artifact, "{error}");
        assert!(error.message().contains("do not belong together"), "{error}");
    };
    let mut other = head.clone();
    other.extend(
        tiny.iter()
            .map(|(name, bytes)| (format!("model/{name}"), bytes.clone())),
    );
    refused(&other);
    let mut other = changed.clone();
    other.extend(
        tiny.iter()
            .map(|(name, bytes)| (format!("model/document_0_Transformer/{name}"), bytes.clone())),
    );
    refused(&other);

    // What only a reader of the texts needs may be left out.
    let mut without_data = head;
    without_data.retain(|name, _| !name.starts_with("data/"));
    assert!(Unpacked::read(&zip(&without_data)).is_ok());
}

#[test]
fn without_a_cross_encoder_texts_are_encoded_and_searched_and_nothing_else() {
    let host = TestHost::new();
    let job = Job::new(&host);
    let with = tuner(&host);
    let without = block_on(Tuner::load(&encoder_files(), None, OPTIONS_OF_LOAD, &job)).expect("it loads");
    assert!(without.info().models.cross_encoder.is_none());
    let info = serde_json::to_value(without.info()).expect("JSON");
    assert!(info["models"].get("crossEncoder").is_none());
    let embed = |tuner: &Tuner| block_on(tuner.embed(&DOCUMENTS, TextKind::Document, &job)).expect("vectors");
    assert_eq!(embed(&with), embed(&without));
    let index = block_on(without.index(texts(&DOCUMENTS, Role::Documents), None, &job)).expect("an index");
    let found = block_on(without.search(&index, QUERIES[0], 1, &job)).expect("a ranking");
    assert_eq!(found[0].document, 0);

    let relations = synthesize(&with, OPTIONS, &host).expect("relations");
    let recipe = heads(Method::QueryHead).recipe(QUERIES.len()).expect("a recipe");
    let errors = [
        block_on(without.score(&[("a", "b")], &job)).err(),
        synthesize(&without, OPTIONS, &host).err(),
        block_on(without.fit(&relations, recipe, None, &job)).err(),
    ];
    for error in errors {
        let error = error.expect("it is refused");
        assert_eq!(error.code(), Code::Option);
        assert!(error.message().contains("crossEncoder: false"), "{error}");
    }
}
