"""Writes small random BERT models, their tokenizer and small tasks for the parity tests.

    python test/parity/export_model.py FOLDER VARIANT...

    torchscript, dynamo   a classifier, by the exporter named; biases and LayerNorm weights are random too
    fresh                 its weights as they are before any training
    regression            one output, a number

Each gets a folder FOLDER/VARIANT with model.onnx, model.safetensors, config.json, tokenizer.json, train.jsonl and dev.jsonl
(single texts) and pairs.jsonl.
"""

import argparse
import json
import logging
import os
import pathlib
import random
import warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification
from transformers.utils import logging as transformers_logging

transformers_logging.disable_progress_bar()

LABELS = ["animal", "food", "plant"]
WORDS = {
    "animal": "fur tail paw wing beak herd hunt swim growl nest".split(),
    "food": "bake salt sweet dish boil sauce bread spice taste roast".split(),
    "plant": "leaf root bloom seed stem bark grow shade moss petal".split(),
}
COMMON = "the a of with in and small large old found often under near that this has is red green it".split()
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def write_tasks(folder, regression):
    """100 and 30 texts of 2 to 30 words with their class, for a regression with the share of words that tell it; 60 pairs whose
    label says whether both are of one class; some longer than 40 tokens."""
    generator = random.Random(3)

    def text(label, words):
        own = WORDS[label]
        return " ".join(generator.choice(own if generator.random() < 0.3 else COMMON) for _ in range(words))

    def write(name, rows):
        with open(folder / name, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)

    def single(label):
        words = text(label, generator.randint(2, 30))
        share = sum(word not in COMMON for word in words.split()) / len(words.split())
        return {"text": words, "label": round(5 * share, 2) if regression else label}

    def pair(first, second):
        texts = {"text": text(first, generator.randint(2, 30)), "pair": text(second, generator.randint(2, 30))}
        return {**texts, "label": "animal" if first == second else "plant"}

    write("train.jsonl", [single(generator.choice(LABELS)) for _ in range(100)])
    write("pairs.jsonl", [pair(generator.choice(LABELS), generator.choice(LABELS)) for _ in range(60)])
    write("dev.jsonl", [single(generator.choice(LABELS)) for _ in range(30)])


def write_tokenizer(folder):
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = sorted(set(COMMON) | {w for ws in WORDS.values() for w in ws[:6]})
    tokens = [*specials, *LETTERS, *(f"##{c}" for c in LETTERS), *(w for w in words if len(w) > 1)]
    tokenizer = Tokenizer(models.WordPiece({t: i for i, t in enumerate(tokens)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(specials)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return len(tokens)


class Classifier(BertForSequenceClassification):
    def forward(self, input_ids, attention_mask, token_type_ids):
        outputs = super().forward(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
        return outputs.logits


def export_onnx(model, path, exporter):
    """The classifier as ONNX, dynamic in batch and sequence; its class is changed for the export alone."""
    ids = torch.randint(5, 40, (2, 16))
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "token_type_ids": torch.zeros_like(ids)}
    names, axes = list(inputs), {0: "batch_size", 1: "sequence_length"}
    original, model.__class__ = model.__class__, Classifier
    try:
        if exporter == "dynamo":
            dims = {axis: torch.export.Dim(name) for axis, name in axes.items()}
            program = torch.onnx.export(
                model, tuple(inputs.values()), dynamo=True, opset_version=18, input_names=names,
                output_names=["logits"], dynamic_shapes=tuple(dims for _ in names), verbose=False,
            )
            program.save(str(path), external_data=False)
        else:
            torch.onnx.export(
                model, tuple(inputs.values()), str(path), dynamo=False, opset_version=14, input_names=names,
                output_names=["logits"], dynamic_axes={n: axes for n in names} | {"logits": {0: "batch_size"}},
            )
    finally:
        model.__class__ = original


def write_variant(folder, variant):
    folder.mkdir(parents=True, exist_ok=True)
    regression = variant == "regression"
    write_tasks(folder, regression)
    labels = ["score"] if regression else LABELS
    config = BertConfig(
        vocab_size=write_tokenizer(folder),
        hidden_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=128,
        max_position_embeddings=64,
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
        problem_type="regression" if regression else None,
        attn_implementation="sdpa" if variant == "dynamo" else "eager",
    )
    torch.manual_seed(9)
    model = BertForSequenceClassification(config).eval()
    if variant != "fresh":
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    export_onnx(model, folder / "model.onnx", "dynamo" if variant == "dynamo" else "torchscript")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("variants", nargs="+", choices=("torchscript", "dynamo", "fresh", "regression"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    for variant in options.variants:
        write_variant(options.folder / variant, variant)


if __name__ == "__main__":
    main()
