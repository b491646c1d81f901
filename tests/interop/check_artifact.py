"""Checks that sentence-transformers, PEFT, numpy and JavaScript read querytune's download as it was meant.

    python check_artifact.py ARTIFACT [--base DIR] [--expected FILE]

ARTIFACT is the zip, or the folder it was unpacked to. Always checked: `model/` loads; vectors have length 1; plain
`encode` is the document's route; queries and documents each go where the adapter says. With --base, a folder of the
base encoder: vectors of the base encoder where they have to be kept; for heads the code of `adapter/README.md`, run
in Python and in Node; for LoRA `adapter/` on the base encoder in sentence-transformers and in PEFT, and merged by the
README's code. With --expected, a JSON file {"texts": [...], "query": [[...]], "document": [[...]]} as the engine
computes them: the same vectors.

The form of `data/`, where there is one, is checked without any library; check_readers.py has those that it is written for.
"""

import argparse
import csv
import json
import math
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

import numpy as np
import sentence_transformers
import torch
from peft import PeftModel
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from sentence_transformers import SentenceTransformer
from transformers import AutoModel

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


def load(folder):
    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


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

    def differ(self, claim, found, other):
        difference = float(np.abs(found - other).max())
        self.that(claim, difference > 10 * self.tolerance, f"by up to {difference:.2e}")

    def that(self, claim, holds, detail):
        print(f"{'ok  ' if holds else 'FAIL'} {claim}: {detail}")
        self.failed += not holds


def check(folder, base, expected, checks):
    model = load(folder / "model")
    # Then the same text is another one as a query.
    prompted = any(model.prompts.values())
    texts = expected["texts"] if expected else TEXTS
    query, document, plain = (call(texts) for call in (model.encode_query, model.encode_document, model.encode))
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    tuned = report.get("fit", {}).get("delivered") == "tuned"
    encoder = load(base) if base else None
    of_base = normalise(encoder.encode(texts)) if base else None

    checks.close("query vectors have length 1", np.linalg.norm(query, axis=1), np.ones(len(texts)))
    checks.close("document vectors have length 1", np.linalg.norm(document, axis=1), np.ones(len(texts)))
    checks.close("plain encode takes the document's route", plain, document)
    lora = (folder / "adapter" / "adapter_config.json").exists()
    if lora:
        check_lora(folder, tuned, texts, query, document, of_base, prompted, checks)
    else:
        check_heads(folder, tuned, query, document, of_base, prompted, checks)
    if prompted:
        checks.differ("the prompt changes queries", query, model.encode_query(texts, prompt=""))
    elif not tuned:
        checks.close("queries and documents have the same vectors", query, document)
        if base:
            checks.close("the base model was delivered", document, of_base)
    if lora and base:
        check_peft(folder, base, texts, of_base, query if tuned else None, checks)
    if expected:
        checks.close("query vectors are the engine's", query, expected["query"])
        checks.close("document vectors are the engine's", document, expected["document"])
    if (folder / "data").exists():
        check_data(folder / "data", checks)


def check_heads(folder, tuned, query, document, of_base, prompted, checks):
    heads = {side: folder / "adapter" / f"{side}_head.safetensors" for side in ("query", "document")}
    heads = {side: load_file(file)["weight"] for side, file in heads.items() if file.exists()}
    routed = {path.parent.name: path for path in (folder / "model").glob("*_Router/*_0_Dense/model.safetensors")}
    named = {f"{side}_0_Dense" for side in heads} if tuned else set()
    checks.that("model/ has the heads that were delivered", set(routed) == named, sorted(routed))
    for side, weight in heads.items():
        if tuned:
            found = load_file(routed[f"{side}_0_Dense"])["linear.weight"]
            checks.close(f"the {side}'s head in adapter/ is the one in model/", found, weight)
    if not tuned:
        return
    if "document" not in heads and not prompted:
        checks.close("query = normalize((I + W) document)", query, normalise(document @ heads["query"].T))
        checks.differ("the head changes queries", query, document)
    if of_base is None:
        return
    vectors = {"query": query, "document": document}
    if "document" not in heads:
        checks.close("documents have the base model's vectors", document, of_base)
    for side, weight in heads.items():
        checks.close(f"{side} = normalize((I + W) base)", vectors[side], normalise(of_base @ weight.T))
        checks.differ(f"the head changes the {side}'s vectors", vectors[side], of_base)
    # The code people will copy: beside the adapter's own files, and where the model's folder is in sight.
    for place, beside in (("adapter", folder / "adapter"), ("model", folder)):
        readme = folder / place / "README.md"
        python = run_python(readme, beside, queries=of_base, documents=of_base)
        script = run_javascript(readme, beside, of_base[0], heads)
        for side in heads:
            name = {"query": "tuned_queries", "document": "tuned_documents"}[side]
            checks.close(f"numpy by {place}/README.md, {side}", python[name], vectors[side])
            checks.close(f"JavaScript by {place}/README.md, {side}", [script[side]], vectors[side][:1])


