"""Makes tune.json: a small training of the query-side head, step by step, to check the engine's against.

    python make_tune.py [tune.json]

Needs numpy only. Everything is float64 with gradients written out by hand; before anything is written they are
compared with central differences of the loss, and the script fails when they disagree. The inputs are rounded before
they are used, so the numbers in the file are exactly the numbers that were computed with.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np

DIMENSIONS = 16
QUERIES = 24  # the first 18 are trained on, the last 6 are held out
TRAINED = 18
DOCUMENTS = 60
CANDIDATES = 6
BATCH = 5  # 18 queries make batches of 5, 5, 5 and 3: an epoch ends with a smaller batch
EPOCHS = 10
SCALE = 20.0
MNRL_WEIGHT = 1.0
RIDGE = 0.03
PEAK_LEARNING_RATE = 1e-3
FINAL_FRACTION = 0.02
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8

DEFINITION = {
    "shapes": "queries [24, 16], documents [60, 16]; candidates [24][6] are indices into documents, in order of rank "
    "by cosine; logits [24][6] belong to them one to one; batches [40][3 or 5] are indices into queries, in the "
    "order in which the steps take them.",
    "vectors": "Used as given (rounded to 5 decimals, so of length 1 within 1e-5): documents are not normalised again.",
    "head": "q' = normalize(q + W q), W [16, 16] from zero, (W q)_i = sum_j W_ij q_j; cos(q', d) = q' . d.",
    "slots": "A batch of B queries has B*K candidate slots: slot (c, k) holds document candidates[c][k]. In row b the "
    "slots (b, k) are its own. A slot (c, k) with c != b is left out of row b's softmax if its document is one of b's "
    "own candidates. Among the other queries' slots a document that occurs twice counts twice.",
    "kl": "mean over b of sum over k of t_bk (ln t_bk - ln s_bk); t_b = softmax of the logits of b's own candidates; "
    "s_b = softmax of 20 cos(q'_b, d) over all slots of row b that are not left out. The teacher's probability on the "
    "others' slots is 0 and such a slot adds nothing to the sum.",
    "mnrl": "pos_b = b's candidate with the highest logit (the first of them, if several). Mean over b of "
    "-ln softmax_j(20 cos(q'_b, pos_j)) at j = b, j over the queries of the batch, without each j != b whose pos_j is "
    "the same document as pos_b.",
    "ridge": "0.03 ||W||_F^2, the squared Frobenius norm.",
    "total": "kl + 1.0 mnrl + ridge. losses[t] is taken before the step t is made, on batches[t].",
    "optimizer": "AdamW, beta 0.9 and 0.999, epsilon 1e-8 added outside the root, bias corrected, no weight decay: "
    "W -= lr * m_hat / (sqrt(v_hat) + epsilon).",
    "learning_rates": "T steps, warm = ceil(T / 10), t from 0: for t < warm 0.001 (t + 1) / warm, then "
    "0.001 (1 - 0.98 (t - warm) / (T - warm)).",
    "agreement": "soft nDCG@10 per query: all 60 documents ranked by cos(q', d), gain of a document = its teacher "
    "probability t (0 if it is not a candidate), DCG = sum over ranks r = 1..10 of gain / log2(r + 1), divided by the "
    "DCG of the gains in falling order. base is W = 0, tuned is W after the last step. held_out are the queries that "
    "no batch holds.",
    "precision": "The same arithmetic in float32 stays within 2e-6 of the losses and 5e-8 of the entries of W. Weight "
    "decay of 0.01 by mistake moves the last loss by 4e-5, the smallest effect of eleven deliberate errors tried "
    "but one (epsilon 1e-5: 1.3e-5).",
    "final": "W after the last step: its Frobenius norm and some entries [i, j, W_ij].",
}


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def softmax(row):
    powers = np.exp(row - row.max())
    return powers / powers.sum()


def make_inputs():
    """A teacher that sees the queries through a rotation, so that there is something that generalises to learn."""
    random = np.random.RandomState(20)  # the legacy stream, which numpy keeps the same for good
    topics = random.normal(size=(8, DIMENSIONS))
    documents = unit(topics[random.randint(8, size=DOCUMENTS)] + 0.8 * random.normal(size=(DOCUMENTS, DIMENSIONS)))
    queries = unit(topics[random.randint(8, size=QUERIES)] + 0.8 * random.normal(size=(QUERIES, DIMENSIONS)))
    turn = np.eye(DIMENSIONS) + 0.25 * random.normal(size=(DIMENSIONS, DIMENSIONS))
    queries, documents = np.round(queries, 5), np.round(documents, 5)
    candidates = np.argsort(-(queries @ documents.T), axis=1, kind="stable")[:, :CANDIDATES]
    seen = unit(queries @ turn.T) @ documents.T
    logits = 14.0 * np.take_along_axis(seen, candidates, axis=1) - 6.0 + random.normal(size=candidates.shape)
    batches = []
    for _ in range(EPOCHS):
        order = random.permutation(TRAINED)
        batches += [order[start : start + BATCH].tolist() for start in range(0, TRAINED, BATCH)]
    return queries, documents, candidates, np.round(logits, 4), batches


def learning_rate(step, steps):
    warm = -(-steps // 10)
    if step < warm:
        return PEAK_LEARNING_RATE * (step + 1) / warm
    return PEAK_LEARNING_RATE * (1.0 - (1.0 - FINAL_FRACTION) * (step - warm) / (steps - warm))


def log_softmax_and_slope(scores, kept, target):
    """-sum(target * log softmax(scores over kept)) and its derivative by scores; target is 0 where kept is not."""
    scores = np.where(kept, scores, -np.inf)
    top = scores.max()
    log_sum = top + math.log(np.exp(scores - top).sum())
    probability = np.exp(scores - log_sum)
    cross_entropy = float((target[kept] * (log_sum - scores[kept])).sum())
    return cross_entropy, probability * target.sum() - target


def losses_and_gradient(weights, batch, queries, documents, candidates, logits):
    size = len(batch)
    raw = queries[batch] + queries[batch] @ weights.T
    length = np.linalg.norm(raw, axis=1)
    student = raw / length[:, None]
    slot_documents = [int(d) for b in batch for d in candidates[b]]
    slot_owner = np.repeat(np.arange(size), CANDIDATES)
    positives = [int(candidates[b][int(np.argmax(logits[b]))]) for b in batch]

    kl = mnrl = 0.0
    slope = np.zeros_like(student)  # derivative of the loss by the normalised queries
    for row, b in enumerate(batch):
        own = set(int(d) for d in candidates[b])
        kept = np.array([slot_owner[s] == row or slot_documents[s] not in own for s in range(len(slot_documents))])
        teacher = softmax(logits[b])
        target = np.zeros(len(slot_documents))
        target[slot_owner == row] = teacher
        vectors = documents[slot_documents]
        cross_entropy, by_score = log_softmax_and_slope(SCALE * vectors @ student[row], kept, target)
        kl += (cross_entropy + float((teacher * np.log(teacher)).sum())) / size
        slope[row] += SCALE * by_score @ vectors / size

        kept = np.array([j == row or positives[j] != positives[row] for j in range(size)])
        target = np.zeros(size)
        target[row] = 1.0
        vectors = documents[positives]
        cross_entropy, by_score = log_softmax_and_slope(SCALE * vectors @ student[row], kept, target)
        mnrl += cross_entropy / size
        slope[row] += MNRL_WEIGHT * SCALE * by_score @ vectors / size

    ridge = RIDGE * float((weights**2).sum())
    by_raw = (slope - (slope * student).sum(axis=1, keepdims=True) * student) / length[:, None]
    gradient = by_raw.T @ queries[batch] + 2.0 * RIDGE * weights
    return {"total": kl + MNRL_WEIGHT * mnrl + ridge, "kl": kl, "mnrl": mnrl, "ridge": ridge}, gradient


def train(queries, documents, candidates, logits, batches):
    weights = np.zeros((DIMENSIONS, DIMENSIONS))
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    history = []
    for step, batch in enumerate(batches):
        losses, gradient = losses_and_gradient(weights, batch, queries, documents, candidates, logits)
        history.append(losses)
        mean = BETA_1 * mean + (1 - BETA_1) * gradient
        square = BETA_2 * square + (1 - BETA_2) * gradient**2
        mean_hat = mean / (1 - BETA_1 ** (step + 1))
        square_hat = square / (1 - BETA_2 ** (step + 1))
        weights = weights - learning_rate(step, len(batches)) * mean_hat / (np.sqrt(square_hat) + EPSILON)
    return weights, history


def agreement(weights, query, queries, documents, candidates, logits):
    gains = np.zeros(len(documents))
    gains[candidates[query]] = softmax(logits[query])
    student = unit(queries[query] + weights @ queries[query])
    ranking = np.argsort(-(documents @ student), kind="stable")[:10]
    discount = 1.0 / np.log2(np.arange(2, 12))
    return float((gains[ranking] * discount).sum() / (np.sort(gains)[::-1][:10] * discount).sum())


def check_gradient(weights, batch, inputs):
    _, gradient = losses_and_gradient(weights, batch, *inputs)
    step, worst = 1e-6, 0.0
    for i in range(DIMENSIONS):
        for j in range(DIMENSIONS):
            shift = np.zeros_like(weights)
            shift[i, j] = step
            above = losses_and_gradient(weights + shift, batch, *inputs)[0]["total"]
            below = losses_and_gradient(weights - shift, batch, *inputs)[0]["total"]
            worst = max(worst, abs((above - below) / (2 * step) - gradient[i, j]))
    if worst > 1e-7:
        raise SystemExit(f"the gradient is wrong: {worst:.2e} from the central difference")
    return worst


def to_json(value):
    """JSON with one row of a matrix a line."""
    lines = []
    for key, entry in value.items():
        if isinstance(entry, list) and entry and isinstance(entry[0], (list, dict)):
            body = "[\n    " + ",\n    ".join(json.dumps(row) for row in entry) + "\n  ]"
        elif isinstance(entry, dict):
            body = "{\n    " + ",\n    ".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in entry.items()) + "\n  }"
        else:
            body = json.dumps(entry)
        lines.append(f"  {json.dumps(key)}: {body}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main():
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("tune.json")
    queries, documents, candidates, logits, batches = make_inputs()
    inputs = (queries, documents, candidates, logits)
    weights, history = train(*inputs, batches)

    distance = max(check_gradient(weights, batches[0], inputs), check_gradient(0.0 * weights, batches[3], inputs))
    print(f"gradient within {distance:.1e} of central differences")
    same_positive = same_slot = 0
    for batch in batches:
        positives = [int(candidates[b][int(np.argmax(logits[b]))]) for b in batch]
        same_positive += len(positives) - len(set(positives))
        for b in batch:
            same_slot += sum(int(d) in candidates[b] for c in batch if c != b for d in candidates[c])
    print(f"slots left out as own candidates: {same_slot}; positives shared in a batch: {same_positive}")
    if not same_slot or not same_positive:
        raise SystemExit("these inputs do not reach every rule of the losses")

    held_out = list(range(TRAINED, QUERIES))
    base = [agreement(0.0 * weights, q, *inputs) for q in range(QUERIES)]
    tuned = [agreement(weights, q, *inputs) for q in range(QUERIES)]
    print(f"agreement trained on {np.mean(base[:TRAINED]):.4f} -> {np.mean(tuned[:TRAINED]):.4f}")
    print(f"agreement held out   {np.mean(base[TRAINED:]):.4f} -> {np.mean(tuned[TRAINED:]):.4f}")
    print(f"total loss {history[0]['total']:.6f} -> {history[-1]['total']:.6f}, |W| {np.linalg.norm(weights):.6f}")

    entries = [(0, 0), (0, 15), (3, 7), (5, 5), (7, 3), (9, 14), (12, 1), (15, 0), (15, 15)]
    digits = lambda value: round(float(value), 10)
    result = {
        "about": "One training of the query-side head in float64, made by make_tune.py.",
        "definition": DEFINITION,
        "constants": {
            "scale": SCALE,
            "mnrl_weight": MNRL_WEIGHT,
            "ridge": RIDGE,
            "peak_learning_rate": PEAK_LEARNING_RATE,
            "final_fraction": FINAL_FRACTION,
            "beta_1": BETA_1,
            "beta_2": BETA_2,
            "epsilon": EPSILON,
        },
        "queries": queries.tolist(),
        "documents": documents.tolist(),
        "candidates": candidates.tolist(),
        "logits": logits.tolist(),
        "batches": batches,
        "learning_rates": [round(learning_rate(t, len(batches)), 12) for t in range(len(batches))],
        "losses": [{name: digits(loss[name]) for name in ("total", "kl", "mnrl", "ridge")} for loss in history],
        "final": {
            "frobenius": digits(np.linalg.norm(weights)),
            "entries": [[i, j, digits(weights[i, j])] for i, j in entries],
        },
        "agreement": {
            "base": [digits(value) for value in base],
            "tuned": [digits(value) for value in tuned],
            "held_out": held_out,
            "held_out_base": digits(np.mean(base[TRAINED:])),
            "held_out_tuned": digits(np.mean(tuned[TRAINED:])),
        },
    }
    path.write_text(to_json(result), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
