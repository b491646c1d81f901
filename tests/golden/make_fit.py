"""Makes fit.json and tiny-encoder/: small trainings of every kind, step by step, to check the engine's against.

    python make_fit.py              # writes fit.json and tiny-encoder/ beside this file
    python make_fit.py FOLDER       # writes them there
    python make_fit.py --mistakes   # writes nothing; prints what deliberate errors do to the losses

Needs torch, transformers, tokenizers and safetensors (those of tests/interop/requirements-6.2.txt will do). Everything
runs in float64 on one thread of the CPU. The output is deterministic: all randomness is numpy's legacy stream with
fixed seeds, inputs are rounded before they are used, results are rounded to 10 decimals (other processors and versions
of torch may differ in the last of them). Before anything is written the training in tune.json (numpy, gradients by
hand) is repeated with the code below and has to agree, and every training is repeated in float32, whose distance is
printed.

FORMULAS

q_b, d_i are unit vectors (rounded to 8 decimals, so within 1e-7); they are used as given, documents are not normalised
again. Matrices act as (W q)_i = sum_j W_ij q_j and start from zero. A batch is a list of queries. Query b has K_b
scored candidates, 3 to 7 (3 to 5 where texts are encoded); target t_bk is the teacher's number for the k-th of them,
best_b the candidate with the highest target (the first of them, if several).

  slots       The batch's candidates one query after the other, with repetition: sum of K_c over the queries c of the
              batch. In row b the slots of b are its own. Another query's slot is left out of row b's softmax if its
              document is one of b's own candidates; a document twice among the others' slots counts twice.
  kl          mean over b of sum over k of p_bk (ln p_bk - ln s_bk); p_b = softmax of t_b; s_b = softmax of
              20 cos(q'_b, d'_slot) over all slots of row b that are not left out.
  mnrl        mean over b of -ln softmax_j(20 cos(q'_b, d'_best_j)) at j = b, j over the batch's queries without each
              j != b whose best_j is the same document as best_b.
  margin_mse  mean over all rows of the batch of (scale (cos(q'_b, d_best) - cos(q'_b, d_k)) - (t_best - t_k))^2; a row
              is a query b of the batch and one of its candidates k other than best_b, so a query has K_b - 1 rows and a
              query with more candidates weighs more. scale is fitted once, before training, by least squares through
              the origin over the rows of all 22 queries: sum(m_cos m_target) / sum(m_cos^2), m_cos = cos(q_b, d_best) -
              cos(q_b, d_k), m_target = t_best - t_k.
  ridge       0.03 ||W||_F^2; in "head" 0.03 ||W_query||_F^2 + 0.1 ||W_document||_F^2. The weighted part is written.

  query-head  q' = normalize(q + W q), d' = d;          total = kl + mnrl + ridge;    t = logit
  head        q' = normalize(q + W_query q), d' = normalize(d + W_document d) for slots and best documents;
                                                        total = kl + mnrl + ridge;    t = logit
  margin-mse  q' as in query-head;                      total = margin_mse + ridge;   t = logit
  mnrl        q' as in query-head;                      total = mnrl + ridge;         t = logit
  teacher-cos q' as in query-head;                      total = kl + mnrl + ridge;    t = logit + 40 cos(q, d) of the
              vectors as given. The target replaces the logit everywhere: in p and in best_b.
  lora        q', d' = the encoder's vectors: mean over the tokens of the last layer's states, scaled to length 1. In
              every layer the projections "query" and "value" become x -> W x + b + (alpha / rank) B (A x) with rank 4
              and alpha 8, so with the factor 2; A is given, B starts from zero, W and b stay. No dropout.
                                                        total = kl + mnrl;            t = logit
              "query": queries are encoded so; documents keep the base encoder's vectors.
              "both": queries and the batch's documents are encoded so, and gradients flow through both.
              "all": as "query", but every linear layer of the encoder is changed so, not those two alone.

  optimizer   AdamW, beta 0.9 and 0.999, epsilon 1e-8 added outside the root, bias corrected, no weight decay.
  rates       T steps, warm = ceil(T / 10), t from 0: for t < warm peak (t + 1) / warm, then
              peak (1 - 0.98 (t - warm) / (T - warm)). T = 50. peak = 0.001, in lora 0.002.

LAYOUT OF fit.json

  constants   scale, ridge, document_ridge, teacher_cos, peak_learning_rate, lora_learning_rate, warmup, final_fraction,
              beta_1, beta_2, epsilon, rank, alpha.
  vectors     what the five trainings of heads read:
    queries     [22][16]
    documents   [40][16]
    candidates  [22][3 to 7] rows of documents, by falling cosine
    logits      [22][3 to 7], one to one with candidates
    batches     [50][6 or 4] rows of queries, in the order of the steps
  heads       by name: query-head, head, margin-mse, mnrl, teacher-cos. In each:
    losses      by name of a part, [50] numbers, each taken before its step is made: total and those
                of kl, mnrl, margin_mse, ridge that the training has
    final       after the last step, by name of the matrix: frobenius (its norm) and matrix [16][16], row i column j =
                W_ij. The matrix is called query; head has document, too
    best        [22] the place of best_b among b's candidates
    targets     [22][3 to 7] the t_bk; in teacher-cos only
    scale       the fitted scale; in margin-mse only
  texts       what the three trainings of LoRA read; the encoder is tiny-encoder/:
    queries     [16] strings; documents [24] strings (the last is cut at the encoder's 32 tokens)
    query_ids, document_ids          their token ids, [CLS] and [SEP] included
    query_vectors, document_vectors  [16][32] and [24][32], the base encoder's
    candidates  [16][3 to 5], logits [16][3 to 5], batches [50][4 to 6], best [16]: as above
    adapters    [4] in the order layer 0 query, layer 0 value, layer 1 query, layer 1 value: layer, target and the
                initial a [4][32] (rank, inputs)
    all_adapters  [12] the same for "all", layer by layer: attention.self.query, .key, .value, attention.output.dense,
                intermediate.dense, output.dense (whose a is [4][64])
  lora        by name: query, both, all. In each:
    losses      total, kl, mnrl, [50] numbers each, taken before the step
    final       as adapters or all_adapters: layer, target, a, b (outputs, rank; [32][4], of intermediate.dense [64][4]),
                a_frobenius, b_frobenius
    vectors     [2] of side ("query" or "document"), row and vector [32]: with the final adapters. In "query"
                and "all" two queries, in "both" a query and a document

  tiny-encoder/ is a folder as sentence-transformers saves them: BERT with 2 layers, hidden size 32, 4 heads,
  intermediate size 64, 64 positions, random weights; mean pooling, normalised, at most 32 tokens, WordPiece, lower
  case.

HOW NEAR IS NEAR

Float32 stays within 5e-6 of the losses (margin_mse 1e-5), 5e-8 of the heads' matrices and 5e-7 of the adapters. Every
error of `--mistakes` moves a loss by more than 1e-3 but three. A transposed matrix gives the same losses, and a final
matrix that is about 1e-2 away. Weight decay of 0.01 and an epsilon of 1e-5 move the losses by about 1e-5 or more, the
matrices of heads by 2e-6 or more and the adapters by 2e-4 or more.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch.nn.functional import normalize
from transformers import BertConfig, BertModel

HERE = Path(__file__).parent

DIMENSIONS, QUERIES, DOCUMENTS = 16, 22, 40
BATCH = 6  # 22 queries make batches of 6, 6, 6 and 4
STEPS = 50
SCALE, RIDGE, DOCUMENT_RIDGE, TEACHER_COS = 20.0, 0.03, 0.1, 40.0
PEAK_LEARNING_RATE, LORA_LEARNING_RATE = 1e-3, 2e-3
WARMUP, FINAL_FRACTION = 0.1, 0.02
BETAS, EPSILON = (0.9, 0.999), 1e-8
RANK, ALPHA = 4, 8.0
TARGETS = ("query", "value")
LAYERS, HIDDEN, INNER, MOST_TOKENS = 2, 32, 64, 32
# Every linear layer of a layer of the encoder, with the length of what it takes.
ALL_TARGETS = {
    "attention.self.query": HIDDEN,
    "attention.self.key": HIDDEN,
    "attention.self.value": HIDDEN,
    "attention.output.dense": HIDDEN,
    "intermediate.dense": HIDDEN,
    "output.dense": INNER,
}

# Words of the tiny encoder's texts, by topic; the last of a topic are put together from pieces.
TOPICS = (
    ("bicycle", "wheel", "brake", "chain", "pedal", "saddle", "cycling", "brakes"),
    ("garden", "soil", "rose", "seed", "hedge", "spade", "gardening", "seeds"),
    ("kitchen", "oven", "bread", "flour", "knife", "butter", "baking", "ovens"),
    ("boat", "sail", "rope", "anchor", "harbour", "tide", "sailing", "boats"),
    ("piano", "key", "string", "tune", "chord", "pedal", "tuning", "strings"),
)
COMMON = ("how", "to", "the", "a", "for", "with", "of", "and", "old", "new")
PIECES = ("cycl", "bak", "tun", "##ing", "##s", "?", ".", ",")


# Losses


def log_softmax(scores, left_out):
    return torch.log_softmax(scores.masked_fill(left_out, -math.inf), dim=1)


def best_of(targets):
    return [int(np.argmax(own)) for own in targets]


def kl(students, slot_vectors, batch, candidates, targets, mistake):
    """students [B, dims], slot_vectors [slots, dims]: the divergence of the batch."""
    owner = [row for row, b in enumerate(batch) for _ in candidates[b]]
    slots = [d for b in batch for d in candidates[b]]
    left_out = torch.zeros(len(batch), len(slots), dtype=torch.bool)
    teacher = torch.zeros(len(batch), len(slots), dtype=students.dtype)
    entropy = 0.0
    for row, b in enumerate(batch):
        own = [s for s, of in enumerate(owner) if of == row]
        probabilities = torch.softmax(torch.tensor(targets[b], dtype=students.dtype), dim=0)
        teacher[row, own] = probabilities
        entropy = entropy + (probabilities * probabilities.log()).sum()
        seen = set()
        for s, document in enumerate(slots):
            if owner[s] == row:
                continue
            left_out[row, s] = document in candidates[b] and mistake != "own candidates not left out"
            left_out[row, s] |= document in seen and mistake == "repeated slots once"
            left_out[row, s] |= mistake == "no slots of others"
            seen.add(document)
    student = log_softmax(SCALE * students @ slot_vectors.T, left_out)
    cross_entropy = -(teacher * student.masked_fill(left_out, 0.0)).sum()
    return (cross_entropy + entropy) / len(batch)


def mnrl(students, best_vectors, best, mistake):
    """students, best_vectors [B, dims], row by row; best: the documents' numbers."""
    same = torch.tensor([[i != j and best[i] == best[j] for j in range(len(best))] for i in range(len(best))])
    if mistake == "same positives not left out":
        same = torch.zeros_like(same)
    return -log_softmax(SCALE * students @ best_vectors.T, same).diagonal().mean()


