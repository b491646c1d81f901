//! The cross-encoder: reads query and document together and says how well they match. Precise and dear.

use super::config::{BertConfig, tokenizer_max_length};
use super::files::{ModelFiles, ModelInfo};
use super::forward::{HeadKind, Model, check_finite};
use super::tokenizer::{Tokenized, Tokenizer};
use super::weights::Weights;
use crate::device::Device;
use crate::error::{Code, Error, Result};
use crate::job::{Job, Stage, Work};

/// A sequence classifier of the BERT family with one label on a device; its output is a raw logit, no sigmoid.
pub struct CrossEncoder {
    model: Model,
    tokenizer: Tokenizer,
    info: ModelInfo,
    key: String,
}

impl CrossEncoder {
    /// Loads a `BertForSequenceClassification` folder with one label, or one of RoBERTa's kind.
    ///
    /// # Errors
    /// [`Code::ModelFileMissing`], [`Code::ModelConfig`], [`Code::ModelTokenizer`], [`Code::ModelWeights`],
    /// [`Code::ModelShape`], [`Code::Cancelled`]
    pub async fn load(files: &ModelFiles, device: &Device, job: &Job<'_>) -> Result<Self> {
        let config = BertConfig::read(files)?;
        if config.labels() != 1 {
            let text = format!(
                "The model {} has num_labels = {}; supported: 1. Choose a cross-encoder made for ranking.",
                files.id,
                config.labels()
            );
            return Err(Error::new(Code::ModelConfig, text).at("config.json", 0, 0));
        }
        if config.type_vocab_size < 2 && !config.is_roberta() {
            let text = format!(
                "The model {} has type_vocab_size = 1; a pair of texts needs 2.",
                files.id
            );
            return Err(Error::new(Code::ModelConfig, text).at("config.json", 0, 0));
        }
        let max_length = tokenizer_max_length(files, config.positions())?;
        let tokenizer = Tokenizer::read(files, &config, max_length)?;
        let weights = Weights::read(files)?;
        let sample = |[query, document]: [&str; 2]| Ok(vec![tokenizer.pair(query, document)?]);
        let model = Model::load(&config, HeadKind::Classify, &weights, sample, device, job).await?;
        let info = ModelInfo {
            id: files.id.clone(),
            sha256: files.sha256("model.safetensors"),
            layers: config.num_hidden_layers,
            dims: config.hidden_size,
            max_length,
        };
        Ok(Self {
            model,
            tokenizer,
            info,
            key: files.key(max_length, device.dtype(), &[]),
        })
    }

    /// What the report says about the model.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// One hash of everything that decides the logits, to key stored ones by.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// A pair as the model reads it.
    ///
    /// # Errors
    /// [`Code::ModelTokenizer`]
    pub fn tokenize(&self, query: &str, document: &str) -> Result<Tokenized> {
        self.tokenizer.pair(query, document)
    }

    /// The logits of (query, document) pairs, in their order.
    ///
    /// # Errors
    /// [`Code::Cancelled`], [`Code::DeviceFaulty`], [`Code::ModelTokenizer`]
    pub async fn score(&self, pairs: &[(&str, &str)], job: &Job<'_>) -> Result<Vec<f32>> {
        self.collect(pairs, job, |_| {}).await
    }

    /// [`CrossEncoder::score`] as a stage of its own that is told of.
    ///
    /// # Errors
    /// As [`CrossEncoder::score`].
    pub async fn score_watched(&self, pairs: &[(&str, &str)], job: &Job<'_>) -> Result<Vec<f32>> {
        let progress = job.stage(Stage::Score, pairs.len(), 0);
        let logits = self.collect(pairs, job, |count| progress.advance(count)).await?;
        progress.finish();
        Ok(logits)
    }

    /// The logits in the pairs' order; `finished` hears how many more there are.
    async fn collect(&self, pairs: &[(&str, &str)], job: &Job<'_>, finished: impl Fn(usize)) -> Result<Vec<f32>> {
        let mut logits = vec![0.0; pairs.len()];
        self.score_each(pairs, job, async |numbers, scores| {
            for (number, score) in numbers.iter().zip(scores) {
                logits[*number] = *score;
            }
            finished(numbers.len());
            Ok(())
        })
        .await?;
        Ok(logits)
    }

    /// The logits of pairs in the order in which they are finished: `sink` receives the pairs' numbers and logits.
    ///
    /// # Errors
    /// As [`CrossEncoder::score`], and what `sink` returns.
    pub async fn score_each(
        &self,
        pairs: &[(&str, &str)],
        job: &Job<'_>,
        mut sink: impl AsyncFnMut(&[usize], &[f32]) -> Result<()>,
    ) -> Result<()> {
        let sink = async |numbers: &[usize], logits: &[f32]| {
            check_finite(&self.info.id, logits)?;
            sink(numbers, logits).await
        };
        let tokenize = |number: usize| self.tokenize(pairs[number].0, pairs[number].1);
        let texts = |number: usize| vec![pairs[number].0, pairs[number].1];
        self.model
            .each_shared(Work::Score, pairs.len(), 1, job, texts, tokenize, sink)
            .await
    }
}
