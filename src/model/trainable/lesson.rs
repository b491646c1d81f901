//! A part of a training step as it goes to another thread: a safetensors file of the changes, the texts' tokens and, where
//! gradients are followed back, those of the texts' vectors.

use std::collections::HashMap;
use std::ops::Range;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use crate::error::{Code, Error, Result};
use crate::model::stored::floats;
use crate::model::tokenizer::Tokenized;

/// A low-rank change with its numbers on the host.
pub struct ChangeValues {
    /// The layer's full name.
    pub module: String,
    /// Rows of A, columns of B.
    pub rank: usize,
    /// `alpha / rank`.
    pub factor: f32,
    /// A, [rank, in].
    pub a: Vec<f32>,
    /// B, [out, rank].
    pub b: Vec<f32>,
}

/// What one is told who does a part of a training step.
pub enum Lesson {
    /// Texts go through the changed encoder: what comes back are their vectors.
    Forward(Texts),
    /// The same, and what their gradients need is kept under a number.
    ForwardAndKeep(Texts, u64),
    /// Texts go through, and these gradients of their vectors, [texts, dims], are followed back: what comes back are those
    /// of the changes, for each piece by itself.
    ForwardAndBack(Texts, Vec<f32>),
    /// These gradients of the vectors of texts that were kept under that number are followed back.
    Back(Vec<f32>, u64),
}

/// Texts that go through an encoder.
pub struct Texts {
    /// In the order in which their gradients are handed back.
    pub changes: Vec<ChangeValues>,
    /// One after the other.
    pub texts: Vec<Tokenized>,
    /// Those that go through together, and then the next ones.
    pub pieces: Vec<Range<usize>>,
}

/// Pieces of a step's texts that a lesson is about.
#[derive(Clone, Copy)]
pub struct Part<'p> {
    /// All texts of the step.
    pub texts: &'p [Tokenized],
    /// Those of each piece, one after the other.
    pub pieces: &'p [Range<usize>],
}

const FACTORS: &str = "factors";
const RANKS: &str = "ranks";
const LENGTHS: &str = "lengths";
const IDS: &str = "ids";
const TYPE_IDS: &str = "type_ids";
const PIECES: &str = "pieces";
const OF_VECTORS: &str = "of_vectors";
/// In the metadata: the changes' modules in their order, one a line.
const MODULES: &str = "modules";
/// In the metadata: the number under which texts are kept.
const KEPT: &str = "kept";

/// Name, type and bytes of a tensor.
type Written = (String, Dtype, Vec<u8>);

impl Part<'_> {
    /// [`Lesson::Forward`] as a file, or [`Lesson::ForwardAndKeep`].
    ///
    /// # Errors
    /// [`Code::Internal`]
    pub fn forward(&self, changes: &[ChangeValues], kept: Option<u64>) -> Result<Vec<u8>> {
        let mut metadata = self.metadata(changes);
        metadata.extend(kept.map(|number| (KEPT.to_owned(), number.to_string())));
        file(&self.tensors(changes), metadata)
    }

    /// [`Lesson::ForwardAndBack`] as a file; `of_vectors` are of all texts of the step.
    ///
    /// # Errors
    /// [`Code::Internal`]
    pub fn forward_and_back(&self, changes: &[ChangeValues], of_vectors: &[f32]) -> Result<Vec<u8>> {
        let mut tensors = self.tensors(changes);
        tensors.push(numbers(OF_VECTORS, self.own(of_vectors)));
        file(&tensors, self.metadata(changes))
    }

    /// [`Lesson::Back`] as a file; `of_vectors` are of all texts of the step.
    ///
    /// # Errors
    /// [`Code::Internal`]
    pub fn back(&self, kept: u64, of_vectors: &[f32]) -> Result<Vec<u8>> {
        let metadata = HashMap::from([(KEPT.to_owned(), kept.to_string())]);
        file(&[numbers(OF_VECTORS, self.own(of_vectors))], metadata)
    }

    fn own<'v>(&self, of_vectors: &'v [f32]) -> &'v [f32] {
        let (dims, texts) = (of_vectors.len() / self.texts.len().max(1), span(self.pieces));
        &of_vectors[texts.start * dims..texts.end * dims]
    }

    fn metadata(&self, changes: &[ChangeValues]) -> HashMap<String, String> {
        let modules: Vec<&str> = changes.iter().map(|change| &change.module[..]).collect();
        HashMap::from([(MODULES.to_owned(), modules.join("\n"))])
    }

    fn tensors(&self, changes: &[ChangeValues]) -> Vec<Written> {
        let texts = &self.texts[span(self.pieces)];
        let all = |ids: fn(&Tokenized) -> &[u32]| texts.iter().flat_map(ids).copied();
        let factors: Vec<f32> = changes.iter().map(|change| change.factor).collect();
        let mut tensors = vec![
            integers(LENGTHS, texts.iter().map(|text| text.ids.len() as u32)),
            integers(IDS, all(|text| &text.ids)),
            integers(TYPE_IDS, all(|text| &text.type_ids)),
            integers(PIECES, self.pieces.iter().map(|piece| piece.len() as u32)),
            integers(RANKS, changes.iter().map(|change| change.rank as u32)),
            numbers(FACTORS, &factors),
        ];
        for change in changes {
            tensors.push(numbers(&name(&change.module, "a"), &change.a));
            tensors.push(numbers(&name(&change.module, "b"), &change.b));
        }
        tensors
    }
}

