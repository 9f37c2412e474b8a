"""Fine-tuning with self-ensemble and self-distillation in PyTorch, written from the published semantics alone: the outside
view on a run. The loop is here, teachers and averages in ensemble.py, losses in objectives.py.

    python test/parity/reference.py --model DIR --train FILE.jsonl --output DIR [--strategy sda --window 3 ...]
    python test/parity/reference.py --jobs FILE     one JSON array of such arguments a line, run one after the other

Flags have the names, defaults and meaning of the command line's. --model is a Hugging Face folder (config.json,
model.safetensors, tokenizer.json) of a BertForSequenceClassification. Examples are JSON lines {"text", "pair"?, "label"}.
Writes metrics.jsonl with the same step lines, and evaluations of --dev and --test at the end.

    update t = 1..T turns theta_{t-1} into theta_t; the teacher is there from step S on
    loss      mean over the update's B rows of w_y * cross-entropy + lambda_t * distance(z, teacher's z), see objectives.py;
              one output: of (z - y)^2 + ...
    r-drop    from step S on each row twice, with dropout of its own: mean over 2B rows of w_y * cross-entropy, and half the
              distance between the two z of an example in place of that to a teacher, both with gradient
    lambda_t  lambda * min(1, (t - S + 1) / R), R = floor(ramp * T); lambda when R = 0; no teacher before S
    teacher   evaluation mode, no gradient; see ensemble.py
    AdamW     decoupled decay except on biases and LayerNorm, betas .9/.999, eps 1e-8, the classifier with its own rate
    rates     layer i of L: lr * decay^(L - 1 - i), embeddings: lr * decay^L; what --freeze finds in a name has no gradient
    schedule  s = t - 1, W = floor(warmup * T): s / max(1, W) while s < W, else max(0, (T - s) / max(1, T - W))
    clipping  g *= c / (norm + 1e-6) when the global norm exceeds c
"""

import argparse
import contextlib
import json
import math
import os
import pathlib
import re
import sys
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import objectives
import torch
from dropout_masks import DropoutMasks
from ensemble import SelfEnsemble, first_taught_step, make_teacher
from tokenizers import Tokenizer
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
    parser.add_argument("--strategy", choices=("finetune", "sda", "sdv", "se", "ema", "r-drop"), default="sda")
    parser.add_argument("--window", help="K or all (default: all; for sdv 5)")
    parser.add_argument("--lambda", dest="lambda_", type=float, default=1.0)
    parser.add_argument("--lambda-ramp", type=float, default=0.0, help="fraction of the updates")
    parser.add_argument("--distance", choices=objectives.DISTANCES, help="(default: mse; for r-drop symmetric-kl)")
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--teacher-start", type=float, default=1, help="a step, or the fraction of the updates before it")
    parser.add_argument("--pool-every", type=int, default=1)
    parser.add_argument("--pool-size", help="M or all (default: the window)")
    parser.add_argument("--pool-select", choices=("recent", "best", "spaced"), default="recent")
    parser.add_argument("--pool-includes-student", action="store_true")
    parser.add_argument("--ema-decay", type=float, default=0.995)
    parser.add_argument("--average", choices=("auto", "teacher", "se", "none"), default="auto")
    parser.add_argument("--label-smoothing", type=float, default=0.0)
    parser.add_argument("--class-weights", help='balanced, a JSON object {"label": weight}, or a file of one')
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--max-steps", type=int)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--accumulate", type=int, default=1)
    parser.add_argument("--lr", type=float, default=2e-5)
    parser.add_argument("--head-lr", type=float, default=1e-3)
    parser.add_argument("--layer-lr-decay", type=float, default=1.0)
    parser.add_argument("--freeze", help="regular expression of parameter names")
    parser.add_argument("--weight-decay", type=float, default=0.01)
    parser.add_argument("--warmup", type=float, default=0.1)
    parser.add_argument("--max-grad-norm", default="1", help='a number, or "none"')
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--command-line-masks", action="store_true", help="drop what the command line drops with --no-fuse")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--no-shuffle", dest="shuffle", action="store_false")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    options = parser.parse_args(argv)
    options.window = options.window or ("5" if options.strategy == "sdv" else "all")
    options.distance = options.distance or ("symmetric-kl" if options.strategy == "r-drop" else "mse")
    if options.average == "auto":
        options.average = {"sda": "teacher", "ema": "teacher", "se": "se"}.get(options.strategy, "none")
    return options


