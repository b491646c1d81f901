"""Makes bm25.json: the words of some texts, and BM25 scores of a few queries on them, to check the engine's against.

    python make_bm25.py [bm25.json]
    python make_bm25.py --beir FOLDER

Needs bm25s (0.3.16 made the file) for the scores and uniseg (0.10.1) for the words: an implementation of Unicode's
word boundaries that shares nothing with the engine's. With --beir it prints nDCG@10 on a folder with documents.csv
(id, title, text), queries.csv (id, text) and qrels.tsv instead: the figure in tests/bm25.rs is that of
tests/data/scifact.
"""

import csv
import gzip
import io
import json
import math
import sys
from pathlib import Path

import bm25s
from uniseg.wordbreak import words as segments

DOCUMENTS = [
    "The brown fox jumps over the lazy dog.",
    "A fox, a fox, a FOX! Foxes aren't dogs.",
    "Straße und Größe: die STRASSE ist 3.5 m breit, die Straße nebenan 12,5 m.",
    "It's the dog's bed; don't wake the dog.",
    "Die Größe der Straße",
    "Быстрая лиса прыгает. Лиса!",
    "東京の天気 fox",
    "snake_case, e.g. in foo.bar(), is not kebab-case: see https://fox.example/a-b?c=d&e=1,000.5",
    "—…!?",
    "The brown fox jumps over the lazy dog.",
    "Caf\u00e9 and cafe\u0301 are written the same; na\u00efve fox \U0001f98a\U0001f98a 1st 2nd ½ x² ΑΣ ΟΔΟΣ",
    "a",
]
QUERIES = [
    "fox",
    "the lazy dog",
    "dog dog fox",
    "Don't wake the Dog's owner",
    "die größe der strasse",
    "ЛИСА 天気",
    "3.5 m",
    "foo.bar e.g kebab",
    "café οδος 2nd",
    "nothing here",
    "...",
]
SETTINGS = [{"k1": 0.9, "b": 0.4}, {"k1": 1.2, "b": 0.75}, {"k1": 2.0, "b": 0.0}]


def words(text):
    return [word.lower() for word in segments(text) if any(char.isalnum() for char in word)]


def index(documents, k1, b):
    bm25 = bm25s.BM25(method="lucene", k1=k1, b=b)
    bm25.index(documents, show_progress=False)
    return bm25


def scores(bm25, query, count):
    """A float for each document; bm25s fails on a query of which it knows no word."""
    known = [word for word in query if word in bm25.vocab_dict]
    return [float(score) for score in bm25.get_scores(known)] if known else [0.0] * count


def ndcg(folder):
    def rows(stem, ending, delimiter):
        """Rows without the header; a file may be in parts, packed with gzip."""
        parts = sorted(folder.glob(f"{stem}*.{ending}*"))
        unpack = lambda part: gzip.decompress(part.read_bytes()) if part.suffix == ".gz" else part.read_bytes()
        text = b"".join(map(unpack, parts)).decode()
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))[1:]

    documents = rows("documents", "csv", ",")
    bm25 = index([words(f"{title} {text}".strip()) for _, title, text in documents], 0.9, 0.4)
    relevant = {}
    for query, document, level in rows("qrels", "tsv", "\t"):
        relevant.setdefault(query, {})[document] = int(level)
    dcg = lambda gains: sum(gain / math.log2(rank + 2) for rank, gain in enumerate(gains[:10]))
    values = []
    for query, text in rows("queries", "csv", ","):
        if gains := relevant.get(query):
            found = scores(bm25, words(text), len(documents))
            order = sorted(range(len(documents)), key=lambda document: (-found[document], document))[:10]
            ranked = [gains.get(documents[document][0], 0) for document in order if found[document] > 0]
            values.append(dcg(ranked) / dcg(sorted(gains.values(), reverse=True)))
    print(f"nDCG@10 {sum(values) / len(values):.6f} over {len(values)} queries")


def main():
    if sys.argv[1:2] == ["--beir"]:
        return ndcg(Path(sys.argv[2]))
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("bm25.json")
    tokenised = [words(text) for text in DOCUMENTS]
    lines = []
    for setting in SETTINGS:
        bm25 = index(tokenised, **setting)
        for query in QUERIES:
            found = [round(score, 6) for score in scores(bm25, words(query), len(DOCUMENTS))]
            lines.append(json.dumps({**setting, "query": query, "scores": found}, ensure_ascii=False))
    texts = [json.dumps({"text": text, "words": found}, ensure_ascii=False) for text, found in zip(DOCUMENTS, tokenised)]
    block = lambda rows: "[\n    " + ",\n    ".join(rows) + "\n  ]"
    about = "BM25 as bm25s computes it (method lucene, float32), one score a document; made by make_bm25.py."
    text = f'{{\n  "about": {json.dumps(about)},\n  "documents": {block(texts)},\n  "scores": {block(lines)}\n}}\n'
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
