//! What the answers say about the three rankings.

use serde::Serialize;

use super::answers::{Answer, Relevance, latest};
use super::choice::{Judging, Rankings};
use crate::evaluate::{SIGNIFICANT, paired_bootstrap, paired_randomisation, soft_ndcg_10};

/// Base model, tuned model and cross-encoder held against a person's answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JudgingVerdict {
    /// Queries the figures are over: all documents answered, at least one of them relevant.
    pub queries: usize,
    /// Queries with all documents answered and none relevant. They cannot be told apart and are not in the figures.
    pub none_relevant: usize,
    /// Queries with a document that the person would not judge; left out.
    pub skipped: usize,
    /// Queries with a document that has no answer yet; left out.
    pub open: usize,
    /// Mean nDCG@10; documents nobody was asked about count as not relevant, for all three alike.
    #[serde(rename = "ndcg@10")]
    pub ndcg_10: Means,
    /// The tuned model against the base model.
    pub tuned: Versus,
    /// The cross-encoder against the base model.
    pub cross_encoder: Versus,
    /// What the figures say and what they do not, for people.
    pub about: String,
}

/// One mean for each ranking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Means {
    /// The base model's.
    pub base: f64,
    /// The tuned model's.
    pub tuned: f64,
    /// The cross-encoder's.
    pub cross_encoder: f64,
}

/// One ranking against the base model's.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Versus {
    /// The difference on the queries of the figures.
    pub judged: Estimate,
    /// What that makes over all queries: the mean over the queries answered in full, 0 where nothing was relevant, times
    /// the share of queries whose rankings differ at all. The others have no difference.
    pub all: Estimate,
    /// How likely a difference this large is if the rankings are equally good.
    pub p: f64,
    /// What follows.
    pub conclusion: Conclusion,
    /// The same for people.
    pub sentence: String,
}

/// A difference of nDCG@10.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Estimate {
    /// Its mean; above 0 where the base model is worse.
    pub difference: f64,
    /// 95 % confidence interval of the mean, by bootstrap over the queries.
    pub ci95: [f64; 2],
}

/// What a comparison comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conclusion {
    /// Better than the base model, p < 0.05.
    Better,
    /// Neither is shown to be better; that does not show them to be equal.
    NoDifferenceShown,
    /// Worse than the base model, p < 0.05.
    Worse,
}

impl Judging {
    /// Compares the rankings by the answers, which may come in any order; of several about one pair the last one counts,
    /// those about other pairs do not.
    ///
    /// Only queries count whose documents are all answered. The figures are those of all three rankings on the same
    /// queries, with bootstrap interval and paired randomisation test as for given judgements.
    pub fn verdict(&self, answers: &[Answer]) -> JudgingVerdict {
        let answers = latest(answers);
        let mut figures: Vec<Means> = Vec::new();
        let (mut none_relevant, mut skipped, mut open) = (0, 0, 0);
        for (item, rankings) in self.items.iter().zip(&self.rankings) {
            let answer = |document: &u32| answers.get(&(item.query, *document)).copied();
            let given: Option<Vec<Option<Relevance>>> = item.documents.iter().map(answer).collect();
            let judged: Option<Vec<Relevance>> = match given {
                Some(given) => given.into_iter().collect(),
                None => {
                    open += 1;
                    continue;
                }
            };
            match judged {
                None => skipped += 1,
                Some(levels) if levels.iter().all(|&level| level == Relevance::No) => none_relevant += 1,
                Some(levels) => figures.push(measure(rankings, &item.documents, &levels)),
            }
        }
        let share = self.differing as f64 / self.queries.max(1) as f64;
        let versus = |what: Contender, difference: fn(&Means) -> f64| {
            let differences: Vec<f64> = figures.iter().map(difference).collect();
            self.versus(what, &differences, none_relevant, share)
        };
        JudgingVerdict {
            queries: figures.len(),
            none_relevant,
            skipped,
            open,
            ndcg_10: Means {
                base: mean(figures.iter().map(|figure| figure.base)),
                tuned: mean(figures.iter().map(|figure| figure.tuned)),
                cross_encoder: mean(figures.iter().map(|figure| figure.cross_encoder)),
            },
            tuned: versus(Contender::Tuned, |figure| figure.tuned - figure.base),
            cross_encoder: versus(Contender::CrossEncoder, |figure| figure.cross_encoder - figure.base),
            about: self.about(open),
        }
    }

