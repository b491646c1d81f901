"""Checks that the libraries that a download's data set is written for read it as it was meant.

    python check_readers.py ARTIFACT

BEIR's loader, and the data sets of GPL's and FlagEmbedding's trainers, hold every row of `data/` with its texts, and its
margin or scores, as the files say themselves.
"""

import argparse
import importlib.util
import json
import pathlib
import sys
import tempfile
import zipfile

from beir.datasets.data_loader import GenericDataLoader
from FlagEmbedding.abc.finetune.embedder.AbsArguments import AbsEmbedderDataArguments
from FlagEmbedding.abc.finetune.embedder.AbsDataset import AbsEmbedderTrainDataset


def gpl_data_set():
    """GPL's module alone: the rest of its package needs libraries of its time."""
    [package] = importlib.util.find_spec("gpl").submodule_search_locations
    spec = importlib.util.spec_from_file_location("gpl_data_set", pathlib.Path(package) / "toolkit" / "dataset.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lines(path):
    with open(path, encoding="utf-8", newline="") as file:
        return [line.removesuffix("\n") for line in file]


def check(folder, cache):
    rows = [line.split("\t") for line in lines(folder / "relations.gpl.tsv")]
    corpus, queries, qrels = GenericDataLoader(str(folder / "beir")).load(split="train")
    best = {(query, document) for query, judged in qrels.items() for document, score in judged.items() if score == 1}
    yield "BEIR's loader has the best document of each query", {(row[0], row[1]) for row in rows} <= best, len(queries)

    gpl = gpl_data_set().GenerativePseudoLabelingDataset(str(folder / "relations.gpl.tsv"), queries, corpus)
    text = lambda id: f"{corpus[id]['title']} {corpus[id]['text']}".strip()
    told = all(
        example.texts == [queries[query], text(similar), text(dissimilar)] and example.label == float(margin)
        for example, (query, similar, dissimilar, margin) in zip((gpl[row] for row in range(len(gpl))), rows)
    )
    yield "GPL's data set has every row, its texts and its margin", told and len(gpl) == len(rows), len(gpl)

    listwise = [json.loads(line) for line in lines(folder / "relations.jsonl")]
    arguments = AbsEmbedderDataArguments(
        train_data=[str(folder / "relations.jsonl")], train_group_size=3, knowledge_distillation=True, cache_path=cache
    )
    flag = AbsEmbedderTrainDataset(arguments, tokenizer=None)
    told = all(
        query == row["query"]
        and (passages[0], scores[0]) == (row["pos"][0], row["pos_scores"][0])
        and set(zip(passages[1:], scores[1:])) <= set(zip(row["neg"], row["neg_scores"]))
        for (query, passages, scores), row in zip((flag[row] for row in range(len(flag))), listwise)
    )
    whole = told and len(flag) == len(listwise)
    yield "FlagEmbedding's data set has every query, its texts and its scores", whole, len(flag)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("artifact", type=pathlib.Path)
    options = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as cache:
        zipfile.ZipFile(options.artifact).extractall(folder)
        for what, holds, count in check(pathlib.Path(folder) / "data", cache):
            print(f"  {'ok' if holds and count else 'FAILED'}: {what} ({count})")
            failed |= not (holds and count)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
