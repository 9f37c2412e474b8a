"""Writes test/metrics/fixtures/: metrics of random predictions by scikit-learn, SciPy and PyTorch.

    python test/metrics/generate.py        needs: pip install numpy scikit-learn scipy torch
"""

import json
import warnings
from pathlib import Path

import numpy as np
import torch
from scipy import stats
from sklearn import metrics
from sklearn.calibration import calibration_curve

FIXTURES = Path(__file__).parent / "fixtures"
BINS = 15
warnings.filterwarnings("ignore")
random = np.random.default_rng(7)


def calibration_error(probabilities, labels):
    """Expected calibration error from scikit-learn's reliability diagram and the size of its bins."""
    confidences = probabilities.max(1)
    hits = probabilities.argmax(1) == labels
    accuracy, confidence = calibration_curve(hits, confidences, pos_label=True, n_bins=BINS, strategy="uniform")
    sizes = np.bincount(np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], confidences))
    return float((sizes[sizes > 0] * np.abs(accuracy - confidence)).sum() / len(labels))


def classification(examples, classes, skill=1.0, present=None, scale=1.0, constant=False):
    """`present`: the classes that occur among labels, and are predicted. `constant`: the same logits for all."""
    labels = random.choice(present or range(classes), examples)
    logits = random.normal(size=(examples, classes)) * scale
    logits[np.arange(examples), labels] += skill
    if present:
        absent = [c for c in range(classes) if c not in present]
        logits[:, absent] -= 50
    if constant:
        logits[:] = logits[0]
    logits = logits.astype(np.float32).round(3)
    predictions = logits.argmax(1)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, predictions, labels=range(classes), zero_division=0
    )

    def f1_score(average):
        return float(metrics.f1_score(labels, predictions, average=average, zero_division=0))

    double = torch.tensor(logits, dtype=torch.float64)
    loss = torch.nn.functional.cross_entropy(double, torch.tensor(labels))
    return {
        "classes": classes,
        "logits": [round(float(z), 3) for z in logits.ravel()],
        "labels": labels.tolist(),
        "expected": {
            "examples": examples,
            "loss": loss.item(),
            "accuracy": metrics.accuracy_score(labels, predictions),
            "macroF1": f1_score("macro"),
            "microF1": f1_score("micro"),
            "weightedF1": f1_score("weighted"),
            **({"f1": f1_score("binary")} if classes == 2 else {}),
            "mcc": metrics.matthews_corrcoef(labels, predictions),
            "ece": calibration_error(double.softmax(1).numpy(), labels),
            "perClass": [
                {"precision": p, "recall": r, "f1": f, "support": int(s)}
                for p, r, f, s in zip(precision.tolist(), recall.tolist(), f1.tolist(), support.tolist())
            ],
            "confusion": metrics.confusion_matrix(labels, predictions, labels=range(classes)).tolist(),
        },
    }


def regression(predictions, targets):
    """Correlations that SciPy leaves undefined are 0 here."""
    predictions = np.asarray(predictions, np.float64).round(4)
    targets = np.asarray(targets, np.float64).round(4)

    def correlation(of):
        value = of(predictions, targets).statistic if len(targets) > 1 else np.nan
        return 0.0 if np.isnan(value) else float(value)

    mse = metrics.mean_squared_error(targets, predictions)
    return {
        "predictions": predictions.tolist(),
        "targets": targets.tolist(),
        "expected": {
            "examples": len(targets),
            "loss": mse,
            "mse": mse,
            "rmse": metrics.root_mean_squared_error(targets, predictions),
            "mae": metrics.mean_absolute_error(targets, predictions),
            "pearson": correlation(stats.pearsonr),
            "spearman": correlation(stats.spearmanr),
        },
    }


def write(name, cases):
    (FIXTURES / name).write_text("".join(json.dumps(each, separators=(",", ":")) + "\n" for each in cases))


write(
    "classification.jsonl",
    [
        classification(40, 2),
        classification(60, 5),
        classification(12, 3, skill=-2),
        classification(20, 4, present=[0, 2]),  # two classes never occur
        classification(6, 3, present=[1]),  # one class only: the correlation is undefined
        classification(30, 3, scale=200),  # logits whose exponential overflows
        classification(1, 2),
        classification(25, 2, constant=True),  # one class is never predicted
        classification(200, 2, skill=2, scale=2),  # most of the bins of confidence are filled
    ],
)
noise = random.normal(size=(3, 50))
write(
    "regression.jsonl",
    [
        regression(noise[0] + 0.5 * noise[1], noise[0]),
        regression(-noise[1] ** 3, noise[1] + 0.1 * noise[2]),
        regression((2 * noise[2]).round(), (2 * noise[2] + noise[0]).round()),  # many ties
        regression(1e6 + noise[0] / 10, 1e6 + noise[1]),  # means far from 0
        regression(np.full(9, 0.1), noise[0][:9]),  # constant predictions
        regression(noise[0][:7], np.full(7, 2.3)),  # constant targets
        regression([1.0, 2.0], [3.0, 5.0]),
        regression([1.5], [2.0]),
    ],
)