def code(readme, language, word):
    """The block of code in a README that has this word."""
    text = readme.read_text(encoding="utf-8")
    blocks = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return next(block for block in blocks if word in block)


def run_python(readme, folder, **names):
    files = r'"([^"/]+_head\.safetensors|model/\d_Router/[^"]+)"'
    block = re.sub(files, rf'"{folder}/\1"', code(readme, "python", "def adapt"))
    exec(compile(block, str(readme), "exec"), names)
    return names


def run_javascript(readme, folder, vector, heads):
    fetch = "import { readFile } from 'node:fs/promises';\n" + (
        "const fetch = async (file) => ({ arrayBuffer: async () => new Uint8Array(await readFile(file)).buffer });\n"
    )
    given = f"const query = {vector.tolist()}, document = query;\n"
    sides = {"query": "tunedQuery", "document": "tunedDocument"}
    shown = ", ".join(f"{side}: {sides[side]}" for side in heads)
    script = fetch + given + code(readme, "js", "function adapt") + f"\nconsole.log(JSON.stringify({{ {shown} }}));"
    node = [shutil.which("node"), "--input-type=module", "--eval", script]
    return json.loads(subprocess.run(node, cwd=folder, check=True, capture_output=True, text=True).stdout)


def check_lora(folder, tuned, texts, query, document, of_base, prompted, checks):
    if not tuned:
        return
    if sides(folder) == "query":
        checks.differ("the changes are for queries", query, document)
        if of_base is not None:
            checks.close("documents have the base model's vectors", document, of_base)
        for side, vectors in (("query", query), ("document", document)):
            if side == "query" and prompted:
                continue
            alone = load(folder / "model" / f"{side}_0_Transformer")
            checks.close(f"{side}_0_Transformer/ by itself gives the {side}'s vectors", alone.encode(texts), vectors)
    else:
        checks.close("queries and documents have the same vectors", query, document)
        if of_base is not None:
            checks.differ("the changes are for documents too", document, of_base)


def sides(folder):
    with safe_open(folder / "adapter" / "adapter_model.safetensors", "numpy") as file:
        return file.metadata()["sides"]


def check_peft(folder, base, texts, of_base, query, checks):
    adapter = str(folder / "adapter")
    loaded = load(base)
    loaded.load_adapter(adapter)
    by_itself = normalise(loaded.encode(texts))
    if query is None:
        checks.differ("the adapter loads in sentence-transformers", by_itself, of_base)
        query = by_itself
    checks.close("load_adapter(adapter) on the base gives the query's vectors", by_itself, query)

    transformer = AutoModel.from_pretrained(base, local_files_only=True)
    names = {name for name, _ in transformer.named_modules()}
    peft = PeftModel.from_pretrained(transformer, adapter)
    changed = {name for name in names if hasattr(peft.base_model.model.get_submodule(name), "lora_A")}
    targets = set(json.loads((folder / "adapter" / "adapter_config.json").read_text())["target_modules"])
    checks.that("PEFT changes the layers that are meant", changed == targets, f"{len(changed)} of {len(targets)}")
    checks.close("PeftModel on the base gives the query's vectors", encode(peft.eval(), load(base), texts), query)
    merged = peft.merge_and_unload().state_dict()

    with tempfile.TemporaryDirectory() as copy:
        copy = pathlib.Path(copy) / "model"
        shutil.copytree(base, copy)
        block = code(folder / "adapter" / "README.md", "python", "lora_A")
        block = block.replace('"model.safetensors"', repr(str(copy / "model.safetensors")))
        block = block.replace('"adapter/', f'"{folder}/adapter/')
        names = {}
        exec(compile(block, "README.md", "exec"), names)
        save_file(names["weights"], copy / "model.safetensors", metadata={"format": "pt"})
        checks.close("numpy by adapter/README.md", normalise(load(copy).encode(texts)), query)
    if query is not by_itself:
        model = folder / "model"
        model = model / "query_0_Transformer" if sides(folder) == "query" else model
        engine = load_file(model / "model.safetensors")
        worst = max(np.abs(engine[f"{name}.weight"] - merged[f"{name}.weight"].numpy()).max() for name in targets)
        checks.that("the merged weights are PEFT's", worst <= checks.tolerance, f"largest difference {worst:.2e}")


