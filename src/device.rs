//! Where the arithmetic runs: WebGPU, or the CPU (Flex), chosen at run time and for a stated reason.

use burn::tensor::Transaction;
use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};

/// The two kinds of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    /// A GPU through WebGPU.
    WebGpu,
    /// This thread, with SIMD.
    Cpu,
}

/// The numbers that a model's linear layers are computed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// 32-bit floating point.
    Fp32,
    /// 16-bit integers, on the CPU only: up to twice as fast, and nearly the same numbers.
    Int16,
    /// 8-bit integers, on the CPU only: faster still, with numbers that are only near.
    Int8,
}

impl Dtype {
    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fp32 => "fp32",
            Self::Int16 => "int16",
            Self::Int8 => "int8",
        }
    }
}

/// Which [`Dtype`] the caller wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DtypePreference {
    /// 16-bit integers on the CPU, f32 on WebGPU.
    #[default]
    Auto,
    /// f32 everywhere.
    Fp32,
    /// 16-bit integers, and with them the CPU.
    Int16,
    /// 8-bit integers, and with them the CPU.
    Int8,
}

/// What the caller wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DevicePreference {
    /// WebGPU if it is there, is a real GPU and passes the self-test, else the CPU.
    #[default]
    Auto,
    /// WebGPU, a software adapter too, or an error.
    WebGpu,
    /// The CPU.
    Cpu,
}

/// What runs, and why; part of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceInfo {
    /// The kind of device.
    pub kind: DeviceKind,
    /// What the models' linear layers are computed in.
    pub dtype: Dtype,
    /// The adapter's name, where there is one.
    pub adapter: String,
    /// Why this device was chosen, for people.
    pub reason: String,
}

/// A device that tensors live on.
#[derive(Clone)]
pub struct Device {
    tensors: burn::tensor::Device,
    kind: DeviceKind,
    dtype: Dtype,
    adapter: String,
    software: bool,
    #[cfg(feature = "webgpu")]
    faults: std::sync::Arc<std::sync::Mutex<Option<String>>>,
}

impl Device {
    /// The CPU, with models in numbers of that kind.
    pub fn cpu(dtype: Dtype) -> Self {
        Self {
            tensors: burn::tensor::Device::flex(),
            kind: DeviceKind::Cpu,
            dtype,
            adapter: "CPU".into(),
            software: false,
            #[cfg(feature = "webgpu")]
            faults: Default::default(),
        }
    }

    /// The browser's or the machine's WebGPU adapter. Opened once, then shared.
    ///
    /// # Errors
    /// [`Code::DeviceUnavailable`] with what the system says.
    pub async fn webgpu() -> Result<Self> {
        webgpu::open().await
    }

    /// Which kind it is.
    pub fn kind(&self) -> DeviceKind {
        self.kind
    }

    /// What the linear layers of models on it are computed in.
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// The adapter's name.
    pub fn adapter(&self) -> &str {
        &self.adapter
    }

    /// Whether a WebGPU adapter is a program and not a GPU: far slower than the CPU path itself.
    pub fn is_software(&self) -> bool {
        self.software
    }

    /// The handle tensors are made with.
    pub fn tensors(&self) -> &burn::tensor::Device {
        &self.tensors
    }

    /// Values of several tensors in one go, in the order they were registered.
    ///
    /// # Errors
    /// [`Code::DeviceFaulty`] if the device was lost, or reported an error that its results may suffer from.
    pub async fn read(&self, reads: Transaction) -> Result<Vec<Vec<f32>>> {
        let faulty = |what: String| {
            Error::new(
                Code::DeviceFaulty,
                format!(
                    "The device {} failed: {what}. Start again: a new session opens the device anew, and what was \
                     scored is kept. Or run on the CPU.",
                    self.adapter
                ),
            )
        };
        let data = reads
            .execute_async()
            .await
            .map_err(|error| faulty(format!("{error:?}")))?;
        #[cfg(feature = "webgpu")]
        if let Some(fault) = self.faults.lock().ok().and_then(|fault| fault.clone()) {
            return Err(faulty(fault));
        }
        data.into_iter()
            .map(|tensor| {
                tensor
                    .try_into_vec::<f32>()
                    .map_err(|error| faulty(format!("{error:?}")))
            })
            .collect()
    }
}

#[cfg(not(feature = "webgpu"))]
mod webgpu {
    use super::*;

    pub async fn open() -> Result<Device> {
        Err(Error::new(
            Code::DeviceUnavailable,
            "This build has no WebGPU (feature `webgpu`). Choose the device cpu.",
        ))
    }
}

#[cfg(feature = "webgpu")]
mod webgpu {
    use std::cell::RefCell;
    use std::sync::{Arc, Mutex};

    use burn::tensor::wgpu::WgpuInitError;

    use super::*;

    thread_local! {
        // A runtime can be opened once only, and outlives every model on it.
        static OPENED: RefCell<Option<Device>> = const { RefCell::new(None) };
    }

    pub async fn open() -> Result<Device> {
        if let Some(device) = OPENED.with_borrow(Clone::clone) {
            return Ok(device);
        }
        let options = burn::tensor::Device::wgpu_options();
        // Natively the runtime takes what the system has: Vulkan, Metal or DirectX.
        #[cfg(target_family = "wasm")]
        let options = options.graphics_api(burn::tensor::wgpu::WgpuBackend::WebGpu);
        let (tensors, setup) = options.init_with_setup_async().await.map_err(|error| {
            let why = match error {
                // Its own text lists every graphics interface that was not looked for.
                WgpuInitError::AdapterUnavailable { .. } => "no adapter was found".to_owned(),
                other => other.to_string(),
            };
            Error::new(
                Code::DeviceUnavailable,
                format!("WebGPU is not available ({why}); the CPU always is."),
            )
        })?;
        let faults: Arc<Mutex<Option<String>>> = Arc::default();
        let noted = faults.clone();
        // In a browser a shader that fails validation yields wrong numbers, no error: the only sign is this event,
        // and the runtime's own handler would panic inside a callback.
        setup.device.on_uncaptured_error(Arc::new(move |error| {
            if let Ok(mut fault) = noted.lock() {
                fault.get_or_insert_with(|| error.to_string());
            }
        }));
        let info = setup.adapter.get_info();
        let software = info.device_type == burn::tensor::wgpu::wgpu::DeviceType::Cpu;
        let name = [info.name.as_str(), info.driver.as_str()]
            .into_iter()
            .find(|name| !name.is_empty());
        let adapter = name.unwrap_or("WebGPU adapter").to_owned();
        let device = Device {
            tensors,
            kind: DeviceKind::WebGpu,
            dtype: Dtype::Fp32,
            adapter,
            software,
            faults,
        };
        OPENED.set(Some(device.clone()));
        Ok(device)
    }
}
