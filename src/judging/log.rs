//! Answers in the job's store.

use std::collections::HashMap;

use super::answers::{Answer, Relevance};
use super::choice::Judging;
use crate::error::Result;
use crate::job::Job;
use crate::results::{ContentKey, ResultLog, pair_key, text_key};

/// What a skipped pair is stored as.
const SKIPPED: f32 = -1.0;

/// Answers kept by the content of query and document: they are found again whatever numbers the texts have later, after
/// another training, and with other models.
pub struct JudgingLog<'j>(ResultLog<'j>);

impl<'j> JudgingLog<'j> {
    /// The answers in the job's store.
    pub fn new(job: &'j Job<'j>) -> Self {
        // People's answers do not depend on a model.
        Self(ResultLog::new(job, "judgements", "people", 1))
    }

    /// Keeps one answer, `None` for a skipped pair. It takes the place of an earlier one.
    ///
    /// # Errors
    /// [`Code::Store`](crate::Code::Store)
    pub async fn keep(&self, query: &str, document: &str, relevance: Option<Relevance>) -> Result<()> {
        let value = relevance.map_or(SKIPPED, |relevance| f32::from(u8::from(relevance)));
        self.0
            .append(std::iter::once((key(query, document), &[value][..])))
            .await
    }

    /// The answers that are there to the questions of `judging`, in their order; `texts` has the texts of a query and a
    /// document by number.
    ///
    /// # Errors
    /// [`Code::Store`](crate::Code::Store), [`Code::Cancelled`](crate::Code::Cancelled)
    pub async fn answers<'t>(
        &self,
        judging: &Judging,
        texts: impl Fn(usize, u32) -> (&'t str, &'t str),
    ) -> Result<Vec<Answer>> {
        let asked: Vec<(usize, u32)> = judging
            .items
            .iter()
            .flat_map(|item| item.documents.iter().map(|&document| (item.query, document)))
            .collect();
        let mut wanted: HashMap<ContentKey, Vec<usize>> = HashMap::new();
        for (number, &(query, document)) in asked.iter().enumerate() {
            let (query, document) = texts(query, document);
            wanted.entry(key(query, document)).or_default().push(number);
        }
        let mut found: Vec<Option<f32>> = vec![None; asked.len()];
        // The log is read from its beginning, so the last answer stays.
        self.0
            .find(&wanted, |number, values| found[number] = values.first().copied())
            .await?;
        let answers = asked.into_iter().zip(found).filter_map(|((query, document), value)| {
            let relevance = match value? {
                SKIPPED => None,
                // What is no answer was not answered, and is asked again.
                value => Some(relevance(value)?),
            };
            Some(Answer {
                query,
                document,
                relevance,
            })
        });
        Ok(answers.collect())
    }
}

fn key(query: &str, document: &str) -> ContentKey {
    pair_key(&text_key(query), &text_key(document))
}

fn relevance(value: f32) -> Option<Relevance> {
    [Relevance::No, Relevance::Somewhat, Relevance::Yes]
        .into_iter()
        .find(|&relevance| f32::from(u8::from(relevance)) == value)
}
