//! The model card says what was measured, and what was not.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use querytune::artifact::{Adapter, Artifact, Delivered, Lora, LoraMatrix};
use serde_json::{Value, json};

const MODULE: &str = "encoder.layer.0.attention.self.query";
const QUERY_HEAD: Adapter = Adapter::Heads {
    dims: 1,
    query: &[0.5],
    document: None,
};
const HEADS: Adapter = Adapter::Heads {
    dims: 1,
    query: &[0.5],
    document: Some(&[0.25]),
};

fn lora(documents: bool) -> Adapter<'static> {
    Adapter::Lora(Lora {
        rank: 1,
        alpha: 2.0,
        documents,
        matrices: vec![LoraMatrix {
            module: MODULE,
            inputs: 1,
            outputs: 1,
            a: &[1.0],
            b: &[1.0],
        }],
    })
}

/// The README files of a download: at its top, of the model, of the adapter.
fn readme_files(report: &Value, adapter: Adapter, delivered: Delivered) -> [String; 3] {
    let weight = 1.0f32.to_le_bytes();
    let weight = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![1, 1], &weight).unwrap();
    let weights = safetensors::serialize([(format!("{MODULE}.weight"), weight)], None).unwrap();
    let base = BTreeMap::from([
        ("model.safetensors".to_owned(), weights),
        ("config.json".to_owned(), br#"{"hidden_size":1}"#.to_vec()),
    ]);
    let zip = Artifact {
        base: &base,
        adapter,
        delivered,
        report,
        data: vec![],
    }
    .to_zip()
    .unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    ["README.md", "model/README.md", "adapter/README.md"].map(|path| {
        let mut text = String::new();
        archive.by_name(path).unwrap().read_to_string(&mut text).unwrap();
        text
    })
}

fn card(report: &Value, delivered: Delivered) -> String {
    let [_, card, _] = readme_files(report, QUERY_HEAD, delivered);
    card
}

fn report() -> Value {
    json!({
        "models": { "encoder": { "id": "owner/encoder" }, "crossEncoder": { "id": "teacher" } },
        "data": { "queries": 1109, "documents": 5183, "duplicates": 3 },
        "relations": { "rows": 22180, "candidates": 100 },
        "fit": {
            "method": "query-head", "steps": 270, "selected": { "step": 15 },
            "recipe": { "learningRate": 0.001, "odd|name": "a\nb" }, "warnings": ["Few queries."],
        },
        "evaluation": {
            "queries": 300, "on": "test queries",
            "agreement": {
                "random": { "base": 0.5, "tuned": 0.6, "ci95": [0.05, 0.15], "traffic": { "base": 0.7, "tuned": 0.72 } },
                "grouped": { "base": 0.5, "tuned": 0.51 },
            },
            "figures": {
                "ownQueries": { "queries": 90, "ndcg@10": {
                    "base": 0.5, "tuned": 0.6, "ci95": [0.04, 0.16], "traffic": { "base": 0.8, "tuned": 0.85 },
                } },
                "newQueries": { "queries": 80, "ndcg@10": { "base": 0.5, "tuned": 0.52, "ci95": [-0.01, 0.05] } },
            },
            "judged": {
                "ndcg@10": { "base": 0.645, "tuned": 0.687, "ceiling": 0.688, "ci95": [0.02, 0.06], "ceilingCi95": [0.01, 0.08], "p": 0.0004 },
                "recall@100": { "base": 0.92, "tuned": 0.93, "ceiling": null, "ci95": [-0.01, 0.02], "p": 0.3 },
            },
        },
    })
}

#[test]
fn agreement_among_scored_candidates_alone_is_told_from_that_of_a_whole_corpus() {
    let mut report = report();
    let said = "Only the scored candidates of the queries were ranked";
    assert!(!card(&report, Delivered::Tuned).contains(said));
    report["evaluation"]["agreement"]["random"]["pooled"] = json!(true);
    assert!(card(&report, Delivered::Tuned).contains(said));
}

#[test]
fn a_model_that_goes_on_from_an_earlier_one_says_what_that_changed() {
    let mut report = report();
    report["previous"] = json!({
        "queries": 900, "documents": 5000, "newQueries": 209, "newDocuments": 183, "scores": 18000, "delivered": "tuned",
        "agreement": { "queries": 209, "base": 0.41, "previous": 0.42, "tuned": 0.47, "standardError": 0.01 },
        "judged": { "ndcg@10": { "previous": 0.66, "tuned": 0.69, "ci95": [0.01, 0.05], "p": 0.01 } },
    });
    let card = card(&report, Delivered::Tuned);
    for part in [
        "209 queries and 183 documents are new",
        "was 0.4200 by",
        "is 0.4700 now",
        "nDCG@10 was 0.6600 and is 0.6900",
    ] {
        assert!(card.contains(part), "{part} is missing in {card}");
    }
}

