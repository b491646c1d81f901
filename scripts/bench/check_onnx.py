"""Compares exported graphs with the golden vectors and logits, by onnxruntime in Python.

    check_onnx.py GOLDEN.json GRAPH.onnx...

Every graph is fed one text at a time, and all texts that are not long together with padding. A line for each graph:
its name and the largest error of a component or a logit. The exit code is 1 where a float32 graph is wrong; how
exact a quantised one is (`quantized` in its name) is only said.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

EMBEDDING, LOGIT = 1e-5, 2e-3
LONG = 100  # tokens


def expected(item: dict) -> np.ndarray:
    return np.array(item["embedding"] if "embedding" in item else [item["logit"]], np.float32)


def results(session: onnxruntime.InferenceSession, items: list[dict]) -> np.ndarray:
    length = max(len(item["input_ids"]) for item in items)
    ids, mask, types = (np.zeros((len(items), length), np.int64) for _ in range(3))
    for row, item in enumerate(items):
        count = len(item["input_ids"])
        ids[row, :count] = item["input_ids"]
        types[row, :count] = item.get("type_ids", [0] * count)
        mask[row, :count] = 1
    (output,) = session.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": types})
    if output.ndim == 2:
        return output
    means = (output * mask[:, :, None]).sum(1) / mask.sum(1)[:, None]
    return means / np.linalg.norm(means, axis=1, keepdims=True)


def largest_error(path: Path, items: list[dict]) -> float:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    short = [item for item in items if len(item["input_ids"]) <= LONG]
    groups = [[item] for item in items] + [short]
    return max(
        float(np.abs(found - expected(item)).max())
        for group in groups
        for found, item in zip(results(session, group), group, strict=True)
    )


def main(golden: Path, graphs: list[Path]) -> int:
    items = json.loads(golden.read_text())["items"]
    tolerance = EMBEDDING if "embedding" in items[0] else LOGIT
    wrong = 0
    for path in graphs:
        error = largest_error(path, items)
        print(f"{path.name} {error:.2e}")
        # Written so that NaN is wrong.
        if "quantized" not in path.name and not error <= tolerance:
            wrong = 1
            print(f"{path.name} is more than {tolerance} away from {golden}.", file=sys.stderr)
    return wrong


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    sys.exit(main(Path(sys.argv[1]), [Path(path) for path in sys.argv[2:]]))