def margins(students, batch, documents, candidates, targets):
    """Every row's margin of cosines and of targets."""
    of_cosines, of_targets = [], []
    for row, b in enumerate(batch):
        place = best_of([targets[b]])[0]
        cosines = documents[candidates[b]] @ students[row]
        for k in range(len(candidates[b])):
            if k != place:
                of_cosines.append(cosines[place] - cosines[k])
                of_targets.append(targets[b][place] - targets[b][k])
    return torch.stack(of_cosines), torch.tensor(of_targets, dtype=students.dtype)


# Optimiser


def learning_rate(step, steps, peak):
    warm = math.ceil(WARMUP * steps)
    if step < warm:
        return peak * (step + 1) / warm
    return peak * (1.0 - (1.0 - FINAL_FRACTION) * (step - warm) / (steps - warm))


def train(parameters, batches, peak, parts_of, mistake=None):
    """Takes a step a batch; parts_of(batch) gives the parts of a loss by name, weighted, which are summed."""
    decay = 0.01 if mistake == "weight decay" else 0.0
    epsilon = 1e-5 if mistake == "epsilon" else EPSILON
    optimizer = torch.optim.AdamW(parameters, lr=peak, betas=BETAS, eps=epsilon, weight_decay=decay, foreach=False)
    losses = {}
    for step, batch in enumerate(batches):
        rate = peak if mistake == "no schedule" else learning_rate(step, len(batches), peak)
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        parts = parts_of(batch)
        total = sum(parts.values())
        total.backward()
        optimizer.step()
        for name, value in {"total": total, **parts}.items():
            losses.setdefault(name, []).append(value.item())
    return losses


