//! A job goes on from an earlier run's download: it pays only for what is new, and says how it compares.

use crate::common::tiny_job::{DOCUMENTS, OPTIONS, QUERIES, texts, tuner};
use crate::common::{TestHost, block_on, encoder_files, golden_model, unzip, zip};
use querytune::Code;
use querytune::artifact::adapter_files;
use querytune::download::{download, per_query};
use querytune::input::{Qrels, Role};
use querytune::job::Job;
use querytune::judge::{judge_fit, judge_previous};
use querytune::model::{Encoder, Lora, LoraLayer, ModelInfo};
use querytune::previous::{Previous, PreviousAgreement, SincePrevious};
use querytune::relations::Relations;
use querytune::report::report;
use querytune::tune::{Adapter, Fit, Head, LoraOptions, Method, RecipeOptions, agreement};
use querytune::tuner::Tuner;
use serde_json::{Value, json};

/// The first night's log, of four queries; the second night has two of them and two new ones.
const EARLIER: std::ops::Range<usize> = 0..4;
const NEWER: std::ops::Range<usize> = 2..6;
/// What the shop sold then; the other documents are new.
const SOLD: usize = 18;

fn fit(tuner: &Tuner, relations: &Relations, options: RecipeOptions, host: &TestHost) -> Fit {
    let options = RecipeOptions {
        epochs: Some(3),
        folds: Some(2),
        ..options
    };
    let recipe = options.recipe(relations.queries.items.len()).expect("a recipe");
    block_on(tuner.fit(relations, recipe, Some(&encoder_files()), &Job::new(host))).expect("a fit")
}

/// A training that changes rankings for certain.
fn strong() -> RecipeOptions {
    RecipeOptions {
        learning_rate: Some(0.1),
        ..RecipeOptions::default()
    }
}

fn first_night(tuner: &Tuner, options: RecipeOptions, delivered: &str) -> (Relations, Vec<u8>) {
    let host = TestHost::new();
    let (queries, documents) = (
        texts(&QUERIES[EARLIER], Role::Queries),
        texts(&DOCUMENTS[..SOLD], Role::Documents),
    );
    let job = Job::new(&host);
    let relations = block_on(tuner.synthesize(queries, documents, OPTIONS, &job)).expect("relations");
    let fit = fit(tuner, &relations, options, &host);
    let mut report = report(&tuner.info(), &relations, &fit, None);
    report["fit"]["delivered"] = json!(delivered);
    let files = encoder_files().files;
    let zip = block_on(download(&report, &relations, &fit, &files, Vec::new(), &job)).expect("a zip");
    (relations, zip)
}

fn second_night(tuner: &Tuner, previous: &Previous, host: &TestHost) -> Relations {
    let (queries, documents) = (
        texts(&QUERIES[NEWER], Role::Queries),
        texts(&DOCUMENTS, Role::Documents),
    );
    block_on(tuner.synthesize_on(previous, queries, documents, OPTIONS, &Job::new(host))).expect("relations")
}

fn since(tuner: &Tuner, previous: &Previous, relations: &Relations, fit: &Fit) -> SincePrevious {
    let (host, files) = (TestHost::new(), encoder_files());
    let ranker = tuner.ranker(relations, Some(&files));
    block_on(previous.compare(relations, fit, &ranker, &Job::new(&host))).expect("a comparison")
}

#[test]
fn only_pairs_that_were_never_scored_are_scored_on_another_computer_too() {
    let tuner = tuner(&TestHost::new());
    let (before, zip) = first_night(&tuner, strong(), "tuned");
    let previous = tuner.previous(&zip).expect("it opens");
    // A store of its own: nothing of the first night is in it.
    let host = TestHost::with_store();
    let relations = second_night(&tuner, &previous, &host);

    let order: Vec<&str> = relations.queries.items.iter().map(|text| text.text.as_str()).collect();
    assert_eq!(
        order,
        [QUERIES[2], QUERIES[3], QUERIES[4], QUERIES[5], QUERIES[0], QUERIES[1]]
    );
    let counts: Vec<u32> = relations.queries.items.iter().map(|text| text.count).collect();
    assert_eq!(counts, [2, 2, 1, 1, 1, 1]);
    // The earlier queries' pairs, as far as no new document has taken a place.
    let known = |query: &usize| {
        let earlier = |number: usize| before.queries.items[number].text == relations.queries.items[*query].text;
        let number = EARLIER.clone().position(earlier).expect("an earlier query");
        let scored: Vec<(u32, f32)> = before.scored(number).collect();
        relations.scored(*query).filter(|pair| scored.contains(pair)).count()
    };
    let taken: usize = [0, 1, 4, 5].iter().map(known).sum();
    assert!(taken >= 12, "{taken} of 20 pairs are the same, to the last bit");
    assert_eq!(relations.times.known_pairs, taken);
    assert_eq!(relations.times.cached_pairs, taken);
    let kept = host.store.as_ref().map_or(0, |store| store.records("logits", 20));
    assert_eq!(kept, 30, "the store has the earlier logits too, and each once");

    let again = second_night(&tuner, &previous, &host);
    assert_eq!((again.times.cached_pairs, again.times.known_pairs), (30, taken));
    assert_eq!(host.store.as_ref().map_or(0, |store| store.records("logits", 20)), 30);
}

