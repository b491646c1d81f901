//! The first layer's queries, keys and values, looked up instead of multiplied.
//!
//! A token's first state is `γ (s - mean(s)) f + β`, where `s` is its word's row plus its place's (that of its position
//! and that of its type) and `f` is 1 over the standard deviation of `s`. The mean of a sum is the sum of the means, so
//! with weights `W` and bias `b`
//!
//! ```text
//! W state + b = f (W γ (word - mean(word)) + W γ (place - mean(place))) + (W β + b)
//! ```
//!
//! Texts have few places, and few words are most of their tokens: both products are kept for the next token that has
//! them, and are used from the first time on, so that no result depends on what is kept. As they are made once, they are
//! made exactly.

use std::collections::{HashMap, HashSet};
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard};

use super::batch::Batch;
use super::table::Table;
use crate::cpu::int16::{Int16Matrix, Int16Scratch};
use crate::cpu::rows::{LayerNorm, combine};
use crate::model::parts::{Embeddings, Parts};

/// Numbers that are kept of words: 20 MB, the rows of 4340 words where a state has 384 numbers.
const WORD_NUMBERS: usize = 5_000_000;

/// Numbers that are kept of places: 10 MB, twice as many places as texts of 512 tokens in pairs have where a state has
/// 384 numbers.
const PLACE_NUMBERS: usize = 2_500_000;

/// A part of a token's first state.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    Word(u32),
    Place { type_id: u32, position: usize },
}

/// What parts are multiplied to, [3 * hidden] each.
type Rows = HashMap<Part, Box<[f32]>>;

/// What a model's first layer makes of parts of tokens, as far as it is kept.
pub struct FirstProjections {
    kept: RwLock<Kept>,
    /// `W β + b`, once it is needed.
    rest: OnceLock<Vec<f32>>,
}

struct Kept {
    rows: Rows,
    room: Room,
}

/// How many more numbers are kept.
#[derive(Clone, Copy)]
struct Room {
    words: usize,
    /// Of their own: those of long texts come late, and every such text has them.
    places: usize,
}

impl Default for FirstProjections {
    fn default() -> Self {
        Self::with_room(Room {
            words: WORD_NUMBERS,
            places: PLACE_NUMBERS,
        })
    }
}

impl FirstProjections {
    fn with_room(room: Room) -> Self {
        Self {
            kept: RwLock::new(Kept {
                rows: Rows::new(),
                room,
            }),
            rest: OnceLock::new(),
        }
    }

    fn kept(&self) -> RwLockReadGuard<'_, Kept> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what there is room for, and returns the others. First come, first kept: frequent words come early.
    fn keep(&self, rows: Vec<(Part, Box<[f32]>)>) -> Rows {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        let mut others = Rows::new();
        for (part, row) in rows {
            // Another thread may have computed the same.
            if kept.rows.contains_key(&part) {
                continue;
            }
            let room = match part {
                Part::Word(_) => &mut kept.room.words,
                Part::Place { .. } => &mut kept.room.places,
            };
            match room.checked_sub(row.len()) {
                Some(left) => {
                    *room = left;
                    kept.rows.insert(part, row);
                }
                None => {
                    others.insert(part, row);
                }
            }
        }
        others
    }
}

