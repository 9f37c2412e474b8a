"""Writes test/objective/fixtures/{cross-entropy,consistency}.jsonl: losses and gradients of random logits by PyTorch, in
float64.

    python test/objective/generate.py        needs: pip install torch
"""

import json
from pathlib import Path

import torch

FIXTURES = Path(__file__).parent / "fixtures"
torch.manual_seed(3)


def logits_of(rows, classes):
    return (3 * torch.randn(rows, classes, dtype=torch.float64)).round(decimals=3).float().double().requires_grad_()


def rounded(logits):
    return [round(z, 3) for z in logits.detach().flatten().tolist()]


def cross_entropy(rows, classes, weights=None, smoothing=0.0):
    """The loss of each row times its label's weight, summed and divided by the rows."""
    logits = logits_of(rows, classes)
    labels = torch.randint(classes, (rows,))
    each = torch.nn.functional.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
    row_weights = torch.tensor(weights or [1.0] * classes, dtype=torch.float64)[labels]
    loss = (row_weights * each).sum() / rows
    loss.backward()
    return {
        "classes": classes,
        "logits": rounded(logits),
        "labels": labels.tolist(),
        **({"classWeights": weights} if weights else {}),
        "labelSmoothing": smoothing,
        "loss": loss.item(),
        "dlogits": logits.grad.flatten().tolist(),
    }


def consistency(examples, classes, weight, smoothing=0.0, temperature=1.0):
    """R-Drop as its authors compute it, with two passes apart: half of both cross-entropies and of both divergences."""
    first, second = logits_of(examples, classes), logits_of(examples, classes)
    labels = torch.randint(classes, (examples,))
    ce = sum(torch.nn.functional.cross_entropy(z, labels, label_smoothing=smoothing) for z in (first, second)) / 2
    log_p, log_q = (torch.log_softmax(z / temperature, -1) for z in (first, second))
    divergence = torch.nn.functional.kl_div(log_p, log_q, log_target=True, reduction="batchmean")
    divergence = divergence + torch.nn.functional.kl_div(log_q, log_p, log_target=True, reduction="batchmean")
    distill = temperature**2 * divergence / 2
    loss = ce + weight * distill
    loss.backward()
    return {
        "classes": classes,
        "logits": rounded(first) + rounded(second),
        "labels": labels.tolist() * 2,
        "lambda": weight,
        "labelSmoothing": smoothing,
        "temperature": temperature,
        "ce": ce.item(),
        "distill": distill.item(),
        "loss": loss.item(),
        "dlogits": torch.cat([first.grad, second.grad]).flatten().tolist(),
    }


def write(name, cases):
    (FIXTURES / name).write_text("".join(json.dumps(each, separators=(",", ":")) + "\n" for each in cases))


write(
    "cross-entropy.jsonl",
    [
        cross_entropy(6, 3),
        cross_entropy(6, 3, smoothing=0.1),
        cross_entropy(8, 2, weights=[3.0, 1.0]),
        cross_entropy(7, 4, weights=[0.5, 2.0, 1.25, 8.0], smoothing=0.2),
        cross_entropy(1, 5, weights=[4.0, 4.0, 4.0, 4.0, 4.0], smoothing=0.5),
    ],
)
write(
    "consistency.jsonl",
    [
        consistency(5, 3, 1.0),
        consistency(1, 2, 0.5),
        consistency(4, 6, 5.0, smoothing=0.1),
        consistency(3, 3, 2.0, temperature=2.5),
    ],
)
