"""The masks that the command line drops by, for BertForSequenceClassification in PyTorch, so that runs with dropout can be
compared. Written from the stream of native/kernels/OPS.md, for graphs of stock operators (--no-fuse), which keep padding.

    key     of micro-batch m of update t: mix(mix(mix(seed) ^ t) ^ m), its upper and its lower 32 bits; mix is SplitMix64's
            output function (Steele, Lea and Flood 2014)
    sites   the embeddings 0; attention of layer i of L: 1 + i; behind its attention and its feed-forward network: 1 + L + 2i
            and 2 + L + 2i; before the classifier 1 + 3L
    element its index in the tensor, row by row: [rows, length, hidden], [rows, heads, length, length] or [rows, hidden]; of the
            last layer, whose first token alone the classifier reads, in [rows, 1, hidden] and [rows, heads, 1, length]
"""

import contextlib

import torch

MASK32, MASK64 = 2**32 - 1, 2**64 - 1


def mix(value):
    z = (value + 0x9E3779B97F4A7C15) & MASK64
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK64
    return z ^ (z >> 31)


def numbers(count, key, site):
    """The number below 2^32 that each element's fate is decided by, in int64."""
    first, second = key
    site_key = (site * 1640531527 + second) & MASK32
    x = (torch.arange(count) * 747796405 + first) & MASK32
    for factor, addend in ((739982445, site_key), (695872825, first), (830770091, site_key)):
        x = ((x + (x >> 16) ** 2) * factor + addend) & MASK32
    return x


class DropoutMasks:
    """Takes the place of torch.nn.functional.dropout, whose calls come in the model's order."""

    def __init__(self, seed, layers):
        self.seed = seed
        per_layer = ((1 + i, 1 + layers + 2 * i, 2 + layers + 2 * i) for i in range(layers))
        self.order = [0, *(site for sites in per_layer for site in sites), 1 + 3 * layers]
        self.last_layer = self.order[-4:-1]

    @contextlib.contextmanager
    def of(self, step, micro):
        """Within, one forward pass drops what the command line drops in this update's micro-batch."""
        mixed = mix(mix(mix(self.seed) ^ step) ^ micro)
        key, sites = (mixed >> 32, mixed & MASK32), iter(self.order)

        def dropout(x, p=0.5, training=True, inplace=False):
            if not training or p == 0:
                return x
            site = next(sites)
            whole, x = x, x[..., :1, :] if site in self.last_layer else x
            ratio = torch.tensor(p, dtype=torch.float32)
            threshold = int(ratio.double() * 2**32 + 0.5)
            kept = numbers(x.numel(), key, site).reshape(x.shape) >= threshold
            x = x * kept / (1 - ratio).to(x.dtype)
            return torch.cat([x, whole[..., 1:, :]], -2) if site in self.last_layer else x

        original, torch.nn.functional.dropout = torch.nn.functional.dropout, dropout
        try:
            yield
        finally:
            torch.nn.functional.dropout = original
        assert next(sites, None) is None, "the model has other dropouts than it is taken to have"
