//! `report.json`: everything a person needs to judge, repeat or doubt a result.

use serde_json::{Value, json};

use crate::evaluate::SIGNIFICANT;
use crate::input::{Reading, Skipped};
use crate::job::StageTime;
use crate::judge::{JudgedOn, Verdict};
use crate::judging::{Conclusion, Judged};
use crate::relations::Relations;
use crate::tune::{Agreement, Fit};
use crate::tuner::TunerInfo;

/// The report of one run. Where nothing was judged, `evaluation.judged` is absent and `stages.evaluate` is zero.
///
/// Where the judgements show the tuned model to be worse, the base model is what is delivered, whatever agreement with the
/// cross-encoder said. Where they show it to be better and agreement did not, there is a warning only: a model that is
/// chosen by its judged figure has no judged figure that is not flattering. A cross-encoder that they show to be worse than
/// the encoder is warned of, and so is a tuned model that agrees with the cross-encoder less than the base model does on
/// new queries.
pub fn report(info: &TunerInfo, relations: &Relations, fit: &Fit, verdict: Option<&Verdict>) -> Value {
    let summary = relations.summary();
    let times = &relations.times;
    let mut score = stage(&times.score);
    score["pairs"] = json!(summary.scored);
    score["cached"] = json!(summary.cached);
    score["budgetSeconds"] = json!(times.budget_seconds);
    let readings = [&relations.queries.reading, &relations.documents.reading];
    let skipped: Vec<&Skipped> = readings.iter().flat_map(|reading| &reading.skipped).collect();
    let total = |count: fn(&Reading) -> usize| readings.iter().map(|reading| count(reading)).sum::<usize>();
    let mut evaluation = json!({
        "agreement": { "meaning": AGREEMENT, "random": fit.random, "grouped": fit.grouped },
    });
    if let Some(verdict) = verdict {
        evaluation["on"] = json!(verdict.on);
        evaluation["queries"] = json!(verdict.queries);
        evaluation["trainedOn"] = json!(verdict.trained_on);
        evaluation["missingQueries"] = json!(verdict.missing_queries);
        evaluation["missingDocuments"] = json!(verdict.missing_documents);
        evaluation["judged"] = json!(verdict.judged);
        evaluation["figures"] = json!(verdict.figures);
    }
    let mut report = json!({
        "version": info.version,
        "device": info.device,
        "models": info.models,
        "data": {
            "queries": summary.queries,
            "documents": summary.documents,
            "duplicates": total(|reading| reading.duplicates),
            "skippedTotal": total(|reading| reading.skipped_total),
            "skipped": skipped,
            "readings": { "queries": readings[0], "documents": readings[1] },
        },
        "stages": {
            "encode": stage(&times.encode),
            "search": stage(&times.search),
            "score": score,
            "tune": stage(&fit.time),
            "evaluate": stage(&verdict.map(|verdict| verdict.time).unwrap_or_default()),
        },
        "relations": {
            "queries": summary.queries,
            "rows": summary.rows,
            "candidates": summary.candidates,
            "depth": relations.depth,
            "bm25": relations.bm25,
            "logit": summary.logit,
        },
        "fit": {
            "method": fit.recipe.method,
            "recipe": fit.recipe,
            "steps": fit.steps,
            "selected": {
                "step": if fit.delivered { fit.adapter_step } else { 0 },
                "strength": if fit.delivered { 1.0 } else { 0.0 },
            },
            "trainedStep": fit.adapter_step,
            "history": fit.history,
            "delivered": if fit.delivered { "tuned" } else { "base" },
            "decidedBy": "agreement",
            "reason": fit.reason,
            "experimental": fit.experimental,
            "warnings": fit.warnings,
        },
        "evaluation": evaluation,
    });
    if let Some(verdict) = verdict {
        heed_judgements(&mut report["fit"], verdict);
    }
    if report["fit"]["delivered"] == "tuned"
        && let Some(warning) = of_new_queries(fit)
    {
        warn(&mut report["fit"], warning);
    }
    report
}

/// What there is to say where a gain on queries like the log's is none on new ones; the decision goes by the former.
fn of_new_queries(fit: &Fit) -> Option<String> {
    let Agreement { base, tuned, .. } = fit.grouped.filter(|grouped| grouped.tuned < grouped.base)?;
    Some(format!(
        "On new queries, left out of training with all that share their best document, agreement with the cross-encoder \
         fell (base {base:.4}, tuned {tuned:.4}): a gain is to be expected on queries like the log's, not on \
         others."
    ))
}