# Heads on vectors


def make_vectors():
    """Clusters of documents and queries, and a teacher that sees the queries through a rotation."""
    random = np.random.RandomState(31)
    unit = lambda rows: rows / np.linalg.norm(rows, axis=-1, keepdims=True)
    topics = random.normal(size=(6, DIMENSIONS))
    spread = lambda count: topics[random.randint(6, size=count)] + 0.7 * random.normal(size=(count, DIMENSIONS))
    documents, queries = np.round(unit(spread(DOCUMENTS)), 8), np.round(unit(spread(QUERIES)), 8)
    turn = np.eye(DIMENSIONS) + 0.25 * random.normal(size=(DIMENSIONS, DIMENSIONS))
    cosines = queries @ documents.T
    seen = unit(queries @ turn.T) @ documents.T
    candidates, logits = [], []
    for query in range(QUERIES):
        depth = 3 + query % 5
        own = np.argsort(-cosines[query], kind="stable")[:depth].tolist()
        candidates.append(own)
        logits.append(np.round(16.0 * seen[query, own] - 8.0 + random.normal(size=depth), 4).tolist())
    return queries, documents, candidates, logits, shuffled(random, QUERIES, lambda _: BATCH)


def shuffled(random, queries, size_of):
    """STEPS batches: the queries in a new order each epoch, cut into pieces of size_of(number of the batch)."""
    batches = []
    while len(batches) < STEPS:
        order = random.permutation(queries).tolist()
        while order:
            size = size_of(len(batches))
            batches.append(order[:size])
            order = order[size:]
    return batches[:STEPS]


