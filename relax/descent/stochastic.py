"""Training on random batches: stochastic gradient descent of free features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int
from torch.nn.functional import normalize

from relax.descent.arrays import TorchArrays
from relax.errors import InputError, between, expect, worded
from relax.facts import brief
from relax.losses import SupCon
from relax.losses.definition import Seen
from relax.norms import Sphere
from relax.problem import Problem

LARGEST_TRAINING = 2**26  # numbers that are kept at once: similarities of a step, or records of class vectors
WITHIN = SupCon()  # the loss inside a batch
HOLD = 0.1  # part of the steps before their size begins to fall


@brief
@dataclass(frozen=True, eq=False)
class Training:
    """Where training on random batches went.

    Attributes
    ----------
    problem : Problem
        What was trained, with its batch size and sampler.
    steps : (r,) array of int
        The steps that were recorded, the first 0 and the last the end.
    grams : (r, runs, k, k) array
        Inner products of class means, classes in the user's order, of the features at these steps.
    spreads : (r, runs) array
        How far the farthest feature is from its class mean.
    features : (runs, n, dim) array
        The features after the last step.
    averaged : (runs, n, dim) array
        Their mean over the second half of the steps, brought back to the sphere.
    labels : (n,) array of int
        The class of every feature.
    """

    problem: Problem
    steps: Int[np.ndarray, " r"]
    grams: Float64[np.ndarray, "r runs k k"]
    spreads: Float64[np.ndarray, "r runs"]
    features: Float64[np.ndarray, "runs n dim"]
    averaged: Float64[np.ndarray, "runs n dim"]
    labels: Int[np.ndarray, " n"]

    def distances(self, gram: Float64[np.ndarray, "k k"]) -> Float64[np.ndarray, "r runs"]:
        """Return how far class means were from a Gram matrix at each record: `apart` of each run."""
        return apart(self.grams, self._checked(gram))

    def final(self, gram: Float64[np.ndarray, "k k"]) -> Float64[np.ndarray, " runs"]:
        """Return how far the averaged features are from a Gram matrix, run by run."""
        means = _class_means(torch.from_numpy(self.averaged), self.labels).numpy()
        return apart(means @ means.swapaxes(-1, -2), self._checked(gram))

    def _checked(self, gram: Float64[np.ndarray, "k k"]) -> Float64[np.ndarray, "k k"]:
        if expect(gram, np.ndarray, "gram", "give a (k, k) array").shape != self.grams.shape[2:]:
            raise InputError(f"gram of shape {gram.shape} must be {self.grams.shape[2:]}, one row a class")
        return gram


def apart(
    grams: Float64[np.ndarray, "... k k"], target: Float64[np.ndarray, "k k"]
) -> Float64[np.ndarray, ...]:
    """Return the root of the mean square of the differences between entries off the diagonal."""
    k = len(target)
    off = np.where(np.eye(k, dtype=bool), 0.0, (grams - target) ** 2)
    return np.sqrt(off.sum(axis=(-1, -2)) / (k * (k - 1)))


def train(
    problem: Problem,
    dim: int,
    steps: int = 20_000,
    runs: int = 4,
    rate: float = 0.5,
    seed: int = 0,
    records: int = 100,
) -> Training:
    """Train free features on random batches by stochastic gradient descent, each sample with its own feature.

    Every step draws a batch for each run as the loss's sampler does, and moves the features in it by

        h ← (h − η_t τ² g)/‖…‖,     g the gradient of the sum of the anchors' shares of the full-batch loss
                                   inside the batch, η_t = rate / (1 + t/T₀), T₀ a tenth of the steps.

    What is minimised in expectation is the loss of the problem (up to the number of anchors, a constant),
    whose optimum `solve` has exactly. Steps fall like 1/t, as Robbins and Monro ask. Nothing here is a proof.

    Parameters
    ----------
    problem : Problem
        SupCon with a batch size, on the unit sphere.
    dim : int
        The dimension of the features, at least k − 1 for the optimum to be within reach.
    steps, runs : int
        Steps of each run, and how many runs train side by side.
    rate : float
        η at the start; gradients are Lipschitz with constants of the order 1/τ², so that about 1 is the most.
    seed : int
        The seed of starts and batches.
    records : int
        How many steps are recorded, evenly in log t.

    Raises
    ------
    InputError
        If the problem is another one, an integer is not positive, or what is kept is too large.

    References
    ----------
    Robbins and Monro, A stochastic approximation method, doi 10.1214/aoms/1177729586; Polyak and Juditsky,
    Acceleration of stochastic approximation by averaging, doi 10.1137/0330046 (the average).
    """
    loss = _checked(problem)
    for name, number in {"dim": dim, "steps": steps, "runs": runs, "records": records}.items():
        if expect(number, int, name, "give a whole number") < 1:
            raise InputError(f"{name} = {worded(number)} must be at least 1")
    rate = between(rate, 0, np.inf, "rate", "0.5")
    labels, width = _labels(problem), (loss.batch_size or 0) * problem.views
    kept = max(runs * width**2, 4 * runs * len(labels) * dim, records * runs * problem.counts.classes**2)
    if kept > LARGEST_TRAINING:
        raise InputError(
            f"a training of this size keeps {kept:.1e} numbers, more than {LARGEST_TRAINING:.0e}; give fewer "
            "runs or records, or a smaller dim or batch"
        )
    draw = sampled(problem, runs, np.random.default_rng(seed))
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(runs, len(labels), dim, generator=generator, dtype=torch.float64)
    features = normalize(start, dim=-1)
    recorded = np.unique(np.concatenate([[0], np.geomspace(1, steps, records).round().astype(int)]))
    total, looks = torch.zeros_like(features), [_look(features, labels)]
    for step in range(1, steps + 1):
        size = rate / (1 + (step - 1) / (HOLD * steps))
        _move(features, draw(), labels, problem, size * problem.temperature**2)
        if 2 * step > steps:
            total += features
        if step in recorded:
            looks.append(_look(features, labels))
    grams, spreads = (np.stack(part) for part in zip(*looks, strict=True))
    averaged = normalize(total, dim=-1)
    return Training(problem, recorded, grams, spreads, features.numpy(), averaged.numpy(), labels)


def _move(
    features: torch.Tensor, samples: np.ndarray, labels: np.ndarray, problem: Problem, size: float
) -> None:
    """Move the features of a batch of each run, in place."""
    runs, views = len(samples), problem.views
    at = torch.from_numpy((samples[:, :, None] * views + np.arange(views)).reshape(runs, -1))
    run = torch.arange(runs)[:, None].expand_as(at)
    inside = features[run, at].requires_grad_()
    value = batch_share(inside, labels[at.numpy()], problem.temperature)
    (slope,) = torch.autograd.grad(value, inside)
    features.index_put_((run, at), -size * slope, accumulate=True)  # a sample may be drawn twice
    features[run, at] = normalize(features[run, at], dim=-1)


def batch_share(
    inside: Float64[torch.Tensor, "runs width dim"],
    classes: Int[np.ndarray, "runs width"],
    temperature: float,
) -> Float64[torch.Tensor, ""]:
    """Return the sum over the anchors of several batches of their shares of the loss inside the batch."""
    width = inside.shape[1]
    x = (inside @ inside.mT / temperature).reshape(-1, width)
    share = WITHIN.shares(x, _seen(classes))
    return (share.floor + share.excess).sum()


def _seen(classes: Int[np.ndarray, "runs width"]) -> Seen:
    """Return what the anchors of several batches see, a row an anchor and a column a place in its batch."""
    runs, width = classes.shape
    itself = np.tile(np.eye(width, dtype=bool), (runs, 1))
    alike = (classes[:, :, None] == classes[:, None, :]).reshape(runs * width, width)
    one = np.ones(width, dtype=int)
    return Seen(TorchArrays(), itself, one, one, alike, itself)


def _look(features: torch.Tensor, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the inner products of class means, and how far the farthest feature is from its own."""
    means = _class_means(features, labels)
    spread = (features - means[:, labels]).norm(dim=-1).amax(-1)
    return (means @ means.mT).numpy(), spread.numpy()


