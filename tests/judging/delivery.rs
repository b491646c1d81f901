//! Judgements count for more than agreement: they keep a worse model from being delivered, and belong to the right queries.

use std::rc::Rc;

use crate::common::tiny_job::{OPTIONS, QUERIES, synthesize, texts, tuner};
use crate::common::{TestHost, block_on};
use querytune::input::{InputItem, Qrels, Role, Texts};
use querytune::job::Job;
use querytune::judge::{JudgedOn, Verdict, judge_fit};
use querytune::relations::Relations;
use querytune::report::report;
use querytune::tune::{Agreement, Fit, Recipe};
use querytune::tuner::Tuner;
use serde_json::Value;

struct Tried {
    host: TestHost,
    tuner: Tuner,
    relations: Relations,
    fit: Fit,
}

fn tried() -> Tried {
    let host = TestHost::new();
    let tuner = tuner(&host);
    let relations = synthesize(&tuner, OPTIONS, &host).expect("relations");
    let recipe = Recipe::for_queries(QUERIES.len(), 7);
    let fit = block_on(tuner.fit(&relations, recipe, None, &Job::new(&host))).expect("a fit");
    Tried {
        host,
        tuner,
        relations,
        fit,
    }
}

impl Tried {
    fn verdict(&self, qrels: &str, test: Option<Rc<Texts>>) -> Verdict {
        let qrels = Qrels::read(qrels.as_bytes(), "qrels.tsv").expect("judgements");
        let job = Job::new(&self.host);
        block_on(judge_fit(
            &self.tuner,
            &self.relations,
            &self.fit,
            &qrels,
            test,
            None,
            &job,
        ))
        .expect("a verdict")
    }

    /// The report's `fit` where agreement delivers `delivered` and judgements came to these figures.
    fn decided(&mut self, delivered: bool, [base, tuned, p]: [f64; 3], on: JudgedOn) -> Value {
        self.fit.delivered = delivered;
        self.fit.reason = "Agreement.".into();
        self.fit.warnings.clear();
        let mut verdict = self.verdict("q\td\tr\n1\t1\t1\n", None);
        let ndcg = &mut verdict.judged.ndcg_10;
        (ndcg.base, ndcg.tuned, ndcg.p) = (base, tuned, p);
        verdict.on = on;
        report(&self.tuner.info(), &self.relations, &self.fit, Some(&verdict))["fit"].clone()
    }
}

#[test]
fn a_model_that_judgements_show_to_be_worse_is_not_delivered() {
    let mut tried = tried();
    let fit = tried.decided(true, [0.5, 0.4, 0.01], JudgedOn::TestQueries);
    assert_eq!(
        (&fit["delivered"], &fit["decidedBy"]),
        (&"base".into(), &"judgements".into())
    );
    assert_eq!(fit["selected"]["step"], 0);
    let reason = fit["reason"].as_str().expect("a reason");
    assert!(
        reason.contains("0.5000") && reason.contains("0.4000") && reason.ends_with("Agreement."),
        "{reason}"
    );

    let fit = tried.decided(true, [0.5, 0.49, 0.4], JudgedOn::TestQueries);
    assert_eq!(
        (&fit["delivered"], &fit["decidedBy"]),
        (&"tuned".into(), &"agreement".into()),
        "by chance"
    );
    let fit = tried.decided(true, [0.5, 0.6, 0.01], JudgedOn::TestQueries);
    assert_eq!(
        (&fit["delivered"], &fit["decidedBy"]),
        (&"tuned".into(), &"agreement".into())
    );
}

#[test]
fn a_better_figure_alone_delivers_nothing_but_is_told() {
    let mut tried = tried();
    for (on, trained_on) in [(JudgedOn::OwnQueries, true), (JudgedOn::TestQueries, false)] {
        let fit = tried.decided(false, [0.4, 0.5, 0.01], on);
        assert_eq!(
            (&fit["delivered"], &fit["decidedBy"]),
            (&"base".into(), &"agreement".into())
        );
        let warnings = fit["warnings"].as_array().expect("warnings");
        assert_eq!(warnings.len(), 1);
        let warning = warnings[0].as_str().expect("text");
        assert!(warning.contains("ranks better"), "{warning}");
        assert_eq!(warning.contains("trained on"), trained_on, "{warning}");
    }
}

