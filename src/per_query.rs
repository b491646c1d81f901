//! A run's queries one by one, as CSV: who gained and who lost.

use crate::error::Result;
use crate::evaluate::{QueryAgreement, TableQuery, agreement_table, judged_table};
use crate::input::Text;
use crate::judge::JudgedRankings;
use crate::relations::Relations;
use crate::tune::Fit;

/// Agreement with the cross-encoder on the log's queries while they were left out of training at random; `None` where
/// none was. Columns: [`agreement_table`].
///
/// # Errors
/// [`Code::Internal`](crate::Code::Internal)
pub fn agreement_csv(relations: &Relations, fit: &Fit) -> Result<Option<String>> {
    let Some(left_out) = &fit.left_out_at_random else {
        return Ok(None);
    };
    let figures = left_out.base.iter().zip(&left_out.tuned);
    let rows = left_out.queries.iter().zip(figures).map(|(&query, (&base, &tuned))| {
        let text = &relations.queries.items[query];
        QueryAgreement {
            query: shown(text, &text.ids[0]),
            base,
            tuned,
        }
    });
    agreement_table(rows).map(Some)
}

/// The judged queries with each metric by base, tuned and cross-encoder. Columns: [`judged_table`].
///
/// # Errors
/// [`Code::Internal`](crate::Code::Internal)
pub fn judged_csv(rankings: &JudgedRankings) -> Result<String> {
    let all = rankings.queries.items.iter();
    let queries = all.map(|text| shown(text, &text.ids[0]));
    judged_table(queries, &rankings.base, &rankings.tuned, rankings.ceiling.as_ref())
}

fn shown<'t>(text: &'t Text, id: &'t str) -> TableQuery<'t> {
    TableQuery {
        id,
        text: &text.text,
        count: text.count,
    }
}
