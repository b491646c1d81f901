//! LoRA's changes are added to the base model's weights as the formula says, whatever these are stored as.

use std::collections::BTreeMap;

use querytune::artifact::{Lora, LoraMatrix, merged_weights};
use querytune::{Code, Result};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

const MODULE: &str = "encoder.layer.3.intermediate.dense";
const RANK: usize = 3;
const INPUTS: usize = 5;
const OUTPUTS: usize = 4;
const ALPHA: f32 = 1.5;

type Tensor = (String, Dtype, Vec<usize>, Vec<u8>);

fn tensor(name: &str, dtype: Dtype, shape: &[usize], data: Vec<u8>) -> Tensor {
    (name.to_owned(), dtype, shape.to_vec(), data)
}

fn f32s(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn merged(tensors: &[Tensor], lora: &Lora) -> Result<Vec<u8>> {
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, data)| (name, TensorView::new(*dtype, shape.clone(), data).unwrap()));
    let file = safetensors::serialize(views, None).unwrap();
    merged_weights(&BTreeMap::from([("model.safetensors".to_owned(), file)]), lora)
}

fn random(seed: u64, count: usize) -> Vec<f32> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..count).map(|_| random.f32() - 0.5).collect()
}

struct Change {
    a: Vec<f32>,
    b: Vec<f32>,
}

impl Change {
    fn new() -> Self {
        Self {
            a: random(1, RANK * INPUTS),
            b: random(2, OUTPUTS * RANK),
        }
    }

    fn lora(&self) -> Lora<'_> {
        let matrix = LoraMatrix {
            module: MODULE,
            inputs: INPUTS,
            outputs: OUTPUTS,
            a: &self.a,
            b: &self.b,
        };
        Lora {
            rank: RANK,
            alpha: ALPHA,
            documents: false,
            matrices: vec![matrix],
        }
    }

    /// W + alpha / rank · B A, number by number and in 64 bits.
    fn naive(&self, weight: &[f32]) -> Vec<f64> {
        let mut changed = Vec::new();
        for output in 0..OUTPUTS {
            for input in 0..INPUTS {
                let mut sum = 0.0;
                for k in 0..RANK {
                    sum += f64::from(self.b[output * RANK + k]) * f64::from(self.a[k * INPUTS + input]);
                }
                let weight = f64::from(weight[output * INPUTS + input]);
                changed.push(weight + f64::from(ALPHA) / RANK as f64 * sum);
            }
        }
        changed
    }
}

fn values(file: &[u8], name: &str) -> Vec<f32> {
    let tensors = SafeTensors::deserialize(file).unwrap();
    let tensor = tensors.tensor(name).unwrap();
    assert_eq!(tensor.dtype(), Dtype::F32, "{name}");
    tensor
        .data()
        .chunks(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
        .collect()
}

fn assert_close(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let tolerance = 1e-6 * expected.abs().max(1.0);
        assert!(
            (f64::from(*found) - expected).abs() < tolerance,
            "{found} is not {expected}"
        );
    }
}

#[test]
fn the_changes_are_added_and_nothing_else_changes() {
    let (change, weight) = (Change::new(), random(3, OUTPUTS * INPUTS));
    for prefix in ["", "bert."] {
        let name = format!("{prefix}{MODULE}.weight");
        let bias = format!("{prefix}{MODULE}.bias");
        let tensors = [
            tensor(&name, Dtype::F32, &[OUTPUTS, INPUTS], f32s(&weight)),
            tensor(&bias, Dtype::F32, &[2], f32s(&[0.1, 0.2])),
            tensor("position_ids", Dtype::I64, &[1], 7i64.to_le_bytes().to_vec()),
        ];
        let file = merged(&tensors, &change.lora()).unwrap();
        let found = SafeTensors::deserialize(&file).unwrap();
        assert_eq!(found.len(), 3);
        assert_eq!(found.tensor("position_ids").unwrap().data(), 7i64.to_le_bytes());
        assert_eq!(values(&file, &bias), [0.1, 0.2]);
        assert_close(&values(&file, &name), &change.naive(&weight));
    }
}

