//! A linear layer with low-rank changes on the CPU's kernels: `y = x Wᵀ + b + factor · (x Aᵀ) Bᵀ`, and its gradients.

use std::borrow::Cow;

use crate::cpu::Activation;
use crate::cpu::fp32::Fp32Matrix;
use crate::cpu::rows::add;

/// The frozen layer; layers that read the same have their outputs side by side.
pub struct Linear {
    /// Of `x Wᵀ`.
    weights: Fp32Matrix,
    /// Of `g W`.
    turned: Fp32Matrix,
    bias: Vec<f32>,
    inputs: usize,
    /// Outputs of each of the layers.
    outputs: usize,
}

/// The change of one of the layers that lie side by side, packed for a step.
pub struct Change {
    /// Which of all the encoder's changes.
    number: usize,
    /// Which of the layers.
    part: usize,
    rank: usize,
    factor: f32,
    /// Of `x Aᵀ`.
    a: Fp32Matrix,
    /// Of `factor · (x Aᵀ) Bᵀ`.
    b: Fp32Matrix,
    /// Of `factor · g B`.
    turned_b: Fp32Matrix,
    /// Of `(factor · g B) A`.
    turned_a: Fp32Matrix,
}

/// The gradients of a change.
pub struct ChangeGradient {
    /// Which of all the encoder's changes.
    pub number: usize,
    /// Of A, [rank, in].
    pub a: Vec<f32>,
    /// Of B, turned: [rank, out].
    pub turned_b: Vec<f32>,
}

impl ChangeGradient {
    /// Adds the gradients that come from other texts.
    pub fn add(&mut self, other: &Self) {
        add(&mut self.a, &other.a);
        add(&mut self.turned_b, &other.turned_b);
    }
}

impl Change {
    /// `a` is [rank, in], `b` [out, rank].
    pub fn pack(number: usize, part: usize, rank: usize, factor: f32, a: &[f32], b: &[f32]) -> Self {
        let (inputs, outputs) = (a.len() / rank, b.len() / rank);
        let scaled: Vec<f32> = b.iter().map(|value| factor * value).collect();
        let mut change = Self {
            number,
            part,
            rank,
            factor,
            a: Fp32Matrix::pack(a, rank, inputs),
            b: Fp32Matrix::pack(&scaled, outputs, rank),
            turned_b: Fp32Matrix::default(),
            turned_a: Fp32Matrix::default(),
        };
        change
            .turned_b
            .pack_columns(rank, outputs, |output| &scaled[output * rank..]);
        change.turned_a.pack_columns(inputs, rank, |row| &a[row * inputs..]);
        change
    }
}

impl Linear {
    /// `weights` is [outputs of all layers, inputs], `outputs` those of each.
    pub fn pack(weights: &[f32], bias: Vec<f32>, inputs: usize, outputs: usize) -> Self {
        let mut turned = Fp32Matrix::default();
        turned.pack_columns(inputs, bias.len(), |output| &weights[output * inputs..]);
        Self {
            weights: Fp32Matrix::pack(weights, bias.len(), inputs),
            turned,
            bias,
            inputs,
            outputs,
        }
    }

    /// Outputs of all layers.
    fn width(&self) -> usize {
        self.bias.len()
    }

    /// [n, in] to [n, out of all layers], and `x Aᵀ` of each change, which the gradient needs.
    pub fn forward(&self, rows: &[f32], changes: &[Change]) -> (Vec<f32>, Vec<Vec<f32>>) {
        let (count, width) = (rows.len() / self.inputs, self.width());
        let mut out = vec![0.0; count * width];
        self.weights.product(rows, Some(&self.bias), Activation::None, &mut out);
        let narrow = changes.iter().map(|change| {
            let narrow = product(&change.a, rows, self.inputs);
            let added = product(&change.b, &narrow, change.rank);
            let parts = out
                .chunks_exact_mut(width)
                .map(|row| &mut row[change.part * self.outputs..]);
            for (row, added) in parts.zip(added.chunks_exact(self.outputs)) {
                add(&mut row[..self.outputs], added);
            }
            narrow
        });
        let narrow = narrow.collect();
        (out, narrow)
    }

    /// From the gradient of the outputs to that of the inputs; those of the changes come to `of_changes`.
    ///
    /// `rows` and `narrow` are the forward pass's.
    pub fn gradient(
        &self,
        rows: &[f32],
        narrow: &[Vec<f32>],
        changes: &[Change],
        of_outputs: &[f32],
        of_changes: &mut Vec<ChangeGradient>,
    ) -> Vec<f32> {
        let mut of_inputs = product(&self.turned, of_outputs, self.width());
        self.gradients_of_changes(rows, narrow, changes, of_outputs, of_changes, |change, of_narrow| {
            add(&mut of_inputs, &product(&change.turned_a, of_narrow, change.rank));
        });
        of_inputs
    }

    /// The gradients of the changes alone, where nothing before the layer is trained; `also` gets the gradient of each
    /// `x Aᵀ`.
    pub fn gradients_of_changes(
        &self,
        rows: &[f32],
        narrow: &[Vec<f32>],
        changes: &[Change],
        of_outputs: &[f32],
        of_changes: &mut Vec<ChangeGradient>,
        mut also: impl FnMut(&Change, &[f32]),
    ) {
        if changes.is_empty() {
            return;
        }
        let count = rows.len() / self.inputs;
        let (mut inputs, mut outputs) = (Fp32Matrix::default(), Fp32Matrix::default());
        inputs.pack_columns(self.inputs, count, |row| &rows[row * self.inputs..]);
        for (change, narrow) in changes.iter().zip(narrow) {
            let of_part = self.part(of_outputs, change.part);
            let of_narrow = product(&change.turned_b, &of_part, self.outputs);
            outputs.pack_columns(self.outputs, count, |row| &of_part[row * self.outputs..]);
            let scaled: Vec<f32> = narrow.iter().map(|value| change.factor * value).collect();
            of_changes.push(ChangeGradient {
                number: change.number,
                a: product(&inputs, &turn(&of_narrow, change.rank), count),
                turned_b: product(&outputs, &turn(&scaled, change.rank), count),
            });
            also(change, &of_narrow);
        }
    }

    /// The columns of one of the layers that lie side by side.
    fn part<'r>(&self, rows: &'r [f32], part: usize) -> Cow<'r, [f32]> {
        if self.outputs == self.width() {
            return Cow::Borrowed(rows);
        }
        let rows = rows.chunks_exact(self.width());
        Cow::Owned(
            rows.flat_map(|row| &row[part * self.outputs..][..self.outputs])
                .copied()
                .collect(),
        )
    }
}

fn product(matrix: &Fp32Matrix, rows: &[f32], depth: usize) -> Vec<f32> {
    let mut out = vec![0.0; rows.len() / depth * matrix.outputs()];
    matrix.product(rows, None, Activation::None, &mut out);
    out
}

/// Rows of so many columns become columns.
pub fn turn(rows: &[f32], columns: usize) -> Vec<f32> {
    let column = |number: usize| rows.iter().skip(number).step_by(columns).copied();
    (0..columns).flat_map(column).collect()
}