def fit_scale(queries, documents, candidates, targets):
    of_cosines, of_targets = margins(queries, range(len(queries)), documents, candidates, targets)
    return float((of_cosines * of_targets).sum() / (of_cosines**2).sum())


def train_head(name, data, dtype=torch.float64, mistake=None):
    """One of the five trainings of heads: its losses, its matrices and what else it rests on."""
    queries, documents, candidates, logits, batches = data
    cosines = queries @ documents.T
    queries, documents = torch.tensor(queries, dtype=dtype), torch.tensor(documents, dtype=dtype)
    targets = logits
    if name == "teacher-cos":
        added = -TEACHER_COS if mistake == "wrong sign" else TEACHER_COS
        targets = [
            [logit + added * float(cosines[b, d]) for d, logit in zip(candidates[b], logits[b])]
            for b in range(len(candidates))
        ]
    places = best_of(logits if mistake == "positives by logit" else targets)
    best = [candidates[b][place] for b, place in enumerate(places)]
    dims = queries.shape[1]
    matrices = {side: torch.zeros(dims, dims, dtype=dtype, requires_grad=True) for side in ("query", "document")}
    if name != "head":
        del matrices["document"]
    extra = {"best": places}
    if name == "teacher-cos":
        extra["targets"] = targets
    if name == "margin-mse":
        extra["scale"] = fit_scale(queries, documents, candidates, targets)
    scale = SCALE if mistake == "scale not fitted" else extra.get("scale")

    def adapt(rows, side):
        if side not in matrices or (mistake == "slots not adapted" and side == "document"):
            return rows
        weight = matrices[side]
        return normalize(rows + rows @ (weight if mistake == "transposed" else weight.T), dim=1)

    def parts_of(batch):
        students = adapt(queries[batch], "query")
        parts = {}
        if name == "margin-mse":
            of_cosines, of_targets = margins(students, batch, documents, candidates, targets)
            if mistake == "wrong sign":
                of_targets = -of_targets
            errors = (scale * of_cosines - of_targets) ** 2
            if mistake == "mean by query":
                rows = [len(candidates[b]) - 1 for b in batch]
                parts["margin_mse"] = sum(part.mean() for part in errors.split(rows)) / len(batch)
            else:
                parts["margin_mse"] = errors.mean()
        else:
            if name != "mnrl":
                slots = adapt(documents[[d for b in batch for d in candidates[b]]], "document")
                parts["kl"] = kl(students, slots, batch, candidates, targets, mistake)
            of_batch = [best[b] for b in batch]
            best_vectors = documents[of_batch]
            if mistake != "best documents not adapted":
                best_vectors = adapt(best_vectors, "document")
            parts["mnrl"] = mnrl(students, best_vectors, of_batch, mistake)
        weights = {"query": RIDGE, "document": RIDGE if mistake == "one ridge" else DOCUMENT_RIDGE}
        ridge = sum(weights[side] * (matrix**2).sum() for side, matrix in matrices.items())
        parts["ridge"] = 0.0 * ridge if mistake == "no ridge" else ridge
        return parts

    losses = train(list(matrices.values()), batches, PEAK_LEARNING_RATE, parts_of, mistake)
    return losses, {side: matrix.detach().to(torch.float64) for side, matrix in matrices.items()}, extra