#[test]
fn the_earlier_model_is_measured_on_new_queries_that_were_left_out() {
    let tuner = tuner(&TestHost::new());
    let (_, zip) = first_night(&tuner, strong(), "tuned");
    let previous = tuner.previous(&zip).expect("it opens");
    let relations = second_night(&tuner, &previous, &TestHost::new());
    let now = fit(&tuner, &relations, RecipeOptions::default(), &TestHost::new());
    let since = since(&tuner, &previous, &relations, &now);
    assert_eq!((since.queries, since.documents, since.delivered), (4, SOLD, "tuned"));
    assert_eq!((since.new_queries, since.new_documents), (2, 2));
    let found = since.agreement.expect("figures");
    assert_eq!(found.queries, 2);

    // The same once more, from the rankings.
    let new = [2, 3];
    let files = encoder_files();
    let ranker = tuner.ranker(&relations, Some(&files));
    let host = TestHost::new();
    let ranked = block_on(ranker.rank(previous.adapter.as_ref(), &new, None, &Job::new(&host))).expect("rankings");
    let expected: f64 = agreement(&relations, &new, &ranked).iter().sum::<f64>() / 2.0;
    assert!((found.previous - expected).abs() < 1e-12);
    let left_out = now.left_out_at_random.as_ref().expect("folds");
    let mean = |values: &[f64]| {
        let of = |query| {
            values[left_out
                .queries
                .iter()
                .position(|&one| one == query)
                .expect("it was left out")]
        };
        (of(2) + of(3)) / 2.0
    };
    assert!((found.tuned - mean(&left_out.tuned)).abs() < 1e-12);
    assert!((found.base - mean(&left_out.base)).abs() < 1e-12);
    assert!(found.previous != found.base, "the earlier model is not the base model");
}

#[test]
fn where_the_base_model_was_delivered_it_is_what_is_compared() {
    let tuner = tuner(&TestHost::new());
    let (_, zip) = first_night(&tuner, strong(), "base");
    let previous = tuner.previous(&zip).expect("it opens");
    let relations = second_night(&tuner, &previous, &TestHost::new());
    let now = fit(&tuner, &relations, RecipeOptions::default(), &TestHost::new());
    let since = since(&tuner, &previous, &relations, &now);
    assert_eq!(since.delivered, "base");
    let found = since.agreement.expect("figures");
    assert!((found.previous - found.base).abs() < 1e-12);
}

#[test]
fn lora_goes_on_too_and_judgements_compare_both() {
    let tuner = tuner(&TestHost::new());
    let lora = RecipeOptions {
        method: Method::Lora,
        learning_rate: Some(3e-2),
        lora: LoraOptions {
            rank: Some(4),
            documents: Some(true),
            ..LoraOptions::default()
        },
        ..RecipeOptions::default()
    };
    let (_, zip) = first_night(&tuner, lora, "tuned");
    let previous = tuner.previous(&zip).expect("it opens");
    let relations = second_night(&tuner, &previous, &TestHost::new());
    // The second night trains a head.
    let now = fit(&tuner, &relations, RecipeOptions::default(), &TestHost::new());
    let mut since = since(&tuner, &previous, &relations, &now);

    let (host, files) = (TestHost::new(), encoder_files());
    let job = Job::new(&host);
    let qrels = Qrels::read(
        b"q\td\trel\n1\t6\t1\n1\t20\t1\n2\t9\t2\n2\t1\t1\n3\t12\t1\n4\t15\t1\n4\t18\t1\n",
        "qrels.tsv",
    )
    .expect("judgements");
    let verdict = block_on(judge_fit(&tuner, &relations, &now, &qrels, None, Some(&files), &job)).expect("a verdict");
    let judged = block_on(judge_previous(
        &previous,
        &tuner,
        &relations,
        &verdict,
        &qrels,
        Some(&files),
        0,
        &job,
    ));
    let judged = judged.expect("figures");
    assert_eq!(judged.ndcg_10.tuned, verdict.judged.ndcg_10.tuned);
    assert!((0.0..=1.0).contains(&judged.ndcg_10.previous));
    assert!(judged.ndcg_10.ci95[0] <= judged.ndcg_10.tuned - judged.ndcg_10.previous);
    assert!(
        judged.map_100.previous != verdict.judged.map_100.base,
        "it is not the base model's ranking"
    );
    since.judged = Some(judged);

    let report = since.add_to(report(&tuner.info(), &relations, &now, Some(&verdict)));
    assert_eq!(report["previous"]["newQueries"], 2);
    assert_eq!(
        report["previous"]["judged"]["ndcg@10"]["tuned"],
        report["evaluation"]["judged"]["ndcg@10"]["tuned"]
    );

    let tables = per_query(&relations, &now, Some(&verdict)).expect("tables");
    let [(agreement, rows), (by_judgements, judged_rows)] = &tables[..] else {
        panic!("two tables: {tables:?}");
    };
    assert_eq!(
        (&agreement[..], &by_judgements[..]),
        ("per-query-agreement.csv", "per-query-judged.csv")
    );
    assert_eq!(rows.lines().count(), 1 + 6);
    assert_eq!(judged_rows.lines().count(), 1 + 4);
}