class Data:
    """Encoded examples of one file: (ids, types, class; or the number to predict where there are no classes)."""

    def __init__(self, path, tokenizer, classes):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        self.examples = []
        for row in rows:
            encoding = tokenizer.encode(row["text"], row.get("pair"))
            label = classes[str(row["label"])] if classes else float(row["label"])
            self.examples.append((encoding.ids, encoding.type_ids, label))

    def __len__(self):
        return len(self.examples)


def load_tokenizer(folder, max_length):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length=max_length, strategy="longest_first")
    return tokenizer


def load_model(folder, dropout, dtype=torch.float32, attention="sdpa"):
    model = BertForSequenceClassification.from_pretrained(
        str(folder), hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout, classifier_dropout=dropout,
        attn_implementation=attention,
    )
    return model.to(dtype)


def classes_of(model):
    """Class indices by name; empty for a model that predicts a number."""
    if model.config.problem_type == "regression":
        return {}
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
    labels = [label for _, _, label in examples]
    labels = torch.tensor(labels, dtype=torch.float64 if isinstance(labels[0], float) else torch.int64)
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}, labels


def is_head(name):
    return name.startswith("classifier.")


def is_decayed(name):
    return not name.endswith("bias") and "LayerNorm" not in name


def peak_rate(name, layers, options):
    if is_head(name):
        return options.head_lr
    layer = re.search(r"\.layer\.(\d+)\.", name)
    steps_down = layers - 1 - int(layer[1]) if layer else layers if ".embeddings." in name else 0
    return options.lr * options.layer_lr_decay**steps_down


def make_optimizer(model, options):
    if options.freeze:
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(re.search(options.freeze, name) is None)
    groups = [
        {
            "params": [parameter],
            "peak": peak_rate(name, model.config.num_hidden_layers, options),
            "weight_decay": options.weight_decay if is_decayed(name) else 0.0,
        }
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    ]
    return torch.optim.AdamW(groups, lr=options.lr, betas=(0.9, 0.999), eps=1e-8)


def learning_rate_factor(step, total, warmup):
    done, warm = step - 1, math.floor(warmup * total)
    return done / max(1, warm) if done < warm else max(0.0, (total - done) / max(1, total - warm))


def row_losses(logits, labels, class_weights=None, smoothing=0.0):
    if labels.is_floating_point():
        return objectives.squared_error(logits, labels)
    return objectives.cross_entropy(logits, labels, class_weights, smoothing)


def evaluate(model, data, batch_size=64):
    was_training = model.training
    model.eval()
    order = sorted(range(len(data)), key=lambda i: len(data.examples[i][0]))
    correct, loss = 0, 0.0  # correct has no meaning for a predicted number
    with torch.no_grad():
        for start in range(0, len(order), batch_size):
            inputs, labels = collate([data.examples[i] for i in order[start : start + batch_size]])
            logits = model(**inputs).logits
            correct += (logits.argmax(-1) == labels).sum().item()
            loss += row_losses(logits, labels).sum().item()
    model.train(was_training)
    return {"examples": len(data), "loss": loss / len(data), "accuracy": correct / len(data)}


def class_weights_of(text, data, classes):
    """One weight a class; balanced: n / (classes * n_c)."""
    if text is None:
        return None
    if text == "balanced":
        counts = torch.bincount(torch.tensor([label for _, _, label in data.examples]), minlength=len(classes))
        return len(data) / (len(classes) * counts.double())
    if not text.lstrip().startswith("{"):
        text = pathlib.Path(text).read_text(encoding="utf-8")
    given = json.loads(text)
    return torch.tensor([float(given[name]) for name in classes], dtype=torch.float64)


