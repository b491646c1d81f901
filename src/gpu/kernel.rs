//! A kernel's text, and how it is launched on tensors.

use std::fmt::Debug;
use std::hash::Hash;

use burn::backend::Cube;
use burn::tensor::{DType, Int, Shape, Tensor};
use burn_cubecl::template::{KernelSource, SourceKernel, SourceTemplate};
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::KernelId;
use cubecl::server::KernelArguments;
use cubecl::{CubeCount, CubeDim};

/// How threads are grouped.
///
/// A GPU wants many threads in a group to hide how long its memory takes; a processor that plays GPU has nothing to
/// hide, and keeps a small group's numbers in its registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Workgroup {
    /// Threads side by side: neighbouring columns.
    pub columns: u32,
    /// Threads below each other: further rows.
    pub rows: u32,
}

impl Workgroup {
    /// For a GPU, or for a program in its place.
    pub fn new(software: bool) -> Self {
        match software {
            true => Self { columns: 8, rows: 1 },
            false => Self { columns: 16, rows: 4 },
        }
    }
}

/// Everything that decides a kernel's text.
pub(super) trait Wgsl: Clone + Debug + Eq + Hash + Send + Sync + 'static {
    /// The whole text; the entry is `main`, the bindings are the inputs and then the output.
    fn text(&self) -> String;

    /// Threads of a workgroup, as the text says it.
    fn workgroup(&self) -> (u32, u32);
}

struct Source<K>(K);

impl<K: Wgsl> KernelSource for Source<K> {
    fn source(&self) -> SourceTemplate {
        SourceTemplate::new(self.0.text())
    }

    fn id(&self) -> KernelId {
        KernelId::new::<K>().info(self.0.clone())
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

/// A tensor as a kernel sees it.
pub(super) struct Buffer(CubeTensor);

impl<const D: usize> From<&Tensor<D>> for Buffer {
    fn from(tensor: &Tensor<D>) -> Self {
        Self(tensor.clone().try_into_primitive::<Cube>().expect(ON_GPU))
    }
}

impl From<&Tensor<2, Int>> for Buffer {
    fn from(tensor: &Tensor<2, Int>) -> Self {
        Self(tensor.clone().try_into_primitive::<Cube>().expect(ON_GPU))
    }
}

const ON_GPU: &str = "kernels are launched on a GPU's tensors only, without gradients";

/// Launches the kernel on `groups` workgroups; its output becomes a tensor of [rows, columns].
pub(super) fn launch<K: Wgsl>(kernel: K, groups: (usize, usize), inputs: &[Buffer], output: [usize; 2]) -> Tensor<2> {
    let (x, y) = kernel.workgroup();
    let size = CubeDim::new_2d(x, y);
    let first = &inputs[0].0;
    let bytes = output[0] * output[1] * DType::F32.size();
    let result = CubeTensor::new_contiguous(
        first.client.clone(),
        first.device.clone(),
        Shape::from(output.to_vec()),
        first.client.empty(bytes),
        DType::F32,
    );
    let mut buffers: Vec<_> = inputs.iter().map(|input| input.0.handle.clone().binding()).collect();
    buffers.push(result.handle.clone().binding());
    first.client.launch(
        Box::new(SourceKernel::new(Source(kernel), size)),
        CubeCount::Static(groups.0 as u32, groups.1 as u32, 1),
        KernelArguments::new().with_buffers(buffers),
    );
    Tensor::from_primitive::<Cube>(result)
}

/// Declarations of bindings, in the order in which buffers are given; the output comes last.
pub(super) fn bindings(declared: &[(&str, &str)]) -> String {
    let line = |(number, (name, element)): (usize, &(&str, &str))| {
        // All of them may be written to, because buffers of burn's tensors can share memory, and a buffer must not be
        // bound for reading and for writing at once.
        format!("@group(0) @binding({number}) var<storage, read_write> {name}: array<{element}>;\n")
    };
    declared.iter().enumerate().map(line).collect()
}
