//! What the benchmark measures from inside: the matrix kernel alone, and nearest neighbours without models.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use super::host::{JsHost, PageHost};
use super::relaxed;
use crate::cpu::Activation;
use crate::cpu::fp32::Fp32Matrix;
use crate::cpu::int8::{Int8Matrix, Int8Scratch, kernel};
use crate::cpu::int16::{Int16Matrix, Int16Scratch};
use crate::device::{Device, Dtype};
use crate::error::{Code, Error};
use crate::job::Job;
use crate::search::top_k;
use crate::vectors::Vectors;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

fn numbers(count: usize) -> Vec<f32> {
    let mut random = fastrand::Rng::with_seed(7);
    (0..count).map(|_| random.f32() - 0.5).collect()
}

/// GFLOP/s of products of [rows, inputs] with [inputs, outputs], repeated for that many seconds; an addition and a
/// multiplication are 2.
#[wasm_bindgen(js_name = matrixPeak, skip_typescript)]
pub fn matrix_peak(dtype: &str, rows: usize, inputs: usize, outputs: usize, seconds: f64) -> Result<f64, JsValue> {
    let (activations, weights, bias) = (numbers(rows * inputs), numbers(inputs * outputs), numbers(outputs));
    let mut out = vec![0.0; rows * outputs];
    let mut product: Box<dyn FnMut(&mut [f32])> = match dtype {
        "fp32" => {
            let matrix = Fp32Matrix::pack(&weights, outputs, inputs);
            Box::new(move |out| matrix.product(&activations, Some(&bias), Activation::None, out))
        }
        "int16" => {
            let matrix = Int16Matrix::pack(&weights, outputs, inputs, None)?;
            let mut scratch = Int16Scratch::default();
            Box::new(move |out| matrix.product(&activations, &bias, Activation::None, out, &mut scratch))
        }
        "int8" => {
            relaxed::prepare();
            let kernel = kernel().ok_or_else(|| Error::new(Code::Option, "There is no relaxed SIMD here."))?;
            let matrix = Int8Matrix::pack(&weights, &bias, inputs, &[], kernel)?;
            let mut scratch = Int8Scratch::default();
            Box::new(move |out| {
                matrix.part(&activations, Activation::None, 0..outputs, out, outputs, &mut scratch);
            })
        }
        other => {
            let text = format!("dtype {other} is not one of fp32, int16, int8.");
            return Err(Error::new(Code::Option, text).into());
        }
    };
    product(&mut out);
    let start = performance_now();
    let mut products = 0;
    while performance_now() - start < seconds * 1000.0 {
        product(&mut out);
        products += 1;
    }
    let operations = 2.0 * (products * rows * inputs) as f64 * outputs as f64;
    Ok(operations / (performance_now() - start) / 1e6)
}

/// Seconds of an exact search for the `k` nearest of random vectors.
#[wasm_bindgen(js_name = topKSeconds, skip_typescript)]
pub fn top_k_seconds(queries: usize, documents: usize, dims: usize, k: usize, host: JsHost) -> Promise {
    future_to_promise(async move {
        let host = PageHost::from(host);
        let vectors = |rows: usize| Vectors::from_rows(numbers(rows * dims), dims);
        let (queries, documents) = (vectors(queries)?, vectors(documents)?);
        let start = performance_now();
        top_k(
            &queries,
            &documents,
            k,
            &Device::cpu(Dtype::Fp32),
            &Job::new(&host),
            |_| {},
        )
        .await?;
        Ok(((performance_now() - start) / 1000.0).into())
    })
}

/// Bytes of the engine's memory, which never shrinks.
#[wasm_bindgen(js_name = memoryBytes, skip_typescript)]
pub fn memory_bytes() -> usize {
    core::arch::wasm32::memory_size(0) * 65536
}
