//! BM25: documents ranked by the words they share with a query, without any model.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use crate::error::{Code, Error, Result};
use crate::job::Job;
use crate::search::Neighbour;

/// The two constants of [`Bm25`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Bm25Options {
    /// How slowly more occurrences of a word stop mattering; not negative. 0: only whether it occurs counts.
    pub k1: f32,
    /// How much a long document is held against it: 0 not at all, 1 in proportion to its length.
    pub b: f32,
}

impl Default for Bm25Options {
    /// 0.9 and 0.4, which suit passages (Anserini's and BEIR's choice).
    fn default() -> Self {
        Self { k1: 0.9, b: 0.4 }
    }
}

/// An inverted index that ranks by BM25 (Robertson and others 1994) in the form of Lucene 8 and later:
///
/// ```text
/// score(q, d) = Σ over the words t of q, repeated ones counted again:  idf(t) · tf / (tf + k1 · (1 − b + b · |d| / mean |d|))
/// idf(t)      = ln(1 + (N − df + 0.5) / (df + 0.5))
/// ```
///
/// tf is how often t is in d, |d| the number of d's words, df the number of documents with t, N that of all documents.
/// Unlike in Lucene, |d| is exact. Words are those of [`words`].
///
/// A posting (a word in a document) takes one to three bytes, so the index is smaller than the texts.
pub struct Bm25 {
    numbers: HashMap<Box<str>, u32>,
    postings: Vec<Postings>,
    /// `k1 · (1 − b + b · |d| / mean |d|)` of each document.
    norms: Vec<f32>,
}

/// The words of a text: those of Unicode's word boundaries (UAX #29) that have a letter or a digit, in lower case.
///
/// There is no stemming and no list of stop words, so no language is favoured. Where words are written without spaces
/// between them (Chinese, Japanese, Thai), each character of Han, Hiragana or Thai is a word.
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.unicode_words().map(|word| {
        if word.is_ascii() {
            word.to_ascii_lowercase()
        } else {
            word.to_lowercase()
        }
    })
}

/// Words looked up or counted between two chances for other work: a few milliseconds.
const WORDS_AT_ONCE: usize = 4096;

