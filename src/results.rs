//! Finished vectors and scores kept in the host's store, so that no text is encoded and no pair scored twice.
//!
//! Each model has two logs, named by the model's key. A chunk of a log is a row of records of one size:
//! a 16-byte content hash, then little-endian f32 values (a vector, or one logit).

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::error::{Code, Error, Result};
use crate::job::Job;

/// Identifies a text, or a pair of texts, by content.
pub type ContentKey = [u8; 16];

/// Logits that an earlier run has made, by [`pair_key`].
pub type KnownLogits = HashMap<ContentKey, f32>;

/// The content key of one text.
pub fn text_key(text: &str) -> ContentKey {
    short(Sha256::digest(text.as_bytes()).as_slice())
}

/// The content key of a pair, from those of its texts.
pub fn pair_key(query: &ContentKey, document: &ContentKey) -> ContentKey {
    let mut hash = Sha256::new();
    hash.update(query);
    hash.update(document);
    short(hash.finalize().as_slice())
}

fn short(digest: &[u8]) -> ContentKey {
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    key
}

/// The numbers at which each key stands in a list of keys.
pub fn numbers_by_key(keys: impl Iterator<Item = ContentKey>) -> HashMap<ContentKey, Vec<usize>> {
    let mut numbers: HashMap<ContentKey, Vec<usize>> = HashMap::new();
    for (number, key) in keys.enumerate() {
        numbers.entry(key).or_default().push(number);
    }
    numbers
}

/// One model's finished results of one kind.
pub struct ResultLog<'j> {
    job: &'j Job<'j>,
    name: String,
    values: usize,
}

impl<'j> ResultLog<'j> {
    /// The log of `kind` ("vectors", "logits") of the model with that key; each result is `values` numbers.
    pub fn new(job: &'j Job<'j>, kind: &str, model_key: &str, values: usize) -> Self {
        Self {
            job,
            name: format!("{kind}-{model_key}"),
            values,
        }
    }

    /// Looks up the results that are `wanted` (content key to the caller's numbers) and hands each to `found`.
    ///
    /// Chunks are read one after the other, so that memory does not grow with the log. Without a store nothing is found.
    ///
    /// # Errors
    /// [`Code::Store`], [`Code::Cancelled`]
    pub async fn find(
        &self,
        wanted: &HashMap<ContentKey, Vec<usize>>,
        mut found: impl FnMut(usize, &[f32]),
    ) -> Result<()> {
        let Some(store) = self.job.store() else { return Ok(()) };
        let record = 16 + 4 * self.values;
        for chunk in 0..store.count(&self.name).await? {
            self.job.breathe().await?;
            let bytes = store.read(&self.name, chunk).await?;
            if bytes.len() % record != 0 {
                let text = format!(
                    "Chunk {chunk} of {} is damaged. Delete the stored results and start again.",
                    self.name
                );
                return Err(Error::new(Code::Store, text));
            }
            for record in bytes.chunks_exact(record) {
                let (key, values) = record.split_at(16);
                let key: ContentKey = key.try_into().unwrap_or_default();
                if let Some(numbers) = wanted.get(&key) {
                    let values: Vec<f32> = values
                        .as_chunks::<4>()
                        .0
                        .iter()
                        .map(|v| f32::from_le_bytes(*v))
                        .collect();
                    numbers.iter().for_each(|&number| found(number, &values));
                }
            }
        }
        Ok(())
    }

    /// Keeps finished results; once it returns, they survive a crash. Does nothing without a store.
    ///
    /// # Errors
    /// [`Code::Store`]
    pub async fn append<'a>(&self, results: impl Iterator<Item = (ContentKey, &'a [f32])>) -> Result<()> {
        let Some(store) = self.job.store() else { return Ok(()) };
        let mut bytes = Vec::new();
        for (key, values) in results {
            bytes.extend_from_slice(&key);
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        if bytes.is_empty() {
            Ok(())
        } else {
            store.append(&self.name, &bytes).await
        }
    }
}