#[test]
fn judgements_of_test_queries_that_were_left_out_of_their_file_are_not_the_logs() {
    let tried = tried();
    let test = |ids: [&str; 2]| {
        let item = |(id, text): (&str, &str)| InputItem {
            id: Some(id.into()),
            text: text.into(),
            ..InputItem::default()
        };
        let items = ids.into_iter().zip(["red wine on a tablecloth", "shoes for wet paths"]);
        Some(Rc::new(
            Texts::from_items(items.map(item), Role::Queries).expect("texts"),
        ))
    };
    // The log has no ids, so its rows are numbered; the judgements go on after the part of the test that is here.
    let own = |qrels, ids| {
        tried
            .verdict(qrels, test(ids))
            .figures
            .own_queries
            .map(|figure| figure.queries)
    };
    assert_eq!(own("q\td\tr\n100\t1\t1\n7\t3\t1\n5\t9\t1\n", ["100", "7"]), None);
    // Where ids cannot be taken for row numbers, those that are numbers are the log's.
    assert_eq!(own("q\td\tr\nt1\t1\t1\n5\t9\t1\n", ["t1", "t2"]), Some(1));
}

#[test]
fn test_queries_that_were_trained_on_are_counted_and_warned_of() {
    let tried = tried();
    let qrels = "q\td\tr\n1\t1\t1\n2\t3\t1\n";
    for (test, trained_on) in [
        (["red wine on a tablecloth", QUERIES[3]], 1),
        (["red wine on a tablecloth", "shoes for wet paths"], 0),
    ] {
        let verdict = tried.verdict(qrels, Some(texts(&test, Role::Queries)));
        let report = report(&tried.tuner.info(), &tried.relations, &tried.fit, Some(&verdict));
        assert_eq!(report["evaluation"]["trainedOn"], trained_on);
        let warnings = report["fit"]["warnings"].as_array().expect("warnings").iter();
        let of_overlap = warnings.filter(|warning| {
            warning
                .as_str()
                .is_some_and(|text| text.contains("are in the log, too"))
        });
        assert_eq!(of_overlap.count(), trained_on);
    }
}

#[test]
fn a_gain_that_is_a_loss_on_new_queries_is_warned_of_where_the_tuned_model_is_delivered() {
    let mut tried = tried();
    let grouped = tried.fit.grouped.expect("queries in groups");
    for (delivered, tuned, warned) in [
        (true, 0.4, true),
        (true, 0.5, false),
        (true, 0.6, false),
        (false, 0.4, false),
    ] {
        tried.fit.delivered = delivered;
        tried.fit.warnings.clear();
        tried.fit.grouped = Some(Agreement {
            base: 0.5,
            tuned,
            ..grouped
        });
        let fit = &report(&tried.tuner.info(), &tried.relations, &tried.fit, None)["fit"];
        let warnings = fit["warnings"].as_array().expect("warnings");
        assert_eq!(
            warnings.len(),
            usize::from(warned),
            "{delivered}, {tuned}: {warnings:?}"
        );
        for warning in warnings {
            let warning = warning.as_str().expect("text");
            assert!(
                warning.starts_with("On new queries") && warning.contains("base 0.5000"),
                "{warning}"
            );
        }
    }
}

#[test]
fn a_cross_encoder_that_judgements_show_to_be_worse_than_the_encoder_is_warned_of() {
    let mut tried = tried();
    tried.fit.warnings.clear();
    tried.fit.grouped = None;
    for (interval, warned) in [([-0.2, -0.01], true), ([-0.2, 0.01], false), ([0.1, 0.2], false)] {
        let mut verdict = tried.verdict("q\td\tr\n1\t1\t1\n", None);
        let ndcg = &mut verdict.judged.ndcg_10;
        (ndcg.base, ndcg.ceiling, ndcg.ceiling_ci95, ndcg.p) = (0.5, Some(0.4), Some(interval), 1.0);
        let fit = &report(&tried.tuner.info(), &tried.relations, &tried.fit, Some(&verdict))["fit"];
        let warnings = fit["warnings"].as_array().expect("warnings");
        assert_eq!(warnings.len(), usize::from(warned), "{interval:?}: {warnings:?}");
        for warning in warnings {
            let warning = warning.as_str().expect("text");
            assert!(
                warning.contains("do not train on it") && warning.contains("0.4000"),
                "{warning}"
            );
        }
    }
}

#[test]
fn judgements_of_test_queries_are_not_the_logs_where_only_the_numbers_are_the_same() {
    let tried = tried();
    let qrels = "q\td\tr\n1\t1\t1\n2\t3\t1\n";
    // Both files have no ids, so both are numbered from 1.
    let others = texts(&["red wine on a tablecloth", "shoes for wet paths"], Role::Queries);
    let verdict = tried.verdict(qrels, Some(others));
    assert_eq!((verdict.on, verdict.queries), (JudgedOn::TestQueries, 2));
    assert!(verdict.figures.own_queries.is_none() && verdict.figures.new_documents.is_none());

    let one_of_the_log = texts(&["red wine on a tablecloth", QUERIES[1]], Role::Queries);
    let verdict = tried.verdict(qrels, Some(one_of_the_log));
    assert_eq!(verdict.figures.own_queries.expect("one query").queries, 1);
}
