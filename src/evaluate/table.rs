//! Query by query: what was gained and what was lost, as a table for people and for programs.

use std::borrow::Cow;

use super::metrics::{Judged, Metrics};
use crate::error::Result;
use crate::rows::written;

/// A query as the tables show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableQuery<'a> {
    /// Its first id.
    pub id: &'a str,
    /// Its text.
    pub text: &'a str,
    /// How often it was asked.
    pub count: u32,
}

/// A query's agreement with the cross-encoder ([`soft_ndcg_10`](super::soft_ndcg_10)).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QueryAgreement<'a> {
    /// The query.
    pub query: TableQuery<'a>,
    /// The base model's agreement.
    pub base: f64,
    /// The tuned model's.
    pub tuned: f64,
}

/// The judged queries as CSV, the largest gain in nDCG@10 first and the largest loss last.
///
/// The columns are `query-id`, `query`, `count`; for each metric `ndcg@10 base`, `ndcg@10 tuned`, `ndcg@10 ceiling`, and
/// so on; `ndcg@10 change`, tuned minus base. Queries that base or tuned has no figures for are left out; without a
/// ceiling its cells are empty. Figures have six decimals. Equal changes: the query asked more often first, then as given.
///
/// Queries come from whoever searched, and a spreadsheet takes a cell for a formula that begins with `=`, `+`, `-` or
/// `@`, quoted or not: a stranger's search could run in the sheet of whoever opens the log. So such a query is written
/// with an apostrophe before it, which makes it text. `query-id` is written as it is: it is the key to the data, and
/// comes from whoever keeps them. A program that needs the exact text takes it from the log, by the id.
///
/// # Errors
/// [`crate::Code::Internal`]
pub fn judged_table<'a>(
    queries: impl IntoIterator<Item = TableQuery<'a>>,
    base: &Judged,
    tuned: &Judged,
    ceiling: Option<&Judged>,
) -> Result<String> {
    let metrics: [(&str, Metric); 4] = [
        ("ndcg@10", |metrics| metrics.ndcg_10),
        ("mrr@10", |metrics| metrics.mrr_10),
        ("map@100", |metrics| metrics.map_100),
        ("recall@100", |metrics| metrics.recall_100),
    ];
    let columns = metrics
        .iter()
        .flat_map(|(name, _)| ["base", "tuned", "ceiling"].map(|system| format!("{name} {system}")));
    let columns: Vec<String> = columns.chain(["ndcg@10 change".to_owned()]).collect();
    let rows = queries.into_iter().filter_map(|query| {
        let (of_base, of_tuned) = (base.queries.get(query.id)?, tuned.queries.get(query.id)?);
        let of_ceiling = ceiling.and_then(|judged| judged.queries.get(query.id));
        let change = of_tuned.ndcg_10 - of_base.ndcg_10;
        let figures = metrics
            .iter()
            .flat_map(|(_, metric)| [Some(metric(of_base)), Some(metric(of_tuned)), of_ceiling.map(metric)]);
        Some(Row {
            query,
            figures: figures.chain([Some(change)]).collect(),
            change,
        })
    });
    write(&columns, rows.collect())
}

/// The queries as CSV where nothing was judged: `query-id`, `query`, `count`, `agreement base`, `agreement tuned`,
/// `agreement change`. Order, figures and formulas as in [`judged_table`].
///
/// Agreement with the cross-encoder is what was trained for. It is not quality.
///
/// # Errors
/// [`crate::Code::Internal`]
pub fn agreement_table<'a>(queries: impl IntoIterator<Item = QueryAgreement<'a>>) -> Result<String> {
    let columns = ["base", "tuned", "change"].map(|name| format!("agreement {name}"));
    let rows = queries.into_iter().map(|QueryAgreement { query, base, tuned }| Row {
        query,
        figures: vec![Some(base), Some(tuned), Some(tuned - base)],
        change: tuned - base,
    });
    write(&columns, rows.collect())
}

type Metric = fn(&Metrics) -> f64;

struct Row<'a> {
    query: TableQuery<'a>,
    figures: Vec<Option<f64>>,
    change: f64,
}

fn write(columns: &[String], mut rows: Vec<Row<'_>>) -> Result<String> {
    // By what is written: changes that differ in their last bits only are equal. The sort is stable.
    rows.sort_by(|a, b| {
        let changes = rounded(b.change).total_cmp(&rounded(a.change));
        changes.then(b.query.count.cmp(&a.query.count))
    });
    let header: Vec<&str> = ["query-id", "query", "count"]
        .into_iter()
        .chain(columns.iter().map(String::as_str))
        .collect();
    let cells = rows.into_iter().map(|Row { query, figures, .. }| {
        let named = [query.id.into(), no_formula(query.text), query.count.to_string().into()];
        let figures = figures
            .into_iter()
            .map(|figure| figure.map(|figure| rounded(figure).to_string()).unwrap_or_default());
        named
            .map(Cow::into_owned)
            .into_iter()
            .chain(figures)
            .collect::<Vec<String>>()
    });
    written(b',', Some(&header), cells)
}

/// Six decimals, and never -0.
fn rounded(figure: f64) -> f64 {
    (figure * 1e6).round() / 1e6 + 0.0
}

/// The text, so that no spreadsheet takes it for a formula; the wide forms are what some take for the narrow ones.
fn no_formula(text: &str) -> Cow<'_, str> {
    let starts_one = |first: char| {
        matches!(
            first,
            '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\t' | '\r' | '\n'
        )
    };
    if text.starts_with(starts_one) {
        format!("'{text}").into()
    } else {
        text.into()
    }
}
