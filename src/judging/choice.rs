//! Which documents of which queries a person is asked about.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::random::Random;

/// How many documents of a ranking count: nDCG@10 looks no further.
pub(super) const DEPTH: usize = 10;

/// One query's documents in three orders, best first. Only the first ten count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rankings {
    /// The base model's.
    pub base: Vec<u32>,
    /// The tuned model's.
    pub tuned: Vec<u32>,
    /// The cross-encoder's. Where it scored fewer than ten, the base model's other documents follow, as they do for
    /// whoever reranks the first few; where it scored none, it is the base model's.
    pub cross_encoder: Vec<u32>,
}

impl Rankings {
    /// The first ten of each.
    fn cut(&self) -> Self {
        let first = |ranking: &[u32]| ranking.iter().copied().take(DEPTH).collect::<Vec<u32>>();
        let mut cross_encoder = first(&self.cross_encoder);
        for &document in &self.base {
            if cross_encoder.len() < DEPTH && !cross_encoder.contains(&document) {
                cross_encoder.push(document);
            }
        }
        Self {
            base: first(&self.base),
            tuned: first(&self.tuned),
            cross_encoder,
        }
    }

    fn differ(&self) -> bool {
        self.base != self.tuned || self.base != self.cross_encoder
    }

    /// The documents that not all three have at the same rank, with the largest difference of their discounts.
    fn telling(&self) -> Vec<(u32, f64)> {
        let rankings = [&self.base, &self.tuned, &self.cross_encoder];
        let mut documents: Vec<u32> = rankings.into_iter().flatten().copied().collect();
        documents.sort_unstable();
        documents.dedup();
        let difference = |document: u32| {
            let discounts = rankings.map(|ranking| discount(ranking, document));
            let highest = discounts.into_iter().fold(0.0, f64::max);
            highest - discounts.into_iter().fold(1.0, f64::min)
        };
        documents
            .into_iter()
            .map(|document| (document, difference(document)))
            .filter(|&(_, difference)| difference > 0.0)
            .collect()
    }
}

/// What a relevant document is worth at its rank: 1 / log2(1 + rank), 0 beyond the tenth.
fn discount(ranking: &[u32], document: u32) -> f64 {
    let place = ranking.iter().position(|&ranked| ranked == document);
    place.map_or(0.0, |place| 1.0 / (place as f64 + 2.0).log2())
}

/// How much a person is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct JudgingOptions {
    /// Most queries; at least 1.
    pub queries: usize,
    /// Most documents of one query; at least 1.
    pub documents: usize,
    /// What queries and orders are drawn from.
    pub seed: u64,
}

impl Default for JudgingOptions {
    /// 50 queries of up to 6 documents.
    fn default() -> Self {
        Self {
            queries: 50,
            documents: 6,
            seed: 0,
        }
    }
}

/// The questions to a person, and what is needed to make a [verdict](Judging::verdict) of the answers.
///
/// Serialised, it has the questions but not the rankings: whoever answers is not to know whose a document is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Judging {
    /// The questions, in random order: also the first few are a random sample.
    pub items: Vec<JudgingItem>,
    /// Queries there are.
    pub queries: usize,
    /// Queries among them whose first ten documents differ between any two of the three rankings; the items are drawn
    /// from these.
    pub differing: usize,
    /// Queries that base and tuned model rank identically: their difference is 0 by definition.
    pub unchanged: usize,
    /// The first ten documents of each item's query.
    #[serde(skip)]
    pub(super) rankings: Vec<Rankings>,
    #[serde(skip)]
    pub(super) seed: u64,
}

/// One query with the documents whose relevance is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JudgingItem {
    /// The query's number.
    pub query: usize,
    /// The documents' numbers, in random order.
    pub documents: Vec<u32>,
}

impl Judging {
    /// Draws queries at random from those whose rankings (one of `rankings` a query) differ, and takes of each the
    /// documents whose discount 1 / log2(1 + rank) differs most between any two of the rankings.
    ///
    /// Where the last places are tied, chance decides, so that no ranking is favoured: two documents that changed places
    /// are tied, and to ask about one of them only is to ask about one ranking's choice.
    ///
    /// The lot of each query and document is drawn from the seed and its number alone. So the same questions come again
    /// in a later session, and nearly the same if a few rankings have changed.
    ///
    /// # Errors
    /// [`Code::Option`] if no query or no document is asked for.
    pub fn choose(rankings: &[Rankings], options: &JudgingOptions) -> Result<Self> {
        if options.queries == 0 || options.documents == 0 {
            return Err(Error::new(
                Code::Option,
                "Judging needs at least 1 query and 1 document of each.",
            ));
        }
        let cut: Vec<Rankings> = rankings.iter().map(Rankings::cut).collect();
        let unchanged = cut.iter().filter(|query| query.base == query.tuned).count();
        let mut differing: Vec<usize> = (0..cut.len()).filter(|&query| cut[query].differ()).collect();
        let count = differing.len();
        differing.sort_by_cached_key(|&query| (lot(options.seed, query as u64), query));
        differing.truncate(options.queries);
        let items = differing.iter().map(|&query| {
            let lot_of_query = lot(options.seed, query as u64);
            let mut documents: Vec<(u64, u32, f64)> = cut[query]
                .telling()
                .into_iter()
                .map(|(document, difference)| (lot(lot_of_query, u64::from(document)), document, difference))
                .collect();
            documents.sort_by_key(|&(lot, document, _)| (lot, document));
            // Stable, so ties stay in the order of their lots.
            let mut chosen = documents.clone();
            chosen.sort_by(|a, b| b.2.total_cmp(&a.2));
            chosen.truncate(options.documents);
            // Another order than that in which ties were decided.
            chosen.sort_by_key(|&(lot, document, _)| Reverse((lot.rotate_left(32), document)));
            JudgingItem {
                query,
                documents: chosen.into_iter().map(|(_, document, _)| document).collect(),
            }
        });
        Ok(Self {
            items: items.collect(),
            queries: cut.len(),
            differing: count,
            unchanged,
            rankings: differing.iter().map(|&query| cut[query].clone()).collect(),
            seed: options.seed,
        })
    }

    /// Whether this document of this query is asked about.
    pub fn asks(&self, query: usize, document: u32) -> bool {
        let item = self.items.iter().find(|item| item.query == query);
        item.is_some_and(|item| item.documents.contains(&document))
    }
}

/// A random number that belongs to `number` for this seed, whatever other numbers there are.
fn lot(seed: u64, number: u64) -> u64 {
    // 2^64 divided by the golden ratio spreads numbers that follow each other.
    let spread = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Random::with_seed(seed ^ spread).bits()
}
