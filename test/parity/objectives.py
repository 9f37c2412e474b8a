"""Losses of logits, one value for each row of a batch: what a step minimizes is their sum over its rows, divided by their number.

z: the student's logits, [rows, classes]. z_t: the teacher's, constants. Sources: cross-entropy with smoothed labels as
torch.nn.functional.cross_entropy defines it; the squared distance of arXiv 2002.10345; the temperature of
arXiv 1503.02531, whose tau^2 keeps gradients at one scale; the symmetric divergence of arXiv 1911.03437.
"""

import torch
from torch.nn import functional


def cross_entropy(z, labels, class_weights=None, smoothing=0.0):
    """w_y * cross-entropy with (1 - smoothing) * onehot(y) + smoothing / classes."""
    rows = functional.cross_entropy(z, labels, reduction="none", label_smoothing=smoothing)
    return rows if class_weights is None else class_weights.to(z.dtype)[labels] * rows


def squared_error(z, targets):
    """(z - y)^2 of a model with one output."""
    return (z.squeeze(-1) - targets.to(z.dtype)).square()


def mse(z, z_t, _temperature):
    """Mean over the classes of (z - z_t)^2."""
    return (z - z_t).square().mean(-1)


def kl(z, z_t, temperature):
    """tau^2 * KL(softmax(z_t / tau) || softmax(z / tau))."""
    return temperature**2 * divergence(z_t / temperature, z / temperature)


def symmetric_kl(z, z_t, temperature):
    """tau^2 * (KL(p_t || p) + KL(p || p_t))."""
    z, z_t = z / temperature, z_t / temperature
    return temperature**2 * (divergence(z_t, z) + divergence(z, z_t))


def divergence(z_p, z_q):
    """KL(softmax(z_p) || softmax(z_q))."""
    log_p, log_q = z_p.log_softmax(-1), z_q.log_softmax(-1)
    return (log_p.exp() * (log_p - log_q)).sum(-1)


def cosine(z, z_t, _temperature):
    """1 - z.z_t / (|z| |z_t|); 0 where one of them is the zero vector."""
    norms = z.norm(dim=-1) * z_t.norm(dim=-1)
    defined = norms > 0
    return torch.where(defined, 1 - (z * z_t).sum(-1) / norms.where(defined, torch.ones_like(norms)), torch.zeros_like(norms))


DISTANCES = {"mse": mse, "kl": kl, "symmetric-kl": symmetric_kl, "cosine": cosine}
