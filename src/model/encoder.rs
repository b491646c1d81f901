//! The bi-encoder: a text becomes a vector, and near vectors mean near texts.

use super::config::{BertConfig, EncoderConfig};
use super::files::{ModelFiles, ModelInfo};
use super::forward::{HeadKind, Model, check_finite};
use super::lora::Lora;
use super::sizes::Sizes;
use super::tokenizer::{Tokenized, Tokenizer};
use super::weights::Weights;
use crate::device::Device;
use crate::error::Result;
use crate::job::{Job, Stage, Work};
use crate::vectors::Vectors;

/// Which side of the search a text is on; encoders trained with prompts tell the two apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextKind {
    /// What somebody looks for.
    Query,
    /// What is found.
    Document,
}

/// A pre-trained sentence encoder on a device.
pub struct Encoder {
    model: Model,
    config: EncoderConfig,
    tokenizer: Tokenizer,
    info: ModelInfo,
    sizes: Sizes,
    key: String,
    is_changed: bool,
}

impl Encoder {
    /// Loads a sentence-transformers folder of the BERT family.
    ///
    /// # Errors
    /// [`crate::Code::ModelFileMissing`], [`crate::Code::ModelConfig`], [`crate::Code::ModelTokenizer`],
    /// [`crate::Code::ModelWeights`], [`crate::Code::ModelShape`], [`crate::Code::Cancelled`]
    pub async fn load(files: &ModelFiles, device: &Device, job: &Job<'_>) -> Result<Self> {
        Self::load_changed(files, None, device, job).await
    }

    /// As [`Encoder::load`], with low-rank changes of some layers.
    ///
    /// # Errors
    /// As [`Encoder::load`].
    pub async fn load_changed(
        files: &ModelFiles,
        changes: Option<&Lora>,
        device: &Device,
        job: &Job<'_>,
    ) -> Result<Self> {
        let bert_config = BertConfig::read(files)?;
        let config = EncoderConfig::read(files, &bert_config)?;
        let tokenizer = Tokenizer::read(files, &bert_config, config.max_length)?;
        let head = HeadKind::Pool(config.pooling, config.normalize);
        let weights = Weights::read(files)?.changed_by(changes);
        let sample = |texts: [&str; 2]| texts.into_iter().map(|text| tokenizer.text(text)).collect();
        let model = Model::load(&bert_config, head, &weights, sample, device, job).await?;
        let info = ModelInfo {
            id: files.id.clone(),
            sha256: files.sha256("model.safetensors"),
            layers: bert_config.num_hidden_layers,
            dims: bert_config.hidden_size,
            max_length: config.max_length,
        };
        let mut key = files.key(
            config.max_length,
            device.dtype(),
            &[&config.query_prompt, &config.document_prompt],
        );
        if let Some(changes) = changes {
            key = format!("{key}-{}", changes.key());
        }
        Ok(Self {
            model,
            config,
            tokenizer,
            info,
            sizes: Sizes::of(&bert_config),
            key,
            is_changed: changes.is_some(),
        })
    }

    /// What the report says about the model.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// How large its layers are.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// What the model's own files say.
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    /// One hash of everything that decides the vectors, to key stored ones by.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// A text as the model reads it, prompt included.
    ///
    /// # Errors
    /// [`crate::Code::ModelTokenizer`]
    pub fn tokenize(&self, text: &str, kind: TextKind) -> Result<Tokenized> {
        let prompt = match kind {
            TextKind::Query => &self.config.query_prompt,
            TextKind::Document => &self.config.document_prompt,
        };
        let lower;
        let text = if self.config.lower_case {
            lower = text.to_lowercase();
            &lower
        } else {
            text
        };
        if prompt.is_empty() {
            self.tokenizer.text(text)
        } else {
            self.tokenizer.text(&format!("{prompt}{text}"))
        }
    }

    /// The vectors of texts, one row a text.
    ///
    /// # Errors
    /// [`crate::Code::Cancelled`], [`crate::Code::DeviceFaulty`], [`crate::Code::ModelTokenizer`]
    pub async fn encode(&self, texts: &[&str], kind: TextKind, job: &Job<'_>) -> Result<Vectors> {
        self.collect(texts, kind, job, |_| {}).await
    }

    /// [`Encoder::encode`] as a stage of its own that is told of.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub async fn encode_watched(&self, texts: &[&str], kind: TextKind, job: &Job<'_>) -> Result<Vectors> {
        let progress = job.stage(Stage::Encode, texts.len(), 0);
        let vectors = self.collect(texts, kind, job, |count| progress.advance(count)).await?;
        progress.finish();
        Ok(vectors)
    }

    /// The vectors in the texts' order; `finished` hears how many more there are.
    async fn collect(
        &self,
        texts: &[&str],
        kind: TextKind,
        job: &Job<'_>,
        finished: impl Fn(usize),
    ) -> Result<Vectors> {
        let mut vectors = Vectors::zeros(texts.len(), self.info.dims);
        self.encode_each(texts, kind, job, async |numbers, rows| {
            for (number, row) in numbers.iter().zip(rows.chunks_exact(self.info.dims)) {
                vectors.row_mut(*number).copy_from_slice(row);
            }
            finished(numbers.len());
            Ok(())
        })
        .await?;
        Ok(vectors)
    }

    /// The vectors of texts in the order in which they are finished: `sink` receives the texts' numbers and their
    /// vectors, row by row.
    ///
    /// # Errors
    /// As [`Encoder::encode`], and what `sink` returns.
    pub async fn encode_each(
        &self,
        texts: &[&str],
        kind: TextKind,
        job: &Job<'_>,
        mut sink: impl AsyncFnMut(&[usize], &[f32]) -> Result<()>,
    ) -> Result<()> {
        let sink = async |numbers: &[usize], rows: &[f32]| {
            check_finite(&self.info.id, rows)?;
            sink(numbers, rows).await
        };
        let tokenize = |number: usize| self.tokenize(texts[number], kind);
        let work = match kind {
            TextKind::Query => Work::EncodeQueries,
            TextKind::Document => Work::EncodeDocuments,
        };
        if self.is_changed {
            // A crew has the encoder as its files have it.
            return self.model.each(texts.len(), job, tokenize, sink).await;
        }
        let text = |number: usize| vec![texts[number]];
        self.model
            .each_shared(work, texts.len(), self.info.dims, job, text, tokenize, sink)
            .await
    }
}