def check_against_tune_json():
    """The training that make_tune.py computes in another way has to come out of this code, too."""
    golden = json.loads((HERE / "tune.json").read_text(encoding="utf-8"))
    data = [np.array(golden["queries"]), np.array(golden["documents"])]
    data += [golden[name] for name in ("candidates", "logits", "batches")]
    losses, matrices, _ = train_head("query-head", data)
    worst = max(abs(losses[name][t] - row[name]) for t, row in enumerate(golden["losses"]) for name in losses)
    worst = max([worst] + [abs(float(matrices["query"][i, j]) - v) for i, j, v in golden["final"]["entries"]])
    if worst > 1e-9:
        raise SystemExit(f"tune.json is {worst:.1e} away")
    print(f"tune.json: within {worst:.1e}")


# LoRA in the tiny encoder


def make_encoder(folder):
    """Writes the tiny encoder."""
    words = dict.fromkeys(word for topic in TOPICS for word in topic[:6])
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *COMMON, *PIECES]
    special = {token: number for number, token in enumerate(vocabulary[:5])}
    config = {
        "architectures": ["BertModel"],
        "attention_probs_dropout_prob": 0.1,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": HIDDEN,
        "initializer_range": 0.02,
        "intermediate_size": INNER,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": 64,
        "model_type": "bert",
        "num_attention_heads": 4,
        "num_hidden_layers": LAYERS,
        "pad_token_id": 0,
        "position_embedding_type": "absolute",
        "type_vocab_size": 2,
        "vocab_size": len(vocabulary),
    }
    piece = lambda name, kind: {"SpecialToken": {"id": name, "type_id": kind}}
    text = lambda name, kind: {"Sequence": {"id": name, "type_id": kind}}
    first = [piece("[CLS]", 0), text("A", 0), piece("[SEP]", 0)]
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": number,
                "content": token,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for token, number in special.items()
        ],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": first,
            "pair": [*first, text("B", 1), piece("[SEP]", 1)],
            "special_tokens": {
                token: {"id": token, "ids": [special[token]], "tokens": [token]} for token in ("[CLS]", "[SEP]")
            },
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {token: number for number, token in enumerate(vocabulary)},
        },
    }
    tokenizer_config = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": True,
        "model_max_length": MOST_TOKENS,
        **{f"{token.strip('[]').lower()}_token": token for token in special},
    }
    kinds = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}
    modules = [
        {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for index, (path, kind) in enumerate(kinds.items())
    ]
    pooling = {"word_embedding_dimension": HIDDEN} | {
        f"pooling_mode_{mode}": mode == "mean_tokens"
        for mode in ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens")
    }
    (folder / "1_Pooling").mkdir(parents=True, exist_ok=True)
    for path, content in {
        "config.json": config,
        "tokenizer.json": tokenizer,
        "tokenizer_config.json": tokenizer_config,
        "modules.json": modules,
        "1_Pooling/config.json": pooling,
        "sentence_bert_config.json": {"max_seq_length": MOST_TOKENS, "do_lower_case": False},
    }.items():
        (folder / path).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8", newline="\n")

    # Wide enough that attention picks tokens out: a missing projection then shows.
    random = np.random.RandomState(32)
    weights = {}
    for name, parameter in sorted(BertModel(BertConfig(**config)).state_dict().items()):
        values = random.normal(size=tuple(parameter.shape))
        if "LayerNorm.weight" in name:
            values = 1.0 + 0.1 * values
        elif name.endswith("bias"):
            values = 0.1 * values
        elif "position" in name or "token_type" in name:
            values = 0.3 * values
        elif "word_embeddings" not in name:
            values = 0.25 * values
        if parameter.is_floating_point():
            weights[name] = torch.tensor(np.round(values, 4).astype(np.float32))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def load_encoder(folder, dtype):
    config = BertConfig(**json.loads((folder / "config.json").read_text(encoding="utf-8")))
    config._attn_implementation = "eager"
    model = BertModel(config).to(dtype).eval()
    weights = {name: weight.to(dtype) for name, weight in load_file(folder / "model.safetensors").items()}
    missing, unexpected = model.load_state_dict(weights, strict=False)
    if unexpected or any(name not in ("embeddings.position_ids", "embeddings.token_type_ids") for name in missing):
        raise SystemExit(f"weights do not fit: {missing}, {unexpected}")
    return model.requires_grad_(False)


class Adapted(torch.nn.Module):
    """A linear layer and beside it B A, which can be switched off."""

    def __init__(self, linear, a, factor):
        super().__init__()
        self.linear, self.factor, self.on = linear, factor, False
        self.a = torch.nn.Parameter(a)
        self.b = torch.nn.Parameter(a.new_zeros(linear.out_features, a.shape[0]))

    def forward(self, states):
        base = self.linear(states)
        return base + self.factor * (states @ self.a.T) @ self.b.T if self.on else base


def encode(model, ids, pooled_over=None):
    """The vectors of token ids, padded to the longest: the mean over a text's tokens, of length 1."""
    longest = max(map(len, ids))
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in ids])
    padded = torch.tensor([row + [0] * (longest - len(row)) for row in ids])
    states = model(input_ids=padded, attention_mask=mask).last_hidden_state
    counted = (torch.ones_like(mask) if pooled_over == "padding" else mask).to(states.dtype)[:, :, None]
    return normalize((states * counted).sum(dim=1) / counted.sum(dim=1), dim=1)


