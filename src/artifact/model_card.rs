//! `model/README.md`: what the model is, how it was made, how good it is, where it ends, how to load it.

use std::fmt::Write;

use serde_json::Value;

use super::markdown::{cell, one_line};
use super::{Adapter, Artifact, Delivered, load};

/// The card. `router` is the folder of the router with the heads within the model's, where it has one.
pub fn text(artifact: &Artifact, router: Option<&str>) -> String {
    let report = artifact.report;
    let mut card = front_matter(report);
    card += match artifact.delivered {
        Delivered::Tuned => "# A sentence encoder adapted to one search log\n\n",
        Delivered::Base => "# The base encoder, unchanged\n\n",
    };
    card += &what_it_is(artifact);
    if artifact.delivered == Delivered::Tuned {
        card += "## How to load it\n\n";
        card += &load::the_model(&artifact.adapter, router);
    }
    card += &figures(report);
    card += &data(report);
    card += &recipe(report);
    card += &limits(artifact);
    card
}

fn front_matter(report: &Value) -> String {
    let mut text = "---\nlibrary_name: sentence-transformers\npipeline_tag: sentence-similarity\n".to_owned();
    // Only a hub's `owner/name` means something to a reader of this field, and only such a name needs no quoting.
    let plain = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    let encoder = report
        .pointer("/models/encoder/id")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if encoder
        .split_once('/')
        .is_some_and(|(owner, name)| plain(owner) && plain(name))
    {
        let _ = writeln!(text, "base_model: {encoder}");
    }
    text + "tags:\n- sentence-transformers\n- sentence-similarity\n- feature-extraction\n- querytune\n---\n\n"
}

fn what_it_is(artifact: &Artifact) -> String {
    let report = artifact.report;
    let encoder = model_name(report, "encoder").unwrap_or_else(|| "the base encoder".into());
    let teacher =
        model_name(report, "crossEncoder").map_or("a cross-encoder".into(), |name| format!("the cross-encoder {name}"));
    let text = match artifact.delivered {
        Delivered::Tuned => format!(
            "This is {encoder} with {}, trained by querytune to rank as {teacher} does. No person labelled anything \
             for it.\n\n{}\n\n",
            what_was_added(&artifact.adapter),
            what_it_does(&artifact.adapter)
        ),
        Delivered::Base => {
            let reason = report.pointer("/fit/reason").and_then(Value::as_str);
            let reason = reason
                .unwrap_or("On queries held out from training, no step of it agreed more with the cross-encoder.");
            let why = match decided_by(report) {
                DecidedBy::Judging => "because by a person's answers the tuned one ranks worse",
                DecidedBy::Judgements => "because by the judgements the tuned one ranks worse",
                DecidedBy::Agreement => "because training brought no more agreement with the cross-encoder",
                DecidedBy::Nothing => "because nothing tells whether the trained one is better",
            };
            format!(
                "This folder is {encoder} as it was, {why}: {reason}\n\n\
                 What was trained, {}, is in `adapter/` of the download, for those who want to try it all the same. \
                 Its figures are in the column \"tuned\" below.\n\n",
                what_was_added(&artifact.adapter)
            )
        }
    };
    text + &warnings(report)
}

fn what_was_added(adapter: &Adapter) -> String {
    match adapter {
        Adapter::Heads { document: None, .. } => "one linear layer on the side of the queries".into(),
        Adapter::Heads { .. } => {
            "a linear layer on the side of the queries and another on that of the documents".into()
        }
        Adapter::Lora(lora) => format!(
            "low-rank changes (LoRA of rank {}, alpha {}) of {} of its linear layers",
            lora.rank,
            lora.alpha,
            lora.matrices.len()
        ),
    }
}

fn what_it_does(adapter: &Adapter) -> &'static str {
    match adapter {
        Adapter::Heads { document: None, .. } => {
            "A query's vector q becomes `normalize(q + W q)`. **Documents keep the vectors of the base encoder**: an \
             existing index stays as it is."
        }
        Adapter::Heads { .. } => {
            "A query's vector q becomes `normalize(q + Wq q)`, a document's vector d becomes `normalize(d + Wd d)`. \
             **Documents have to be indexed again**: with this model, or by changing the base encoder's vectors in \
             the index."
        }
        Adapter::Lora(lora) if lora.documents => {
            "The changes are merged into the weights, so this is an encoder like any other, of the base encoder's \
             size and speed. **Documents have to be indexed again**: their vectors are others than the base encoder's."
        }
        Adapter::Lora(_) => {
            "Queries go through the changed encoder. **Documents keep the vectors of the base encoder**: an existing \
             index stays as it is. This folder holds both encoders; a search needs the queries' alone."
        }
    }
}