/// What judgements that show a difference change about what is delivered, and what else they call for.
fn heed_judgements(fit: &mut Value, verdict: &Verdict) {
    warn_of_reranker(fit, verdict);
    warn_of_overlap(fit, verdict);
    let ndcg = &verdict.judged.ndcg_10;
    if ndcg.p >= SIGNIFICANT {
        return;
    }
    let is_tuned = fit["delivered"] == "tuned";
    let figures = format!(
        "nDCG@10 {:.4} of the base model, {:.4} of the tuned one, {} judged queries, p = {:.4}",
        ndcg.base, ndcg.tuned, verdict.queries, ndcg.p
    );
    if is_tuned && ndcg.tuned < ndcg.base {
        let why = format!("By the judgements the tuned model ranks worse ({figures}).");
        deliver_base(fit, "judgements", &why);
    } else if !is_tuned && ndcg.tuned > ndcg.base {
        let own = match verdict.on {
            JudgedOn::OwnQueries => " These are queries it was trained on.",
            JudgedOn::TestQueries => "",
        };
        warn(
            fit,
            format!(
                "By the judgements the tuned model ranks better ({figures}).{own} The base model is delivered all the \
                 same, as agreement decides before judgements are looked at; what was trained is in adapter/."
            ),
        );
    }
}

/// A cross-encoder that judgements show to be worse than the encoder is warned of, whatever it taught.
fn warn_of_reranker(fit: &mut Value, verdict: &Verdict) {
    let ndcg = &verdict.judged.ndcg_10;
    let (Some(ceiling), Some([low, high])) = (ndcg.ceiling, ndcg.ceiling_ci95) else {
        return;
    };
    if high < 0.0 {
        warn(
            fit,
            format!(
                "By the judgements your reranker is worse than your encoder here (nDCG@10 {ceiling:.4} of the \
                 cross-encoder's own ranking, {:.4} of the base model, {} judged queries, 95 % interval of the \
                 difference {low:+.4} to {high:+.4}): do not train on it.",
                ndcg.base, verdict.queries
            ),
        );
    }
}

/// Test queries that are in the log, too, say nothing of queries that were not trained on.
fn warn_of_overlap(fit: &mut Value, verdict: &Verdict) {
    let Verdict {
        queries, trained_on, ..
    } = verdict;
    if *trained_on > 0 {
        warn(
            fit,
            format!(
                "{trained_on} of the {queries} judged test queries are in the log, too, and were trained on: the figures \
                 of the test queries are better than those of other queries may be. Take such queries out of the test."
            ),
        );
    }
}

/// Lets the base model be what is delivered; what agreement said stays in the reason.
fn deliver_base(fit: &mut Value, decided_by: &str, why: &str) {
    let before = fit["reason"].as_str().unwrap_or_default();
    fit["reason"] = json!(format!(
        "{why} So it is the base model that is delivered, as people's answers count for more than this: {before}"
    ));
    fit["delivered"] = json!("base");
    fit["decidedBy"] = json!(decided_by);
    fit["selected"] = json!({ "step": 0, "strength": 0.0 });
}

fn warn(fit: &mut Value, warning: String) {
    if let Some(known) = fit["warnings"].as_array_mut() {
        known.push(Value::from(warning));
    }
}

/// Adds the last verdict of quick judging, if there is one, to a fit's report, as `judging`.
///
/// Where the tuned model is shown to be worse, the base model is what is delivered, whatever agreement with the
/// cross-encoder said. The other way round nothing changes but a warning: the answers are about queries that were trained
/// on, so they say less about others than queries that were left out. A cross-encoder that is shown to be worse than the
/// encoder is warned of.
pub fn with_judging(mut report: Value, judged: &Judged) -> Value {
    let Some(verdict) = judged.verdict() else { return report };
    report["judging"] = json!(verdict);
    let fit = &mut report["fit"];
    let is_tuned = fit["delivered"] == "tuned";
    match verdict.tuned.conclusion {
        Conclusion::Worse if is_tuned => deliver_base(fit, "judging", &verdict.tuned.sentence),
        Conclusion::Better if !is_tuned => warn(
            fit,
            format!(
                "{} These are queries it was trained on, so the base model is delivered all the same. If it is the log's \
                 own queries that count, use what is in adapter/.",
                verdict.tuned.sentence
            ),
        ),
        _ => {}
    }
    if verdict.cross_encoder.conclusion == Conclusion::Worse {
        warn(fit, verdict.cross_encoder.sentence.clone());
    }
    report
}

const AGREEMENT: &str = "Agreement with the cross-encoder on queries left out of training (nDCG@10 with the softmax of \
     its logits as gains), not quality. random: queries like the log's. grouped: new queries, left out together with \
     all queries that share their best document. pooled: only scored candidates were ranked, not all documents.";

fn stage(time: &StageTime) -> Value {
    // Two decimals are more than a noisy machine can tell.
    let rounded = |value: f64| (value * 100.0).round() / 100.0;
    json!({ "seconds": rounded(time.seconds), "items": time.items, "perSecond": rounded(time.per_second) })
}
