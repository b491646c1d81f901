"""Makes the sample job's queries.csv, documents.csv and qrels.tsv from the SciFact data set.

    python make_sample.py SOURCE [OUT]

SOURCE is a folder with SciFact as plain files:
    documents.csv                        id,title,text: the 5,183 abstracts
    queries_train.csv, queries.csv       id,text: the 809 claims for training and the 300 for development
    qrels_train.tsv, qrels.tsv           query_id, doc_id, relevance: a line for each document that a claim cites
OUT is where the files are written, by default the folder of this script. The same source always gives the same bytes.
No model takes part in the choice. Python's standard library is all it needs.
"""

import csv
import sys
from pathlib import Path

LONGEST_CLAIM = 70  # characters
LONGEST_TITLE = 85


def read_csv(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def read_qrels(path):
    with open(path, encoding="utf-8", newline="") as file:
        return [(row["query_id"], row["doc_id"], row["relevance"]) for row in csv.DictReader(file, delimiter="\t")]


def choose(titles, claims, cited):
    """The ids of the sample's claims and documents, in the order of their numbers."""
    documents = {id for id, title in titles.items() if len(title) <= LONGEST_TITLE}
    texts = set()
    queries = []
    for claim in sorted(claims, key=int):
        short = len(claims[claim]) <= LONGEST_CLAIM and claims[claim] not in texts
        if short and cited[claim] and all(document in documents for document in cited[claim]):
            queries.append(claim)
            texts.add(claims[claim])
    return queries, sorted(documents, key=int)


def write(path, delimiter, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)


def main():
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    source = Path(sys.argv[1])
    out = Path(sys.argv[2]) if len(sys.argv) == 3 else Path(__file__).resolve().parent

    titles = {row["id"]: row["title"].strip() for row in read_csv(source / "documents.csv")}
    claims = {}
    for name in ("queries_train.csv", "queries.csv"):
        claims.update({row["id"]: row["text"].strip() for row in read_csv(source / name)})
    judgements = read_qrels(source / "qrels_train.tsv") + read_qrels(source / "qrels.tsv")
    cited = {claim: [] for claim in claims}
    for claim, document, _ in judgements:
        cited[claim].append(document)

    queries, documents = choose(titles, claims, cited)
    chosen = set(queries)
    kept = sorted((row for row in judgements if row[0] in chosen), key=lambda row: (int(row[0]), int(row[1])))
    out.mkdir(parents=True, exist_ok=True)
    write(out / "queries.csv", ",", [("id", "text")] + [(id, claims[id]) for id in queries])
    write(out / "documents.csv", ",", [("id", "text")] + [(id, titles[id]) for id in documents])
    write(out / "qrels.tsv", "\t", [("query_id", "doc_id", "relevance")] + kept)
    print(f"{len(queries)} queries, {len(documents)} documents, {len(kept)} judgements in {out}")


if __name__ == "__main__":
    main()
