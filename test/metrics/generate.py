"""Writes test/metrics/fixtures/classification.jsonl: metrics of random predictions by scikit-learn and PyTorch.

    python test/metrics/generate.py        needs: pip install numpy scikit-learn torch
"""

import json
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn import metrics

OUTPUT = Path(__file__).parent / "fixtures/classification.jsonl"
warnings.filterwarnings("ignore")
random = np.random.default_rng(7)


def case(examples, classes, skill=1.0, present=None, scale=1.0):
    """`present`: the classes that occur among labels, and are predicted."""
    labels = random.choice(present or range(classes), examples)
    logits = random.normal(size=(examples, classes)) * scale
    logits[np.arange(examples), labels] += skill
    if present:
        absent = [c for c in range(classes) if c not in present]
        logits[:, absent] -= 50
    logits = logits.astype(np.float32).round(3)
    predictions = logits.argmax(1)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, predictions, labels=range(classes), zero_division=0
    )
    loss = torch.nn.functional.cross_entropy(torch.tensor(logits, dtype=torch.float64), torch.tensor(labels))
    return {
        "classes": classes,
        "logits": [round(float(z), 3) for z in logits.ravel()],
        "labels": labels.tolist(),
        "expected": {
            "examples": examples,
            "loss": loss.item(),
            "accuracy": metrics.accuracy_score(labels, predictions),
            "macroF1": metrics.f1_score(labels, predictions, average="macro", zero_division=0),
            "mcc": metrics.matthews_corrcoef(labels, predictions),
            "perClass": [
                {"precision": p, "recall": r, "f1": f, "support": int(s)}
                for p, r, f, s in zip(precision.tolist(), recall.tolist(), f1.tolist(), support.tolist())
            ],
            "confusion": metrics.confusion_matrix(labels, predictions, labels=range(classes)).tolist(),
        },
    }


cases = [
    case(40, 2),
    case(60, 5),
    case(12, 3, skill=-2),
    case(20, 4, present=[0, 2]),  # two classes never occur
    case(6, 3, present=[1]),  # one class only: the correlation is undefined
    case(30, 3, scale=200),  # logits whose exponential overflows
    case(1, 2),
]
OUTPUT.write_text("".join(json.dumps(each, separators=(",", ":")) + "\n" for each in cases))