#[test]
fn halves_become_floats_everywhere_so_that_no_reader_rounds_the_changes() {
    let change = Change::new();
    let name = format!("{MODULE}.weight");
    // 1, -2, .5 and a number that is only just there, as F16 and as BF16.
    let cases = [
        (Dtype::F16, [0x3C00u16, 0xC000, 0x3800, 0x0001], 5.960_464_5e-8),
        (Dtype::BF16, [0x3F80, 0xC000, 0x3F00, 0x0001], f32::from_bits(0x10000)),
    ];
    for (dtype, bits, least) in cases {
        let bits: Vec<u16> = bits.into_iter().cycle().take(OUTPUTS * INPUTS).collect();
        let weight: Vec<f32> = [1.0, -2.0, 0.5, least]
            .into_iter()
            .cycle()
            .take(OUTPUTS * INPUTS)
            .collect();
        let halves: Vec<u8> = bits.iter().flat_map(|bits| bits.to_le_bytes()).collect();
        let tensors = [
            tensor(&name, dtype, &[OUTPUTS, INPUTS], halves.clone()),
            tensor("embeddings", dtype, &[2], halves[..4].to_vec()),
        ];
        let file = merged(&tensors, &change.lora()).unwrap();
        assert_eq!(values(&file, "embeddings"), [1.0, -2.0]);
        assert_close(&values(&file, &name), &change.naive(&weight));
    }
}

#[test]
fn integers_become_floats_before_the_changes_are_added() {
    let change = Change::new();
    let name = format!("{MODULE}.weight");
    let integers: Vec<i8> = (0..(OUTPUTS * INPUTS) as i8).map(|number| 3 * number - 30).collect();
    let scales = [0.5, 0.25, 1.0, 2.0];
    let weight: Vec<f32> = integers
        .iter()
        .enumerate()
        .map(|(index, &integer)| (f32::from(integer) - 2.0) * scales[index / INPUTS])
        .collect();
    let tensors = [
        tensor(
            &name,
            Dtype::I8,
            &[OUTPUTS, INPUTS],
            integers.iter().map(|integer| integer.cast_unsigned()).collect(),
        ),
        tensor(&format!("{name}.scale"), Dtype::F32, &[4], f32s(&scales)),
        tensor(&format!("{name}.zero_point"), Dtype::I8, &[1], vec![2]),
        tensor("other", Dtype::I8, &[1], vec![0xFF]),
        tensor("other.scale", Dtype::F32, &[1], f32s(&[0.5])),
    ];
    let file = merged(&tensors, &change.lora()).unwrap();
    let mut names = SafeTensors::deserialize(&file)
        .unwrap()
        .names()
        .into_iter()
        .map(String::from)
        .collect::<Vec<_>>();
    names.sort_unstable();
    assert_eq!(names, [name.clone(), "other".into()]);
    assert_eq!(values(&file, "other"), [-0.5]);
    assert_close(&values(&file, &name), &change.naive(&weight));
}

#[test]
fn another_base_model_is_refused_with_the_layers_name() {
    let change = Change::new();
    let name = format!("{MODULE}.weight");
    for tensors in [
        [tensor("other", Dtype::F32, &[1], f32s(&[1.0]))],
        [tensor(
            &name,
            Dtype::F32,
            &[INPUTS, OUTPUTS],
            f32s(&[0.0; OUTPUTS * INPUTS]),
        )],
    ] {
        let error = merged(&tensors, &change.lora()).unwrap_err();
        assert_eq!(error.code(), Code::ModelShape);
        assert!(
            error.message().contains(MODULE) && error.message().contains("Take the base model"),
            "{error}"
        );
    }
}

#[test]
fn weights_that_cannot_be_added_to_are_refused() {
    let change = Change::new();
    let name = format!("{MODULE}.weight");
    let tensors = [tensor(&name, Dtype::I8, &[OUTPUTS, INPUTS], vec![1; OUTPUTS * INPUTS])];
    assert_eq!(merged(&tensors, &change.lora()).unwrap_err().code(), Code::ModelWeights);
    let nothing = BTreeMap::new();
    let error = merged_weights(&nothing, &change.lora()).unwrap_err();
    assert_eq!(error.code(), Code::ModelFileMissing);
    let cut = BTreeMap::from([("model.safetensors".to_owned(), vec![9; 20])]);
    assert_eq!(
        merged_weights(&cut, &change.lora()).unwrap_err().code(),
        Code::ModelWeights
    );
}