#[test]
fn figures_stand_in_the_card_as_in_the_report() {
    let card = card(&report(), Delivered::Tuned);
    assert!(
        card.contains("| ndcg@10 | 0.6450 | 0.6870 | +0.0200 to +0.0600 | 0.0004 | 0.6880 | +0.0100 to +0.0800 |"),
        "{card}"
    );
    assert!(
        card.contains("| recall@100 | 0.9200 | 0.9300 | -0.0100 to +0.0200 | 0.3000 | - | - |"),
        "{card}"
    );
    for row in [
        "| queries like the log's | 0.5000 | 0.6000 | +0.0500 to +0.1500 |",
        "| queries like the log's, each query as often as it was asked | 0.7000 | 0.7200 | - |",
        "| new queries | 0.5000 | 0.5100 | - |",
        "| the log's own queries, trained on | 90 | 0.5000 | 0.6000 | +0.0400 to +0.1600 |",
        "| each query as often as it was asked | | 0.8000 | 0.8500 | |",
        "| new queries, left out with all that share their best document | 80 | 0.5000 | 0.5200 | -0.0100 to +0.0500 |",
    ] {
        assert!(card.contains(row), "{row} is missing in {card}");
    }
    assert!(card.contains("300 judged queries"));
    assert!(card.contains("| distinct queries | 1109 |"));
    assert!(card.contains("| learningRate | 0.001 |"));
    assert!(card.contains("> **Note**: Few queries."));
    assert!(!card.contains("not measured"));
}

#[test]
fn without_judgements_the_card_says_that_quality_was_not_measured() {
    let mut report = report();
    report["evaluation"]["judged"] = Value::Null;
    let card = card(&report, Delivered::Tuned);
    assert!(card.contains("**not measured**"));
    assert!(card.contains("not how good the results are"));
    assert!(!card.contains("ndcg@10 |"));
}

#[test]
fn figures_on_the_logs_own_queries_are_named_as_such() {
    let mut report = report();
    report["evaluation"]["on"] = json!("own queries");
    assert!(card(&report, Delivered::Tuned).contains("also trained on"));
    assert!(!card(&self::report(), Delivered::Tuned).contains("also trained on"));
}

#[test]
fn a_delivered_base_is_called_unchanged_with_the_reason() {
    let mut report = report();
    report["fit"]["reason"] = json!("Held-out agreement did not rise.");
    let card = card(&report, Delivered::Base);
    assert!(card.contains("# The base encoder, unchanged"));
    assert!(card.contains("Held-out agreement did not rise."));
    assert!(!card.contains("adapted"));
    assert!(!card.contains("encode_query"));
}

#[test]
fn where_too_few_queries_could_be_left_out_nothing_is_said_to_have_been_compared() {
    let mut report = report();
    report["evaluation"]["agreement"] = json!({ "random": null, "grouped": null });
    report["fit"]["reason"] = json!("There are too few queries.");
    let [readme, card, _] = readme_files(&report, QUERY_HEAD, Delivered::Base);
    assert!(card.contains("nothing tells whether the trained one is better: There are too few queries."));
    for text in [readme, card] {
        assert!(!text.contains("brought no more agreement"), "{text}");
    }
}

#[test]
fn the_code_to_load_names_the_heads_file() {
    let card = card(&report(), Delivered::Tuned);
    // Without modules.json the base is Transformer and Pooling; Normalize is added, the router is module 3. The folder is
    // the one that sentence-transformers is given in the lines above.
    assert_eq!(
        card.matches("\"model/3_Router/query_0_Dense/model.safetensors\"")
            .count(),
        2
    );
    assert!(!card.contains("document_0_Dense"));
    assert!(card.contains("encode_query") && card.contains("encode_document"));
}

#[test]
fn whether_documents_have_to_be_indexed_again_is_said_in_every_readme() {
    for (adapter, again) in [
        (QUERY_HEAD, false),
        (HEADS, true),
        (lora(false), false),
        (lora(true), true),
    ] {
        let shown = format!("{adapter:?}");
        for text in readme_files(&report(), adapter, Delivered::Tuned) {
            let says_again = text.contains("indexed again") || text.contains("have to be changed too");
            let says_keep = text.contains("keep the") || text.contains("keep theirs") || text.contains("keep their");
            assert_eq!((says_again, says_keep), (again, !again), "{shown}\n{text}");
        }
    }
}

