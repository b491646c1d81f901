//! Whether an adapter belongs to an encoder: a zip may have been put together of several downloads.

use super::weights::not_of_the_base;
use crate::error::{Code, Error, Result};
use crate::model::{Encoder, Lora};
use crate::tune::Adapter;

/// Refuses an adapter that was not trained on an encoder of this size.
///
/// # Errors
/// [`Code::Artifact`]
pub fn check_adapter(adapter: &Adapter, encoder: &Encoder) -> Result<()> {
    match adapter {
        Adapter::Heads { query, .. } => check_dims(query.dims, encoder.info().dims),
        Adapter::Lora { lora, .. } => check_layers(lora, encoder),
    }
}

fn check_dims(head: usize, encoder: usize) -> Result<()> {
    if head == encoder {
        return Ok(());
    }
    Err(strangers(&format!(
        "The adapter is for vectors of {head} numbers, the encoder gives {encoder}."
    )))
}

fn check_layers(lora: &Lora, encoder: &Encoder) -> Result<()> {
    let sizes = encoder.sizes();
    for layer in &lora.layers {
        let found = sizes.module(&layer.module).map(|(inputs, outputs)| [outputs, inputs]);
        let wanted = [layer.outputs, layer.inputs];
        if found != Some(wanted) {
            let found = found.as_ref().map(|shape| &shape[..]);
            return Err(strangers(&not_of_the_base(&layer.module, found, wanted)));
        }
    }
    Ok(())
}

/// Said of parts of different downloads.
pub fn strangers(what: &str) -> Error {
    let text = format!(
        "The zip's adapter and its encoder do not belong together. {what} Give an artifact.zip as querytune saved it."
    );
    Error::new(Code::Artifact, text)
}
