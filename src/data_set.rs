//! The relations as files, in the forms that other trainers read.
//!
//! A data set has each text as often as it stands in a row: gigabytes where a log is large. So it is written query by
//! query; who wants it in one string gets it as far as a string goes.

use crate::error::{Code, Error, Result};
use crate::input::{Text, plain_id};
use crate::relations::{Relations, Row, best_of};
use crate::rows::written;

/// A file's text in pieces, in order.
pub type Pieces<'r> = Box<dyn Iterator<Item = Result<String>> + 'r>;

/// Bytes that fit into one string of JavaScript in every browser.
const LONGEST: usize = 500 << 20;

impl Relations {
    /// Bytes that the longest file of the data set has at most: that of [`Relations::csv`], whose rows repeat their texts,
    /// every letter a quote at worst.
    pub fn most_bytes(&self) -> u64 {
        let cells = |text: &Text| 2 * (text.ids[0].len() + text.text.len()) as u64 + 16;
        let row = |row: Row| {
            let [similar, dissimilar] =
                [row.similar, row.dissimilar].map(|number| cells(&self.documents.items[number as usize]));
            cells(&self.queries.items[row.query]) + similar + dissimilar
        };
        self.rows().map(row).sum()
    }

    /// Finetuner's rows as CSV: query, similar and dissimilar document with their ids, and the margin.
    pub fn csv(&self) -> Pieces<'_> {
        let header = [
            "query_id",
            "query",
            "similar_id",
            "similar",
            "dissimilar_id",
            "dissimilar",
            "margin",
        ];
        self.table(b',', &header, move |query| {
            let rows = self.rows_of(query).into_iter();
            rows.flat_map(|row| {
                let query = &self.queries.items[row.query];
                let similar = &self.documents.items[row.similar as usize];
                let dissimilar = &self.documents.items[row.dissimilar as usize];
                [query, similar, dissimilar]
                    .into_iter()
                    .flat_map(|text| [text.ids[0].clone(), text.text.clone()])
                    .chain([row.margin.to_string()])
            })
            .collect()
        })
    }

    /// Finetuner's rows in the form GPL trains on: query id, positive id, negative id, margin; no header. GPL knows no
    /// quotes, so ids stand as they are; those of an older download may have a tab in them, which is a space here.
    pub fn gpl_tsv(&self) -> Pieces<'_> {
        let id = |text: &Text| plain_id(&text.ids[0]);
        let rows = move |query| {
            let lines = self.rows_of(query).into_iter().map(|row| {
                let [similar, dissimilar] =
                    [row.similar, row.dissimilar].map(|number| &self.documents.items[number as usize]);
                let query = &self.queries.items[row.query];
                format!("{}\t{}\t{}\t{}\n", id(query), id(similar), id(dissimilar), row.margin)
            });
            Ok(lines.collect())
        };
        Box::new((0..self.candidates.len()).map(rows))
    }

    /// Listwise rows, one JSON object a query, in FlagEmbedding's form: the best document in `pos`, the others in
    /// `neg`, their logits in `pos_scores` and `neg_scores`. Queries with one scored document are left out.
    pub fn jsonl(&self) -> Pieces<'_> {
        Box::new((0..self.candidates.len()).filter_map(move |query| Some(Ok(self.listwise(query)?))))
    }

    fn listwise(&self, query: usize) -> Option<String> {
        let scored: Vec<(u32, f32)> = self.scored(query).collect();
        let best = best_of(&scored)?;
        if scored.len() < 2 {
            // Trainers draw from the others.
            return None;
        }
        let text = |document: u32| self.documents.items[document as usize].text.as_str();
        let rest = || {
            let others = scored.iter().enumerate().filter(|&(index, _)| index != best);
            others.map(|(_, scored)| scored)
        };
        let row = serde_json::json!({
            "query": self.queries.items[query].text,
            "pos": [text(scored[best].0)],
            "neg": rest().map(|&(document, _)| text(document)).collect::<Vec<_>>(),
            "pos_scores": [scored[best].1],
            "neg_scores": rest().map(|&(_, logit)| logit).collect::<Vec<_>>(),
        });
        Some(format!("{row}\n"))
    }

    /// All documents as BEIR's `corpus.jsonl`: `{"_id", "title", "text", "metadata": {"ids"}}`, where `ids` has the ids
    /// of all rows with this text, the one that stands in `_id` first.
    pub fn beir_corpus(&self) -> Pieces<'_> {
        Box::new(self.documents.items.iter().map(|document| {
            let (title, text) = apart(document);
            let row = serde_json::json!({
                "_id": document.ids[0],
                "title": title,
                "text": text,
                "metadata": { "ids": document.ids },
            });
            Ok(format!("{row}\n"))
        }))
    }

    /// All queries as BEIR's `queries.jsonl`: `{"_id", "text", "metadata": {"count", "ids"}}`, where `count` says how
    /// often the log has the query and `ids` is as in the corpus.
    pub fn beir_queries(&self) -> Pieces<'_> {
        Box::new(self.queries.items.iter().map(|query| {
            let row = serde_json::json!({
                "_id": query.ids[0],
                "text": query.text,
                "metadata": { "count": query.count, "ids": query.ids },
            });
            Ok(format!("{row}\n"))
        }))
    }

    /// BEIR's `qrels/train.tsv`: of each query the document that the cross-encoder finds best, with the score 1. It is no
    /// person's judgement; trainers that read the folder ask for one.
    pub fn beir_qrels(&self) -> Pieces<'_> {
        let header = ["query-id", "corpus-id", "score"];
        self.table(b'\t', &header, move |query| {
            let scored: Vec<(u32, f32)> = self.scored(query).collect();
            let best = best_of(&scored).map(|best| &self.documents.items[scored[best].0 as usize].ids[0]);
            best.map_or(Vec::new(), |document| {
                vec![self.queries.items[query].ids[0].clone(), document.clone(), "1".into()]
            })
        })
    }

    /// Every candidate with rank (from 1, among the query's candidates), cosine and logit, tab-separated; the logit is
    /// empty where not scored.
    pub fn scores_tsv(&self) -> Pieces<'_> {
        let header = ["query-id", "corpus-id", "rank", "cosine", "logit"];
        self.table(b'\t', &header, move |query| {
            let ranked = (1..).zip(&self.candidates[query]);
            let cells = ranked.flat_map(|(rank, candidate): (usize, _)| {
                [
                    self.queries.items[query].ids[0].clone(),
                    self.documents.items[candidate.document as usize].ids[0].clone(),
                    rank.to_string(),
                    candidate.cosine.to_string(),
                    candidate.logit.map(|logit| logit.to_string()).unwrap_or_default(),
                ]
            });
            cells.collect()
        })
    }

    /// A table with a header; `cells` are those of a query's rows, one row after the other.
    fn table<'r>(&'r self, delimiter: u8, header: &[&str], cells: impl Fn(usize) -> Vec<String> + 'r) -> Pieces<'r> {
        let columns = header.len();
        let none: [Vec<String>; 0] = [];
        let header = written(delimiter, Some(header), none.into_iter());
        let of_query = move |query| {
            let cells = cells(query);
            written(delimiter, None, cells.chunks(columns))
        };
        Box::new(std::iter::once(header).chain((0..self.candidates.len()).map(of_query)))
    }
}

/// A text that is there already.
pub fn in_one_piece(text: String) -> Pieces<'static> {
    Box::new(std::iter::once(Ok(text)))
}

/// A file in one string.
///
/// # Errors
/// [`Code::Option`] where it is longer than a string may be, or than there is memory for.
pub fn whole(pieces: Pieces<'_>) -> Result<String> {
    let mut text = String::new();
    for piece in pieces {
        let piece = piece?;
        if text.len() + piece.len() > LONGEST || text.try_reserve(piece.len()).is_err() {
            return Err(Error::new(
                Code::Option,
                "The data set is too long for one string. It is in the download, in the folder data.",
            ));
        }
        text.push_str(&piece);
    }
    Ok(text)
}

/// Title and text of a document, which are encoded with one space between them.
fn apart(document: &Text) -> (&str, &str) {
    let title = document.title.as_deref().unwrap_or_default();
    match document.text.strip_prefix(title) {
        Some(text) => (title, text.strip_prefix(' ').unwrap_or(text)),
        None => ("", &document.text),
    }
}
