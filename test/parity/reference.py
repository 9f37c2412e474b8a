"""Fine-tuning with self-distillation in PyTorch, written from the published semantics alone: the outside view on a run.

    python test/parity/reference.py --model DIR --train FILE.jsonl --output DIR [--strategy sda --window 3 ...]
    python test/parity/reference.py --jobs FILE     one JSON array of such arguments a line, run one after the other

Flags have the names, defaults and meaning of the command line's. --model is a Hugging Face folder (config.json,
model.safetensors, tokenizer.json) of a BertForSequenceClassification. Examples are JSON lines {"text", "pair"?, "label"}.
Writes metrics.jsonl with the same step lines, and evaluations of --dev and --test at the end.

    update t = 1..T turns theta_{t-1} into theta_t
    loss      mean cross-entropy + lambda * mean over all B*C elements of (z - teacher's z)^2
    teacher   evaluation mode, no gradient; sda: the mean of the newest K of theta_0..theta_{t-2} (theta_0 at t = 1), with
              --pool-includes-student of theta_0..theta_{t-1}; sdv: the mean of their logits; `all`: all of them
    AdamW     decoupled decay except on biases and LayerNorm, betas .9/.999, eps 1e-8, the classifier with its own rate
    schedule  s = t - 1, W = floor(warmup * T): s / max(1, W) while s < W, else max(0, (T - s) / max(1, T - W))
    clipping  g *= c / (norm + 1e-6) when the global norm exceeds c
"""

import argparse
import copy
import json
import math
import os
import pathlib
import sys
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import BertForSequenceClassification
from transformers.utils import logging as transformers_logging

transformers_logging.disable_progress_bar()


def parse(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--train", type=pathlib.Path, required=True)
    parser.add_argument("--dev", type=pathlib.Path)
    parser.add_argument("--test", type=pathlib.Path)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--strategy", choices=("finetune", "sda", "sdv"), default="sda")
    parser.add_argument("--window", default="all", help="K or all")
    parser.add_argument("--pool-includes-student", action="store_true")
    parser.add_argument("--lambda", dest="lambda_", type=float, default=1.0)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--max-steps", type=int)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--accumulate", type=int, default=1)
    parser.add_argument("--lr", type=float, default=2e-5)
    parser.add_argument("--head-lr", type=float, default=1e-3)
    parser.add_argument("--weight-decay", type=float, default=0.01)
    parser.add_argument("--warmup", type=float, default=0.1)
    parser.add_argument("--max-grad-norm", type=float, default=1.0)
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--no-shuffle", dest="shuffle", action="store_false")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    return parser.parse_args(argv)


class Data:
    """Encoded examples of one file: (ids, types, class)."""

    def __init__(self, path, tokenizer, classes):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        self.examples = []
        for row in rows:
            encoding = tokenizer.encode(row["text"], row.get("pair"))
            self.examples.append((encoding.ids, encoding.type_ids, classes[str(row["label"])]))

    def __len__(self):
        return len(self.examples)


def load_tokenizer(folder, max_length):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length=max_length, strategy="longest_first")
    return tokenizer


def load_model(folder, dropout, dtype=torch.float32):
    model = BertForSequenceClassification.from_pretrained(
        str(folder), hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout, classifier_dropout=dropout
    )
    return model.to(dtype)


def classes_of(model):
    return {name: int(index) for index, name in model.config.id2label.items()}


def collate(examples, pad_id=0):
    length = max(len(ids) for ids, _, _ in examples)
    ids = torch.full((len(examples), length), pad_id)
    types = torch.zeros_like(ids)
    mask = torch.zeros_like(ids)
    for row, (row_ids, row_types, _) in enumerate(examples):
        ids[row, : len(row_ids)] = torch.tensor(row_ids)
        types[row, : len(row_ids)] = torch.tensor(row_types)
        mask[row, : len(row_ids)] = 1
    labels = torch.tensor([label for _, _, label in examples])
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}, labels


class Pool:
    """The students theta_0.. so far, and the teacher they make."""

    def __init__(self, model, strategy, window, pad_to_student):
        self.strategy = strategy
        self.window = math.inf if window == "all" else int(window)
        self.includes_student = pad_to_student
        self.teacher = copy.deepcopy(model).eval().requires_grad_(False)
        self.students = []
        self.sum = None
        self.count = 0

    def push(self, model):
        weights = [p.detach().clone() for p in model.parameters()]
        self.count += 1
        if self.window == math.inf and self.strategy == "sda":
            # The sum in float64: what is compared is the definition, not the rounding of a running mean.
            if self.sum is None:
                self.sum = [w.double() for w in weights]
            else:
                for total, w in zip(self.sum, weights):
                    total += w.double()
        else:
            self.students.append(weights)
            if len(self.students) > self.window:
                self.students.pop(0)

    def _load(self, weights):
        with torch.no_grad():
            for parameter, value in zip(self.teacher.parameters(), weights):
                parameter.copy_(value)

    def prepare(self):
        """Puts the mean into the teacher; once a step."""
        if self.strategy != "sda":
            return
        if self.sum is not None:
            self._load([total / self.count for total in self.sum])
        else:
            self._load([torch.stack(ws).double().mean(0) for ws in zip(*self.students)])

    @torch.no_grad()
    def logits(self, inputs):
        if self.strategy == "sda":
            return self.teacher(**inputs).logits
        votes = []
        for weights in self.students:
            self._load(weights)
            votes.append(self.teacher(**inputs).logits)
        return torch.stack(votes).mean(0)