/// The projections of a batch's tokens, [n, 3 * hidden], into `out`, which is made as long as it has to be; `matrix` and
/// `bias` are the first layer's, `factors` what normalising has scaled the tokens' sums by.
///
/// Nobody waits for a product: threads that miss the same part at the same time compute it each.
pub fn look_up(
    embeddings: &Embeddings<impl Parts<Table = Table, Norm = LayerNorm, FirstProjections = FirstProjections>>,
    matrix: &Int16Matrix,
    bias: &[f32],
    batch: &Batch,
    factors: &[f32],
    out: &mut Vec<f32>,
    scratch: &mut Int16Scratch,
) {
    let projections = &embeddings.first_projections;
    let parts = || {
        let tokens = batch.ids_and_places();
        tokens.map(|(id, type_id, position)| [Part::Word(id), Part::Place { type_id, position }])
    };
    let missing: Vec<Part> = {
        let kept = projections.kept();
        let mut seen = HashSet::new();
        let is_missing = |part: &Part| !kept.rows.contains_key(part) && seen.insert(*part);
        parts().flatten().filter(is_missing).collect()
    };
    let others = if missing.is_empty() {
        Rows::new()
    } else {
        let products = multiply(embeddings, matrix, &missing, scratch);
        let rows = products.chunks_exact(bias.len()).map(Box::from);
        // Copied before the lock is taken.
        projections.keep(missing.into_iter().zip(rows).collect())
    };
    let rest = projections.rest.get_or_init(|| {
        let mut rest = vec![0.0; bias.len()];
        matrix.exact_product(&mut embeddings.norm.beta.clone(), bias, &mut rest, scratch);
        rest
    });
    out.resize(batch.ids.len() * bias.len(), 0.0);
    let kept = projections.kept();
    let row = |part: &Part| kept.rows.get(part).unwrap_or_else(|| &others[part]);
    let rows = out.chunks_exact_mut(bias.len());
    for (([word, place], factor), out) in parts().zip(factors).zip(rows) {
        combine(row(&word), row(&place), *factor, rest, out);
    }
}

/// `W γ (part - mean(part))` of parts, row by row.
fn multiply(
    embeddings: &Embeddings<impl Parts<Table = Table, Norm = LayerNorm>>,
    matrix: &Int16Matrix,
    parts: &[Part],
    scratch: &mut Int16Scratch,
) -> Vec<f32> {
    let Embeddings {
        words,
        positions,
        types,
        norm,
        ..
    } = embeddings;
    let mut rows = Vec::with_capacity(parts.len() * norm.gamma.len());
    for part in parts {
        let start = rows.len();
        match *part {
            Part::Word(id) => rows.extend_from_slice(words.row(id as usize)),
            Part::Place { type_id, position } => {
                let pairs = types.row(type_id as usize).iter().zip(positions.row(position));
                rows.extend(pairs.map(|(kind, position)| kind + position));
            }
        }
        norm.center(&mut rows[start..]);
    }
    let mut products = vec![0.0; parts.len() * matrix.outputs()];
    let no_bias = vec![0.0; matrix.outputs()];
    matrix.exact_product(&mut rows, &no_bias, &mut products, scratch);
    products
}

#[cfg(test)]
mod tests {
    use super::super::{Cpu, tests};
    use super::*;
    use crate::device::Dtype;
    use crate::model::arithmetic::Arithmetic;
    use crate::model::parts::Layer;

    const WORDS: u32 = 30;
    const POSITIONS: usize = 20;
    const HEADS: usize = 4;
    const CPU: Cpu = Cpu {
        dtype: Dtype::Int16,
        largest_inputs: None,
    };
    /// Widths that end with a panel, and others.
    const WIDTHS: [usize; 3] = [64, 40, 12];

    fn embeddings(hidden: usize) -> Embeddings<Cpu> {
        let mut random = fastrand::Rng::with_seed(7);
        let mut numbers = |count: usize| tests::numbers(count * hidden, &mut random);
        let mut table = |count| Table::new(numbers(count), hidden);
        Embeddings {
            words: table(WORDS as usize),
            positions: table(POSITIONS),
            types: table(2),
            norm: LayerNorm {
                gamma: numbers(1),
                beta: numbers(1),
                epsilon: 1e-12,
            },
            first_projections: FirstProjections::default(),
        }
    }

    fn layer(hidden: usize) -> Layer<Cpu> {
        tests::layer(Dtype::Int16, hidden, &mut fastrand::Rng::with_seed(8))
    }

    /// Texts in pairs of types, of words that come again.
    fn batches() -> Vec<Batch> {
        let mut random = fastrand::Rng::with_seed(9);
        let batch = |lengths: Vec<usize>| {
            let count = lengths.iter().sum();
            Batch {
                ids: (0..count).map(|_| random.u32(..WORDS)).collect(),
                type_ids: (0..count).map(|_| random.u32(..2)).collect(),
                lengths,
            }
        };
        [vec![1, 7, 3], vec![20, 2], vec![5], vec![16, 16, 16, 16]]
            .map(batch)
            .into_iter()
            .collect()
    }

