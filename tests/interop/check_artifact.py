"""Checks that sentence-transformers reads querytune's download as it was meant.

    python check_artifact.py ARTIFACT [--base DIR] [--expected FILE]

ARTIFACT is the zip, or the folder it was unpacked to. Always checked: `model/` loads; vectors have length 1;
queries go through the head and documents do not; plain `encode` is the document's route; the head in `adapter/` is
the one in `model/`. With --base, a folder of the base encoder: documents have its vectors, queries
normalize((I + W) q) of them. With --expected, a JSON file {"texts": [...], "query": [[...]], "document": [[...]]} as
the engine computes them: the same vectors.
"""

import argparse
import json
import pathlib
import sys
import tempfile
import zipfile

import numpy as np
import sentence_transformers
from safetensors.numpy import load_file
from sentence_transformers import SentenceTransformer

TEXTS = [
    "wireless headphones",
    "How do I reset my password?",
    "usb-c to hdmi cable 2m",
    "Zürich café, naïve approach: 100 % cotton!",
    "a",
    "The transcription factor binds to the promoter and represses expression in T cells. " * 12,
]


def normalise(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class Checks:
    def __init__(self, tolerance):
        self.tolerance = tolerance
        self.failed = 0

    def close(self, claim, found, expected):
        found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
        if found.shape != expected.shape:
            self.that(claim, False, f"shape {found.shape}, expected {expected.shape}")
            return
        difference = float(np.abs(found - expected).max())
        self.that(claim, difference <= self.tolerance, f"largest difference {difference:.2e}")

    def that(self, claim, holds, detail):
        print(f"{'ok  ' if holds else 'FAIL'} {claim}: {detail}")
        self.failed += not holds


def check(folder, base, expected, checks):
    model = SentenceTransformer(str(folder / "model"), device="cpu", local_files_only=True)
    texts = expected["texts"] if expected else TEXTS
    query, document, plain = (call(texts) for call in (model.encode_query, model.encode_document, model.encode))
    weight = load_file(folder / "adapter" / "query_head.safetensors")["weight"]

    checks.close("query vectors have length 1", np.linalg.norm(query, axis=1), np.ones(len(texts)))
    checks.close("document vectors have length 1", np.linalg.norm(document, axis=1), np.ones(len(texts)))
    checks.close("plain encode takes the document's route", plain, document)
    heads = sorted((folder / "model").glob("*_Router/query_0_Dense/model.safetensors"))
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    delivered = report.get("fit", {}).get("delivered")
    checks.that("model/ is what the report says was delivered", bool(heads) == (delivered == "tuned"), delivered)
    if heads:
        checks.close("the head in adapter/ is the one in model/", load_file(heads[0])["linear.weight"], weight)
        checks.close("query = normalize((I + W) document)", query, normalise(document @ weight.T))
        change = float(np.abs(query - document).max())
        checks.that("the head changes queries", change > 10 * checks.tolerance, f"by up to {change:.2e}")
    else:
        checks.close("queries and documents have the same vectors", query, document)
    if base:
        encoder = SentenceTransformer(str(base), device="cpu", local_files_only=True)
        of_base = normalise(encoder.encode(texts))
        checks.close("documents have the base model's vectors", document, of_base)
    if expected:
        checks.close("query vectors are the engine's", query, expected["query"])
        checks.close("document vectors are the engine's", document, expected["document"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("artifact", type=pathlib.Path)
    parser.add_argument("--base", type=pathlib.Path)
    parser.add_argument("--expected", type=pathlib.Path)
    parser.add_argument("--tolerance", type=float, default=1e-5)
    options = parser.parse_args()

    print(f"sentence-transformers {sentence_transformers.__version__}")
    expected = json.loads(options.expected.read_text(encoding="utf-8")) if options.expected else None
    checks = Checks(options.tolerance)
    if options.artifact.is_dir():
        check(options.artifact, options.base, expected, checks)
    else:
        with tempfile.TemporaryDirectory() as folder:
            zipfile.ZipFile(options.artifact).extractall(folder)
            check(pathlib.Path(folder), options.base, expected, checks)
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
