//! One row for each text: a group of threads has a text.

use burn::tensor::{Int, Tensor};

use super::kernel::{Wgsl, bindings, launch};
use super::norm::{THREADS, total};

/// What a text's row is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pooled {
    /// The mean of its tokens' states.
    Mean,
    /// Its first token's state.
    First,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pool {
    pooled: Pooled,
    normalize: bool,
    hidden: usize,
}

/// [rows, hidden] to [texts, hidden]; `texts` ([texts, 2]) says where each begins and how long it is.
///
/// `normalize`: scaled to length 1, by the epsilon of `torch.nn.functional.normalize`.
pub fn pool(states: &Tensor<2>, texts: &Tensor<2, Int>, pooled: Pooled, normalize: bool) -> Tensor<2> {
    let ([_, hidden], [count, _]) = (states.dims(), texts.dims());
    let kernel = Pool {
        pooled,
        normalize,
        hidden,
    };
    launch(kernel, (count, 1), &[states.into(), texts.into()], [count, hidden])
}

impl Wgsl for Pool {
    fn text(&self) -> String {
        let quarter = self.hidden / 4;
        let bindings = bindings(&[("states", "vec4<f32>"), ("texts", "vec2<i32>"), ("output", "vec4<f32>")]);
        let count = match self.pooled {
            Pooled::Mean => "u32(texts[group.x].y)",
            Pooled::First => "1u",
        };
        let factor = match self.normalize {
            true => "1.0 / max(sqrt(total()), 1e-12)",
            false => "1.0",
        };
        let each = format!("for (var at = thread.x; at < {quarter}u; at += {THREADS}u)");
        let of_all = total("partials");
        format!(
            "{bindings}var<workgroup> row: array<vec4<f32>, {quarter}>;
var<workgroup> partials: array<f32, {THREADS}>;
{of_all}
@compute @workgroup_size({THREADS}, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) thread: vec3<u32>) {{
  let start = u32(texts[group.x].x) * {quarter}u;
  let count = {count};
  var squares = 0.0;
  {each} {{
    var sum = vec4<f32>(0.0);
    for (var token = 0u; token < count; token += 1u) {{
      sum += states[start + token * {quarter}u + at];
    }}
    let mean = sum / f32(count);
    row[at] = mean;
    squares += dot(mean, mean);
  }}
  partials[thread.x] = squares;
  workgroupBarrier();
  let factor = {factor};
  {each} {{
    output[group.x * {quarter}u + at] = row[at] * factor;
  }}
}}
"
        )
    }

    fn workgroup(&self) -> (u32, u32) {
        (THREADS as u32, 1)
    }
}
