//! A transformer layer with changes on the CPU's kernels, forward and back.

use std::ops::Range;

use super::linear::{Change, ChangeGradient, Linear};
use crate::cpu::attention::{AttentionScratch, attend};
use crate::cpu::gradients::{AttentionGradientScratch, Normalized, attend_gradient, gelu_slopes, multiply};
use crate::cpu::rows::{LayerNorm, add, gelu};
use crate::error::Result;
use crate::model::on_cpu::{Batch, Table};
use crate::model::parts::{Layer, Parts};
use crate::model::weights::Weights;

/// How weights are kept that gradients are followed through.
pub struct Frozen;

impl Parts for Frozen {
    type Linear = Linear;
    type Norm = LayerNorm;
    type Table = Table;
    type FirstProjections = ();

    fn linear(&self, weights: &Weights<'_>, names: &[String], inputs: usize, outputs: usize) -> Result<Linear> {
        let (mut matrix, mut bias) = (Vec::new(), Vec::new());
        for name in names {
            matrix.extend(weights.matrix(&format!("{name}.weight"), outputs, inputs)?);
            bias.extend(weights.vector(&format!("{name}.bias"), outputs)?);
        }
        Ok(Linear::pack(&matrix, bias, inputs, outputs))
    }

    fn norm(&self, weights: &Weights<'_>, name: &str, size: usize, epsilon: f64) -> Result<LayerNorm> {
        LayerNorm::load(weights, name, size, epsilon)
    }

    fn table(&self, values: Vec<f32>, columns: usize) -> Table {
        Table::new(values, columns)
    }
}

/// A step's changes of a transformer layer, by the linear layers that they change.
#[derive(Default)]
pub struct LayerChanges {
    /// Of queries, keys and values.
    pub projections: Vec<Change>,
    /// After the heads.
    pub attention_output: Vec<Change>,
    /// Into the wide layer.
    pub intermediate: Vec<Change>,
    /// Out of it.
    pub output: Vec<Change>,
}

/// What a transformer layer leaves behind for its gradient, [tokens, …] each; of every change `x Aᵀ` beside it.
pub struct LayerTrace {
    /// What came in.
    states: Vec<f32>,
    projections: Vec<f32>,
    narrow_states: Vec<Vec<f32>>,
    attended: Vec<f32>,
    narrow_attended: Vec<Vec<f32>>,
    attention_norm: Normalized,
    /// Between attention and feed-forward.
    middle: Vec<f32>,
    narrow_middle: Vec<Vec<f32>>,
    /// Before GELU.
    wide: Vec<f32>,
    narrow_activated: Vec<Vec<f32>>,
    output_norm: Normalized,
}

impl LayerChanges {
    /// Whether any of its linear layers is changed.
    pub fn is_any(&self) -> bool {
        let all = [
            &self.projections,
            &self.attention_output,
            &self.intermediate,
            &self.output,
        ];
        all.iter().any(|changes| !changes.is_empty())
    }
}

/// One layer of a piece: attention, then feed-forward, each with its residual and normalisation.
pub fn forward(
    layer: &Layer<Frozen>,
    changes: &LayerChanges,
    heads: usize,
    states: Vec<f32>,
    batch: &Batch,
) -> (Vec<f32>, LayerTrace) {
    let hidden = layer.attention_norm.gamma.len();
    let (projections, narrow_states) = layer.projections.forward(&states, &changes.projections);
    let mut attended = vec![0.0; states.len()];
    let mut scratch = AttentionScratch::default();
    for Range { start, end } in batch.tokens() {
        let (from, to) = (
            &projections[3 * start * hidden..3 * end * hidden],
            &mut attended[start * hidden..end * hidden],
        );
        attend(from, end - start, end - start, heads, to, &mut scratch);
    }
    let (added, narrow_attended) = layer.attention_output.forward(&attended, &changes.attention_output);
    let mut middle = states.clone();
    let attention_norm = layer.attention_norm.add_and_normalize_traced(&mut middle, &added);
    let (wide, narrow_middle) = layer.intermediate.forward(&middle, &changes.intermediate);
    let mut activated = wide.clone();
    gelu(&mut activated);
    let (added, narrow_activated) = layer.output.forward(&activated, &changes.output);
    let mut out = middle.clone();
    let output_norm = layer.output_norm.add_and_normalize_traced(&mut out, &added);
    let trace = LayerTrace {
        states,
        projections,
        narrow_states,
        attended,
        narrow_attended,
        attention_norm,
        middle,
        narrow_middle,
        wide,
        narrow_activated,
        output_norm,
    };
    (out, trace)
}

/// From the gradient of a layer's result to that of its input, if it `goes_on` to lower layers, and those of its changes.
pub fn backward(
    layer: &Layer<Frozen>,
    changes: &LayerChanges,
    heads: usize,
    of_out: Vec<f32>,
    trace: &LayerTrace,
    batch: &Batch,
    goes_on: bool,
) -> (Vec<f32>, Vec<ChangeGradient>) {
    let hidden = layer.attention_norm.gamma.len();
    let mut of_changes = Vec::new();
    let mut of_sum = of_out;
    layer.output_norm.gradient(&trace.output_norm, &mut of_sum);
    let mut activated = trace.wide.clone();
    gelu(&mut activated);
    let mut of_wide = layer.output.gradient(
        &activated,
        &trace.narrow_activated,
        &changes.output,
        &of_sum,
        &mut of_changes,
    );
    let mut slopes = trace.wide.clone();
    gelu_slopes(&mut slopes);
    multiply(&mut of_wide, &slopes);
    let mut of_middle = layer.intermediate.gradient(
        &trace.middle,
        &trace.narrow_middle,
        &changes.intermediate,
        &of_wide,
        &mut of_changes,
    );
    add(&mut of_middle, &of_sum);

    let mut of_sum = of_middle;
    layer.attention_norm.gradient(&trace.attention_norm, &mut of_sum);
    let of_attended = layer.attention_output.gradient(
        &trace.attended,
        &trace.narrow_attended,
        &changes.attention_output,
        &of_sum,
        &mut of_changes,
    );
    let mut of_projections = vec![0.0; trace.projections.len()];
    let mut scratch = AttentionGradientScratch::default();
    for Range { start, end } in batch.tokens() {
        let projected = 3 * start * hidden..3 * end * hidden;
        let of_text = &of_attended[start * hidden..end * hidden];
        let (from, to) = (&trace.projections[projected.clone()], &mut of_projections[projected]);
        attend_gradient(from, of_text, end - start, heads, to, &mut scratch);
    }
    let (states, narrow, changes) = (&trace.states, &trace.narrow_states, &changes.projections);
    if !goes_on {
        let projections = &layer.projections;
        projections.gradients_of_changes(states, narrow, changes, &of_projections, &mut of_changes, |_, _| {});
        return (Vec::new(), of_changes);
    }
    let mut of_states = layer
        .projections
        .gradient(states, narrow, changes, &of_projections, &mut of_changes);
    add(&mut of_states, &of_sum);
    (of_states, of_changes)
}