/// The texts of pieces that lie one after the other.
pub fn span(pieces: &[Range<usize>]) -> Range<usize> {
    match pieces {
        [] => 0..0,
        [first, .., last] => first.start..last.end,
        [only] => only.clone(),
    }
}

impl Lesson {
    /// Reads what a [`Part`] has written.
    ///
    /// # Errors
    /// [`Code::Internal`] if it is something else.
    pub fn read(file: &[u8]) -> Result<Self> {
        let (_, header) = SafeTensors::read_metadata(file).map_err(internal)?;
        let tensors = SafeTensors::deserialize(file).map_err(internal)?;
        let of_vectors = tensors.tensor(OF_VECTORS).ok().map(|view| floats(view.data()));
        let metadata = header.metadata().as_ref();
        let told = |key: &str| metadata.and_then(|metadata| metadata.get(key));
        let kept = told(KEPT).and_then(|number| number.parse().ok());
        let texts = told(MODULES)
            .map(|modules| Texts::read(&tensors, modules))
            .transpose()?;
        match (texts, of_vectors, kept) {
            (Some(texts), None, None) => Ok(Self::Forward(texts)),
            (Some(texts), None, Some(number)) => Ok(Self::ForwardAndKeep(texts, number)),
            (Some(texts), Some(of_vectors), None) => Ok(Self::ForwardAndBack(texts, of_vectors)),
            (None, Some(of_vectors), Some(number)) => Ok(Self::Back(of_vectors, number)),
            _ => Err(internal("it is none")),
        }
    }
}

impl Texts {
    fn read(tensors: &SafeTensors, modules: &str) -> Result<Self> {
        let bytes = |name: &str| tensors.tensor(name).map(|view| view.data()).map_err(internal);
        let integers = |name: &str| -> Result<Vec<u32>> {
            let chunks = bytes(name)?.as_chunks::<4>().0.iter();
            Ok(chunks.map(|chunk| u32::from_le_bytes(*chunk)).collect())
        };
        let numbers = |name: &str| bytes(name).map(floats);
        let changes = modules.lines().zip(integers(RANKS)?).zip(numbers(FACTORS)?);
        let change = |((module, rank), factor): ((&str, u32), f32)| {
            Ok(ChangeValues {
                a: numbers(&name(module, "a"))?,
                b: numbers(&name(module, "b"))?,
                module: module.to_owned(),
                rank: rank as usize,
                factor,
            })
        };
        let (mut ids, mut type_ids) = (integers(IDS)?.into_iter(), integers(TYPE_IDS)?.into_iter());
        let text = |length: u32| Tokenized {
            ids: ids.by_ref().take(length as usize).collect(),
            type_ids: type_ids.by_ref().take(length as usize).collect(),
        };
        let pieces = integers(PIECES)?.into_iter().scan(0, |next, texts| {
            *next += texts as usize;
            Some(*next - texts as usize..*next)
        });
        Ok(Self {
            changes: changes.map(change).collect::<Result<_>>()?,
            texts: integers(LENGTHS)?.into_iter().map(text).collect(),
            pieces: pieces.collect(),
        })
    }
}

fn name(module: &str, matrix: &str) -> String {
    format!("{module}.{matrix}")
}

fn integers(name: &str, values: impl Iterator<Item = u32>) -> Written {
    (name.to_owned(), Dtype::U32, values.flat_map(u32::to_le_bytes).collect())
}

fn numbers(name: &str, values: &[f32]) -> Written {
    let mut bytes = Vec::with_capacity(4 * values.len());
    values
        .iter()
        .for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
    (name.to_owned(), Dtype::F32, bytes)
}

fn file(tensors: &[Written], metadata: HashMap<String, String>) -> Result<Vec<u8>> {
    let views = tensors.iter().map(|(name, dtype, bytes)| {
        Ok((
            name,
            TensorView::new(*dtype, vec![bytes.len() / 4], bytes).map_err(internal)?,
        ))
    });
    safetensors::serialize(views.collect::<Result<Vec<_>>>()?, Some(metadata)).map_err(internal)
}

fn internal(error: impl std::fmt::Display) -> Error {
    let text = format!("A part of a training step cannot be passed on: {error}.");
    Error::new(Code::Internal, text)
}
