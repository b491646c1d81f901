//! Attention within each text: `softmax(Q Kᵀ / √d) V` of each head (Vaswani et al. 2017, formula 1), with the
//! softmax computed on the way (Milakov and Gimelshein 2018).

use std::fmt::Write;

use burn::tensor::{Int, Tensor};

use super::kernel::{Wgsl, Workgroup, bindings, launch};

/// Keys that are looked at together: what was summed so far is scaled once for all of them.
const KEYS: usize = 4;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Attention {
    hidden: usize,
    heads: usize,
    threads: u32,
}

/// Attends within every text: [rows, 3 · hidden] to [rows, hidden].
///
/// `projections` has queries, keys and values side by side; `spans` ([rows, 2]) says for each token where its text
/// begins and how long it is. Rows are a multiple of [`Workgroup::row_multiple`].
pub fn attend(projections: &Tensor<2>, spans: &Tensor<2, Int>, heads: usize, workgroup: Workgroup) -> Tensor<2> {
    let [rows, width] = projections.dims();
    let hidden = width / 3;
    let kernel = Attention {
        hidden,
        heads,
        threads: workgroup.row_multiple() as u32,
    };
    let groups = (rows / workgroup.row_multiple(), heads);
    launch(kernel, groups, &[projections.into(), spans.into()], [rows, hidden])
}

impl Wgsl for Attention {
    /// Each thread has one token's query; the threads of a text go through its keys in step and read the same ones.
    fn text(&self) -> String {
        let row = 3 * self.hidden / 4;
        let size = self.hidden / self.heads;
        let parts = size / 4;
        let factor = 1.0 / (size as f32).sqrt();
        let mut queries = String::new();
        let mut scores = String::new();
        let mut sums = String::new();
        let mut results = String::new();
        for part in 0..parts {
            _ = writeln!(queries, "  let q{part} = states[begin + {part}u] * {factor:?};");
            _ = writeln!(queries, "  var sum{part} = vec4<f32>(0.0);");
            _ = write!(sums, "    sum{part} = sum{part} * shrink");
            for key in 0..KEYS {
                _ = write!(sums, " + p{key} * states[at{key} + {}u]", self.hidden / 4 + part);
            }
            _ = writeln!(sums, ";");
            _ = writeln!(results, "  output[to + {part}u] = sum{part} * inverse;");
        }
        for key in 0..KEYS {
            _ = writeln!(
                scores,
                "    let at{key} = keys + min(key + {key}u, count - 1u) * {row}u;"
            );
            _ = write!(scores, "    var s{key} = ");
            let terms: Vec<String> = (0..parts)
                .map(|part| format!("dot(q{part}, states[at{key} + {part}u])"))
                .collect();
            _ = writeln!(scores, "{};", terms.join(" + "));
            if key > 0 {
                _ = writeln!(scores, "    s{key} = select(-1e30, s{key}, key + {key}u < count);");
            }
        }
        let bindings = bindings(&[("states", "vec4<f32>"), ("spans", "vec2<i32>"), ("output", "vec4<f32>")]);
        let (threads, quarter) = (self.threads, self.hidden / 4);
        format!(
            "{bindings}
@compute @workgroup_size({threads}, 1, 1)
fn main(@builtin(global_invocation_id) thread: vec3<u32>) {{
  let token = thread.x;
  let head = thread.y * {parts}u;
  let span = spans[token];
  let count = u32(span.y);
  let begin = token * {row}u + head;
  let keys = u32(span.x) * {row}u + {quarter}u + head;
{queries}  var most = -1e30;
  var total = 0.0;
  for (var key = 0u; key < count; key += {KEYS}u) {{
{scores}    let now = max(most, max(max(s0, s1), max(s2, s3)));
    let shrink = exp(most - now);
    let p0 = exp(s0 - now);
    let p1 = exp(s1 - now);
    let p2 = exp(s2 - now);
    let p3 = exp(s3 - now);
    most = now;
    total = total * shrink + (p0 + p1) + (p2 + p3);
{sums}  }}
  let inverse = 1.0 / total;
  let to = token * {quarter}u + head;
{results}}}
"
        )
    }

    fn workgroup(&self) -> (u32, u32) {
        (self.threads, 1)
    }
}
