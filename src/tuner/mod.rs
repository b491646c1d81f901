//! The models on one device: the entry to everything else.

mod index;
mod loading;

use std::rc::Rc;

use serde::Serialize;

use crate::device::{Device, DeviceInfo};
use crate::error::{Code, Error, Result};
use crate::input::Texts;
use crate::job::{Job, Work};
use crate::model::{CrossEncoder, Encoder, ModelFiles, ModelInfo, ModelSource, TextKind};
use crate::previous::Previous;
use crate::relations::Relations;
use crate::results::KnownLogits;
use crate::search::{Neighbour, top_k};
use crate::synthesize::{SynthesizeOptions, Teacher, encode_texts, synthesize};
use crate::tune::{Adapted, BaseEncoder, Fit, Ranker, Recipe, fit};
use crate::vectors::Vectors;
use loading::{Loaded, Sources, load};

pub use index::Index;
pub use loading::LoadOptions;

/// A bi-encoder and, unless it is only for searching, a cross-encoder, loaded and tested.
pub struct Tuner {
    encoder: Encoder,
    cross_encoder: Option<CrossEncoder>,
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

/// The two models, or the one.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Models {
    /// The bi-encoder that is tuned.
    pub encoder: ModelInfo,
    /// The cross-encoder that teaches it; whatever was trained has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cross_encoder: Option<ModelInfo>,
}

impl Tuner {
    /// Loads the models onto the device that the options lead to. Without a cross-encoder texts can be encoded and
    /// searched, and nothing else.
    ///
    /// `Auto` takes WebGPU if there is a real GPU whose numbers agree with the CPU's on a built-in text and which is
    /// measured to be faster, and the CPU otherwise; the reason is in [`Tuner::info`]. On WebGPU every model passes
    /// that test or is refused.
    ///
    /// # Errors
    /// [`Code::DeviceUnavailable`] and [`Code::DeviceFaulty`] only with `WebGpu`; [`Code::Option`] for integers on
    /// WebGPU; those of [`Encoder::load`] and [`CrossEncoder::load`].
    pub async fn load(
        encoder: &dyn ModelSource,
        cross_encoder: Option<&dyn ModelSource>,
        options: LoadOptions,
        job: &Job<'_>,
    ) -> Result<Self> {
        let sources = Sources { encoder, cross_encoder };
        let Loaded { models, device, reason } = load(sources, options, job).await?;
        let device_info = DeviceInfo {
            kind: device.kind(),
            dtype: device.dtype(),
            adapter: device.adapter().to_owned(),
            reason,
        };
        Ok(Self {
            encoder: models.encoder,
            cross_encoder: models.cross_encoder,
            device,
            device_info,
        })
    }

    /// Which models run where, and why there.
    pub fn info(&self) -> TunerInfo {
        TunerInfo {
            version: env!("CARGO_PKG_VERSION"),
            device: self.device_info.clone(),
            models: Models {
                encoder: self.encoder.info().clone(),
                cross_encoder: self.cross_encoder.as_ref().map(|model| model.info().clone()),
            },
        }
    }

    /// The bi-encoder.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// The cross-encoder.
    ///
    /// # Errors
    /// [`Code::Option`] if there is none.
    pub fn cross_encoder(&self) -> Result<&CrossEncoder> {
        self.cross_encoder.as_ref().ok_or_else(|| {
            let text = "This needs a cross-encoder, and the models were loaded without one. Load them with one, not \
                        with crossEncoder: false.";
            Error::new(Code::Option, text)
        })
    }