def train(model, data, options, on_step=lambda record: None, dev=None):
    """Trains in place. Returns the models to evaluate beside it, by name."""
    torch.manual_seed(options.seed)
    order_generator = torch.Generator().manual_seed(options.seed)
    optimizer = make_optimizer(model, options)
    per_update = options.batch_size * options.accumulate
    per_epoch = math.ceil(len(data) / per_update)
    total = options.max_steps or per_epoch * options.epochs
    class_weights = class_weights_of(options.class_weights, data, classes_of(model))
    distance = objectives.DISTANCES[options.distance]

    first_taught = first_taught_step(options.teacher_start, total)
    ramp = math.floor(options.lambda_ramp * total)
    teacher = make_teacher(model, options, first_taught, lambda student: evaluate(student, dev)["loss"])
    average = SelfEnsemble(model, options, first_taught) if options.average == "se" else None
    masks = DropoutMasks(options.seed, model.config.num_hidden_layers) if options.command_line_masks else None
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
            taught = teacher is not None and step >= first_taught
            draws = 2 if options.strategy == "r-drop" and step >= first_taught else 1
            lambda_ = options.lambda_ * (min(1.0, (step - first_taught + 1) / ramp) if ramp > 0 else 1.0)
            if taught:
                teacher.begin(step, model)
            optimizer.zero_grad()
            ce_sum = distill_sum = 0.0
            tokens = 0
            for first in range(0, len(chosen), options.batch_size):
                micro = [data.examples[i] for i in chosen[first : first + options.batch_size]]
                inputs, labels = collate(micro * draws)
                tokens += int(inputs["attention_mask"].sum()) // draws
                with masks.of(step, first // options.batch_size) if masks else contextlib.nullcontext():
                    logits = model(**inputs).logits
                ce = row_losses(logits, labels, class_weights, options.label_smoothing).sum() / (draws * len(chosen))
                distill = logits.new_zeros(())
                if draws == 2:
                    distill = distance(*logits.chunk(2), options.temperature).sum() / (2 * len(chosen))
                if taught:
                    distill = distance(logits, teacher.logits(inputs), options.temperature).sum() / len(chosen)
                (ce + lambda_ * distill).backward()
                ce_sum += ce.item()
                distill_sum += distill.item()
            gradients = [p.grad for p in model.parameters() if p.grad is not None]
            norm = math.sqrt(sum(g.double().square().sum().item() for g in gradients))
            if options.max_grad_norm != "none" and norm > float(options.max_grad_norm):
                for gradient in gradients:
                    gradient.mul_(float(options.max_grad_norm) / (norm + 1e-6))
            factor = learning_rate_factor(step, total, options.warmup)
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * factor
            if taught:
                teacher.before_update(step, model)
            optimizer.step()
            if taught:
                teacher.after_update(step, model)
            if average is not None:
                average.after_update(step, model)
            on_step(
                {
                    "type": "step",
                    "step": step,
                    "epoch": step / per_epoch,
                    "loss": ce_sum + lambda_ * distill_sum,
                    "ce": ce_sum,
                    "distill": distill_sum,
                    "lr": options.lr * factor,
                    "gradNorm": norm,
                    "examples": len(chosen),
                    "tokens": tokens,
                    "ms": 1000 * (time.perf_counter() - started),
                }
            )
    if options.average == "teacher":
        teacher.begin(total + 1, model)
        return {"teacher": teacher.model}
    return {"se": average.finished()} if average is not None else {}


def run(options):
    torch.set_num_threads(options.threads)
    attention = "eager" if options.command_line_masks else "sdpa"  # which drops out of sight
    model = load_model(options.model, options.dropout, getattr(torch, options.dtype), attention)
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
        dev = Data(options.dev, tokenizer, classes) if options.dev else None
        averages = train(model, data, options, write, dev)
        test = Data(options.test, tokenizer, classes) if options.test else None
        for split, held_out in (("dev", dev), ("test", test)):
            if held_out is None:
                continue
            for name, weights in {"student": model, **averages}.items():
                write({"type": "eval", "split": split, "model": name, **evaluate(weights, held_out)})


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--jobs":
        for line in pathlib.Path(sys.argv[2]).read_text(encoding="utf-8").splitlines():
            run(parse(json.loads(line)))
    else:
        run(parse())


if __name__ == "__main__":
    main()
