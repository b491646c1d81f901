"""Writes an int8 ONNX file of a BERT sequence classifier as config.json and model.safetensors.

    convert_cross_encoder.py model.onnx TARGET_FOLDER

The numbers stay as they are in the file: each quantised tensor `NAME` is stored as int8 or uint8, beside it
`NAME.scale` (float32, one value for the tensor) and, where it is not zero, `NAME.zero_point`:

    value = (q - zero_point) * scale

Names are those of the model on the hub, linear weights are [out, in] as in PyTorch. An ONNX exporter drops the
names of most linear weights; the bias that is added to their product still has its own, and gives the weight's.
"""

import json
import sys
from pathlib import Path

import numpy
import onnx
from onnx import numpy_helper
from safetensors.numpy import save_file

# cross-encoder/ms-marco-MiniLM-L-12-v2; layers and sizes are checked against the tensors below.
CONFIG = {
    "architectures": ["BertForSequenceClassification"],
    "attention_probs_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": 384,
    "id2label": {"0": "LABEL_0"},
    "initializer_range": 0.02,
    "intermediate_size": 1536,
    "label2id": {"LABEL_0": 0},
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 512,
    "model_type": "bert",
    "num_attention_heads": 12,
    "num_hidden_layers": 12,
    "pad_token_id": 0,
    "position_embedding_type": "absolute",
    "type_vocab_size": 2,
    "vocab_size": 30522,
}

QUANTIZED = "_quantized"


def linear_names(graph: onnx.GraphProto, initializers: dict[str, numpy.ndarray]) -> dict[str, str]:
    """Weight name for each quantised operand of a matrix product, found by the bias that is added to it."""
    consumers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            consumers.setdefault(name, []).append(node)
    found = {}
    for node in graph.node:
        if node.op_type != "MatMulInteger":
            continue
        output = node.output[0]
        bias = None
        # MatMulInteger -> Cast -> Mul -> Add, one consumer each.
        for _ in range(3):
            (follower,) = consumers[output]
            biases = [name for name in follower.input if name.endswith(".bias") and name in initializers]
            if follower.op_type == "Add" and biases:
                bias = biases[0]
                break
            output = follower.output[0]
        if bias is None:
            raise SystemExit(f"No bias follows the product with {node.input[1]}.")
        found[node.input[1]] = bias.removesuffix(".bias") + ".weight"
    return found


def tensors(model: onnx.ModelProto) -> dict[str, numpy.ndarray]:
    """All tensors by the hub's names, the quantised ones with their scales and zero points."""
    initializers = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    names = linear_names(model.graph, initializers)
    result = {}
    for name, values in initializers.items():
        if name.endswith(("_scale", "_zero_point")):
            continue
        if not name.endswith(QUANTIZED):
            result[name] = values.astype(numpy.float32)
            continue
        stem = name.removesuffix(QUANTIZED)
        if name in names:
            stem_out, values = names[name], values.T
        else:
            stem_out = stem
        scale, zero_point = initializers[f"{stem}_scale"], initializers[f"{stem}_zero_point"]
        result[stem_out] = numpy.ascontiguousarray(values)
        result[f"{stem_out}.scale"] = scale.astype(numpy.float32).reshape(())
        if zero_point != 0:
            result[f"{stem_out}.zero_point"] = zero_point.astype(values.dtype).reshape(())
    return result


def expected_shapes(config: dict) -> dict[str, tuple[int, ...]]:
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {
        "bert.embeddings.word_embeddings.weight": (config["vocab_size"], hidden),
        "bert.embeddings.position_embeddings.weight": (config["max_position_embeddings"], hidden),
        "bert.embeddings.token_type_embeddings.weight": (config["type_vocab_size"], hidden),
        "bert.embeddings.LayerNorm.weight": (hidden,),
        "bert.embeddings.LayerNorm.bias": (hidden,),
        "classifier.weight": (len(config["id2label"]), hidden),
        "classifier.bias": (len(config["id2label"]),),
    }
    linears = {"bert.pooler.dense": (hidden, hidden)}
    for layer in range(config["num_hidden_layers"]):
        prefix = f"bert.encoder.layer.{layer}."
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            linears[prefix + part] = (hidden, hidden)
        linears[f"{prefix}intermediate.dense"] = (inner, hidden)
        linears[f"{prefix}output.dense"] = (hidden, inner)
        for norm in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes[f"{prefix}{norm}.weight"] = shapes[f"{prefix}{norm}.bias"] = (hidden,)
    for name, shape in linears.items():
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = shape, shape[:1]
    return shapes


def main(source: str, target: str) -> None:
    found = tensors(onnx.load(source))
    shapes = {name: values.shape for name, values in found.items() if not name.endswith((".scale", ".zero_point"))}
    expected = expected_shapes(CONFIG)
    if shapes != expected:
        wrong = sorted(name for name in shapes.keys() | expected.keys() if shapes.get(name) != expected.get(name))
        raise SystemExit(f"{source} is not the model this script was written for; tensors that differ: {wrong[:5]}")
    folder = Path(target)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(found, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(sys.argv[1], sys.argv[2])
