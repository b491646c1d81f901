//! What people answered about one fit's log, and what that came to.

use super::answers::{Answer, to_qrels};
use super::choice::Judging;
use super::verdict::JudgingVerdict;
use crate::error::Result;
use crate::relations::Relations;

/// Answers to whichever questions about a fit's log, with the last verdict.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    answers: Vec<Answer>,
    verdict: Option<JudgingVerdict>,
}

impl Judged {
    /// Takes an answer, in the place of an earlier one about the same pair.
    pub fn take(&mut self, answer: Answer) {
        let pair = |answer: &Answer| (answer.query, answer.document);
        match self.answers.iter_mut().find(|known| pair(known) == pair(&answer)) {
            Some(known) => *known = answer,
            None => self.answers.push(answer),
        }
    }

    /// The answers to these questions, in the order in which the pairs were first answered.
    pub fn answers<'j>(&'j self, judging: &'j Judging) -> impl Iterator<Item = &'j Answer> {
        self.answers
            .iter()
            .filter(|answer| judging.asks(answer.query, answer.document))
    }

    /// Makes the verdict of these questions the last one.
    pub fn decide(&mut self, judging: &Judging) -> &JudgingVerdict {
        self.verdict.insert(judging.verdict(&self.answers))
    }

    /// The last verdict, if there is one.
    pub fn verdict(&self) -> Option<&JudgingVerdict> {
        self.verdict.as_ref()
    }

    /// All answers as [judgements](to_qrels) under the first ids of query and document.
    ///
    /// # Errors
    /// As [`to_qrels`].
    pub fn to_qrels(&self, relations: &Relations) -> Result<String> {
        let (queries, documents) = (&relations.queries.items, &relations.documents.items);
        to_qrels(
            &self.answers,
            |query| &queries[query].ids[0],
            |document| &documents[document as usize].ids[0],
        )
    }

    /// Whether a pair was judged, and not only skipped.
    pub fn has_judgements(&self) -> bool {
        self.answers.iter().any(|answer| answer.relevance.is_some())
    }
}
