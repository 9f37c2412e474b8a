"""Teachers and averages of one run's students theta_0, theta_1, ..., as they are defined. Sources: arXiv 2002.10345
(SE, SDA, SDV); arXiv 1703.01780 (the exponential moving average).

Update t = 1..T turns theta_{t-1} into theta_t. A teacher is there from step S on; at step t it is made of students among
theta_{S-1}..theta_{t-2} (theta_{S-1} at t = S), with --pool-includes-student of theta_{S-1}..theta_{t-1}. Means are
taken in float64: what is compared is the definition, not the rounding of a running mean.
"""

import copy
import math

import torch


def first_taught_step(start, total):
    """S of --teacher-start: a step, or the updates' fraction before it."""
    return int(start) if start >= 1 else math.floor(start * total) + 1


def size_of(text):
    return math.inf if text == "all" else int(text)


def weights_of(model):
    return [p.detach().clone() for p in model.parameters()]


@torch.no_grad()
def load(model, weights):
    for parameter, value in zip(model.parameters(), weights):
        parameter.copy_(value)


class Pool:
    """Every N-th of theta_first, theta_{first+1}, ...: the newest `size` of them."""

    def __init__(self, first, every, size, score=lambda model: None):
        self.first, self.every, self.size = first, every, size
        self.score = score
        self.held = []  # (weights, score), the oldest first
        self.newest = -1

    def take(self, index, model):
        """theta_index is in model. Nothing happens when the pool has it or is not to have it."""
        if index <= self.newest or index < self.first or (index - self.first) % self.every != 0:
            return
        self.newest = index
        self.held.append((weights_of(model), self.score(model)))
        if len(self.held) > self.size:
            self.held.pop(0)

    def choose(self, count, how="recent"):
        """The weights of `count` of them, of all while there are fewer."""
        n = len(self.held)
        if n <= count:
            indices = range(n)
        elif how == "recent" or (how == "spaced" and count == 1):
            indices = range(n - count, n)
        elif how == "spaced":
            indices = [math.floor(i * (n - 1) / (count - 1) + 0.5) for i in range(count)]
        else:  # best: the lowest scores, the newer of equal ones
            indices = sorted(range(n), key=lambda i: (self.held[i][1], -i))[:count]
        return [self.held[i][0] for i in indices]

    def mean(self, count, how="recent"):
        return [torch.stack(ws).double().mean(0) for ws in zip(*self.choose(count, how))]


class SummedPool(Pool):
    """A pool without bound of which the mean of all is asked alone: their sum takes the place of them."""

    def __init__(self, first, every):
        super().__init__(first, every, math.inf)
        self.sum, self.count = None, 0

    def take(self, index, model):
        super().take(index, model)
        for weights, _ in self.held:
            self.sum = [w.double() for w in weights] if self.sum is None else [s + w for s, w in zip(self.sum, weights)]
            self.count += 1
        self.held.clear()

    def mean(self, count, how="recent"):
        return [total / self.count for total in self.sum]


def make_pool(first, every, window, size=None, score=None, apart=False):
    """`apart`: the students are asked for, not only their mean."""
    size = window if size is None else size
    if size == math.inf and window == math.inf and not apart:
        return SummedPool(first, every)
    return Pool(first, every, size, score or (lambda model: None))


class PoolTeacher:
    """sda: the model with the mean of the chosen students' weights. sdv: the mean of their logits."""

    def __init__(self, model, options, start, score):
        self.start, self.how = start, options.pool_select
        self.includes_student = options.pool_includes_student
        self.votes = options.strategy == "sdv"
        self.window = size_of(options.window)
        size = size_of(options.pool_size) if options.pool_size else None
        score = score if self.how == "best" else None
        self.pool = make_pool(start - 1, options.pool_every, self.window, size, score, apart=self.votes)
        self.model = copy.deepcopy(model).eval().requires_grad_(False)

    def begin(self, step, model):
        """The model is theta_{step-1}, step >= S."""
        if self.includes_student or step == self.start:
            self.pool.take(step - 1, model)
        if not self.votes:
            load(self.model, self.pool.mean(self.window, self.how))

    def before_update(self, step, model):
        """The model still is theta_{step-1}; the steps after this one may learn from it."""
        self.pool.take(step - 1, model)

    def after_update(self, step, model):
        pass

    @torch.no_grad()
    def logits(self, inputs):
        if not self.votes:
            return self.model(**inputs).logits
        each = []
        for weights in self.pool.choose(self.window, self.how):
            load(self.model, weights)
            each.append(self.model(**inputs).logits)
        return torch.stack(each).mean(0)


class EmaTeacher:
    """theta_{S-1} at step S; then d * mean + (1 - d) * theta_t after update t, d = min(decay, (1 + u) / (10 + u)), u = t - S + 1."""

    def __init__(self, model, options, start):
        self.start, self.decay = start, options.ema_decay
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.mean = None

    def begin(self, step, model):
        if step == self.start:
            self.mean = [w.double() for w in weights_of(model)]
        load(self.model, self.mean)

    def before_update(self, step, model):
        pass

    def after_update(self, step, model):
        updates = step - self.start + 1
        decay = min(self.decay, (1 + updates) / (10 + updates))
        self.mean = [decay * m + (1 - decay) * w.double() for m, w in zip(self.mean, weights_of(model))]

    @torch.no_grad()
    def logits(self, inputs):
        return self.model(**inputs).logits


class SelfEnsemble:
    """The mean of the newest K of theta_i, i >= S, every N-th of them."""

    def __init__(self, model, options, start):
        self.window = size_of(options.window)
        self.pool = make_pool(start - 1 + options.pool_every, options.pool_every, self.window)
        self.model = copy.deepcopy(model).eval().requires_grad_(False)

    def after_update(self, step, model):
        self.pool.take(step, model)

    def finished(self):
        load(self.model, self.pool.mean(self.window))
        return self.model


def make_teacher(model, options, start, score):
    if options.strategy in ("sda", "sdv"):
        return PoolTeacher(model, options, start, score)
    return EmaTeacher(model, options, start) if options.strategy == "ema" else None
