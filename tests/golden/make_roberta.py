"""Makes roberta.json, tiny-xlm-roberta/ and tiny-xlm-roberta-cross-encoder/: what transformers computes with a RoBERTa.

    python make_roberta.py [FOLDER]     # beside this file, unless a folder is given

Needs what tests/interop/requirements-6.2.txt lists, and sentencepiece with protobuf. Both models are XLM-RoBERTas with
random weights, 2 layers, hidden size 32, 4 heads and 64 positions, in folders as models on the hub are. Their vocabulary
is trained by sentencepiece on the lines below, with a table of normalisations as XLM-RoBERTa's has one, only shorter.
What the models give for the texts is computed in float64.

    texts   [{text, ids, vector}], the vectors of length 1
    pairs   [{query, document, ids, logit}]
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from sentence_transformers import SentenceTransformer
from sentencepiece import sentencepiece_model_pb2
from transformers import XLMRobertaConfig, XLMRobertaForSequenceClassification, XLMRobertaModel, XLMRobertaTokenizer

POSITIONS = 64
PADDING = 1
LINES = [
    "Wasserdichte Wanderschuhe für Damen, Größe 39",
    "Kabellose Kopfhörer mit Geräuschunterdrückung",
    "Kühlschrank ohne Gefrierfach, 60 cm breit",
    "chaussures de randonnée imperméables pour femmes",
    "casque sans fil avec réduction de bruit",
    "réfrigérateur sans congélateur, largeur 60 cm",
    "waterproof hiking boots for women, size 39",
    "wireless headphones with noise cancelling",
    "a fridge without a freezer, 60 cm wide",
    "zapatos impermeables para caminar, talla 39",
    "how do I return a parcel that never arrived?",
    "Wie schicke ich ein Paket zurück?",
]
# A composed letter, a ligature, full-width letters, a wide space: sentencepiece's own tables have thousands.
RULES = {"u\u0308": "ü", "o\u0308": "ö", "ﬁ": "fi", "Ａ": "A", "Ｂ": "B", "\u3000": " "}
TEXTS = [
    "Wanderschuhe für Damen",
    "Wanderschuhe fu\u0308r Damen",
    "  casque   sans fil ",
    "ＡＢ\u3000kabellos ﬁne",
    "",
    "日本語 was never seen 🙂",
    "<s> is written as it is, and so is </s>",
    "a",
    " ".join(LINES),
]
PAIRS = [
    ("Kopfhörer", "wireless headphones with noise cancelling"),
    ("Kopfhörer", "a fridge without a freezer"),
    ("", ""),
    (" ".join(LINES[:4]), "short"),
    ("short", " ".join(LINES)),
    (" ".join(LINES[:5]), " ".join(LINES[5:])),
]


def make_tokenizer(folder):
    rules = folder / "rules.tsv"
    code_points = lambda text: " ".join(f"{ord(character):X}" for character in text)
    rules.write_text("".join(f"{code_points(old)}\t{code_points(new)}\n" for old, new in sorted(RULES.items())))
    (folder / "lines.txt").write_text("\n".join(LINES) + "\n", encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(folder / "lines.txt"),
        model_prefix=str(folder / "spm"),
        vocab_size=110,
        character_coverage=1.0,
        normalization_rule_tsv=str(rules),
        num_threads=1,
        minloglevel=2,
    )
    trained = sentencepiece_model_pb2.ModelProto.FromString((folder / "spm.model").read_bytes())
    # fairseq's order of the special tokens, which XLM-RoBERTa has; sentencepiece's first three are <unk>, <s>, </s>.
    special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    pieces = [(piece.piece, piece.score) for piece in trained.pieces[3:]]
    return XLMRobertaTokenizer(
        vocab=[*special, *pieces, ("<mask>", 0.0)],
        _spm_precompiled_charsmap=trained.normalizer_spec.precompiled_charsmap,
        model_max_length=POSITIONS,
    )


def make_model(kind, tokenizer, seed):
    config = XLMRobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=POSITIONS + PADDING + 1,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        num_labels=1,
    )
    torch.manual_seed(seed)
    model = kind(config).eval()
    with torch.no_grad():
        for name, weights in model.named_parameters():
            factors = "LayerNorm.weight" in name
            weights.copy_(torch.randn_like(weights) * (0.1 if factors else 0.3) + (1.0 if factors else 0.0))
    return model


def write_modules(folder):
    """As sentence-transformers has written them until its version 5, which is how most models have them."""
    modules = [("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")]
    files = {
        "modules.json": [
            {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for number, (kind, path) in enumerate(modules)
        ],
        "sentence_bert_config.json": {"max_seq_length": POSITIONS, "do_lower_case": False},
        "1_Pooling/config.json": {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True},
    }
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def rounded(value):
    return [float(f"{number:.9g}") for number in np.asarray(value, np.float64).ravel()]


def main():
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    encoder_folder, scorer_folder = out / "tiny-xlm-roberta", out / "tiny-xlm-roberta-cross-encoder"
    with tempfile.TemporaryDirectory() as scratch:
        tokenizer = make_tokenizer(Path(scratch))
    make_model(XLMRobertaModel, tokenizer, 1).save_pretrained(encoder_folder)
    tokenizer.save_pretrained(encoder_folder)
    write_modules(encoder_folder)
    make_model(XLMRobertaForSequenceClassification, tokenizer, 2).save_pretrained(scorer_folder)
    tokenizer.save_pretrained(scorer_folder)

    encoder = SentenceTransformer(str(encoder_folder), device="cpu").double()
    vectors = encoder.encode(TEXTS)
    texts = [
        {"text": text, "ids": tokenizer(text, truncation=True)["input_ids"], "vector": rounded(vector)}
        for text, vector in zip(TEXTS, vectors)
    ]
    scorer = XLMRobertaForSequenceClassification.from_pretrained(scorer_folder).double().eval()
    pairs = []
    for query, document in PAIRS:
        # Lists, as an empty document by itself is taken for none.
        inputs = tokenizer([query], [document], truncation=True, return_tensors="pt")
        with torch.no_grad():
            [logit] = rounded(scorer(**inputs).logits)
        pairs.append({"query": query, "document": document, "ids": inputs["input_ids"][0].tolist(), "logit": logit})
    result = {"about": "Made by make_roberta.py, which says how.", "texts": texts, "pairs": pairs}
    (out / "roberta.json").write_text(
        json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n"
    )


if __name__ == "__main__":
    main()