def is_head(name):
    return name.startswith("classifier.")


def is_decayed(name):
    return not name.endswith("bias") and "LayerNorm" not in name


def make_optimizer(model, options):
    groups = []
    for head in (False, True):
        for decayed in (False, True):
            members = [p for n, p in model.named_parameters() if is_head(n) == head and is_decayed(n) == decayed]
            groups.append(
                {
                    "params": members,
                    "peak": options.head_lr if head else options.lr,
                    "weight_decay": options.weight_decay if decayed else 0.0,
                }
            )
    return torch.optim.AdamW(groups, lr=options.lr, betas=(0.9, 0.999), eps=1e-8)


def learning_rate_factor(step, total, warmup):
    done, warm = step - 1, math.floor(warmup * total)
    return done / max(1, warm) if done < warm else max(0.0, (total - done) / max(1, total - warm))


def evaluate(model, data, batch_size=64):
    was_training = model.training
    model.eval()
    order = sorted(range(len(data)), key=lambda i: len(data.examples[i][0]))
    correct, loss = 0, 0.0
    with torch.no_grad():
        for start in range(0, len(order), batch_size):
            inputs, labels = collate([data.examples[i] for i in order[start : start + batch_size]])
            logits = model(**inputs).logits
            correct += (logits.argmax(-1) == labels).sum().item()
            loss += functional.cross_entropy(logits, labels, reduction="sum").item()
    model.train(was_training)
    return {"examples": len(data), "loss": loss / len(data), "accuracy": correct / len(data)}


def train(model, data, options, on_step=lambda record: None):
    """Trains in place. Returns the pool (None for finetune)."""
    torch.manual_seed(options.seed)
    order_generator = torch.Generator().manual_seed(options.seed)
    optimizer = make_optimizer(model, options)
    per_update = options.batch_size * options.accumulate
    per_epoch = math.ceil(len(data) / per_update)
    total = options.max_steps or per_epoch * options.epochs
    pool = None
    if options.strategy != "finetune":
        pool = Pool(model, options.strategy, options.window, options.pool_includes_student)
        pool.push(model)
    model.train()
    step = 0
    while step < total:
        order = torch.randperm(len(data), generator=order_generator).tolist() if options.shuffle else range(len(data))
        order = list(order)
        for start in range(0, len(order), per_update):
            if step == total:
                break
            step += 1
            started = time.perf_counter()
            chosen = order[start : start + per_update]
            if pool is not None:
                pool.prepare()
            optimizer.zero_grad()
            ce_sum = distill_sum = 0.0
            tokens = 0
            for first in range(0, len(chosen), options.batch_size):
                micro = [data.examples[i] for i in chosen[first : first + options.batch_size]]
                inputs, labels = collate(micro)
                tokens += int(inputs["attention_mask"].sum())
                logits = model(**inputs).logits
                ce = functional.cross_entropy(logits, labels, reduction="sum") / len(chosen)
                distill = logits.new_zeros(())
                if pool is not None:
                    distill = (logits - pool.logits(inputs)).square().sum() / (len(chosen) * logits.shape[1])
                (ce + options.lambda_ * distill).backward()
                ce_sum += ce.item()
                distill_sum += distill.item()
            gradients = [p.grad for p in model.parameters() if p.grad is not None]
            norm = math.sqrt(sum(g.double().square().sum().item() for g in gradients))
            if norm > options.max_grad_norm:
                for gradient in gradients:
                    gradient.mul_(options.max_grad_norm / (norm + 1e-6))
            factor = learning_rate_factor(step, total, options.warmup)
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * factor
            if pool is not None and not options.pool_includes_student and step > 1:
                pool.push(model)
            optimizer.step()
            if pool is not None and options.pool_includes_student:
                pool.push(model)
            on_step(
                {
                    "type": "step",
                    "step": step,
                    "epoch": step / per_epoch,
                    "loss": ce_sum + options.lambda_ * distill_sum,
                    "ce": ce_sum,
                    "distill": distill_sum,
                    "lr": options.lr * factor,
                    "gradNorm": norm,
                    "examples": len(chosen),
                    "tokens": tokens,
                    "ms": 1000 * (time.perf_counter() - started),
                }
            )
    if pool is not None:
        pool.prepare()
    return pool


def run(options):
    torch.set_num_threads(options.threads)
    model = load_model(options.model, options.dropout, getattr(torch, options.dtype))
    tokenizer = load_tokenizer(options.model, options.max_length)
    classes = classes_of(model)
    data = Data(options.train, tokenizer, classes)
    options.output.mkdir(parents=True, exist_ok=True)
    with open(options.output / "metrics.jsonl", "w", encoding="utf-8") as file:

        def write(record):
            file.write(json.dumps(record) + "\n")
            file.flush()

        shown = {k: str(v) if isinstance(v, pathlib.Path) else v for k, v in vars(options).items()}
        write({"type": "config", "options": shown, "labels": list(classes)})
        pool = train(model, data, options, write)
        for split, path in (("dev", options.dev), ("test", options.test)):
            if path is None:
                continue
            held_out = Data(path, tokenizer, classes)
            write({"type": "eval", "split": split, "model": "student", **evaluate(model, held_out)})
            if pool is not None and options.strategy == "sda":
                write({"type": "eval", "split": split, "model": "teacher", **evaluate(pool.teacher, held_out)})


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--jobs":
        for line in pathlib.Path(sys.argv[2]).read_text(encoding="utf-8").splitlines():
            run(parse(json.loads(line)))
    else:
        run(parse())


if __name__ == "__main__":
    main()