def encode(transformer, model, texts):
    """Vectors by another transformer in the place of a model's own."""
    options = {"padding": True, "truncation": True, "max_length": model.max_seq_length, "return_tensors": "pt"}
    tokens = model.tokenizer(texts, **options)
    with torch.no_grad():
        features = {**tokens, "token_embeddings": transformer(**tokens).last_hidden_state}
        for module in list(model)[1:]:
            features = module(features)
    return normalise(features["sentence_embedding"].numpy())


def check_data(folder, checks):
    def lines(path):
        with open(folder / path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def table(path):
        with open(folder / path, encoding="utf-8", newline="") as file:
            return list(csv.reader(file, delimiter="\t"))

    corpus, queries = lines("beir/corpus.jsonl"), lines("beir/queries.jsonl")
    text = {"_id": str, "text": str}
    whole = all(isinstance(row[key], kind) for row in corpus for key, kind in {**text, "title": str}.items())
    checks.that("beir/corpus.jsonl is BEIR's", whole and corpus, f"{len(corpus)} documents")
    whole = all(isinstance(row[key], kind) for row in queries for key, kind in text.items())
    counted = all(row["metadata"]["count"] >= 1 and row["_id"] == row["metadata"]["ids"][0] for row in queries)
    checks.that("beir/queries.jsonl is BEIR's, with counts", whole and counted and queries, f"{len(queries)} queries")
    document_ids, query_ids = ({row["_id"] for row in rows} for rows in (corpus, queries))
    checks.that("ids are unique", (len(document_ids), len(query_ids)) == (len(corpus), len(queries)), "")

    header, *scores = table("scores.tsv")
    known = all(query in query_ids and document in document_ids for query, document, *_ in scores)
    checks.that("scores.tsv speaks of texts in beir/", known and header[:2] == ["query-id", "corpus-id"], len(scores))
    with open(folder / "relations.gpl.tsv", encoding="utf-8", newline="") as file:
        rows = [line.removesuffix("\n").split("\t") for line in file]
    known = all(len(row) == 4 and row[0] in query_ids and {row[1], row[2]} <= document_ids for row in rows)
    margins = all(float(row[3]) >= 0 for row in rows)
    checks.that("relations.gpl.tsv is GPL's: query, positive, negative, margin", known and margins and rows, len(rows))
    logits = {(row[0], row[1]): float(row[4]) for row in scores if row[4]}
    worst = max(abs(logits[q, p] - logits[q, n] - float(margin)) for q, p, n, margin in rows)
    checks.that("margins are differences of logits", worst < 1e-4, f"largest difference {worst:.2e}")

    with open(folder / "relations.csv", encoding="utf-8", newline="") as file:
        named = list(csv.DictReader(file))
    same = [[row["query_id"], row["similar_id"], row["dissimilar_id"], row["margin"]] for row in named] == rows
    checks.that("relations.csv has GPL's rows, with their texts", same and all(row["query"] for row in named), len(named))
    # As FlagEmbedding's trainer reads it with knowledge distillation: a score for each text.
    listwise = lines("relations.jsonl")
    fits = all(
        isinstance(row["query"], str)
        and all(isinstance(text, str) for text in row["pos"] + row["neg"])
        and all(isinstance(score, float) for score in row["pos_scores"] + row["neg_scores"])
        and (len(row["pos"]), len(row["neg"])) == (len(row["pos_scores"]), len(row["neg_scores"]))
        and row["pos"]
        and min(row["pos_scores"]) >= max(row["neg_scores"], default=-math.inf)
        for row in listwise
    )
    checks.that("relations.jsonl is FlagEmbedding's, a score for each text", fits and listwise, len(listwise))


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
        check(options.artifact.resolve(), options.base, expected, checks)
    else:
        with tempfile.TemporaryDirectory() as folder:
            zipfile.ZipFile(options.artifact).extractall(folder)
            check(pathlib.Path(folder), options.base, expected, checks)
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