#[test]
fn each_method_is_described_with_code_to_load_it() {
    let [_, card, adapter] = readme_files(&report(), HEADS, Delivered::Tuned);
    assert!(card.contains("a linear layer on the side of the queries and another on that of the documents"));
    assert!(card.contains("3_Router/document_0_Dense/model.safetensors"));
    assert!(adapter.contains("query_head.safetensors") && adapter.contains("document_head.safetensors"));
    assert!(adapter.contains("```python") && adapter.contains("```js"));

    let [_, card, adapter] = readme_files(&report(), lora(false), Delivered::Tuned);
    assert!(card.contains("LoRA of rank 1, alpha 2"));
    assert!(card.contains("model/query_0_Transformer"));
    assert!(adapter.contains("load_adapter") && adapter.contains("PeftModel.from_pretrained"));
    assert!(adapter.contains("base = \"owner/encoder\""));
    assert!(adapter.contains("W' = W + 2 B A"), "{adapter}");

    let [_, card, adapter] = readme_files(&report(), lora(true), Delivered::Tuned);
    assert!(card.contains("merged into the weights") && !card.contains("query_0_Transformer"));
    assert!(adapter.contains("documents = tuned.encode"));
}

#[test]
fn the_reports_warnings_stand_in_the_readme_and_in_the_card() {
    for delivered in [Delivered::Tuned, Delivered::Base] {
        let [readme, card, _] = readme_files(&report(), lora(false), delivered);
        assert!(readme.contains("> **Note**: Few queries.") && card.contains("> **Note**: Few queries."));
    }
}

#[test]
fn names_from_outside_cannot_break_the_card() {
    let mut report = report();
    report["models"]["encoder"]["id"] = json!("x/y\nlicense: mit\n---\n`code`");
    let text = card(&report, Delivered::Tuned);
    assert!(!text.contains("base_model"));
    assert!(!text.contains("\nlicense"));
    assert!(text.contains("| odd\\|name | a b |"));
    report["models"]["encoder"]["id"] = json!("x\"\nimport os");
    let [_, _, adapter] = readme_files(&report, lora(false), Delivered::Tuned);
    assert!(adapter.contains("base = \"x' import os\""), "{adapter}");
    assert!(card(&self::report(), Delivered::Tuned).contains("\nbase_model: owner/encoder\n"));
}

#[test]
fn an_empty_report_still_gives_a_card() {
    for delivered in [Delivered::Tuned, Delivered::Base] {
        let card = card(&json!({}), delivered);
        assert!(card.contains("## Limits"));
        assert!(!card.contains("## Figures") && !card.contains("## Recipe") && !card.contains("## Data"));
    }
}

/// A report whose verdict of quick judging keeps the tuned model from being delivered.
fn judged_report() -> Value {
    let mut report = report();
    report["evaluation"]["judged"] = Value::Null;
    report["fit"]["decidedBy"] = json!("judging");
    report["fit"]["reason"] = json!("The tuned model ranks worse.");
    report["judging"] = json!({
        "queries": 30,
        "ndcg@10": { "base": 0.5, "tuned": 0.4, "crossEncoder": 0.55 },
        "tuned": {
            "judged": { "difference": -0.1, "ci95": [-0.15, -0.05] }, "p": 0.002,
            "sentence": "The tuned model ranks worse.",
        },
        "crossEncoder": {
            "judged": { "difference": 0.05, "ci95": [-0.01, 0.11] }, "p": 0.08, "sentence": "No difference is shown.",
        },
        "about": "Trained on these very queries.",
    });
    report
}

#[test]
fn figures_of_quick_judging_stand_in_the_card_with_what_they_mean() {
    let card = card(&judged_report(), Delivered::Base);
    for line in [
        "| base | 0.5000 | - | - | - |",
        "| tuned | 0.4000 | -0.1000 | -0.1500 to -0.0500 | 0.0020 |",
        "| cross-encoder's own ranking | 0.5500 | +0.0500 | -0.0100 to +0.1100 | 0.0800 |",
        "on 30 queries of the log that a person answered for",
        "Trained on these very queries.",
        "by a person's answers the tuned one ranks worse: The tuned model ranks worse.",
    ] {
        assert!(card.contains(line), "{line} is missing in {card}");
    }
    assert!(!card.contains("not measured"), "{card}");
    assert!(!card.contains("no more agreement"), "{card}");
}

#[test]
fn quick_judging_without_a_telling_query_is_no_measurement() {
    let mut report = judged_report();
    report["judging"]["queries"] = json!(0);
    let card = card(&report, Delivered::Tuned);
    assert!(card.contains("**not measured**"), "{card}");
    assert!(!card.contains("quick judging"), "{card}");
}

#[test]
fn the_readme_says_who_decided_against_the_tuned_model() {
    let [readme, ..] = readme_files(&judged_report(), QUERY_HEAD, Delivered::Base);
    assert!(
        readme.contains("by a person's answers the tuned one ranks worse"),
        "{readme}"
    );
    let [readme, ..] = readme_files(&report(), QUERY_HEAD, Delivered::Base);
    assert!(
        readme.contains("training brought no more agreement with the cross-encoder"),
        "{readme}"
    );
}
