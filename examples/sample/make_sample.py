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
import hashlib
import sys
from pathlib import Path

LONGEST_CLAIM = 70  # characters
LONGEST_TITLE = 85
CLAIMS_OF_A_DOCUMENT = 2  # at least
QUERIES = 56  # at most
DOCUMENTS = 1100


def read_csv(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def read_qrels(path):
    with open(path, encoding="utf-8", newline="") as file:
        return [(row["query_id"], row["doc_id"], row["relevance"]) for row in csv.DictReader(file, delimiter="\t")]


def by_hash(kind, ids):
    """An order that has nothing to do with what the texts say."""
    return sorted(ids, key=lambda id: hashlib.sha256(f"{kind} {id}".encode()).hexdigest())


def choose(titles, claims, cited):
    """The ids of the sample's claims and documents, in the order of their numbers."""
    fit = {id for id, title in titles.items() if len(title) <= LONGEST_TITLE}
    claims_of = {}
    for claim in by_hash("query", claims):
        if len(claims[claim]) <= LONGEST_CLAIM and all(document in fit for document in cited[claim]):
            for document in cited[claim]:
                claims_of.setdefault(document, []).append(claim)

    queries, texts = set(), set()
    for document in by_hash("document", claims_of):
        if len(claims_of[document]) < CLAIMS_OF_A_DOCUMENT:
            continue
        new = [claim for claim in claims_of[document] if claim not in queries and claims[claim] not in texts]
        if len(queries) + len(new) <= QUERIES:
            queries.update(new)
            texts.update(claims[claim] for claim in new)

    documents = {document for claim in queries for document in cited[claim]}
    others = [document for document in by_hash("document", fit) if document not in documents]
    documents.update(others[: DOCUMENTS - len(documents)])
    return sorted(queries, key=int), sorted(documents, key=int)


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
