//! A tiny job with the real models, natively: from texts to a download, and what happens when it is cut short.

use std::collections::BTreeSet;
use std::io::{Cursor, Read};

use crate::common::tiny_job::{DOCUMENTS, OPTIONS, QUERIES, synthesize, tuner};
use crate::common::{TestHost, block_on, encoder_files};
use querytune::Code;
use querytune::data_set::whole;
use querytune::download::download;
use querytune::input::Qrels;
use querytune::job::{Job, Stage};
use querytune::judge::judge_fit;
use querytune::relations::Relations;
use querytune::report::report;
use querytune::synthesize::SynthesizeOptions;
use querytune::tune::{LoraOptions, Method, Recipe, RecipeOptions};

fn assert_same_scores(found: &Relations, expected: &Relations) {
    for (found, expected) in found
        .candidates
        .iter()
        .flatten()
        .zip(expected.candidates.iter().flatten())
    {
        assert_eq!(
            (found.document, found.logit.is_some()),
            (expected.document, expected.logit.is_some())
        );
        // Another batch means other padding, and sums that differ in their last bits.
        assert!((found.logit.unwrap_or(0.0) - expected.logit.unwrap_or(0.0)).abs() < 1e-4);
    }
}

#[test]
fn the_road_ends_in_a_download_and_a_report_with_every_stage() {
    let host = TestHost::new();
    let tuner = tuner(&host);
    let relations = synthesize(&tuner, OPTIONS, &host).expect("relations");
    let job = Job::new(&host);
    let fit = block_on(tuner.fit(&relations, Recipe::for_queries(QUERIES.len(), 7), None, &job)).expect("a fit");
    let qrels = b"q\td\trel\n1\t1\t1\n2\t3\t2\n4\t9\t1\n9\t9\t1\n";
    let qrels = Qrels::read(qrels, "qrels.tsv").expect("judgements");
    let verdict = block_on(judge_fit(&tuner, &relations, &fit, &qrels, None, None, &job)).expect("a verdict");
    assert_eq!(
        (verdict.queries, verdict.missing_queries, verdict.missing_documents),
        (3, 1, 0)
    );

    let report = report(&tuner.info(), &relations, &fit, Some(&verdict));
    for stage in ["encode", "search", "score", "tune", "evaluate"] {
        assert!(
            report["stages"][stage]["items"].as_u64().expect("a count") > 0,
            "{stage}"
        );
    }
    assert_eq!(report["stages"]["score"]["pairs"], 30);
    assert_eq!(report["relations"]["rows"], 24);
    assert_eq!(report["evaluation"]["on"], "own queries");
    let ndcg = &report["evaluation"]["judged"]["ndcg@10"];
    assert!(
        ["base", "tuned", "ceiling", "p"].iter().all(|key| ndcg[key].is_f64()),
        "{ndcg}"
    );
    // So few queries are an experiment as to new ones.
    assert_eq!(report["fit"]["experimental"], true);
    let history = report["fit"]["history"].as_array().expect("a history");
    assert_eq!(history.len(), fit.steps + 1);
    assert!(
        report["fit"]["warnings"][0]
            .as_str()
            .expect("a warning")
            .contains("Only 6 distinct queries")
    );

    let zip = block_on(download(
        &report,
        &relations,
        &fit,
        &encoder_files().files,
        Vec::new(),
        &job,
    ))
    .expect("a zip");
    let mut zip = zip::ZipArchive::new(Cursor::new(zip)).expect("a zip");
    let names: BTreeSet<String> = zip
        .file_names()
        .map(|name| name.expect("a name").into_owned())
        .collect();
    for name in [
        "model/modules.json",
        "adapter/query_head.safetensors",
        "report.json",
        "data/scores.tsv",
        "data/beir/corpus.jsonl",
        "data/beir/queries.jsonl",
        "data/beir/qrels/train.tsv",
    ] {
        assert!(names.contains(name), "{name} is missing in {names:?}");
    }
    let mut scores = String::new();
    zip.by_name("data/scores.tsv")
        .expect("scores")
        .read_to_string(&mut scores)
        .expect("text");
    assert_eq!(scores.lines().next(), Some("query-id\tcorpus-id\trank\tcosine\tlogit"));
    assert_eq!(scores.lines().count(), 1 + 60);
}

#[test]
fn every_method_ends_in_a_download_that_opens_with_its_adapter() {
    let host = TestHost::new();
    let tuner = tuner(&host);
    let relations = synthesize(&tuner, OPTIONS, &host).expect("relations");
    let (job, files) = (Job::new(&host), encoder_files());
    let qrels = Qrels::read(b"q\td\trel\n1\t1\t1\n2\t3\t2\n4\t9\t1\n", "qrels.tsv").expect("judgements");
    let lora = |documents| RecipeOptions {
        method: Method::Lora,
        lora: LoraOptions {
            documents: Some(documents),
            rank: Some(4),
            ..LoraOptions::default()
        },
        ..RecipeOptions::default()
    };
    let head = RecipeOptions {
        method: Method::Head,
        ..RecipeOptions::default()
    };
    for (options, keeps_documents) in [(head, false), (lora(false), true), (lora(true), false)] {
        let options = RecipeOptions {
            epochs: Some(2),
            folds: Some(2),
            ..options
        };
        let recipe = options.recipe(QUERIES.len()).expect("a recipe");
        let fit = block_on(tuner.fit(&relations, recipe, Some(&files), &job)).expect("a fit");
        assert_eq!(fit.adapter().keeps_documents(), keeps_documents);
        assert!(fit.random.is_some() && fit.grouped.is_some());
        let verdict = block_on(judge_fit(&tuner, &relations, &fit, &qrels, None, Some(&files), &job));
        let verdict = verdict.expect("a verdict");
        assert_eq!(
            verdict.figures.own_queries.as_ref().map(|figure| figure.queries),
            Some(3)
        );
        assert!(verdict.figures.new_documents.is_some());
        let report = report(&tuner.info(), &relations, &fit, Some(&verdict));
        let zip = block_on(download(&report, &relations, &fit, &files.files, Vec::new(), &job)).expect("a zip");
        let opened = querytune::artifact::open(&zip).expect("it opens");
        assert_eq!(opened.adapter.keeps_documents(), keeps_documents);
    }
}

