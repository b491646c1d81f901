//! The models on one device: the entry to everything else.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::device::{Device, DeviceInfo, DevicePreference, Dtype, DtypePreference};
use crate::error::{Code, Error, Result};
use crate::input::Texts;
use crate::job::{Job, Stage, Work};
use crate::model::{CrossEncoder, Encoder, ModelFiles, ModelInfo, TextKind};
use crate::previous::Previous;
use crate::relations::Relations;
use crate::results::KnownLogits;
use crate::search::{Neighbour, top_k};
use crate::synthesize::{SynthesizeOptions, Teacher, encode_texts, synthesize};
use crate::tune::{Adapted, BaseEncoder, Fit, Ranker, Recipe, fit};
use crate::vectors::Vectors;

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

/// Where models run, and in which numbers.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default)]
pub struct LoadOptions {
    /// Where.
    pub device: DevicePreference,
    /// In which numbers.
    pub dtype: DtypePreference,
    /// Threads that will share the work on the CPU, this one counted; for comparing it with WebGPU.
    pub threads: usize,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            device: DevicePreference::default(),
            dtype: DtypePreference::default(),
            threads: 1,
        }
    }
}

struct LoadedModels {
    encoder: Encoder,
    cross_encoder: Option<CrossEncoder>,
}

/// The models' files.
#[derive(Clone, Copy)]
struct Files<'f> {
    encoder: &'f ModelFiles,
    cross_encoder: Option<&'f ModelFiles>,
}

impl LoadedModels {
    async fn load(files: Files<'_>, device: &Device, job: &Job<'_>) -> Result<Self> {
        let count = 1 + usize::from(files.cross_encoder.is_some());
        let progress = job.stage(Stage::Load, count, 0);
        let encoder = Encoder::load(files.encoder, device, job).await?;
        progress.advance(1);
        let mut cross_encoder = None;
        if let Some(files) = files.cross_encoder {
            cross_encoder = Some(CrossEncoder::load(files, device, job).await?);
            progress.advance(1);
        }
        progress.finish();
        Ok(Self { encoder, cross_encoder })
    }

    /// Loads the models and holds their numbers against those of the CPU in f32.
    async fn load_tested(files: Files<'_>, device: &Device, job: &Job<'_>) -> Result<Self> {
        let reference = Self::load(files, &Device::cpu(Dtype::Fp32), job).await?;
        let models = Self::load(files, device, job).await?;
        models.agree(&reference, job).await?;
        Ok(models)
    }