/// The report's warnings, each a paragraph.
pub fn warnings(report: &Value) -> String {
    let warnings = report.pointer("/fit/warnings").and_then(Value::as_array);
    let warnings = warnings.into_iter().flatten().filter_map(Value::as_str);
    warnings
        .map(|warning| format!("> **Note**: {}\n\n", one_line(warning)))
        .collect()
}

fn figures(report: &Value) -> String {
    let judged = judged(report);
    let answered = answered(report);
    let agreement = agreement(report);
    let since = since_the_earlier_run(report);
    if [&judged, &answered, &agreement, &since]
        .iter()
        .all(|text| text.is_empty())
    {
        return String::new();
    }
    format!("## Figures\n\n{judged}{answered}{agreement}{since}")
}

/// The metrics in the order they are shown in.
const METRICS: [&str; 4] = ["ndcg@10", "mrr@10", "map@100", "recall@100"];

fn judged(report: &Value) -> String {
    let Some(judged) = report.pointer("/evaluation/judged").filter(|judged| judged.is_object()) else {
        return String::new();
    };
    let mut rows = String::new();
    for name in METRICS {
        let Some(metric) = judged.get(name) else { continue };
        let cell = |path: &str| figure(metric, path);
        let _ = writeln!(
            rows,
            "| {name} | {} | {} | {} | {} | {} | {} |",
            cell("/base"),
            cell("/tuned"),
            interval(metric, "/ci95"),
            cell("/p"),
            cell("/ceiling"),
            interval(metric, "/ceilingCi95")
        );
        if metric.get("traffic").is_some() {
            let [base, tuned, ceiling] = ["/traffic/base", "/traffic/tuned", "/traffic/ceiling"].map(cell);
            let _ = writeln!(
                rows,
                "| {name}, {BY_TRAFFIC} | {base} | {tuned} | - | - | {ceiling} | - |"
            );
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let queries =
        count(report, "/evaluation/queries").map_or("Judged queries".into(), |n| format!("{n} judged queries"));
    let own = report.pointer("/evaluation/on").and_then(Value::as_str) == Some("own queries");
    let which = if own {
        " These queries were also trained on: the figures say how well the model serves the log's own queries, not \
         how well it serves new ones."
    } else {
        ""
    };
    format!(
        "{queries}; metrics as trec_eval defines them.{which} Intervals are those of tuned, and of the \
         cross-encoder's own ranking, minus base (paired bootstrap over the queries), p is that of a paired \
         randomisation test of tuned and base.\n\n\
         | metric | base | tuned | 95 % interval of the difference | p | cross-encoder's own ranking | 95 % interval of \
         its difference |\n|---|---|---|---|---|---|---|\n{rows}\n{}",
        by_queries(report)
    )
}

/// What was judged of queries that were trained on, of such as were left out, and of new documents.
fn by_queries(report: &Value) -> String {
    let mut rows = String::new();
    for (key, name) in [
        ("ownQueries", "the log's own queries, trained on"),
        (
            "similarQueries",
            "queries like the log's, left out of training at random",
        ),
        (
            "newQueries",
            "new queries, left out with all that share their best document",
        ),
        ("newDocuments", "new documents, without a score in training"),
    ] {
        let Some(group) = report.pointer(&format!("/evaluation/figures/{key}")) else {
            continue;
        };
        let (Some(metric), Some(queries)) = (group.get("ndcg@10"), count(group, "/queries")) else {
            continue;
        };
        let _ = writeln!(
            rows,
            "| {name} | {queries} | {} | {} | {} |",
            figure(metric, "/base"),
            figure(metric, "/tuned"),
            interval(metric, "/ci95")
        );
        if metric.get("traffic").is_some() {
            let [base, tuned] = ["/traffic/base", "/traffic/tuned"].map(|path| figure(metric, path));
            let _ = writeln!(rows, "| {BY_TRAFFIC} | | {base} | {tuned} | |");
        }
    }
    if rows.is_empty() {
        return rows;
    }
    format!(
        "What to expect of which queries: nDCG@10 by the same judgements, as far as they are of the log's own \
         queries.\n\n\
         | nDCG@10 for | queries | base | tuned | 95 % interval of the difference |\n|---|---|---|---|---|\n{rows}\n"
    )
}

/// What rows are called in which each query counts as often as it was asked.
const BY_TRAFFIC: &str = "each query as often as it was asked";

fn figure(of: &Value, path: &str) -> String {
    number(of, path).map_or("-".into(), |value| format!("{value:.4}"))
}

/// An interval of a comparison, if it has that one.
fn interval(of: &Value, path: &str) -> String {
    let end = |which: usize| number(of, &format!("{path}/{which}"));
    match (end(0), end(1)) {
        (Some(low), Some(high)) => format!("{low:+.4} to {high:+.4}"),
        _ => "-".into(),
    }
}

/// What it was decided by which model is delivered.
pub enum DecidedBy {
    /// Agreement with the cross-encoder on queries left out of training.
    Agreement,
    /// Nothing: there were too few queries to leave some out.
    Nothing,
    /// Judgements that were given with the data.
    Judgements,
    /// A person's answers of quick judging.
    Judging,
}

/// What `fit.decidedBy` of a report says.
pub fn decided_by(report: &Value) -> DecidedBy {
    match report.pointer("/fit/decidedBy").and_then(Value::as_str) {
        Some("judging") => DecidedBy::Judging,
        Some("judgements") => DecidedBy::Judgements,
        _ if report
            .pointer("/evaluation/agreement/random")
            .is_some_and(Value::is_null) =>
        {
            DecidedBy::Nothing
        }
        _ => DecidedBy::Agreement,
    }
}

/// The queries that quick judging's figures are over.
fn answered_queries(report: &Value) -> u64 {
    count(report, "/judging/queries").unwrap_or(0)
}

/// What quick judging came to.
fn answered(report: &Value) -> String {
    let queries = answered_queries(report);
    let Some(judging) = report.get("judging").filter(|_| queries > 0) else {
        return String::new();
    };
    let mut rows = String::new();
    for (key, name) in [
        ("base", "base"),
        ("tuned", "tuned"),
        ("crossEncoder", "cross-encoder's own ranking"),
    ] {
        let Some(mean) = number(judging, &format!("/ndcg@10/{key}")) else {
            continue;
        };
        let of = |path: &str| number(judging, &format!("/{key}/{path}"));
        let change = match (of("judged/difference"), of("judged/ci95/0"), of("judged/ci95/1")) {
            (Some(mean), Some(low), Some(high)) => format!("{mean:+.4} | {low:+.4} to {high:+.4}"),
            _ => "- | -".into(),
        };
        let p = of("p").map_or("-".into(), |p| format!("{p:.4}"));
        let _ = writeln!(rows, "| {name} | {mean:.4} | {change} | {p} |");
    }
    let sentences: Vec<String> = ["/tuned/sentence", "/crossEncoder/sentence", "/about"]
        .iter()
        .filter_map(|path| judging.pointer(path).and_then(Value::as_str).map(one_line))
        .collect();
    format!(
        "By quick judging, on {queries} queries of the log that a person answered for:\n\n\
         | ranking | nDCG@10 | difference to base | 95 % interval | p |\n|---|---|---|---|---|\n{rows}\n{}\n\n",
        sentences.join(" ")
    )
}

fn agreement(report: &Value) -> String {
    let mut rows = String::new();
    for (key, name) in [("random", "queries like the log's"), ("grouped", "new queries")] {
        let Some(figures) = report.pointer(&format!("/evaluation/agreement/{key}")) else {
            continue;
        };
        if let (Some(base), Some(tuned)) = (number(figures, "/base"), number(figures, "/tuned")) {
            let _ = writeln!(
                rows,
                "| {name} | {base:.4} | {tuned:.4} | {} |",
                interval(figures, "/ci95")
            );
        }
        if let (Some(base), Some(tuned)) = (number(figures, "/traffic/base"), number(figures, "/traffic/tuned")) {
            let _ = writeln!(rows, "| {name}, {BY_TRAFFIC} | {base:.4} | {tuned:.4} | - |");
        }
    }
    if rows.is_empty() {
        return rows;
    }
    let pooled = report.pointer("/evaluation/agreement/random/pooled") == Some(&Value::Bool(true));
    let ranked = if pooled {
        " Only the scored candidates of the queries were ranked, so these figures are higher than those of a whole corpus."
    } else {
        ""
    };
    format!(
        "Agreement with the cross-encoder on queries held out from training (nDCG@10 with the cross-encoder's scores \
         as gains). It says how well the model imitates the cross-encoder, not how good the results are.{ranked}\n\n\
         | held out | base | tuned | 95 % interval of the difference |\n|---|---|---|---|\n{rows}\n"
    )
}

/// The model of the run that this one went on from, beside this one.
fn since_the_earlier_run(report: &Value) -> String {
    let Some(previous) = report.get("previous") else {
        return String::new();
    };
    let counted = |path: &str| count(previous, path).unwrap_or(0);
    let mut text = format!(
        "It goes on from an earlier run on {} queries and {} documents; {} queries and {} documents are new since then.",
        counted("/queries"),
        counted("/documents"),
        counted("/newQueries"),
        counted("/newDocuments")
    );
    let figure = |path: &str| number(previous, path);
    if let (Some(queries), Some(before), Some(now)) = (
        count(previous, "/agreement/queries"),
        figure("/agreement/previous"),
        figure("/agreement/tuned"),
    ) {
        let _ = write!(
            text,
            " On {queries} new queries, left out of this training, agreement with the cross-encoder was {before:.4} by \
             the model delivered then and is {now:.4} now."
        );
    }
    if let (Some(before), Some(now)) = (figure("/judged/ndcg@10/previous"), figure("/judged/ndcg@10/tuned")) {
        let _ = write!(text, " By the judgements nDCG@10 was {before:.4} and is {now:.4}.");
    }
    text + "\n\n"
}

fn data(report: &Value) -> String {
    let rows = [
        ("distinct queries", "/data/queries"),
        ("distinct documents", "/data/documents"),
        ("duplicates merged", "/data/duplicates"),
        ("candidates found", "/relations/candidates"),
        ("pairs scored by the cross-encoder", "/stages/score/pairs"),
        ("rows of relations", "/relations/rows"),
    ];
    let rows: String = rows
        .iter()
        .filter_map(|(name, path)| Some(format!("| {name} | {} |\n", count(report, path)?)))
        .collect();
    if rows.is_empty() {
        rows
    } else {
        format!("## Data\n\n| | |\n|---|---|\n{rows}\n")
    }
}

fn recipe(report: &Value) -> String {
    let mut text = String::new();
    let mut row = |name: &str, value: &Value| {
        let value = match value {
            Value::String(text) => one_line(text),
            other => other.to_string(),
        };
        let _ = writeln!(text, "| {} | {} |", cell(name), cell(&value));
    };
    for key in ["method", "steps"] {
        if let Some(value) = report.pointer(&format!("/fit/{key}")) {
            row(key, value);
        }
    }
    for key in ["selected", "recipe"] {
        for (name, value) in report
            .pointer(&format!("/fit/{key}"))
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            row(
                &if key == "selected" {
                    format!("selected {name}")
                } else {
                    name.clone()
                },
                value,
            );
        }
    }
    if text.is_empty() {
        text
    } else {
        format!("## Recipe\n\n| | |\n|---|---|\n{text}\n")
    }
}

fn limits(artifact: &Artifact) -> String {
    let report = artifact.report;
    let belongs = match (artifact.delivered, &artifact.adapter) {
        (Delivered::Base, _) => "The adapter fits the encoder named above and no other.",
        (_, Adapter::Heads { document: None, .. }) => {
            "It fits the encoder named above and no other: the head works on that encoder's vectors only."
        }
        (_, Adapter::Heads { .. }) => {
            "It fits the encoder named above and no other: the heads work on that encoder's vectors only. A query's \
             vector of this model and a document's of the base encoder do not belong together."
        }
        (_, Adapter::Lora(lora)) if lora.documents => {
            "A query's vector of this model and a document's of the base encoder do not belong together. The adapter \
             fits the base encoder named above and no other."
        }
        (_, Adapter::Lora(_)) => {
            "Documents have to be indexed with the encoder named above and no other, and queries encoded with \
             `encode_query`: the two encoders differ."
        }
    };
    let no_judgements = report.pointer("/evaluation/judged").is_none_or(Value::is_null);
    let unjudged = if no_judgements && answered_queries(report) == 0 {
        "- No judgements were given, so whether results became better was **not measured**; only the agreement with \
         the cross-encoder was. Judge some 50 queries and evaluate again to know.\n"
    } else {
        ""
    };
    format!(
        "## Limits\n\n\
         - The model learned from a cross-encoder. Where that one is wrong about a domain, so is this model.\n\
         - It helps most with queries that are in the log it was trained on, or close to them.\n\
         {unjudged}\
         - {belongs}\n\
         - The licence of the base encoder holds for this folder too.\n"
    )
}

fn model_name(report: &Value, which: &str) -> Option<String> {
    let id = report.pointer(&format!("/models/{which}/id"))?.as_str()?;
    Some(format!("`{}`", one_line(id).replace('`', "'")))
}

fn number(value: &Value, path: &str) -> Option<f64> {
    value.pointer(path)?.as_f64()
}

fn count(value: &Value, path: &str) -> Option<u64> {
    value.pointer(path)?.as_u64()
}
