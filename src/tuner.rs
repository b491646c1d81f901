//! Both models on one device: the entry to everything else.

use std::rc::Rc;

use serde::Serialize;

use crate::device::{Device, DeviceInfo, DevicePreference};
use crate::error::{Code, Error, Result};
use crate::input::Texts;
use crate::job::{Job, Stage};
use crate::model::{CrossEncoder, Encoder, ModelFiles, ModelInfo, TextKind};
use crate::relations::Relations;
use crate::search::{Neighbour, top_k};
use crate::synthesize::{SynthesizeOptions, encode_texts, score_pairs, synthesize};
use crate::tune::{Fit, QueryHead, Recipe, fit};
use crate::vectors::Vectors;

/// A bi-encoder and a cross-encoder, loaded and tested.
pub struct Tuner {
    encoder: Encoder,
    cross_encoder: CrossEncoder,
    device: Device,
    device_info: DeviceInfo,
}

/// What a tuner consists of; part of the report.
#[derive(Clone, Debug, Serialize)]
pub struct TunerInfo {
    /// This crate's version.
    pub version: &'static str,
    /// What runs, and why.
    pub device: DeviceInfo,
    /// Which models.
    pub models: Models,
}

/// The two models.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Models {
    /// The bi-encoder that is tuned.
    pub encoder: ModelInfo,
    /// The cross-encoder that teaches it.
    pub cross_encoder: ModelInfo,
}

struct LoadedModels {
    encoder: Encoder,
    cross_encoder: CrossEncoder,
}

impl LoadedModels {
    async fn load(encoder: &ModelFiles, cross_encoder: &ModelFiles, device: &Device, job: &Job<'_>) -> Result<Self> {
        let progress = job.stage(Stage::Load, 2, 0);
        let encoder = Encoder::load(encoder, device, job).await?;
        progress.advance(1);
        let cross_encoder = CrossEncoder::load(cross_encoder, device, job).await?;
        progress.advance(1);
        progress.finish();
        Ok(Self { encoder, cross_encoder })
    }

    /// Whether the models give the same numbers on another device.
    ///
    /// WebGPU can return wrong numbers without an error, so this is asked of every model on every device.
    async fn agree(&self, other: &Self, job: &Job<'_>) -> Result<()> {
        const TEXTS: [&str; 2] = [
            "a short text",
            "Self-test: 3.5 metres of somewhat longer text (with punctuation)!",
        ];
        const PAIRS: [(&str, &str); 2] = [(TEXTS[0], TEXTS[1]), (TEXTS[1], TEXTS[1])];
        let progress = job.stage(Stage::SelfTest, 2, 0);
        let ours = self.encoder.encode(&TEXTS, TextKind::Query, job).await?;
        let theirs = other.encoder.encode(&TEXTS, TextKind::Query, job).await?;
        compare("a vector", ours.as_slice(), theirs.as_slice(), 2e-4)?;
        progress.advance(1);
        let ours = self.cross_encoder.score(&PAIRS, job).await?;
        let theirs = other.cross_encoder.score(&PAIRS, job).await?;
        compare("a logit", &ours, &theirs, 1e-2)?;
        progress.advance(1);
        progress.finish();
        Ok(())
    }
}

fn compare(what: &str, found: &[f32], expected: &[f32], tolerance: f32) -> Result<()> {
    let size = expected.iter().fold(1.0f32, |size, value| size.max(value.abs()));
    let distance = found
        .iter()
        .zip(expected)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0f32, |most, d| {
            // A NaN is as far away as can be; `max` alone would skip it.
            if d.is_nan() { f32::INFINITY } else { most.max(d) }
        });
    if distance <= tolerance * size {
        return Ok(());
    }
    let text = format!("Self-test failed: {what} differs from the CPU's by {distance:e}, allowed is {tolerance:e}.");
    Err(Error::new(Code::DeviceFaulty, text))
}

impl Tuner {
    /// Loads both models onto the device that `preference` leads to.
    ///
    /// `Auto` takes WebGPU if there is a real GPU whose numbers agree with the CPU's on a built-in text, and the CPU
    /// otherwise; the reason is in [`Tuner::info`]. On WebGPU every model passes that test or is refused.
    ///
    /// # Errors
    /// [`Code::DeviceUnavailable`] and [`Code::DeviceFaulty`] only with `WebGpu`; those of [`Encoder::load`] and
    /// [`CrossEncoder::load`].
    pub async fn load(
        encoder: &ModelFiles,
        cross_encoder: &ModelFiles,
        preference: DevicePreference,
        job: &Job<'_>,
    ) -> Result<Self> {
        let gpu = match preference {
            DevicePreference::Cpu => Err("It was asked for.".to_owned()),
            DevicePreference::WebGpu => Ok(Device::webgpu().await?),
            DevicePreference::Auto => match Device::webgpu().await {
                Err(error) => Err(error.message().to_owned()),
                Ok(device) if device.is_software() => Err(format!(
                    "The only WebGPU adapter ({}) is computed on the CPU, which is slower than the CPU itself.",
                    device.adapter()
                )),
                Ok(device) => Ok(device),
            },
        };
        let on_cpu = LoadedModels::load(encoder, cross_encoder, &Device::cpu(), job).await?;
        let reason = match gpu {
            Err(reason) => reason,
            Ok(device) => {
                let on_gpu = LoadedModels::load(encoder, cross_encoder, &device, job).await;
                let tested = match on_gpu {
                    Ok(on_gpu) => on_gpu.agree(&on_cpu, job).await.map(|()| on_gpu),
                    Err(error) => Err(error),
                };
                match tested {
                    Ok(on_gpu) => {
                        let reason = "WebGPU is there and its numbers agree with the CPU's.".to_owned();
                        return Ok(Self::new(on_gpu, device, reason));
                    }
                    Err(error) if error.code() == Code::Cancelled || preference == DevicePreference::WebGpu => {
                        return Err(error);
                    }
                    Err(error) => format!("WebGPU ({}) is not used: {}", device.adapter(), error.message()),
                }
            }
        };
        Ok(Self::new(on_cpu, Device::cpu(), reason))
    }