    /// What [`LoadedModels::speed`] counts: what is most of the work with these models.
    fn unit(&self) -> &'static str {
        if self.cross_encoder.is_some() { "pairs" } else { "texts" }
    }

    /// How many pairs, or texts, of a usual length are done a second, after a first time that compiles what has to be.
    async fn speed(&self, threads: usize, job: &Job<'_>) -> Result<f64> {
        const COUNT: usize = 32;
        let document = "A sentence of some length, as there are many in a catalogue of products. ".repeat(4);
        let texts = [document.as_str(); COUNT];
        let pairs = texts.map(|document| ("which sentence is it", document));
        let work = async || {
            match &self.cross_encoder {
                Some(cross_encoder) => drop(cross_encoder.score(&pairs, job).await?),
                None => drop(self.encoder.encode(&texts, TextKind::Document, job).await?),
            }
            Ok::<(), Error>(())
        };
        work().await?;
        let start = job.now();
        work().await?;
        Ok((threads * COUNT) as f64 / (job.now() - start).max(1e-3))
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
        let both = self.cross_encoder.as_ref().zip(other.cross_encoder.as_ref());
        let progress = job.stage(Stage::SelfTest, 1 + usize::from(both.is_some()), 0);
        let ours = self.encoder.encode(&TEXTS, TextKind::Query, job).await?;
        let theirs = other.encoder.encode(&TEXTS, TextKind::Query, job).await?;
        compare("a vector", ours.as_slice(), theirs.as_slice(), 2e-4)?;
        progress.advance(1);
        if let Some((ours, theirs)) = both {
            let ours = ours.score(&PAIRS, job).await?;
            let theirs = theirs.score(&PAIRS, job).await?;
            compare("a logit", &ours, &theirs, 1e-2)?;
            progress.advance(1);
        }
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
        encoder: &ModelFiles,
        cross_encoder: Option<&ModelFiles>,
        options: LoadOptions,
        job: &Job<'_>,
    ) -> Result<Self> {
        let files = Files { encoder, cross_encoder };
        let LoadOptions { device, dtype, threads } = options;
        let gpu = match (device, dtype) {
            (DevicePreference::Cpu, _) => Err("It was asked for.".to_owned()),
            (DevicePreference::WebGpu, DtypePreference::Int16) => {
                let text = "dtype int16 is for the CPU; choose the device cpu, or leave the dtype to auto.";
                return Err(Error::new(Code::Option, text));
            }
            (DevicePreference::Auto, DtypePreference::Int16) => Err("Integers (dtype int16) are for the CPU.".into()),
            (DevicePreference::WebGpu, _) => Ok(Device::webgpu().await?),
            (DevicePreference::Auto, _) => match Device::webgpu().await {
                Err(error) => Err(error.message().to_owned()),
                Ok(device) if device.is_software() => Err(format!(
                    "The only WebGPU adapter ({}) is computed on the CPU, which is slower than the CPU itself.",
                    device.adapter()
                )),
                Ok(device) => Ok(device),
            },
        };
        let cpu = Device::cpu(match dtype {
            DtypePreference::Fp32 => Dtype::Fp32,
            DtypePreference::Auto | DtypePreference::Int16 => Dtype::Int16,
        });
        let tested = match gpu {
            Err(reason) => Err(reason),
            Ok(device) => match LoadedModels::load_tested(files, &device, job).await {
                Ok(models) => Ok((models, device)),
                Err(error) if error.code() == Code::Cancelled || options.device == DevicePreference::WebGpu => {
                    return Err(error);
                }
                Err(error) => Err(format!(
                    "WebGPU ({}) is not used: {}",
                    device.adapter(),
                    error.message()
                )),
            },
        };
        let (on_gpu, gpu) = match tested {
            Ok(tested) => tested,
            Err(reason) => {
                let on_cpu = LoadedModels::load(files, &cpu, job).await?;
                return Ok(Self::new(on_cpu, cpu, reason));
            }
        };
        if options.device == DevicePreference::WebGpu {
            let reason = "It was asked for, and its numbers agree with the CPU's.".to_owned();
            return Ok(Self::new(on_gpu, gpu, reason));
        }
        let on_cpu = LoadedModels::load(files, &cpu, job).await?;
        let (gpu_speed, cpu_speed) = (on_gpu.speed(1, job).await?, on_cpu.speed(threads, job).await?);
        let unit = on_cpu.unit();
        let speeds = format!("a short measurement gave {gpu_speed:.0} {unit}/s on WebGPU, {cpu_speed:.0} on the CPU");
        Ok(if gpu_speed > cpu_speed {
            Self::new(
                on_gpu,
                gpu,
                format!("WebGPU's numbers agree with the CPU's, and {speeds}."),
            )
        } else {
            let adapter = gpu.adapter();
            Self::new(on_cpu, cpu, format!("WebGPU ({adapter}) is there, but {speeds}."))
        })
    }

    fn new(models: LoadedModels, device: Device, reason: String) -> Self {
        let device_info = DeviceInfo {
            kind: device.kind(),
            dtype: device.dtype(),
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
        Previous::open(zip, self.encoder.info(), self.cross_encoder()?.info())
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

/// Documents with their vectors, ready to be searched.
pub struct Index {
    vectors: Rc<Vectors>,
    documents: Rc<Texts>,
    adapted: Option<Rc<Adapted>>,
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