    fn versus(&self, what: Contender, differences: &[f64], none_relevant: usize, share: f64) -> Versus {
        let estimate = |differences: &[f64], share: f64| Estimate {
            difference: share * mean(differences.iter().copied()),
            ci95: paired_bootstrap(differences, self.seed).map(|end| share * end),
        };
        let judged = estimate(differences, 1.0);
        let answered: Vec<f64> = differences
            .iter()
            .copied()
            .chain(std::iter::repeat_n(0.0, none_relevant))
            .collect();
        let p = paired_randomisation(differences, self.seed);
        let conclusion = match p < SIGNIFICANT {
            true if judged.difference > 0.0 => Conclusion::Better,
            true => Conclusion::Worse,
            false => Conclusion::NoDifferenceShown,
        };
        Versus {
            judged,
            all: estimate(&answered, share),
            p,
            conclusion,
            sentence: what.sentence(conclusion, judged.difference, p, differences.len()),
        }
    }

    fn about(&self, open: usize) -> String {
        let mut text = format!(
            "nDCG@10 by a person's answers about queries of the log. The tuned model was trained on these very queries: the \
             figures say whether this log is ranked better, not what becomes of other queries. The queries were drawn from the {} of {} whose first ten documents differ between base model, tuned model and \
             cross-encoder, and of their documents those were judged that differ most in rank; all others count as not \
             relevant. So this tells which ranking is better; on all queries a difference is smaller than on the judged \
             ones, and both are estimates.",
            self.differing, self.queries
        );
        if open > 0 {
            text.push_str(&format!(
                " {open} of the {} queries are not answered in full: decide when they are, for whoever stops at the first \
                 welcome figure takes chance for a finding more often than p says.",
                self.items.len()
            ));
        }
        text
    }
}

/// nDCG@10 of the three rankings of one query.
fn measure(rankings: &Rankings, documents: &[u32], levels: &[Relevance]) -> Means {
    let gains: Vec<(u32, f32)> = documents
        .iter()
        .zip(levels)
        .map(|(&document, &level)| (document, f32::from(u8::from(level))))
        .collect();
    Means {
        base: soft_ndcg_10(&rankings.base, &gains),
        tuned: soft_ndcg_10(&rankings.tuned, &gains),
        cross_encoder: soft_ndcg_10(&rankings.cross_encoder, &gains),
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1) as f64;
    // Begins at 0 so that no values make 0, and not the -0 of an empty sum.
    values.fold(0.0, |sum, value| sum + value) / count
}

/// What is held against the base model.
#[derive(Clone, Copy)]
enum Contender {
    Tuned,
    CrossEncoder,
}

impl Contender {
    fn sentence(self, conclusion: Conclusion, difference: f64, p: f64, queries: usize) -> String {
        if queries == 0 {
            return "Nothing can be said yet: no query is answered in full with a relevant document.".to_owned();
        }
        let p = if p < 0.001 {
            "p < 0.001".to_owned()
        } else {
            format!("p = {p:.3}")
        };
        let queries = if queries == 1 {
            "1 judged query".to_owned()
        } else {
            format!("{queries} judged queries")
        };
        let figures = format!("nDCG@10 {difference:+.3} on {queries}, {p}");
        match (self, conclusion) {
            (Self::Tuned, Conclusion::Better) => {
                format!("The tuned model ranks better than the base model ({figures}).")
            }
            (Self::Tuned, Conclusion::Worse) => {
                format!("The tuned model ranks worse than the base model ({figures}): keep the base model.")
            }
            (Self::Tuned, Conclusion::NoDifferenceShown) => format!(
                "No difference between tuned and base model is shown ({figures}): there may be none, or too small a one for \
                 so few queries."
            ),
            (Self::CrossEncoder, Conclusion::Better) => {
                format!(
                    "Your reranker is better than your encoder here ({figures}): there is something to learn from it."
                )
            }
            (Self::CrossEncoder, Conclusion::Worse) => {
                format!("Your reranker is worse than your encoder here ({figures}): do not train on it.")
            }
            (Self::CrossEncoder, Conclusion::NoDifferenceShown) => format!(
                "No difference between your reranker and your encoder is shown ({figures}): there may be none, or too small a \
                 one for so few queries."
            ),
        }
    }
}
