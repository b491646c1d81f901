//! The rankings of a log's queries by an adapter, whichever it is.

use std::collections::BTreeSet;

use super::adapter::{Adapted, Adapter};
use crate::device::Device;
use crate::error::Result;
use crate::job::Job;
use crate::model::ModelFiles;
use crate::relations::Relations;
use crate::search::{Neighbour, top_k};
use crate::vectors::Vectors;

/// How deep rankings are kept: as deep as the deepest metric looks.
pub const RANKED: usize = 100;

/// Ranks the documents of relations.
pub struct Ranker<'r> {
    /// Whose queries and documents.
    pub relations: &'r Relations,
    /// The base encoder's files, which LoRA needs.
    pub base: Option<&'r ModelFiles>,
    /// Where.
    pub device: &'r Device,
}

impl Ranker<'_> {
    /// The best documents of some queries, from all of the corpus or from `pool`; by the base encoder if there is no
    /// adapter.
    ///
    /// # Errors
    /// As [`Adapted::new`] and [`Adapted::queries`].
    pub async fn rank(
        &self,
        adapter: Option<&Adapter>,
        queries: &[usize],
        pool: Option<&[u32]>,
        job: &Job<'_>,
    ) -> Result<Vec<Vec<Neighbour>>> {
        let relations = self.relations;
        let base = relations.query_vectors.select(queries.iter().copied());
        let in_pool = |pool: &[u32]| relations.document_vectors.select(pool.iter().map(|&n| n as usize));
        let pooled = pool.map(in_pool);
        let documents = pooled.as_ref().unwrap_or(&relations.document_vectors);
        let mut found = match adapter {
            None => top_k(&base, documents, RANKED, self.device, job, |_| {}).await?,
            Some(adapter) => {
                let adapted = Adapted::new(adapter.clone(), self.base, self.device, job).await?;
                let texts: Vec<&str> = queries
                    .iter()
                    .map(|&query| relations.queries.items[query].text.as_str())
                    .collect();
                let queries = adapted.queries(&texts, &base, job).await?;
                let documents = self.documents(&adapted, documents, pool, job).await?;
                top_k(&queries, &documents, RANKED, self.device, job, |_| {}).await?
            }
        };
        if let Some(pool) = pool {
            let neighbours = found.iter_mut().flatten();
            neighbours.for_each(|neighbour| neighbour.document = pool[neighbour.document as usize]);
        }
        Ok(found)
    }

    async fn documents<'v>(
        &self,
        adapted: &Adapted,
        base: &'v Vectors,
        pool: Option<&[u32]>,
        job: &Job<'_>,
    ) -> Result<std::borrow::Cow<'v, Vectors>> {
        let items = &self.relations.documents.items;
        let texts: Vec<&str> = match pool {
            Some(pool) => pool
                .iter()
                .map(|&number| items[number as usize].text.as_str())
                .collect(),
            None => items.iter().map(|document| document.text.as_str()).collect(),
        };
        Ok(match adapted.documents(&texts, base, job).await? {
            Some(documents) => std::borrow::Cow::Owned(documents),
            None => std::borrow::Cow::Borrowed(base),
        })
    }

    /// All scored candidates of some queries.
    pub fn candidates(&self, queries: &[usize]) -> Vec<u32> {
        let all = queries.iter().flat_map(|&query| self.relations.scored(query));
        let distinct: BTreeSet<u32> = all.map(|(document, _)| document).collect();
        distinct.into_iter().collect()
    }
}
