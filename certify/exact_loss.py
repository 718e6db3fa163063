"""The supervised-contrastive loss of given features, enclosed in a ball."""

from __future__ import annotations

from collections import Counter
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
from flint import arb, arb_mat, ctx, fmpz_mat
from jaxtyping import Float64, Int, Shaped

from certify.balls.enclosures import (
    Balls,
    ball,
    balls,
    choose,
    exp,
    integer_rows,
    largest,
    log,
    sqrt,
    times_powers,
    total,
    zeros,
)
from relax.errors import InputError
from relax.problem import Ball, Norm, Problem, Ridge, Sphere, exact_rational

BLOCK = 128  # samples


class _Sums(NamedTuple):
    """Σ_{l≠i} e^{G_il/τ} and Σ_{positives j} G_ij/τ of every sample i."""

    partition: Shaped[Balls, " n"]
    attraction: Shaped[Balls, " n"]


def loss_of_features(
    features: Float64[np.ndarray, "n d"],
    problem: Problem,
    labels: Shaped[np.ndarray, " n"] | None = None,
    precision: int = 128,
) -> arb:
    """Return a ball that contains the loss of features, taken as exactly the dyadic numbers they are.

    The mean over the anchors of log Σ_{l≠i} e^{G_il/τ} − (1/(n_{y_i} − 1)) Σ_j G_ij/τ, j the other samples of
    the class (Khosla et al. 2020, L_out). On the sphere every feature is first divided by its exact norm, in
    the ball by its norm where that is above one; with a ridge features stay and pay (λ/2) Σ |h|².

    Parameters
    ----------
    features : (n, d) array
        One feature a sample.
    problem : Problem
        With loss "supcon"; views multiply its counts.
    labels : (n,) array, optional
        The class of each sample. Without it the samples of a class stand side by side, classes in the order
        of the problem.
    precision : int
        Bits of the arithmetic; the ball is about 2^−precision/τ wide.

    Raises
    ------
    InputError
        If the loss is another one, features and labels do not fit the problem, a feature is not finite, is
        zero on a sphere or has a negative entry where none is allowed, or the loss is too large.
    """
    classes = _classes(features, problem, labels)
    with ctx.workprec(precision):
        integers, power = integer_rows(features)
        squared = times_powers((integers * integers).sum(axis=1), 2 * power)
        scale = times_powers([1] * len(power), power) * _scale(problem.norm, squared)
        sums = _sums(integers, scale, classes, ball(1 / exact_rational(problem.temperature)))
        size = np.bincount(classes)[classes]
        anchor = size >= 2
        parts = log(sums.partition[anchor]) - sums.attraction[anchor] / balls(size[anchor] - 1)
        loss = total(parts) / int(anchor.sum())
        if isinstance(problem.norm, Ridge):
            loss += total(squared) * ball(exact_rational(problem.norm.weight) / 2)
    if not loss.is_finite():
        raise InputError("the loss of these features is too large; give features of moderate norm")
    return loss


def _classes(
    features: Float64[np.ndarray, "n d"], problem: Problem, labels: Shaped[np.ndarray, " n"] | None
) -> Int[np.ndarray, " n"]:
    """Return the class of every sample as a number, after checking everything a user can get wrong."""
    counts = problem.effective_counts
    if problem.loss != "supcon":
        raise InputError(f"the loss of features is known for 'supcon' only, not for {problem.loss!r}")
    if len(features) != counts.samples:
        expected = f"one row for each of {counts.samples} samples"
        raise InputError(f"features have shape {features.shape}; give {expected}")
    if not np.isfinite(features).all():
        raise InputError("features hold NaN or infinity; give finite vectors")
    if problem.nonnegative and np.any(features < 0):
        raise InputError("features have negative entries, and the problem is about non-negative ones")
    if isinstance(problem.norm, Sphere) and not np.all(np.any(features != 0, axis=1)):
        raise InputError("a feature is zero and cannot be brought to the sphere; leave it out or perturb it")
    sizes = np.array(counts.sizes)[counts.group_of_class()]
    if labels is None:
        return np.repeat(np.arange(counts.classes), sizes)
    _, classes, size = np.unique(labels, return_inverse=True, return_counts=True)
    if labels.shape != features.shape[:1] or Counter(size.tolist()) != Counter(sizes.tolist()):
        raise InputError(f"the labels do not have the class counts of the problem, {counts}")
    return classes


def _scale(norm: Norm, squared: Shaped[Balls, " n"]) -> Shaped[Balls, " n"]:
    """Return what every feature is multiplied by before it is compared."""
    match norm:
        case Sphere():
            return 1 / sqrt(squared)
        case Ball():
            return 1 / sqrt(largest(squared, arb(1)))
        case Ridge():
            return balls(np.ones(len(squared)))


def _sums(
    integers: Shaped[Balls, "n d"],
    scale: Shaped[Balls, " n"],
    classes: Int[np.ndarray, " n"],
    inverse_temperature: arb,
) -> _Sums:
    """Sum over all pairs of samples, a pair of blocks of them at a time."""
    n, dim = integers.shape
    blocks = [np.arange(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK)]
    matrices = [fmpz_mat(len(block), dim, integers[block].ravel().tolist()) for block in blocks]
    partition, attraction = zeros(n), zeros(n)
    for first, second in combinations_with_replacement(range(len(blocks)), 2):
        here, there = blocks[first], blocks[second]
        products = arb_mat(matrices[first] * matrices[second].transpose()).entries()
        similarity = np.array(products, dtype=object).reshape(len(here), -1) * scale[there]
        similarity = similarity * (scale[here] * inverse_temperature)[:, None]
        each_once = here[:, None] < there
        for sums, terms, pairs in (
            (partition, exp(similarity), each_once),
            (attraction, similarity, each_once & (classes[here][:, None] == classes[there])),
        ):
            if pairs.any():
                kept = choose(pairs, terms, arb(0))
                sums[here] += kept.sum(axis=1)
                sums[there] += kept.sum(axis=0)
    return _Sums(partition, attraction)
