//! LoRA as a folder of PEFT: `adapter_config.json` and `adapter_model.safetensors`.
//!
//! Of the configuration only what decides the numbers is written: an older PEFT stumbles over keys it does not know.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::adapter::Lora;
use super::{heads, tensors};
use crate::error::Result;
use crate::model::{self, LoraLayer};
use crate::tune;

/// `adapter_config.json`.
pub fn config(lora: &Lora, report: &Value) -> Value {
    // PEFT's own type is a whole number; a broken one works too.
    let alpha = if lora.alpha.fract() == 0.0 && lora.alpha.abs() < 1e9 {
        json!(lora.alpha as i64)
    } else {
        json!(lora.alpha)
    };
    // Whole names: PEFT matches ends of names, and `output.dense` is the end of two kinds of layer.
    let modules: Vec<&str> = lora.sorted().iter().map(|matrix| matrix.module).collect();
    json!({
        "peft_type": "LORA",
        "task_type": "FEATURE_EXTRACTION",
        "base_model_name_or_path": report.pointer("/models/encoder/id"),
        "r": lora.rank,
        "lora_alpha": alpha,
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": false,
        "inference_mode": true,
        "target_modules": modules,
    })
}

const BEFORE: &str = "base_model.model.";
const A: &str = ".lora_A.weight";
const B: &str = ".lora_B.weight";
/// The metadata that PEFT has no field for: the sides of the search that the changes are for.
const SIDES: &str = "sides";
const BOTH: &str = "query and document";

/// `adapter_model.safetensors`.
pub fn weights(lora: &Lora, report: &Value) -> Result<Vec<u8>> {
    let sides = if lora.documents { BOTH } else { "query" };
    let mut metadata = vec![("format", "pt".to_owned()), (SIDES, sides.to_owned())];
    metadata.extend(heads::base_model(report));
    let sorted = lora.sorted();
    let named: Vec<_> = sorted
        .iter()
        .flat_map(|matrix| {
            let name = |part: &str| format!("{BEFORE}{}{part}", matrix.module);
            [
                (name(A), [lora.rank, matrix.inputs], matrix.a),
                (name(B), [matrix.outputs, lora.rank], matrix.b),
            ]
        })
        .collect();
    let tensors: Vec<tensors::Floats> = named
        .iter()
        .map(|(name, shape, values)| (name.as_str(), &shape[..], *values))
        .collect();
    tensors::file(&tensors, &metadata)
}

/// The changes that the two files hold, sorted by module; `None` if they do not belong together.
pub fn read(config: &[u8], weights: &[u8]) -> Option<tune::Adapter> {
    let config: Value = serde_json::from_slice(config).ok()?;
    let rank = usize::try_from(config["r"].as_u64()?).ok()?;
    let alpha = config["lora_alpha"].as_f64()? as f32;
    let (_, metadata) = safetensors::SafeTensors::read_metadata(weights).ok()?;
    let documents = metadata.metadata().as_ref()?.get(SIDES)? == BOTH;
    let tensors = tensors::read(weights).ok()?;
    let mut layers = BTreeMap::new();
    for name in tensors.names() {
        // The other of the two is looked up by this one's name.
        let Some(module) = name.strip_suffix(A) else { continue };
        let module = module.strip_prefix(BEFORE)?;
        let a = tensors.tensor(name).ok()?;
        let b = tensors.tensor(&format!("{BEFORE}{module}{B}")).ok()?;
        let (&[_, inputs], &[outputs, _]) = (a.shape(), b.shape()) else {
            return None;
        };
        let layer = LoraLayer {
            module: module.to_owned(),
            inputs,
            outputs,
            a: tensors::finite(&a)?,
            b: tensors::finite(&b)?,
        };
        layers.insert(module.to_owned(), layer);
    }
    let lora = model::Lora {
        rank,
        alpha,
        layers: layers.into_values().collect(),
    };
    let complete = tensors.len() == 2 * lora.layers.len();
    let holds = complete && Lora::new(&lora, documents).check().is_ok();
    holds.then_some(tune::Adapter::Lora { lora, documents })
}
