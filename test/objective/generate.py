"""Writes test/objective/fixtures/cross-entropy.jsonl: losses and gradients of random logits by PyTorch, in float64.

    python test/objective/generate.py        needs: pip install torch
"""

import json
from pathlib import Path

import torch

OUTPUT = Path(__file__).parent / "fixtures/cross-entropy.jsonl"
torch.manual_seed(3)


def case(rows, classes, weights=None, smoothing=0.0):
    """The loss of each row times its label's weight, summed and divided by the rows."""
    logits = (3 * torch.randn(rows, classes, dtype=torch.float64)).round(decimals=3).float().double()
    logits.requires_grad_()
    labels = torch.randint(classes, (rows,))
    each = torch.nn.functional.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
    row_weights = torch.tensor(weights or [1.0] * classes, dtype=torch.float64)[labels]
    loss = (row_weights * each).sum() / rows
    loss.backward()
    return {
        "classes": classes,
        "logits": [round(z, 3) for z in logits.detach().flatten().tolist()],
        "labels": labels.tolist(),
        **({"classWeights": weights} if weights else {}),
        "labelSmoothing": smoothing,
        "loss": loss.item(),
        "dlogits": logits.grad.flatten().tolist(),
    }


cases = [
    case(6, 3),
    case(6, 3, smoothing=0.1),
    case(8, 2, weights=[3.0, 1.0]),
    case(7, 4, weights=[0.5, 2.0, 1.25, 8.0], smoothing=0.2),
    case(1, 5, weights=[4.0, 4.0, 4.0, 4.0, 4.0], smoothing=0.5),
]
OUTPUT.write_text("".join(json.dumps(each, separators=(",", ":")) + "\n" for each in cases))
