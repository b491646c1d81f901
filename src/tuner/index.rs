//! Documents that can be searched.

use std::rc::Rc;

use crate::device::Device;
use crate::error::Result;
use crate::input::Texts;
use crate::job::Job;
use crate::search::{Neighbour, top_k};
use crate::tune::Adapted;
use crate::vectors::Vectors;

/// Documents with their vectors, ready to be searched.
pub struct Index {
    pub(super) vectors: Rc<Vectors>,
    pub(super) documents: Rc<Texts>,
    pub(super) adapted: Option<Rc<Adapted>>,
}

impl Index {
    /// Documents whose vectors by the base encoder are known.
    ///
    /// # Errors
    /// As [`Adapted::documents`].
    pub async fn new(
        base: Rc<Vectors>,
        documents: Rc<Texts>,
        adapted: Option<Rc<Adapted>>,
        job: &Job<'_>,
    ) -> Result<Self> {
        let mut vectors = base;
        if let Some(adapted) = &adapted {
            let texts: Vec<&str> = documents.items.iter().map(|document| document.text.as_str()).collect();
            if let Some(own) = adapted.documents(&texts, &vectors, job).await? {
                vectors = Rc::new(own);
            }
        }
        Ok(Self {
            vectors,
            documents,
            adapted,
        })
    }

    /// The documents nearest to each of some queries, best first; `base` are the queries' vectors of length 1 by the base
    /// encoder, which the adapter is applied to. `finished` is told how many more queries are done.
    ///
    /// # Errors
    /// As [`Adapted::queries`] and [`top_k`].
    pub async fn nearest(
        &self,
        queries: &[&str],
        base: &Vectors,
        top: usize,
        device: &Device,
        job: &Job<'_>,
        finished: impl Fn(usize),
    ) -> Result<Vec<Vec<Neighbour>>> {
        match &self.adapted {
            None => top_k(base, &self.vectors, top, device, job, finished).await,
            Some(adapted) => {
                let vectors = adapted.queries(queries, base, job).await?;
                top_k(&vectors, &self.vectors, top, device, job, finished).await
            }
        }
    }

    /// The documents, in the order of their numbers.
    pub fn documents(&self) -> &Texts {
        &self.documents
    }
}
