"""Checks that the engine's metrics are trec_eval's on the same run file.

    python check_metrics.py RUN QRELS METRICS

RUN is a TREC run, QRELS TREC judgements, METRICS the engine's figures: {query: {"ndcg@10": ..., ...}} in JSON.
Every figure of every query has to be equal to 1e-6. Needs pytrec_eval (requirements-metrics.txt).
"""

import json
import sys

import pytrec_eval

TOLERANCE = 1e-6
MEASURES = {"ndcg_cut.10", "recip_rank", "map_cut.100", "recall.100"}


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [line.split() for line in file]


def main(run_path, qrels_path, metrics_path):
    run, qrels = {}, {}
    for query, _, document, _, score, _ in lines(run_path):
        run.setdefault(query, {})[document] = float(score)
    for query, _, document, relevance in lines(qrels_path):
        qrels.setdefault(query, {})[document] = int(relevance)
    with open(metrics_path, encoding="utf-8") as file:
        ours = json.load(file)
    reference = pytrec_eval.RelevanceEvaluator(qrels, MEASURES).evaluate(run)
    assert ours.keys() == reference.keys(), "not the same queries"
    worst = 0.0
    for query, figures in reference.items():
        # trec_eval has no cut-off for recip_rank in this binding: it counts down to the end of the run.
        reciprocal = figures["recip_rank"] if figures["recip_rank"] >= 0.1 - 1e-9 else 0.0
        expected = {
            "ndcg@10": figures["ndcg_cut_10"],
            "mrr@10": reciprocal,
            "map@100": figures["map_cut_100"],
            "recall@100": figures["recall_100"],
        }
        for name, value in expected.items():
            worst = max(worst, abs(ours[query][name] - value))
            assert abs(ours[query][name] - value) <= TOLERANCE, f"{name} of {query}: {ours[query][name]}, not {value}"
    print(f"{len(reference)} queries, largest difference {worst:.1e}")


if __name__ == "__main__":
    main(*sys.argv[1:])
