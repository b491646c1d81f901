//! Products with a layer's weights: `activation(x W + b)`.

use std::fmt::Write;

use burn::tensor::Tensor;

use super::kernel::{Wgsl, Workgroup, bindings, launch};

/// What follows a product, before it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// Nothing.
    None,
    /// `x Φ(x)`, Φ by erf.
    Gelu,
    /// `tanh x`.
    Tanh,
}

/// Rows and columns of the result that a thread holds in registers: for each number it loads it multiplies several.
const THREAD_ROWS: u32 = 8;
const THREAD_COLUMNS: u32 = 4;

/// Outputs of a layer have to be a multiple of this, for every workgroup.
pub const COLUMNS: usize = 64;

impl Workgroup {
    /// Rows of a stack of tokens have to be a multiple of this: then no thread has to ask where the stack ends.
    pub fn row_multiple(self) -> usize {
        (THREAD_ROWS * self.rows) as usize
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Linear {
    inputs: usize,
    outputs: usize,
    activation: Activation,
    workgroup: Workgroup,
}

/// `activation(input · weight + bias)`: [rows, inputs] to [rows, outputs].
///
/// `weight` is [inputs, outputs], `bias` [outputs]; inputs are a multiple of 4, outputs of [`COLUMNS`], rows of
/// [`Workgroup::row_multiple`].
pub fn linear(
    input: &Tensor<2>,
    weight: &Tensor<2>,
    bias: &Tensor<1>,
    activation: Activation,
    workgroup: Workgroup,
) -> Tensor<2> {
    let ([rows, inputs], [_, outputs]) = (input.dims(), weight.dims());
    assert!(
        inputs.is_multiple_of(4) && outputs.is_multiple_of(COLUMNS) && rows.is_multiple_of(workgroup.row_multiple())
    );
    let kernel = Linear {
        inputs,
        outputs,
        activation,
        workgroup,
    };
    let columns = (workgroup.columns * THREAD_COLUMNS) as usize;
    let groups = (outputs / columns, rows / workgroup.row_multiple());
    let buffers = [input.into(), weight.into(), bias.into()];
    launch(kernel, groups, &buffers, [rows, outputs])
}

impl Wgsl for Linear {
    /// Each thread has 8 rows and 4 columns, which stand apart by the group's width: so neighbouring threads read
    /// neighbouring weights and the same inputs, four of them at once. There is no copy in a group's shared memory:
    /// the caches serve as well, and barriers are what a software adapter is slowest at.
    fn text(&self) -> String {
        let Workgroup { columns, rows } = self.workgroup;
        let each = |work: &mut dyn FnMut(u32, u32)| {
            for row in 0..THREAD_ROWS {
                for column in 0..THREAD_COLUMNS {
                    work(row, column);
                }
            }
        };
        let mut sums = String::new();
        each(&mut |row, column| _ = writeln!(sums, "  var sum{row}_{column} = 0.0;"));
        let mut starts = String::new();
        let mut loads = String::new();
        for row in 0..THREAD_ROWS {
            _ = writeln!(starts, "  var at{row} = (row + {row}u) * {}u;", self.inputs / 4);
            _ = writeln!(loads, "    let x{row} = input[at{row}];\n    at{row} += 1u;");
        }
        let mut products = String::new();
        for (k, part) in ["x", "y", "z", "w"].into_iter().enumerate() {
            for column in 0..THREAD_COLUMNS {
                let offset = k * self.outputs + (column * columns) as usize;
                _ = writeln!(products, "    let w{k}_{column} = weight[begin + {offset}u];");
            }
            each(&mut |row, column| {
                _ = writeln!(
                    products,
                    "    sum{row}_{column} = fma(x{row}.{part}, w{k}_{column}, sum{row}_{column});"
                );
            });
        }
        let mut results = String::new();
        for column in 0..THREAD_COLUMNS {
            _ = writeln!(results, "  let b{column} = bias[column + {}u];", column * columns);
        }
        each(&mut |row, column| {
            let place = format!("(row + {row}u) * {}u + column + {}u", self.outputs, column * columns);
            _ = writeln!(
                results,
                "  output[{place}] = activation(sum{row}_{column} + b{column});"
            );
        });
        let bindings = bindings(&[
            ("input", "vec4<f32>"),
            ("weight", "f32"),
            ("bias", "f32"),
            ("output", "f32"),
        ]);
        let activation = match self.activation {
            Activation::None => "fn activation(x: f32) -> f32 {\n  return x;\n}\n",
            Activation::Gelu => GELU,
            // Some drivers compute tanh by exponentials that overflow; beyond 15 it is 1 in any case.
            Activation::Tanh => "fn activation(x: f32) -> f32 {\n  return tanh(clamp(x, -15.0, 15.0));\n}\n",
        };
        let (group_rows, group_columns) = (THREAD_ROWS * rows, THREAD_COLUMNS * columns);
        let (steps, stride) = (self.inputs / 4, 4 * self.outputs);
        format!(
            "{bindings}{activation}
@compute @workgroup_size({columns}, {rows}, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) thread: vec3<u32>) {{
  let row = group.y * {group_rows}u + thread.y * {THREAD_ROWS}u;
  let column = group.x * {group_columns}u + thread.x;
{sums}{starts}  var begin = column;
  for (var k = 0u; k < {steps}u; k += 1u) {{
{loads}{products}    begin += {stride}u;
  }}
{results}}}
"
        )
    }

    fn workgroup(&self) -> (u32, u32) {
        (self.workgroup.columns, self.workgroup.rows)
    }
}

/// The polynomials are those of `cpu::rows`, where they are explained.
const GELU: &str = "fn activation(x: f32) -> f32 {
  let z = clamp(x * 0.70710678, -3.9, 3.9);
  let t = z * z;
  var p = 2.0118826e-8;
  p = fma(p, t, -1.9969484e-6);
  p = fma(p, t, 0.00014747791);
  p = fma(p, t, 0.0038963796);
  p = fma(p, t, 0.0511492);
  p = fma(p, t, 0.20422703);
  p = fma(p, t, 1.1283787);
  var q = 0.0010066295;
  q = fma(q, t, 0.014730685);
  q = fma(q, t, 0.11678641);
  q = fma(q, t, 0.5143205);
  q = fma(q, t, 1.0);
  let h = 0.5 * x;
  return fma(h, z * p / q, h);
}
";