#[test]
fn scores_of_another_cross_encoder_are_left_where_they_are() {
    let tuner = tuner(&TestHost::new());
    let (_, zip) = first_night(&tuner, strong(), "tuned");
    let same = tuner.cross_encoder().expect("it has one").info().clone();
    let previous = |cross_encoder: &ModelInfo| Previous::open(&zip, tuner.encoder(), cross_encoder);
    assert!(!previous(&same).expect("it opens").logits.is_empty());
    let other = ModelInfo {
        sha256: "00".repeat(32),
        ..same.clone()
    };
    let cuts_elsewhere = ModelInfo {
        max_length: 128,
        ..same
    };
    for other in [other, cuts_elsewhere] {
        let previous = previous(&other).expect("it opens");
        assert!(previous.logits.is_empty());
        assert_eq!(previous.queries.len(), 4);
    }
}

#[test]
fn an_earlier_run_of_another_encoder_is_refused() {
    let host = TestHost::new();
    let tuner = tuner(&host);
    let (_, zip) = first_night(&tuner, strong(), "tuned");
    let device = tuner.device();
    let other = block_on(Encoder::load(&golden_model("tiny-encoder"), device, &Job::new(&host))).expect("it loads");
    let cross_encoder = tuner.cross_encoder().expect("it has one").info();
    let error = Previous::open(&zip, &other, cross_encoder).expect_err("another encoder");
    assert_eq!(error.code(), Code::Artifact);
    assert!(error.message().contains("made with the encoder"), "{error}");
}

#[test]
fn an_adapter_that_is_not_the_encoders_is_refused_before_anything_is_scored() {
    let tuner = tuner(&TestHost::new());
    let (_, own) = first_night(&tuner, strong(), "tuned");
    let own = unzip(&own);
    let lora = |module: &str, inputs: usize, outputs: usize| Adapter::Lora {
        lora: Lora {
            rank: 1,
            alpha: 1.0,
            layers: vec![LoraLayer {
                module: module.to_owned(),
                inputs,
                outputs,
                a: vec![0.1; inputs],
                b: vec![0.1; outputs],
            }],
        },
        documents: false,
    };
    let head = |dims: usize| Adapter::Heads {
        query: Head {
            weight: vec![0.0; dims * dims],
            dims,
        },
        document: None,
    };
    let with = |adapter: &Adapter| {
        let mut files = own.clone();
        files.retain(|name, _| !name.starts_with("adapter/"));
        let of_adapter = adapter_files(&adapter.into(), &json!({})).expect("its files");
        files.extend(
            of_adapter
                .into_iter()
                .map(|(name, bytes)| (format!("adapter/{name}"), bytes)),
        );
        tuner.previous(&zip(&files))
    };
    let query = "encoder.layer.5.attention.self.query";
    for fits in [
        head(384),
        lora(query, 384, 384),
        lora("encoder.layer.0.output.dense", 1536, 384),
    ] {
        with(&fits).expect("it opens");
    }
    for (misfit, what) in [
        (head(32), "vectors of 32 numbers, the encoder gives 384"),
        (lora(query, 32, 32), "[384, 384] in the base model and not [32, 32]"),
        (lora("encoder.layer.0.output.dense", 384, 1536), "[384, 1536]"),
        (lora("encoder.layer.6.output.dense", 1536, 384), "does not have"),
        (lora("encoder.layer.0.output.Dense", 1536, 384), "does not have"),
    ] {
        let error = with(&misfit).map(drop).expect_err("it is refused");
        assert_eq!(error.code(), Code::Artifact, "{error}");
        assert!(error.message().contains("do not belong together"), "{error}");
        assert!(error.message().contains(what), "{error}");
    }
}

#[test]
fn a_report_warns_where_the_earlier_model_is_ahead() {
    let of = |previous: f64, tuned: f64, half: f64| SincePrevious {
        queries: 4,
        documents: 18,
        new_queries: 2,
        new_documents: 2,
        scores: 12,
        delivered: "tuned",
        agreement: Some(PreviousAgreement {
            queries: 2,
            base: 0.4,
            previous,
            tuned,
            standard_error: 0.1,
            ci95: [tuned - previous - half, tuned - previous + half],
        }),
        judged: None,
    };
    let warnings = |since: SincePrevious| -> Value {
        since.add_to(json!({ "fit": { "warnings": [] } }))["fit"]["warnings"].take()
    };
    assert_eq!(warnings(of(0.5, 0.6, 0.05)), json!([]));
    assert_eq!(warnings(of(0.6, 0.5, 0.2)), json!([]), "chance explains it");
    let warning = warnings(of(0.6, 0.5, 0.05));
    assert!(warning[0].as_str().expect("a warning").contains("0.6000"), "{warning}");
}
