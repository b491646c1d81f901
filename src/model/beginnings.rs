//! The beginning of a long text, whose tokens are those that the whole text begins with.
//!
//! Of a book a model reads the first 512 tokens; normalising and splitting all of it for them, once for each pair it is
//! in, takes seconds. What ends where no step of the tokenizer looks further has the same tokens as the whole text has up
//! to there:
//!
//! - Added tokens have no white space in them, so that none is found across the end.
//! - The normaliser goes character by character, or grapheme by grapheme, and leaves white space there. (Canonical order,
//!   which decomposition makes, concerns marks between two other characters; white space is none.)
//! - The splitting begins at white space, and goes on within what that leaves.

use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::{NormalizedString, Normalizer, Tokenizer};
use unicode_segmentation::GraphemeCursor;

/// Bytes for each token that is kept, in the shortest beginning: of words several times as many as they mostly need.
const BYTES_PER_TOKEN: usize = 16;
/// How much longer the next beginning is.
const GROWTH: usize = 4;
/// What a beginning may end before.
const ENDS: [char; 2] = [' ', '\n'];

/// Whether a tokenizer is one of those that the above was shown for. Others read whole texts.
pub fn are_enough_for(tokenizer: &Tokenizer) -> bool {
    let plain_tokens = tokenizer
        .get_added_tokens_decoder()
        .values()
        .all(|token| !token.normalized && !token.content.contains(char::is_whitespace));
    plain_tokens
        && tokenizer.get_normalizer().is_some_and(is_local)
        && tokenizer.get_pre_tokenizer().is_some_and(splits_at_white_space)
}

fn is_local(normalizer: &NormalizerWrapper) -> bool {
    let keeps = |end: char| {
        let mut text = NormalizedString::from(end.to_string());
        let done = normalizer.normalize(&mut text).is_ok();
        done && !text.is_empty() && text.get().chars().all(char::is_whitespace)
    };
    let is_known = matches!(
        normalizer,
        NormalizerWrapper::BertNormalizer(_) | NormalizerWrapper::Precompiled(_)
    );
    is_known && ENDS.into_iter().all(keeps)
}

fn splits_at_white_space(pre_tokenizer: &PreTokenizerWrapper) -> bool {
    match pre_tokenizer {
        PreTokenizerWrapper::BertPreTokenizer(_)
        | PreTokenizerWrapper::Whitespace(_)
        | PreTokenizerWrapper::WhitespaceSplit(_) => true,
        PreTokenizerWrapper::Sequence(steps) => steps.as_ref().first().is_some_and(splits_at_white_space),
        _ => false,
    }
}

/// Beginnings of a text, the shortest first, none of them much of it: for a model that keeps so many tokens.
pub fn of(text: &str, max_length: usize) -> impl Iterator<Item = &str> {
    let first = max_length.saturating_mul(BYTES_PER_TOKEN);
    let sizes = std::iter::successors(Some(first), |size| size.checked_mul(GROWTH));
    sizes
        .take_while(|size| *size <= text.len() / 2)
        .filter_map(|size| (size / GROWTH..size).rev().find(|&end| may_end(text, end)))
        .map(|end| &text[..end])
}

/// Whether a text may end there: before white space that is a grapheme of its own, and not within more of it, all of
/// which an added token that follows may take.
fn may_end(text: &str, end: usize) -> bool {
    let is_end = ENDS.into_iter().any(|space| text.as_bytes()[end] == space as u8);
    let is_boundary = |place| GraphemeCursor::new(place, text.len(), true).is_boundary(text, 0) == Ok(true);
    is_end
        && text[..end]
            .chars()
            .next_back()
            .is_some_and(|last| !last.is_whitespace())
        && is_boundary(end)
        && is_boundary(end + 1)
}