def make_texts(folder):
    """Texts about topics, and a teacher that counts the words a query shares with a document."""
    random = np.random.RandomState(33)
    queries, documents, words_of_queries, words_of_documents = [], [], [], []
    for number in range(16):
        topic = TOPICS[number % len(TOPICS)]
        own = random.permutation(topic)[: 1 + number % 4].tolist()
        filler = random.permutation(COMMON)[: number % 3].tolist()
        text = " ".join(filler + own)
        queries.append(text.capitalize() + "?" if number % 5 == 0 else text)
        words_of_queries.append(set(own))
    for number in range(24):
        topic = TOPICS[number % len(TOPICS)]
        length = 42 if number == 23 else 2 + (5 * number) % 17
        own = random.permutation(topic)[: 2 + number % 5].tolist()
        other = TOPICS[random.randint(len(TOPICS))][random.randint(6)]
        words = []
        for _ in range(length):
            choice = own if random.rand() < 0.6 else COMMON
            words.append(choice[random.randint(len(choice))])
        words = own[:2] + words + [other] if length > 4 else own[:2] + words
        words_of_documents.append(set(words))
        text = " ".join(words)
        documents.append(text.capitalize() + "." if number % 3 == 0 else text)
    documents[7] += ", zeppelin"  # not in the vocabulary
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(MOST_TOKENS)
    ids_of = lambda texts: [tokenizer.encode(text).ids for text in texts]
    texts = {"queries": queries, "documents": documents}
    texts |= {"query_ids": ids_of(queries), "document_ids": ids_of(documents)}
    model = load_encoder(folder, torch.float64)
    texts |= {f"{side}_vectors": encode(model, texts[f"{side}_ids"]).numpy() for side in ("query", "document")}
    cosines = texts["query_vectors"] @ texts["document_vectors"].T
    texts["candidates"], texts["logits"] = [], []
    for query in range(16):
        depth = 3 + query % 3
        own = np.argsort(-cosines[query], kind="stable")[:depth].tolist()
        share = [len(words_of_queries[query] & words_of_documents[d]) / len(words_of_queries[query]) for d in own]
        texts["candidates"].append(own)
        texts["logits"].append(np.round(6.0 * np.array(share) - 3.0 + random.normal(size=depth), 4).tolist())
    sizes = (6, 5, 5, 4, 6, 6)
    texts["batches"] = shuffled(random, 16, lambda number: sizes[number % len(sizes)])
    texts["best"] = best_of(texts["logits"])
    texts["adapters"] = [
        {"layer": layer, "target": target, "a": np.round(0.15 * random.normal(size=(RANK, HIDDEN)), 4)}
        for layer in range(LAYERS)
        for target in TARGETS
    ]
    random = np.random.RandomState(34)
    texts["all_adapters"] = [
        {"layer": layer, "target": target, "a": np.round(0.15 * random.normal(size=(RANK, inputs)), 4)}
        for layer in range(LAYERS)
        for target, inputs in ALL_TARGETS.items()
    ]
    return texts


def adapters_of(name, texts):
    return texts["all_adapters" if name == "all" else "adapters"]


