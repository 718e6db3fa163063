"""The loss of given features, enclosed in a ball: the definition of the loss, in ball arithmetic."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from flint import arb, ctx, fmpz_mat
from jaxtyping import Float64, Int, Shaped

from certify.balls.arrays import BALLS
from certify.balls.enclosures import ball, balls, integer_rows, times_powers
from relax.counts import exact_rational
from relax.errors import InputError
from relax.losses.definition import Labelled
from relax.losses.evaluate import evaluate
from relax.problem import Problem

BLOCK = 128  # samples


def loss_of_features(
    features: Float64[np.ndarray, "n d"],
    problem: Problem,
    labels: Shaped[np.ndarray, " n"] | None = None,
    precision: int = 128,
) -> arb:
    """Return a ball that contains the loss of features, taken as exactly the dyadic numbers they are.

    It is the sum of the loss's `shares` over all anchors. On the sphere every feature is first divided by its
    exact norm, in the ball by its norm where that is above one; with a ridge features stay and pay.

    Parameters
    ----------
    features : (n, d) array
        One feature a sample; with views, those of one sample stand side by side within their class.
    problem : Problem
        Views multiply its counts.
    labels : (n,) array, optional
        The class of each sample. Without it the samples of a class stand side by side, classes in the order
        of the problem.
    precision : int
        Bits of the arithmetic; the ball is about 2^−precision/τ wide.

    Raises
    ------
    InputError
        If features and labels do not fit the problem, a feature is not finite, is zero on a sphere or has a
        negative entry where none is allowed, or the loss is too large.
    """
    classes = _classes(features, problem, labels)
    with ctx.workprec(precision):
        integers, power = integer_rows(features)
        squared = times_powers((integers * integers).sum(axis=1), 2 * power)
        size = np.bincount(classes)[classes] * problem.counts.classes
        scale = problem.norm.scale(squared, 1 / balls(size), BALLS)
        similarities = _similarities(
            integers,
            times_powers([1] * len(power), power) * scale,
            ball(1 / exact_rational(problem.temperature)),
        )
        normaliser = ball(problem.program().normaliser)
        vectors = Labelled.features(classes, problem.views)
        share = evaluate(problem.loss, vectors, similarities, normaliser, BALLS, BLOCK)
        loss = share.floor + share.excess + problem.norm.cost(squared * scale * scale, BALLS)
    if not loss.is_finite():
        raise InputError("the loss of these features is too large; give features of moderate norm")
    return loss


def _similarities(integers: Any, scale: Any, inverse_temperature: arb) -> Any:
    """Return the inner products of anchors with all features over τ, as a function of the anchors."""
    dim = integers.shape[1]
    everybody = fmpz_mat(len(integers), dim, integers.ravel().tolist()).transpose()

    def rows(anchors: Int[np.ndarray, " b"]) -> Any:
        here = fmpz_mat(len(anchors), dim, integers[anchors].ravel().tolist())
        products = balls((here * everybody).entries()).reshape(len(anchors), -1)
        return products * scale * (scale[anchors] * inverse_temperature)[:, None]

    return rows


def _classes(
    features: Float64[np.ndarray, "n d"], problem: Problem, labels: Shaped[np.ndarray, " n"] | None
) -> Int[np.ndarray, " n"]:
    """Return the class of every sample as a number, after checking everything a user can get wrong."""
    counts = problem.effective_counts
    if len(features) != counts.samples:
        expected = f"one row for each of {counts.samples} samples"
        raise InputError(f"features have shape {features.shape}; give {expected}")
    if not np.isfinite(features).all():
        raise InputError("features hold NaN or infinity; give finite vectors")
    if problem.nonnegative and np.any(features < 0):
        raise InputError("features have negative entries, and the problem is about non-negative ones")
    if problem.norm.kind == "sphere" and not np.all(np.any(features != 0, axis=1)):
        raise InputError("a feature is zero and cannot be brought to the sphere; leave it out or perturb it")
    sizes = np.array(counts.sizes)[counts.group_of_class()]
    if labels is None:
        return np.repeat(np.arange(counts.classes), sizes)
    _, classes, size = np.unique(labels, return_inverse=True, return_counts=True)
    if labels.shape != features.shape[:1] or Counter(size.tolist()) != Counter(sizes.tolist()):
        raise InputError(f"the labels do not have the class counts of the problem, {counts}")
    return classes
