//! What was trained, as the download takes it.

use super::tensors;
use crate::error::{Code, Error, Result};
use crate::{model, tune};

/// A trained adapter, its numbers borrowed.
#[derive(Clone, Debug)]
pub enum Adapter<'a> {
    /// Heads on the base encoder's normalised vectors: q' = normalize(q + W q), and the same for documents with a
    /// matrix of their own.
    Heads {
        /// D, the numbers in a vector.
        dims: usize,
        /// W of the queries, D x D, row-major: row i makes number i of W q.
        query: &'a [f32],
        /// W of the documents, which keep their vectors if there is none.
        document: Option<&'a [f32]>,
    },
    /// Low-rank changes of the encoder's own layers.
    Lora(Lora<'a>),
}

/// Low-rank changes of linear layers (LoRA, Hu et al. 2021): a layer's weight becomes W + alpha / rank · B A.
#[derive(Clone, Debug)]
pub struct Lora<'a> {
    /// Rows of each A, columns of each B.
    pub rank: usize,
    /// The factor of B A is alpha / rank.
    pub alpha: f32,
    /// Whether documents go through the changed encoder too; otherwise they keep the base encoder's vectors.
    pub documents: bool,
    /// One a changed layer.
    pub matrices: Vec<LoraMatrix<'a>>,
}

/// The change of one linear layer.
#[derive(Clone, Copy, Debug)]
pub struct LoraMatrix<'a> {
    /// The layer's name in a `BertModel`, for example `encoder.layer.0.attention.self.query`.
    pub module: &'a str,
    /// Numbers that go in.
    pub inputs: usize,
    /// Numbers that come out.
    pub outputs: usize,
    /// A, [rank, inputs], row by row.
    pub a: &'a [f32],
    /// B, [outputs, rank], row by row.
    pub b: &'a [f32],
}

impl<'a> From<&'a tune::Adapter> for Adapter<'a> {
    fn from(adapter: &'a tune::Adapter) -> Self {
        match adapter {
            tune::Adapter::Heads { query, document } => Self::Heads {
                dims: query.dims,
                query: &query.weight,
                document: document.as_ref().map(|head| &head.weight[..]),
            },
            tune::Adapter::Lora { lora, documents } => Self::Lora(Lora::new(lora, *documents)),
        }
    }
}

impl<'a> Lora<'a> {
    /// The changes of an encoder; `documents` says whether documents go through them too.
    pub fn new(lora: &'a model::Lora, documents: bool) -> Self {
        let matrices = lora.layers.iter().map(|layer| LoraMatrix {
            module: &layer.module,
            inputs: layer.inputs,
            outputs: layer.outputs,
            a: &layer.a,
            b: &layer.b,
        });
        Self {
            rank: lora.rank,
            alpha: lora.alpha,
            documents,
            matrices: matrices.collect(),
        }
    }
}

impl Adapter<'_> {
    /// Whether documents keep the base encoder's vectors, so that an index stays as it is.
    pub fn keeps_documents(&self) -> bool {
        match self {
            Self::Heads { document, .. } => document.is_none(),
            Self::Lora(lora) => !lora.documents,
        }
    }
}

impl Lora<'_> {
    /// The factor of B A.
    pub(super) fn factor(&self) -> f32 {
        self.alpha / self.rank as f32
    }

    /// The changed layers, by name.
    pub(super) fn sorted(&self) -> Vec<LoraMatrix<'_>> {
        let mut matrices = self.matrices.clone();
        matrices.sort_by_key(|matrix| matrix.module);
        matrices
    }

    /// Refuses changes that contradict themselves.
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |what: String| Err(Error::new(Code::Internal, format!("A LoRA adapter {what}.")));
        if self.rank == 0 || !self.factor().is_finite() || self.matrices.is_empty() {
            let (rank, alpha, layers) = (self.rank, self.alpha, self.matrices.len());
            return refuse(format!("has rank {rank}, alpha {alpha} and {layers} layers"));
        }
        let sorted = self.sorted();
        if let Some(twice) = sorted.windows(2).find(|pair| pair[0].module == pair[1].module) {
            return refuse(format!("changes {} twice", twice[0].module));
        }
        for matrix in &sorted {
            let sizes = [matrix.inputs, matrix.outputs].map(|size| size.checked_mul(self.rank));
            let fits = matrix.inputs > 0 && sizes == [Some(matrix.a.len()), Some(matrix.b.len())];
            if matrix.module.is_empty() || !fits {
                return refuse(format!("has matrices of a wrong size for {:?}", matrix.module));
            }
            if !tensors::all_finite(matrix.a) || !tensors::all_finite(matrix.b) {
                return refuse(format!("has a number for {} that is not finite", matrix.module));
            }
        }
        Ok(())
    }
}