def train_lora(name, texts, folder, dtype=torch.float64, mistake=None):
    """One of the trainings of LoRA: its losses, its adapters and two vectors."""
    model = load_encoder(folder, dtype)
    adapters = []
    for given in adapters_of(name, texts):
        target = given["target"]
        *place, last = target.split(".") if "." in target else ["attention", "self", target]
        module = model.encoder.layer[given["layer"]]
        for part in place:
            module = getattr(module, part)
        factor = 1.0 if mistake == "factor 1" else ALPHA / RANK
        adapted = Adapted(getattr(module, last), torch.tensor(given["a"], dtype=dtype), factor)
        setattr(module, last, adapted)
        if mistake != f"no {given['target']}" and mistake != f"no layer {given['layer']}":
            adapters.append(adapted)

    def vectors(side, rows, adapted=True):
        for adapter in adapters:
            adapter.on = adapted
        over = "padding" if mistake == "padding pooled" else None
        return encode(model, [texts[f"{side}_ids"][row] for row in rows], over)

    candidates, targets = texts["candidates"], texts["logits"]
    best = [candidates[b][place] for b, place in enumerate(texts["best"])]
    on_both = name == "both" and mistake != "documents constant"

    def parts_of(batch):
        students = vectors("query", batch)
        slots = [d for b in batch for d in candidates[b]]
        of_batch = [best[b] for b in batch]
        slot_vectors = vectors("document", slots, on_both)
        best_vectors = vectors("document", of_batch, on_both)
        if mistake == "no gradient through documents":
            slot_vectors, best_vectors = slot_vectors.detach(), best_vectors.detach()
        return {
            "kl": kl(students, slot_vectors, batch, candidates, targets, mistake),
            "mnrl": mnrl(students, best_vectors, of_batch, mistake),
        }

    trained = [matrix for adapter in adapters for matrix in (adapter.a, adapter.b)]
    if mistake == "A not trained":
        trained = trained[1::2]
    losses = train(trained, texts["batches"], LORA_LEARNING_RATE, parts_of, mistake)
    matrices = [[matrix.detach().to(torch.float64) for matrix in (adapter.a, adapter.b)] for adapter in adapters]
    shown = [("query", 0), ("document", 3)] if name == "both" else [("query", 0), ("query", 7)]
    with torch.no_grad():
        shown = [(side, row, vectors(side, [row])[0].to(torch.float64)) for side, row in shown]
    return losses, matrices, shown


# What goes wrong, and by how much


def distance(losses, others):
    return max(abs(a - b) for name in losses for a, b in zip(losses[name], others[name]))


def flat(matrices):
    """The matrices of heads by side, or of adapters in pairs, as one list."""
    if isinstance(matrices, dict):
        return list(matrices.values())
    return [matrix for pair in matrices for matrix in pair]


def farthest(matrices, others):
    return max(float((a - b).abs().max()) for a, b in zip(matrices, others))


ON_SLOTS = ("own candidates not left out", "repeated slots once", "no slots of others", "same positives not left out")
ON_STEPS = ("no schedule", "weight decay", "epsilon")
MISTAKES = {
    "query-head": (*ON_SLOTS, "transposed", "no ridge", *ON_STEPS),
    "head": (*ON_SLOTS, "transposed", "one ridge", "slots not adapted", "best documents not adapted", *ON_STEPS),
    "margin-mse": ("wrong sign", "mean by query", "scale not fitted", "transposed", "no ridge", *ON_STEPS),
    "mnrl": ("same positives not left out", "transposed", "no ridge", *ON_STEPS),
    "teacher-cos": ("wrong sign", "positives by logit", *ON_SLOTS, "transposed"),
}
ON_LORA = ("factor 1", "no query", "no value", "no layer 0", "no layer 1", "A not trained", "padding pooled", *ON_STEPS)
LORA_MISTAKES = {
    "query": (*ON_SLOTS, *ON_LORA),
    "both": (*ON_SLOTS, *ON_LORA, "documents constant", "no gradient through documents"),
    "all": ("factor 1", *(f"no {target}" for target in ALL_TARGETS), "no layer 0", "no layer 1", *ON_STEPS),
}


def print_mistakes(data, texts, folder):
    """What each error does to the losses, and to an entry of the final matrices where these are as many."""
    trainings = [(name, train_head, (name, data), MISTAKES[name]) for name in MISTAKES]
    trainings += [(f"lora {name}", train_lora, (name, texts, folder), LORA_MISTAKES[name]) for name in LORA_MISTAKES]
    for name, run, given, mistakes in trainings:
        right = run(*given)
        for mistake in mistakes:
            wrong = run(*given, mistake=mistake)
            line = f"{name:12} {mistake:30} losses {distance(right[0], wrong[0]):.1e}"
            if len(right[1]) == len(wrong[1]):
                line += f", matrices {farthest(flat(right[1]), flat(wrong[1])):.1e}"
            print(line)


# Output


