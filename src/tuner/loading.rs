//! Which device models are loaded onto, and whether their numbers are right there.

use serde::Deserialize;

use crate::cpu::int8;
use crate::device::{Device, DevicePreference, Dtype, DtypePreference};
use crate::error::{Code, Error, Result};
use crate::job::{Job, Stage};
use crate::model::{CrossEncoder, Encoder, ModelSource, TextKind};

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

/// The models on one device.
pub(super) struct LoadedModels {
    pub(super) encoder: Encoder,
    pub(super) cross_encoder: Option<CrossEncoder>,
}

/// Where the models' files are.
#[derive(Clone, Copy)]
pub(super) struct Sources<'f> {
    pub(super) encoder: &'f dyn ModelSource,
    pub(super) cross_encoder: Option<&'f dyn ModelSource>,
}

impl LoadedModels {
    /// One after the other, so that only one model's files are in memory.
    async fn load(sources: Sources<'_>, device: &Device, job: &Job<'_>) -> Result<Self> {
        let count = 1 + usize::from(sources.cross_encoder.is_some());
        let progress = job.stage(Stage::Load, count, 0);
        let encoder = Encoder::load(&*sources.encoder.files()?, device, job).await?;
        progress.advance(1);
        let mut cross_encoder = None;
        if let Some(source) = sources.cross_encoder {
            cross_encoder = Some(CrossEncoder::load(&*source.files()?, device, job).await?);
            progress.advance(1);
        }
        progress.finish();
        Ok(Self { encoder, cross_encoder })
    }

    /// Loads the models and holds their numbers against those of the CPU in f32.
    async fn load_tested(sources: Sources<'_>, device: &Device, job: &Job<'_>) -> Result<Self> {
        let reference = Self::load(sources, &Device::cpu(Dtype::Fp32), job).await?;
        let models = Self::load(sources, device, job).await?;
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

/// Models with the device that they are on, and why they are there.
pub(super) struct Loaded {
    pub(super) models: LoadedModels,
    pub(super) device: Device,
    pub(super) reason: String,
}

impl Loaded {
    fn new(models: LoadedModels, device: Device, reason: String) -> Self {
        Self { models, device, reason }
    }
}

/// Loads models onto the device that the options lead to: see [`Tuner::load`](super::Tuner::load).
///
/// # Errors
/// As there.
pub(super) async fn load(sources: Sources<'_>, options: LoadOptions, job: &Job<'_>) -> Result<Loaded> {
    let LoadOptions { device, dtype, threads } = options;
    let gpu = match (device, dtype) {
        (DevicePreference::Cpu, _) => Err("It was asked for.".to_owned()),
        (DevicePreference::WebGpu, DtypePreference::Int16 | DtypePreference::Int8) => {
            let text = "dtype int16 and int8 are for the CPU; choose the device cpu, or leave the dtype to auto.";
            return Err(Error::new(Code::Option, text));
        }
        (DevicePreference::Auto, DtypePreference::Int16 | DtypePreference::Int8) => {
            Err("Integers (dtype int16 or int8) are for the CPU.".into())
        }
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
        DtypePreference::Int8 => Dtype::Int8,
    });
    let tested = match gpu {
        Err(reason) => Err(reason),
        Ok(device) => match LoadedModels::load_tested(sources, &device, job).await {
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
        Err(mut reason) => {
            if cpu.dtype() == Dtype::Int8 && int8::kernel().is_none() {
                reason.push_str(" There is no relaxed SIMD here, without which int8 is no faster than int16.");
            }
            let on_cpu = LoadedModels::load(sources, &cpu, job).await?;
            return Ok(Loaded::new(on_cpu, cpu, reason));
        }
    };
    if options.device == DevicePreference::WebGpu {
        let reason = "It was asked for, and its numbers agree with the CPU's.".to_owned();
        return Ok(Loaded::new(on_gpu, gpu, reason));
    }
    let on_cpu = LoadedModels::load(sources, &cpu, job).await?;
    let (gpu_speed, cpu_speed) = (on_gpu.speed(1, job).await?, on_cpu.speed(threads, job).await?);
    let unit = on_cpu.unit();
    let speeds = format!("a short measurement gave {gpu_speed:.0} {unit}/s on WebGPU, {cpu_speed:.0} on the CPU");
    Ok(if gpu_speed > cpu_speed {
        Loaded::new(
            on_gpu,
            gpu,
            format!("WebGPU's numbers agree with the CPU's, and {speeds}."),
        )
    } else {
        let adapter = gpu.adapter();
        Loaded::new(on_cpu, cpu, format!("WebGPU ({adapter}) is there, but {speeds}."))
    })
}