    fn first_layer(embeddings: &Embeddings<Cpu>, batches: &[Batch]) -> Vec<Vec<u32>> {
        let hidden = embeddings.norm.gamma.len();
        let states = CPU.first_layer_for_all(embeddings, &layer(hidden), HEADS, batches);
        let bits = |states: Vec<f32>| states.into_iter().map(f32::to_bits).collect();
        states.into_iter().map(bits).collect()
    }

    fn distance(a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    fn with_room(words: usize, places: usize, hidden: usize) -> Embeddings<Cpu> {
        Embeddings {
            first_projections: FirstProjections::with_room(Room {
                words: words * 3 * hidden,
                places: places * 3 * hidden,
            }),
            ..embeddings(hidden)
        }
    }

    #[test]
    fn what_is_looked_up_is_as_near_to_fp32_as_what_is_multiplied() {
        for hidden in WIDTHS {
            let embeddings = embeddings(hidden);
            let layer = |dtype| tests::layer(dtype, hidden, &mut fastrand::Rng::with_seed(8));
            let (exact, layer) = (layer(Dtype::Fp32), layer(Dtype::Int16));
            let batches = batches();
            let found = CPU.first_layer_for_all(&embeddings, &layer, HEADS, &batches);
            for (batch, found) in batches.iter().zip(found) {
                let states = CPU.embed(&embeddings, batch);
                let expected = Cpu::new(Dtype::Fp32).layer(&exact, HEADS, states.clone(), batch);
                let multiplied = CPU.layer(&layer, HEADS, states, batch);
                let [looked_up, multiplied] = [found, multiplied].map(|states| distance(&states, &expected));
                assert!(
                    looked_up <= 1.2 * multiplied,
                    "hidden {hidden}: {looked_up:e}, {multiplied:e}"
                );
            }
        }
    }

    #[test]
    fn what_is_kept_changes_nothing() {
        for hidden in WIDTHS {
            let batches = batches();
            let embeddings = embeddings(hidden);
            let expected = first_layer(&embeddings, &batches);
            assert_eq!(first_layer(&embeddings, &batches), expected, "all kept");
            for (words, places) in [(0, 100), (2, 100), (100, 3), (0, 0)] {
                let full = with_room(words, places, hidden);
                for _ in 0..2 {
                    let found = first_layer(&full, &batches);
                    assert_eq!(found, expected, "room for {words} words and {places} places");
                }
            }
        }
    }

    #[test]
    fn batches_do_not_depend_on_those_before() {
        for (hidden, room) in WIDTHS.into_iter().flat_map(|hidden| [(hidden, 2), (hidden, 100)]) {
            let mut expected = first_layer(&with_room(room, room, hidden), &batches());
            expected.reverse();
            let embeddings = with_room(room, room, hidden);
            let one_by_one = batches()
                .into_iter()
                .rev()
                .flat_map(|batch| first_layer(&embeddings, &[batch]));
            assert_eq!(one_by_one.collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let batches = batches();
        let tokens = || batches.iter().flat_map(Batch::ids_and_places);
        let words: HashSet<u32> = tokens().map(|(id, _, _)| id).collect();
        let places: HashSet<_> = tokens().map(|(_, type_id, position)| (type_id, position)).collect();
        for (room_for_words, room_for_places) in [(0, 100), (2, 3), (100, 0)] {
            let embeddings = with_room(room_for_words, room_for_places, 12);
            for _ in 0..2 {
                first_layer(&embeddings, &batches);
                let kept = embeddings.first_projections.kept();
                let kept_words = kept.rows.keys().filter(|part| matches!(part, Part::Word(_))).count();
                assert_eq!(kept_words, room_for_words.min(words.len()));
                assert_eq!(kept.rows.len() - kept_words, room_for_places.min(places.len()));
            }
        }
    }
}