    /// Where they run.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The base encoder's vectors of texts, of length 1, one row a text.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub async fn embed(&self, texts: &[&str], kind: TextKind, job: &Job<'_>) -> Result<Vectors> {
        self.embed_adapted(texts, kind, None, job).await
    }

    /// What a member of another engine's [`Crew`](crate::job::Crew) does.
    ///
    /// # Errors
    /// As [`Encoder::encode`], [`Tuner::cross_encoder`] and [`CrossEncoder::score`].
    pub async fn work(&self, work: Work, texts: &[&str], job: &Job<'_>) -> Result<Vec<f32>> {
        let encode = async |kind| Ok(self.encoder.encode(texts, kind, job).await?.into_data());
        match work {
            Work::EncodeQueries => encode(TextKind::Query).await,
            Work::EncodeDocuments => encode(TextKind::Document).await,
            Work::Score => {
                let pairs: Vec<(&str, &str)> = texts.as_chunks::<2>().0.iter().map(|[q, d]| (*q, *d)).collect();
                self.cross_encoder()?.score(&pairs, job).await
            }
        }
    }

    /// The cross-encoder's raw logit of each (query, document) pair, in the pairs' order. They are not kept: what is asked
    /// once in a search box would be there for ever, and all that is kept be read for each of its words.
    ///
    /// # Errors
    /// As [`Tuner::cross_encoder`] and [`CrossEncoder::score`].
    pub async fn score(&self, pairs: &[(&str, &str)], job: &Job<'_>) -> Result<Vec<f32>> {
        self.cross_encoder()?.score_watched(pairs, job).await
    }

    /// Makes relations: see [`synthesize`].
    ///
    /// # Errors
    /// As [`Tuner::cross_encoder`] and [`synthesize`].
    pub async fn synthesize(
        &self,
        queries: Rc<Texts>,
        documents: Rc<Texts>,
        options: SynthesizeOptions,
        job: &Job<'_>,
    ) -> Result<Relations> {
        self.synthesize_knowing(&KnownLogits::new(), queries, documents, options, job)
            .await
    }

    /// Opens the download of an earlier run, to go on from it.
    ///
    /// # Errors
    /// As [`Tuner::cross_encoder`] and [`Previous::open`].
    pub fn previous(&self, zip: &[u8]) -> Result<Previous> {
        Previous::open(zip, &self.encoder, self.cross_encoder()?.info())
    }

    /// Makes relations that go on from an earlier run: its queries are joined to the log, and what it scored is not scored
    /// again.
    ///
    /// # Errors
    /// As [`Tuner::cross_encoder`] and [`synthesize`].
    pub async fn synthesize_on(
        &self,
        previous: &Previous,
        queries: Rc<Texts>,
        documents: Rc<Texts>,
        options: SynthesizeOptions,
        job: &Job<'_>,
    ) -> Result<Relations> {
        let joined = Rc::new(queries.joined(&previous.queries));
        self.synthesize_knowing(&previous.logits, joined, documents, options, job)
            .await
    }

    async fn synthesize_knowing(
        &self,
        known: &KnownLogits,
        queries: Rc<Texts>,
        documents: Rc<Texts>,
        options: SynthesizeOptions,
        job: &Job<'_>,
    ) -> Result<Relations> {
        let teacher = Teacher {
            cross_encoder: self.cross_encoder()?,
            known,
        };
        synthesize(&self.encoder, teacher, queries, documents, options, &self.device, job).await
    }

    /// Trains an adapter: see [`fit`]. `files` are the encoder's, which [`Method::Lora`](crate::tune::Method) needs.
    ///
    /// # Errors
    /// As [`fit`], and as [`Tuner::cross_encoder`]: what comes out says who has taught it.
    pub async fn fit(
        &self,
        relations: &Relations,
        recipe: Recipe,
        files: Option<&ModelFiles>,
        job: &Job<'_>,
    ) -> Result<Fit> {
        self.cross_encoder()?;
        fit(relations, recipe, self.base(files), &self.device, job).await
    }

    /// Ranks the documents of relations. `files` are the encoder's, which LoRA needs.
    pub fn ranker<'b>(&'b self, relations: &'b Relations, files: Option<&'b ModelFiles>) -> Ranker<'b> {
        Ranker {
            relations,
            base: files,
            device: &self.device,
        }
    }

    /// The encoder as trainings take it.
    pub fn base<'b>(&'b self, files: Option<&'b ModelFiles>) -> BaseEncoder<'b> {
        BaseEncoder {
            encoder: &self.encoder,
            files,
        }
    }

    /// Vectors of texts of length 1, with an adapter or without, one row a text; a stage of its own that is told of.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub async fn embed_adapted(
        &self,
        texts: &[&str],
        kind: TextKind,
        adapted: Option<&Adapted>,
        job: &Job<'_>,
    ) -> Result<Vectors> {
        let encoder = self.encoder_of(kind, adapted);
        let vectors = encoder.encode_watched(texts, kind, job).await?;
        finished(vectors, kind, adapted, job).await
    }

    /// The encoder that texts of a kind go through.
    fn encoder_of<'a>(&'a self, kind: TextKind, adapted: Option<&'a Adapted>) -> &'a Encoder {
        let changed = adapted.and_then(|adapted| adapted.encoder(kind));
        changed.unwrap_or(&self.encoder)
    }

    /// Encodes documents for searching, with an adapter or without; vectors that an encoder has finished are kept in the
    /// store.
    ///
    /// # Errors
    /// As [`Encoder::encode`], and [`Code::Store`].
    pub async fn index(&self, documents: Rc<Texts>, adapted: Option<Rc<Adapted>>, job: &Job<'_>) -> Result<Index> {
        const KIND: TextKind = TextKind::Document;
        let texts: Vec<&str> = documents.items.iter().map(|document| document.text.as_str()).collect();
        let encoder = self.encoder_of(KIND, adapted.as_deref());
        let (mut vectors, _) = encode_texts(encoder, &[(&texts, KIND)], job).await?;
        let mut vectors = vectors.pop().unwrap_or_default();
        if let Some(adapted) = &adapted {
            vectors = adapted.after_encoder(KIND, vectors, job).await?;
        }
        Ok(Index {
            vectors: Rc::new(vectors),
            documents,
            adapted,
        })
    }

    /// The documents of an index nearest to a query, best first, by cosine of its (adapted) vector.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub async fn search(&self, index: &Index, query: &str, top: usize, job: &Job<'_>) -> Result<Vec<Neighbour>> {
        const KIND: TextKind = TextKind::Query;
        let adapted = index.adapted.as_deref();
        let encoder = self.encoder_of(KIND, adapted);
        let vector = encoder.encode(&[query], KIND, job).await?;
        let vector = finished(vector, KIND, adapted, job).await?;
        let mut found = top_k(&vector, &index.vectors, top, &self.device, job, |_| {}).await?;
        Ok(found.remove(0))
    }
}

/// An encoder's vectors as they are compared: of length 1, after any head.
async fn finished(mut vectors: Vectors, kind: TextKind, adapted: Option<&Adapted>, job: &Job<'_>) -> Result<Vectors> {
    vectors.normalize_rows();
    match adapted {
        Some(adapted) => adapted.after_encoder(kind, vectors, job).await,
        None => Ok(vectors),
    }
}
