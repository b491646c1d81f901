//! A verdict of quick judging stands in the report, and decides what is delivered where it has to.

use crate::common::small_relations;
use querytune::input::Qrels;
use querytune::judging::{Answer, Judged, Judging, JudgingOptions, Rankings, Relevance};
use querytune::report::with_judging;
use serde_json::{Value, json};

/// Ten queries, in each of which the three rankings have the documents 0 and 1 in this order or the other.
fn judging(base: [u32; 2], tuned: [u32; 2], cross_encoder: [u32; 2]) -> Judging {
    let rankings = Rankings {
        base: base.to_vec(),
        tuned: tuned.to_vec(),
        cross_encoder: cross_encoder.to_vec(),
    };
    Judging::choose(&vec![rankings; 10], &JudgingOptions::default()).expect("a choice")
}

fn answer(judged: &mut Judged, judging: &Judging, relevant: u32) {
    for item in &judging.items {
        for &document in &item.documents {
            let relevance = if document == relevant {
                Relevance::Yes
            } else {
                Relevance::No
            };
            judged.take(Answer {
                query: item.query,
                document,
                relevance: Some(relevance),
            });
        }
    }
}

fn report(delivered: &str) -> Value {
    let step = if delivered == "tuned" { 15 } else { 0 };
    json!({
        "fit": {
            "delivered": delivered, "decidedBy": "agreement", "reason": "Agreement rose.", "warnings": ["Few queries."],
            "selected": { "step": step, "strength": 1.0 },
        },
    })
}

/// The report after all questions were answered with one document as the relevant one.
fn decided(judging: &Judging, relevant: u32, delivered: &str) -> Value {
    let mut judged = Judged::default();
    answer(&mut judged, judging, relevant);
    judged.decide(judging);
    with_judging(report(delivered), &judged)
}

#[test]
fn a_tuned_model_shown_to_be_worse_is_not_delivered() {
    let report = decided(&judging([0, 1], [1, 0], [0, 1]), 0, "tuned");
    let fit = &report["fit"];
    assert_eq!(
        (&fit["delivered"], &fit["decidedBy"]),
        (&json!("base"), &json!("judging"))
    );
    assert_eq!(fit["selected"], json!({ "step": 0, "strength": 0.0 }));
    let reason = fit["reason"].as_str().expect("a reason");
    assert!(
        reason.starts_with("The tuned model ranks worse than the base model"),
        "{reason}"
    );
    assert!(
        reason.ends_with("Agreement rose."),
        "what agreement said is kept: {reason}"
    );
    assert_eq!(report["judging"]["tuned"]["conclusion"], "worse");
    assert!(
        report["judging"]["about"]
            .as_str()
            .expect("words")
            .contains("trained on these very queries")
    );
}

#[test]
fn other_answers_give_the_fit_its_own_choice_back() {
    let judging = judging([0, 1], [1, 0], [0, 1]);
    let mut judged = Judged::default();
    answer(&mut judged, &judging, 0);
    judged.decide(&judging);
    assert_eq!(with_judging(report("tuned"), &judged)["fit"]["delivered"], "base");
    answer(&mut judged, &judging, 1);
    assert_eq!(
        with_judging(report("tuned"), &judged)["fit"]["delivered"],
        "base",
        "not before a verdict"
    );
    judged.decide(&judging);
    let report = with_judging(report("tuned"), &judged);
    assert_eq!(report["fit"]["delivered"], "tuned");
    assert_eq!(report["fit"]["reason"], "Agreement rose.");
    assert_eq!(report["judging"]["tuned"]["conclusion"], "better");
}

#[test]
fn a_reranker_worse_than_the_encoder_is_warned_of() {
    let report = decided(&judging([0, 1], [0, 1], [1, 0]), 0, "tuned");
    assert_eq!(report["fit"]["delivered"], "tuned", "base and tuned rank alike");
    let warnings = report["fit"]["warnings"].as_array().expect("warnings");
    assert_eq!(warnings[0], "Few queries.");
    let warning = warnings[1].as_str().expect("a warning");
    assert!(
        warning.starts_with("Your reranker is worse than your encoder here"),
        "{warning}"
    );
    assert!(warning.ends_with("do not train on it."), "{warning}");
}

#[test]
fn a_tuned_model_shown_to_be_better_is_pointed_to_but_not_delivered() {
    let report = decided(&judging([0, 1], [1, 0], [1, 0]), 1, "base");
    assert_eq!(report["fit"]["delivered"], "base");
    let warning = report["fit"]["warnings"][1].as_str().expect("a warning");
    assert!(
        warning.contains("ranks better") && warning.contains("adapter/"),
        "{warning}"
    );
}

#[test]
fn without_a_verdict_the_report_stays_as_it_is() {
    let mut judged = Judged::default();
    answer(&mut judged, &judging([0, 1], [1, 0], [0, 1]), 0);
    assert_eq!(with_judging(report("tuned"), &judged), report("tuned"));
}

#[test]
fn a_pair_that_is_answered_twice_has_the_last_answer() {
    let judging = judging([0, 1], [1, 0], [0, 1]);
    let mut judged = Judged::default();
    answer(&mut judged, &judging, 0);
    answer(&mut judged, &judging, 1);
    assert_eq!(judged.answers(&judging).count(), 20);
    let relevant = |answer: &&Answer| answer.relevance == Some(Relevance::Yes);
    assert!(
        judged
            .answers(&judging)
            .filter(relevant)
            .all(|answer| answer.document == 1)
    );
}

#[test]
fn exported_answers_are_read_as_judgements_whatever_is_in_the_ids() {
    let mut judged = Judged::default();
    assert!(!judged.has_judgements());
    for (query, document, relevance) in [
        (0, 1, Some(Relevance::Yes)),
        (1, 0, Some(Relevance::Somewhat)),
        (1, 2, None),
    ] {
        judged.take(Answer {
            query,
            document,
            relevance,
        });
    }
    assert!(judged.has_judgements());
    let relations = small_relations();
    let tsv = judged.to_qrels(&relations).expect("judgements");
    let qrels = Qrels::read(tsv.as_bytes(), "judgements.tsv").expect("readable");
    assert_eq!(qrels.judgements.len(), 2);
    assert_eq!(qrels.judgements["q1"]["d\"2"], 2);
    assert_eq!(qrels.judgements["q 2"]["d1"], 1);
}