def digits(value):
    """Rounded to 10 decimals, whatever it is made of."""
    if isinstance(value, (torch.Tensor, np.ndarray)):
        value = value.tolist()
    if isinstance(value, dict):
        return {key: digits(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [digits(entry) for entry in value]
    return round(value, 10) if isinstance(value, float) else value


def to_json(value, indent=""):
    """JSON with one row of a matrix a line."""
    inner = indent + "  "
    if isinstance(value, dict):
        lines = [f"{inner}{json.dumps(key)}: {to_json(entry, inner)}" for key, entry in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list) and value and isinstance(value[0], (list, dict, str)):
        return "[\n" + ",\n".join(inner + to_json(entry, inner) for entry in value) + f"\n{indent}]"
    return json.dumps(value)


def coverage(batches, candidates, best):
    """How often the batches reach the rules about documents that occur more than once."""
    own = sum(d in candidates[b] for batch in batches for b in batch for c in batch if c != b for d in candidates[c])
    same = sum(len(batch) - len({candidates[b][best[b]] for b in batch}) for batch in batches)
    if not own or not same:
        raise SystemExit("these inputs do not reach every rule of the losses")
    return f"slots left out {own}, positives shared {same}"


def head_result(name, data):
    losses, matrices, extra = train_head(name, data)
    single, single_matrices, _ = train_head(name, data, torch.float32)
    off = {
        "losses": distance(losses, single),
        "matrix": farthest(flat(matrices), flat(single_matrices)),
    }
    print(f"{name:12} {losses['total'][0]:.4f} -> {losses['total'][-1]:.4f}, float32 off by", off)
    final = {side: {"frobenius": float(matrix.norm()), "matrix": matrix} for side, matrix in matrices.items()}
    return {"losses": losses, "final": final, **extra}


def lora_result(name, texts, folder):
    losses, matrices, shown = train_lora(name, texts, folder)
    single, single_matrices, single_shown = train_lora(name, texts, folder, torch.float32)
    off = {
        "losses": distance(losses, single),
        "adapters": farthest(flat(matrices), flat(single_matrices)),
        "vectors": farthest([row[2] for row in shown], [row[2] for row in single_shown]),
    }
    print(f"lora {name:7} {losses['total'][0]:.4f} -> {losses['total'][-1]:.4f}, float32 off by", off)
    final = [
        {
            "layer": given["layer"],
            "target": given["target"],
            "a_frobenius": float(a.norm()),
            "b_frobenius": float(b.norm()),
            "a": a,
            "b": b,
        }
        for given, (a, b) in zip(adapters_of(name, texts), matrices)
    ]
    vectors = [{"side": side, "row": row, "vector": vector} for side, row, vector in shown]
    return {"losses": losses, "final": final, "vectors": vectors}


def main():
    torch.set_num_threads(1)
    check_against_tune_json()
    mistakes = sys.argv[1:] == ["--mistakes"]
    out = Path(sys.argv[1]) if len(sys.argv) > 1 and not mistakes else HERE
    folder = out / "tiny-encoder"
    data = make_vectors()
    if mistakes:
        return print_mistakes(data, make_texts(folder), folder)
    make_encoder(folder)
    texts = make_texts(folder)
    queries, documents, candidates, logits, batches = data
    print("vectors:", coverage(batches, candidates, best_of(logits)))
    print("texts:", coverage(texts["batches"], texts["candidates"], texts["best"]))
    result = {
        "about": "Trainings in float64, made by make_fit.py, which has the formulas and the layout.",
        "constants": {
            "scale": SCALE,
            "ridge": RIDGE,
            "document_ridge": DOCUMENT_RIDGE,
            "teacher_cos": TEACHER_COS,
            "peak_learning_rate": PEAK_LEARNING_RATE,
            "lora_learning_rate": LORA_LEARNING_RATE,
            "warmup": WARMUP,
            "final_fraction": FINAL_FRACTION,
            "beta_1": BETAS[0],
            "beta_2": BETAS[1],
            "epsilon": EPSILON,
            "rank": RANK,
            "alpha": ALPHA,
        },
        "vectors": {
            "queries": queries,
            "documents": documents,
            "candidates": candidates,
            "logits": logits,
            "batches": batches,
        },
        "heads": {name: head_result(name, data) for name in MISTAKES},
        "texts": texts,
        "lora": {name: lora_result(name, texts, folder) for name in LORA_MISTAKES},
    }
    (out / "fit.json").write_text(to_json(digits(result)) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