    fn new(models: LoadedModels, device: Device, reason: String) -> Self {
        let device_info = DeviceInfo {
            kind: device.kind(),
            adapter: device.adapter().to_owned(),
            reason,
        };
        Self {
            encoder: models.encoder,
            cross_encoder: models.cross_encoder,
            device,
            device_info,
        }
    }

    /// Which models run where, and why there.
    pub fn info(&self) -> TunerInfo {
        TunerInfo {
            version: env!("CARGO_PKG_VERSION"),
            device: self.device_info.clone(),
            models: Models {
                encoder: self.encoder.info().clone(),
                cross_encoder: self.cross_encoder.info().clone(),
            },
        }
    }

    /// The bi-encoder.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// The cross-encoder.
    pub fn cross_encoder(&self) -> &CrossEncoder {
        &self.cross_encoder
    }

    /// Where both run.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The base encoder's vectors of texts, one row a text.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub async fn embed(&self, texts: &[&str], kind: TextKind, job: &Job<'_>) -> Result<Vectors> {
        self.encoder.encode(texts, kind, job).await
    }

    /// The cross-encoder's raw logit of each document for a query, in the documents' order.
    ///
    /// # Errors
    /// As [`CrossEncoder::score`], and [`Code::Store`].
    pub async fn rerank(&self, query: &str, documents: &[&str], job: &Job<'_>) -> Result<Vec<f32>> {
        let pairs: Vec<(&str, &str)> = documents.iter().map(|document| (query, *document)).collect();
        Ok(score_pairs(&self.cross_encoder, &pairs, job).await?.logits)
    }

    /// Makes relations: see [`synthesize`].
    ///
    /// # Errors
    /// As [`synthesize`].
    pub async fn synthesize(
        &self,
        queries: Rc<Texts>,
        documents: Rc<Texts>,
        options: SynthesizeOptions,
        job: &Job<'_>,
    ) -> Result<Relations> {
        synthesize(
            &self.encoder,
            &self.cross_encoder,
            queries,
            documents,
            options,
            &self.device,
            job,
        )
        .await
    }

    /// Trains a head: see [`fit`].
    ///
    /// # Errors
    /// As [`fit`].
    pub async fn fit(&self, relations: &Relations, recipe: Recipe, job: &Job<'_>) -> Result<Fit> {
        fit(relations, recipe, &self.device, job).await
    }

    /// Encodes documents for searching, with a head for the queries or without.
    ///
    /// # Errors
    /// As [`Encoder::encode`], and [`Code::Store`].
    pub async fn index(&self, documents: Rc<Texts>, head: Option<QueryHead>, job: &Job<'_>) -> Result<Index> {
        let texts: Vec<&str> = documents.items.iter().map(|document| document.text.as_str()).collect();
        let (mut vectors, _) = encode_texts(&self.encoder, &[(&texts, TextKind::Document)], job).await?;
        Ok(Index {
            vectors: vectors.pop().unwrap_or_default(),
            documents,
            head,
        })
    }

    /// The documents of an index nearest to a query, best first, by cosine of its (adapted) vector.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub async fn search(&self, index: &Index, query: &str, top: usize, job: &Job<'_>) -> Result<Vec<Neighbour>> {
        self.search_vectors(&index.vectors, index.head.as_ref(), query, top, job)
            .await
    }

    /// As [`Tuner::search`], over vectors that belong to somebody else.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub async fn search_vectors(
        &self,
        documents: &Vectors,
        head: Option<&QueryHead>,
        query: &str,
        top: usize,
        job: &Job<'_>,
    ) -> Result<Vec<Neighbour>> {
        let mut vector = self.encoder.encode(&[query], TextKind::Query, job).await?;
        vector.normalize_rows();
        if let Some(head) = head {
            vector = head.apply(&vector, &self.device).await?;
        }
        Ok(top_k(&vector, documents, top, &self.device, job, |_| {})
            .await?
            .remove(0))
    }
}

/// Documents with their vectors, ready to be searched.
pub struct Index {
    vectors: Vectors,
    documents: Rc<Texts>,
    head: Option<QueryHead>,
}

impl Index {
    /// The documents, in the order of their numbers.
    pub fn documents(&self) -> &Texts {
        &self.documents
    }
}
