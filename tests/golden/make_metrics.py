"""Writes metrics.json: random runs and judgements with the figures trec_eval gives them.

    pip install pytrec_eval-terrier==0.5.11
    python make_metrics.py

trec_eval has no cut-off for recip_rank in this binding; mrr@10 is recip_rank, or 0 where the rank is above 10.
"""

import json
import pathlib
import random

import pytrec_eval

MEASURES = {"ndcg_cut.10", "recip_rank", "map_cut.100", "recall.100"}


def make(seed):
    rng = random.Random(seed)
    corpus = [f"d{number}" for number in range(160)] + ["D7", "é1", "Ω", "d 5", "10", "9"]
    judgements, run = {}, {}
    for number in range(10):
        query = f"q{number}"
        found = rng.sample(corpus, [0, 1, 9, 10, 11, 30, 100, 101, 130, 160][number])
        # Judged: some that were found, some that were not; graded, and judged as not relevant in two ways.
        judged = rng.sample(found, min(len(found), rng.choice([1, 5, 15, 40]))) + rng.sample(corpus, 3)
        judgements[query] = {document: rng.choice([-1, 0, 1, 1, 2, 3]) for document in judged}
        # Few distinct scores, so that many documents are tied.
        levels = rng.choice([1, 3, 8, 1000])
        run[query] = {document: rng.randrange(-levels, levels + 1) / 64 for document in found}
    judgements["none-relevant"] = {"d1": 0, "d2": -1}
    run["none-relevant"] = {"d1": 1.0, "d2": 0.5}
    judgements["not-in-run"] = {"d1": 1}
    run["not-judged"] = {"d1": 1.0}
    # Different as f64, equal as f32: trec_eval keeps scores as floats.
    judgements["tied-as-f32"] = {"a": 1}
    run["tied-as-f32"] = {"a": 1.00000001, "b": 1.0}
    judgements["zeros"] = {"a": 1}
    run["zeros"] = {"a": 0.0, "b": -0.0}
    # On either side of each cut-off.
    for rank in (10, 11, 100, 101):
        judgements[f"rank-{rank}"] = {f"d{rank}": 1}
        run[f"rank-{rank}"] = {f"d{place}": -place / 64 for place in range(1, rank + 1)}
    return judgements, run


def measure(judgements, run):
    result = pytrec_eval.RelevanceEvaluator(judgements, MEASURES).evaluate(run)
    queries = {}
    for query, of in sorted(result.items()):
        reciprocal = of["recip_rank"]
        queries[query] = {
            "ndcg@10": of["ndcg_cut_10"],
            "mrr@10": reciprocal if reciprocal >= 1 / 10 - 1e-9 else 0.0,
            "map@100": of["map_cut_100"],
            "recall@100": of["recall_100"],
        }
    mean = {name: sum(of[name] for of in queries.values()) / len(queries) for name in next(iter(queries.values()))}
    return {"queries": queries, "mean": mean}


cases = []
for seed in range(2):
    judgements, run = make(seed)
    cases.append({"judgements": judgements, "run": run, "expected": measure(judgements, run)})
target = pathlib.Path(__file__).with_name("metrics.json")
target.write_text(json.dumps(cases, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
