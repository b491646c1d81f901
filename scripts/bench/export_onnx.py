"""Writes a BERT model as ONNX, from the very weights that querytune loads, for the peers of the benchmark.

    export_onnx.py MODEL_FOLDER TARGET_FOLDER [--int8]

MODEL_FOLDER has config.json and model.safetensors (float32, or int8 with `.scale`). Written are
    model.onnx            operators of the ONNX standard only, as exporters of PyTorch models write them; on the CPU
                          onnxruntime fuses them itself when it loads the file, and is as fast as with the next one
    model_fused.onnx      the same numbers by onnxruntime's own fused operators (com.microsoft): faster on WebGPU
    model_quantized.onnx  with --int8: model.onnx with dynamically quantised products

Inputs: input_ids, attention_mask, token_type_ids, int64 [batch, sequence]. Outputs of an encoder: last_hidden_state;
of a classifier: logits.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

# What onnxruntime-web of today and of last year reads.
OPSET, FUSED_OPSET, IR = 17, 1, 8
MASKED = np.float32(np.finfo(np.float32).min)


def weights(folder: Path) -> dict[str, np.ndarray]:
    """All tensors in float32, names without the leading `bert.`."""
    stored = load_file(folder / "model.safetensors")
    found = {}
    for name, values in stored.items():
        if name.endswith((".scale", ".zero_point")):
            continue
        if f"{name}.scale" in stored:
            zero = stored.get(f"{name}.zero_point", np.zeros(1)).astype(np.float32)
            values = (values.astype(np.float32) - zero) * stored[f"{name}.scale"]
        found[name.removeprefix("bert.")] = values.astype(np.float32)
    return found


class Graph:
    """An ONNX graph in the making."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, values) -> str:
        if name not in self.initializers:
            self.initializers[name] = numpy_helper.from_array(np.array(values, order="C"), name)
        return name

    def add(self, kind: str, *inputs: str, name: str, outputs: int = 1, domain: str = "", **attributes):
        names = [name] + [f"{name}.{i}" for i in range(1, outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=name, domain=domain, **attributes))
        return name if outputs == 1 else names

    def model(self, outputs: dict[str, list]) -> onnx.ModelProto:
        ids = ["batch", "sequence"]
        inputs = ["input_ids", "attention_mask", "token_type_ids"]
        graph = helper.make_graph(
            self.nodes,
            "bert",
            [helper.make_tensor_value_info(name, TensorProto.INT64, ids) for name in inputs],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
            list(self.initializers.values()),
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", FUSED_OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, producer_name="querytune-bench")
        model.ir_version = IR
        return model


class Bert:
    """The parts that both forms have in common; a form adds `embeddings`, `attention`, `gelu` and `norm`."""

    def __init__(self, config: dict, tensors: dict[str, np.ndarray]) -> None:
        self.config, self.tensors, self.graph = config, tensors, Graph()
        self.heads = config["num_attention_heads"]
        self.hidden = config["hidden_size"]

    def tensor(self, name: str) -> str:
        return self.graph.constant(name, self.tensors[name])

    def product(self, x: str, name: str) -> str:
        """x W without the bias."""
        weight = self.graph.constant(f"{name}.weight.T", self.tensors[f"{name}.weight"].T)
        return self.graph.add("MatMul", x, weight, name=f"{name}.product")

    def linear(self, x: str, name: str) -> str:
        return self.graph.add("Add", self.product(x, name), self.tensor(f"{name}.bias"), name=name)

    def build(self) -> onnx.ModelProto:
        x = self.embeddings()
        for i in range(self.config["num_hidden_layers"]):
            layer = f"encoder.layer.{i}"
            attended = self.product(self.attention(x, f"{layer}.attention.self"), f"{layer}.attention.output.dense")
            x = self.norm(attended, x, f"{layer}.attention.output")
            inner = self.gelu(self.product(x, f"{layer}.intermediate.dense"), f"{layer}.intermediate.dense")
            x = self.norm(self.product(inner, f"{layer}.output.dense"), x, f"{layer}.output")
        if "classifier.weight" not in self.tensors:
            self.graph.add("Identity", x, name="last_hidden_state")
            return self.graph.model({"last_hidden_state": ["batch", "sequence", self.hidden]})
        first = self.graph.add("Gather", x, self.graph.constant("zero", np.int64(0)), name="first", axis=1)
        pooled = self.graph.add("Tanh", self.linear(first, "pooler.dense"), name="pooled")
        self.graph.add("Identity", self.linear(pooled, "classifier"), name="logits")
        return self.graph.model({"logits": ["batch", self.tensors["classifier.weight"].shape[0]]})


class Plain(Bert):
    def embeddings(self) -> str:
        g = self.graph
        length = g.add("Shape", "input_ids", name="length", start=1, end=2)
        positions = self.graph.constant("positions", np.arange(self.config["max_position_embeddings"])[None])
        axis = g.constant("one", np.array([1]))
        places = g.add("Slice", positions, g.constant("start", np.array([0])), length, axis, name="places")
        parts = {"word": "input_ids", "token_type": "token_type_ids", "position": places}
        words, types, places = (
            g.add("Gather", self.tensor(f"embeddings.{part}_embeddings.weight"), ids, name=f"embeddings.{part}")
            for part, ids in parts.items()
        )
        sum = g.add("Add", g.add("Add", words, types, name="embeddings.typed"), places, name="embeddings.sum")
        mask = g.add("Unsqueeze", "attention_mask", g.constant("mask.axes", np.array([1, 2])), name="mask.wide")
        mask = g.add("Cast", mask, name="mask.float", to=TensorProto.FLOAT)
        mask = g.add("Sub", g.constant("mask.one", np.float32(1)), mask, name="mask.inverse")
        self.mask = g.add("Mul", mask, g.constant("mask.masked", MASKED), name="mask")
        return self.layer_norm(sum, "embeddings")

    def layer_norm(self, x: str, name: str) -> str:
        scale, bias = self.tensor(f"{name}.LayerNorm.weight"), self.tensor(f"{name}.LayerNorm.bias")
        epsilon = self.config["layer_norm_eps"]
        return self.graph.add("LayerNormalization", x, scale, bias, name=f"{name}.LayerNorm", epsilon=epsilon, axis=-1)

    def norm(self, x: str, residual: str, name: str) -> str:
        x = self.graph.add("Add", x, self.tensor(f"{name}.dense.bias"), name=f"{name}.dense")
        return self.layer_norm(self.graph.add("Add", x, residual, name=f"{name}.residual"), name)

    def gelu(self, x: str, name: str) -> str:
        g = self.graph
        x = g.add("Add", x, self.tensor(f"{name}.bias"), name=name)
        erf = g.add("Div", x, g.constant("sqrt2", np.float32(2**0.5)), name=f"{name}.scaled")
        erf = g.add("Erf", erf, name=f"{name}.erf")
        erf = g.add("Add", erf, g.constant("gelu.one", np.float32(1)), name=f"{name}.erf1")
        x = g.add("Mul", x, erf, name=f"{name}.double")
        return g.add("Mul", x, g.constant("half", np.float32(0.5)), name=f"{name}.gelu")

    def attention(self, x: str, name: str) -> str:
        g = self.graph
        split = g.constant("split", np.array([0, 0, self.heads, self.hidden // self.heads]))
        query, key, value = (
            g.add(
                "Transpose",
                g.add("Reshape", self.linear(x, f"{name}.{part}"), split, name=f"{name}.{part}.split"),
                name=f"{name}.{part}.heads",
                perm=order,
            )
            for part, order in (("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3]))
        )
        scores = g.add("MatMul", query, key, name=f"{name}.scores")
        root = g.constant("root", np.float32((self.hidden // self.heads) ** 0.5))
        scores = g.add("Add", g.add("Div", scores, root, name=f"{name}.scaled"), self.mask, name=f"{name}.masked")
        shares = g.add("Softmax", scores, name=f"{name}.shares", axis=-1)
        mixed = g.add("MatMul", shares, value, name=f"{name}.mixed")
        mixed = g.add("Transpose", mixed, name=f"{name}.joined", perm=[0, 2, 1, 3])
        return g.add("Reshape", mixed, g.constant("join", np.array([0, 0, self.hidden])), name=name)


class Fused(Bert):
    def fused(self, kind: str, *inputs: str, name: str, **attributes):
        return self.graph.add(kind, *inputs, name=name, domain="com.microsoft", **attributes)

    def embeddings(self) -> str:
        to_int = {"to": TensorProto.INT32}
        ids, types, mask = (
            self.graph.add("Cast", name, name=f"{name}.int32", **to_int)
            for name in ("input_ids", "token_type_ids", "attention_mask")
        )
        tables = [self.tensor(f"embeddings.{part}_embeddings.weight") for part in ("word", "position", "token_type")]
        norm = [self.tensor("embeddings.LayerNorm.weight"), self.tensor("embeddings.LayerNorm.bias")]
        # The mask's second form: how many tokens of each text count.
        x, self.mask = self.fused(
            "EmbedLayerNormalization",
            ids,
            types,
            *tables,
            *norm,
            mask,
            name="embeddings",
            outputs=2,
            epsilon=self.config["layer_norm_eps"],
        )
        return x

    def norm(self, x: str, residual: str, name: str) -> str:
        norm = [self.tensor(f"{name}.LayerNorm.weight"), self.tensor(f"{name}.LayerNorm.bias")]
        bias = self.tensor(f"{name}.dense.bias")
        epsilon = self.config["layer_norm_eps"]
        return self.fused("SkipLayerNormalization", x, residual, *norm, bias, name=name, epsilon=epsilon)

    def gelu(self, x: str, name: str) -> str:
        return self.fused("BiasGelu", x, self.tensor(f"{name}.bias"), name=name)

    def attention(self, x: str, name: str) -> str:
        parts = [f"{name}.{part}" for part in ("query", "key", "value")]
        weight = np.concatenate([self.tensors[f"{part}.weight"].T for part in parts], axis=1)
        bias = np.concatenate([self.tensors[f"{part}.bias"] for part in parts])
        given = [self.graph.constant(f"{name}.weight", weight), self.graph.constant(f"{name}.bias", bias)]
        return self.fused("Attention", x, *given, self.mask, name=name, num_heads=self.heads)


def main(source: Path, target: Path, int8: bool) -> None:
    config = json.loads((source / "config.json").read_text())
    tensors = weights(source)
    target.mkdir(parents=True, exist_ok=True)
    for name, form in (("model", Plain), ("model_fused", Fused)):
        onnx.save(form(config, tensors).build(), target / f"{name}.onnx")
    if int8:
        # Imported here: it takes its time, and the classifier has an int8 file of its own.
        from onnxruntime.quantization import QuantType, quantize_dynamic

        # Unsigned weights: as fast as signed ones, and nearer to the exact vectors.
        quantize_dynamic(target / "model.onnx", target / "model_quantized.onnx", weight_type=QuantType.QUInt8)


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--int8"]
    if len(arguments) != 2:
        raise SystemExit(__doc__)
    main(Path(arguments[0]), Path(arguments[1]), "--int8" in sys.argv)