impl Bm25 {
    /// The index of `documents`, which are numbered from 0 as they come.
    ///
    /// # Errors
    /// [`Code::Option`] if a constant is out of range; [`Code::Cancelled`]
    pub async fn build<'t>(
        documents: impl IntoIterator<Item = &'t str>,
        options: Bm25Options,
        job: &Job<'_>,
    ) -> Result<Self> {
        let Bm25Options { k1, b } = options;
        if !(k1.is_finite() && k1 >= 0.0 && (0.0..=1.0).contains(&b)) {
            return Err(Error::new(
                Code::Option,
                format!("BM25 needs k1 of at least 0 and b between 0 and 1, not {k1} and {b}."),
            ));
        }
        let mut numbers: HashMap<Box<str>, u32> = HashMap::new();
        let mut postings: Vec<Postings> = Vec::new();
        let mut lengths: Vec<u32> = Vec::new();
        let mut in_document: Vec<u32> = Vec::new();
        let mut since_breath = 0;
        for (document, text) in (0u32..).zip(documents) {
            in_document.clear();
            for word in words(text) {
                let next = postings.len() as u32;
                let number = match numbers.get(word.as_str()) {
                    Some(&number) => number,
                    None => {
                        numbers.insert(word.into_boxed_str(), next);
                        postings.push(Postings::default());
                        next
                    }
                };
                in_document.push(number);
                since_breath += 1;
                if since_breath == WORDS_AT_ONCE {
                    since_breath = 0;
                    job.breathe().await?;
                }
            }
            in_document.sort_unstable();
            for occurrences in in_document.chunk_by(|a, b| a == b) {
                postings[occurrences[0] as usize].push(document, occurrences.len() as u32);
            }
            lengths.push(in_document.len() as u32);
        }
        let all: f64 = lengths.iter().map(|&length| f64::from(length)).sum();
        let mean = (all / lengths.len().max(1) as f64).max(f64::MIN_POSITIVE);
        let (k1, b) = (f64::from(k1), f64::from(b));
        let norm = |length: u32| (k1 * (1.0 - b + b * f64::from(length) / mean)) as f32;
        Ok(Self {
            numbers,
            postings,
            norms: lengths.into_iter().map(norm).collect(),
        })
    }

    /// How many documents are indexed.
    pub fn len(&self) -> usize {
        self.norms.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.norms.is_empty()
    }

    /// The `k` documents of the highest score, best first; ties go to the lower document number.
    ///
    /// Documents that share no word with the query are not found, so there may be fewer than `k`. A
    /// [`Neighbour::score`] is the BM25 score here.
    pub fn top_k(&self, query: &str, k: usize) -> Vec<Neighbour> {
        let mut scores = vec![0.0f32; self.len()];
        for word in words(query) {
            let Some(&number) = self.numbers.get(word.as_str()) else {
                continue;
            };
            let postings = &self.postings[number as usize];
            let idf = self.idf(postings.documents);
            for (document, occurrences) in postings.iter() {
                let tf = occurrences as f32;
                scores[document as usize] += idf * (tf / (tf + self.norms[document as usize]));
            }
        }
        let hits = (0u32..).zip(scores).filter(|&(_, score)| score > 0.0);
        let mut hits: Vec<Neighbour> = hits.map(|(document, score)| Neighbour { document, score }).collect();
        let better = |a: &Neighbour, b: &Neighbour| b.score.total_cmp(&a.score).then(a.document.cmp(&b.document));
        if k == 0 {
            hits.clear();
        } else if hits.len() > k {
            hits.select_nth_unstable_by(k - 1, better);
            hits.truncate(k);
        }
        hits.sort_unstable_by(better);
        hits
    }

    /// [`Bm25::top_k`] of each query; `finished` is told how many more queries are done.
    ///
    /// # Errors
    /// [`Code::Cancelled`]
    pub async fn search(
        &self,
        queries: &[&str],
        k: usize,
        job: &Job<'_>,
        finished: impl Fn(usize),
    ) -> Result<Vec<Vec<Neighbour>>> {
        let mut found = Vec::with_capacity(queries.len());
        for query in queries {
            job.breathe().await?;
            found.push(self.top_k(query, k));
            finished(1);
        }
        Ok(found)
    }

    fn idf(&self, documents: u32) -> f32 {
        let (all, with) = (self.len() as f64, f64::from(documents));
        ((all - with + 0.5) / (with + 0.5)).ln_1p() as f32
    }
}

/// The documents that have one word, in ascending order, with how often each has it.
///
/// As in Lucene's first format, a posting is the distance to the document before, shifted left, with the lowest bit set
/// where the word occurs once and the count after it where it does not; both in seven bits a byte.
#[derive(Default)]
struct Postings {
    bytes: Vec<u8>,
    documents: u32,
    last: u32,
}

impl Postings {
    fn push(&mut self, document: u32, occurrences: u32) {
        let distance = u64::from(document - self.last) << 1;
        if occurrences == 1 {
            push_number(&mut self.bytes, distance | 1);
        } else {
            push_number(&mut self.bytes, distance);
            push_number(&mut self.bytes, u64::from(occurrences));
        }
        self.documents += 1;
        self.last = document;
    }

    fn iter(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let mut rest = self.bytes.as_slice();
        let mut document = 0;
        std::iter::from_fn(move || {
            let distance = take_number(&mut rest)?;
            document += (distance >> 1) as u32;
            let occurrences = if distance & 1 == 1 {
                1
            } else {
                take_number(&mut rest)? as u32
            };
            Some((document, occurrences))
        })
    }
}

fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    Some(number)
}