#[test]
fn lora_without_the_encoders_files_says_what_to_give() {
    let host = TestHost::new();
    let tuner = tuner(&host);
    let relations = synthesize(&tuner, OPTIONS, &host).expect("relations");
    let options = RecipeOptions {
        method: Method::Lora,
        ..RecipeOptions::default()
    };
    let recipe = options.recipe(QUERIES.len()).expect("a recipe");
    let error = block_on(tuner.fit(&relations, recipe, None, &Job::new(&host))).err();
    assert_eq!(error.expect("an error").code(), Code::Option);
}

#[test]
fn a_job_cancelled_while_scoring_goes_on_without_scoring_a_pair_twice() {
    // One thread, and enough pairs for more than one batch.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
    pool.install(cancel_and_resume);
}

fn cancel_and_resume() {
    let options = SynthesizeOptions { depth: 10, ..OPTIONS };
    let host = TestHost::with_store();
    let tuner = tuner(&host);
    let whole = synthesize(&tuner, options, &TestHost::new()).expect("relations");

    host.cancel_after_scores.set(Some(1));
    let error = synthesize(&tuner, options, &host).err().expect("it was cancelled");
    assert_eq!(error.code(), Code::Cancelled);
    host.cancel_after_scores.set(None);
    let before = host.store.as_ref().map_or(0, |store| store.records("logits", 20));
    assert!(before > 0 && before < 60, "{before} pairs were scored");

    let resumed = synthesize(&tuner, options, &host).expect("relations");
    assert_eq!(resumed.times.cached_pairs, before);
    assert_eq!(
        host.store.as_ref().map_or(0, |store| store.records("logits", 20)),
        60,
        "each pair is there once"
    );
    assert_same_scores(&resumed, &whole);
}

#[test]
fn going_deeper_pays_only_for_the_new_pairs() {
    let host = TestHost::with_store();
    let tuner = tuner(&host);
    let shallow = synthesize(&tuner, SynthesizeOptions { depth: 2, ..OPTIONS }, &host).expect("relations");
    assert_eq!(shallow.times.cached_pairs, 0);
    let deep = synthesize(&tuner, OPTIONS, &host).expect("relations");
    assert_eq!(deep.times.cached_pairs, 12, "the two nearest documents of six queries");
    let reports = host.reports.borrow();
    let last = reports
        .iter()
        .rfind(|report| report.stage == Stage::Score)
        .expect("a report");
    assert_eq!((last.cached, last.done, last.total), (12, 30, 30));
}

#[test]
fn cancelling_stops_with_its_own_error_and_keeps_what_is_finished() {
    let host = TestHost::with_store();
    let tuner = tuner(&host);
    host.cancel_at.set(Some(Stage::Score));
    let error = synthesize(&tuner, OPTIONS, &host).err().expect("it was cancelled");
    assert_eq!(error.code(), Code::Cancelled);
    host.cancel_at.set(None);
    host.reports.borrow_mut().clear();
    synthesize(&tuner, OPTIONS, &host).expect("relations");
    let reports = host.reports.borrow();
    let encode = reports
        .iter()
        .find(|report| report.stage == Stage::Encode)
        .expect("an encode stage");
    assert_eq!(encode.cached, QUERIES.len() + DOCUMENTS.len(), "vectors were kept");
}

#[test]
fn relations_hold_the_best_document_against_each_other_one() {
    let host = TestHost::new();
    let relations = synthesize(&tuner(&host), OPTIONS, &host).expect("relations");
    let rows: Vec<_> = relations.rows().collect();
    assert_eq!(rows.len(), QUERIES.len() * 4);
    assert!(
        rows.iter()
            .all(|row| row.margin >= 0.0 && row.similar != row.dissimilar)
    );
    assert_eq!(whole(relations.csv()).expect("csv").lines().count(), 1 + rows.len());
    let gpl = whole(relations.gpl_tsv()).expect("tsv");
    assert_eq!(gpl.lines().next().expect("a row").split('\t').count(), 4);
    let first: serde_json::Value =
        serde_json::from_str(&relations.jsonl().next().expect("a row").expect("text")).expect("json");
    assert_eq!(first["neg"].as_array().map(Vec::len), Some(4));
    assert!(first["pos"][0].as_str().expect("a text").starts_with("Stain remover"));
}

#[test]
fn judgements_of_strangers_are_refused_with_both_ids() {
    let host = TestHost::new();
    let tuner = tuner(&host);
    let relations = synthesize(&tuner, OPTIONS, &host).expect("relations");
    let job = Job::new(&host);
    let fit = block_on(tuner.fit(&relations, Recipe::for_queries(6, 0), None, &job)).expect("a fit");
    let qrels = Qrels::read(b"q\td\tr\nnobody\t1\t1\n", "qrels.tsv").expect("judgements");
    let error = block_on(judge_fit(&tuner, &relations, &fit, &qrels, None, None, &job)).expect_err("nobody is known");
    assert_eq!(error.code(), Code::InputQrels);
    assert!(
        error.message().contains("\"nobody\"") && error.message().contains("\"1\""),
        "{error}"
    );
}
