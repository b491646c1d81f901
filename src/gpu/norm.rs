//! Layer normalisation of sums, row by row: a group of threads has a row.

use burn::tensor::{Int, Tensor};

use super::kernel::{Wgsl, bindings, launch};

/// Threads that have a row together.
pub(super) const THREADS: usize = 32;

/// A layer normalisation's parameters.
pub struct Norm {
    /// Factor of each column.
    pub gamma: Tensor<1>,
    /// Added to each column.
    pub beta: Tensor<1>,
    /// Added to the variance.
    pub epsilon: f32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Sum {
    /// Of two rows.
    Two,
    /// Of a row each of the tables of words, types and positions.
    Embedding,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Normalize {
    sum: Sum,
    hidden: usize,
    /// The number's bits, which can be compared and hashed.
    epsilon: u32,
}

/// `states + added`, normalised row by row.
pub fn add_and_normalize(states: &Tensor<2>, added: &Tensor<2>, norm: &Norm) -> Tensor<2> {
    let [rows, hidden] = states.dims();
    let kernel = Normalize {
        sum: Sum::Two,
        hidden,
        epsilon: norm.epsilon.to_bits(),
    };
    let buffers = [states.into(), added.into(), (&norm.gamma).into(), (&norm.beta).into()];
    launch(kernel, (rows, 1), &buffers, [rows, hidden])
}

/// First states of tokens: words, types and positions added and normalised.
///
/// `tokens` is [rows, 4]: of each token the rows in `words`, `types` and `positions`, and nothing.
pub fn embed(tokens: &Tensor<2, Int>, [words, types, positions]: [&Tensor<2>; 3], norm: &Norm) -> Tensor<2> {
    let ([rows, _], [_, hidden]) = (tokens.dims(), words.dims());
    let kernel = Normalize {
        sum: Sum::Embedding,
        hidden,
        epsilon: norm.epsilon.to_bits(),
    };
    let buffers = [
        tokens.into(),
        words.into(),
        types.into(),
        positions.into(),
        (&norm.gamma).into(),
        (&norm.beta).into(),
    ];
    launch(kernel, (rows, 1), &buffers, [rows, hidden])
}

impl Wgsl for Normalize {
    fn text(&self) -> String {
        let quarter = self.hidden / 4;
        let vector = "vec4<f32>";
        let rest = [("gamma", vector), ("beta", vector), ("output", vector)];
        let (inputs, at, sum) = match self.sum {
            Sum::Two => (
                vec![("states", vector), ("added", vector)],
                String::new(),
                "states[start + at] + added[start + at]",
            ),
            Sum::Embedding => (
                vec![
                    ("tokens", "vec4<i32>"),
                    ("words", vector),
                    ("types", vector),
                    ("positions", vector),
                ],
                format!("  let rows = vec4<u32>(tokens[group.x]) * {quarter}u;\n"),
                "words[rows.x + at] + types[rows.y + at] + positions[rows.z + at]",
            ),
        };
        let bindings = bindings(&[inputs, rest.to_vec()].concat());
        let epsilon = f32::from_bits(self.epsilon);
        let hidden = self.hidden;
        // Threads beyond a row's end, in the last round, add nothing.
        let each = format!("for (var at = thread.x; at < {quarter}u; at += {THREADS}u)");
        let of_all = total("partials");
        format!(
            "{bindings}var<workgroup> row: array<vec4<f32>, {quarter}>;
var<workgroup> partials: array<f32, {THREADS}>;
{of_all}
@compute @workgroup_size({THREADS}, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) thread: vec3<u32>) {{
  let start = group.x * {quarter}u;
{at}  var sum = vec4<f32>(0.0);
  {each} {{
    let value = {sum};
    row[at] = value;
    sum += value;
  }}
  partials[thread.x] = (sum.x + sum.y) + (sum.z + sum.w);
  workgroupBarrier();
  let mean = total() / {hidden}.0;
  workgroupBarrier();
  var squares = 0.0;
  {each} {{
    let centred = row[at] - mean;
    squares += dot(centred, centred);
  }}
  partials[thread.x] = squares;
  workgroupBarrier();
  let factor = inverseSqrt(total() / {hidden}.0 + {epsilon:e});
  {each} {{
    output[start + at] = (row[at] - mean) * factor * gamma[at] + beta[at];
  }}
}}
"
        )
    }

    fn workgroup(&self) -> (u32, u32) {
        (THREADS as u32, 1)
    }
}

/// A function `total()` over what every thread of a group has put down.
pub(super) fn total(partials: &str) -> String {
    format!(
        "fn total() -> f32 {{
  var sum = 0.0;
  for (var i = 0u; i < {THREADS}u; i += 1u) {{
    sum += {partials}[i];
  }}
  return sum;
}}
"
    )
}