def _class_means(features: torch.Tensor, labels: np.ndarray) -> torch.Tensor:
    belongs = torch.from_numpy(labels == np.arange(labels.max() + 1)[:, None]).double()
    return belongs @ features / belongs.sum(1, keepdim=True)


def _checked(problem: Problem) -> SupCon:
    expect(problem, Problem, "problem", "give a Problem")
    loss = problem.loss
    if not isinstance(loss, SupCon) or loss.batch_size is None:
        raise InputError("training draws the batches of SupCon(batch_size=…); give a problem with that loss")
    if problem.norm != Sphere() or problem.nonnegative:
        raise InputError("training is on the unit sphere, features of any sign; give norm=Sphere()")
    return loss


def _labels(problem: Problem) -> Int[np.ndarray, " n"]:
    """Return the class of every feature: sample by sample with its views, class by class."""
    sizes = np.array(problem.counts.sizes)[problem.counts.group_of_class()]
    return np.repeat(np.arange(len(sizes)), sizes * problem.views)


def sampled(problem: Problem, runs: int, generator: np.random.Generator) -> Callable[[], np.ndarray]:
    """Return a function that draws a batch for each run, as rows of samples in the order of `_labels`."""
    loss, sizes = problem.loss, np.array(problem.counts.sizes)[problem.counts.group_of_class()]
    assert isinstance(loss, SupCon) and loss.batch_size is not None
    b, n, first = loss.batch_size, int(sizes.sum()), np.concatenate([[0], np.cumsum(sizes)[:-1]])
    if loss.sampler == "replacement":
        return lambda: generator.integers(n, size=(runs, b))
    if loss.sampler == "class-balanced":

        def balanced() -> np.ndarray:
            drawn = generator.integers(len(sizes), size=(runs, b))
            return first[drawn] + generator.integers(sizes[drawn])

        return balanced
    return lambda: np.stack([generator.choice(n, b, replace=False, shuffle=False) for _ in range(runs)])
