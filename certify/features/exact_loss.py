"""The loss of given features, enclosed in a ball: the definition of the loss, in ball arithmetic."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from flint import arb, ctx, fmpz_mat
from jaxtyping import Float64, Int

from certify.balls.arrays import BALLS
from certify.balls.enclosures import ball, balls, integer_rows, times_powers
from certify.features.reading import exact_features, label_array
from relax.counts import ClassCounts, exact_rational
from relax.errors import InputError, expect, worded
from relax.losses.definition import Labelled
from relax.losses.evaluate import evaluate
from relax.problem import Problem

BLOCK = 128  # samples
MOST_BITS = 100_000


def loss_of_features(
    features: Any,
    problem: Problem,
    labels: Any = None,
    precision: int = 128,
) -> arb:
    """Return a ball that contains the loss of features, taken as exactly the dyadic numbers they are.

    It is the sum of the loss's `shares` over all anchors. On the sphere every feature is first divided by its
    exact norm, in the ball by its norm where that is above one; with a ridge features stay and pay.

    Parameters
    ----------
    features : array, tensor or lists of real numbers, shape (n, d), n at most 2,000
        One feature a sample; with views, those of one sample stand side by side within their class. Every
        number is taken exactly (`reading.exact_features` says how each type is read).
    problem : Problem
        Views multiply its counts.
    labels : array, tensor or list of integers or texts, shape (n,), optional
        The class of each sample. Without it the samples of a class stand side by side, classes in the order
        of the problem. A loss that knows its samples by their places has labels of its own: these.
    precision : int
        Bits of the arithmetic; the ball is about 2^−precision/τ wide.

    Raises
    ------
    InputError
        If features or labels cannot be read or do not fit the problem, a feature is not finite, is zero on a
        sphere or has a negative entry where none is allowed, or the loss is too large.
    """
    expect(problem, Problem, "problem", "give a Problem: Problem([12, 6, 3])")
    bits = int(expect(precision, int, "precision", "give a number of bits, e.g. 128"))
    if not 2 <= bits <= MOST_BITS:
        raise InputError(f"precision {worded(precision)} must lie between 2 and {MOST_BITS} bits")
    features = exact_features(features)
    classes = classes_of_samples(features, problem, labels)
    with ctx.workprec(bits):
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


def classes_of_samples(
    features: Float64[np.ndarray, "n d"], problem: Problem, labels: Any
) -> Int[np.ndarray, " n"]:
    """Return the class of every sample as a number, after checking everything a user can get wrong."""
    counts = problem.effective_counts
    if len(features) != counts.samples:
        expected = f"one row for each of {counts.samples} samples"
        raise InputError(f"features have shape {features.shape}; give {expected}")
    if problem.nonnegative and np.any(features < 0):
        raise InputError("features have negative entries, and the problem is about non-negative ones")
    if problem.norm.kind == "sphere" and not np.all(np.any(features != 0, axis=1)):
        raise InputError("a feature is zero and cannot be brought to the sphere; leave it out or perturb it")
    sizes = np.array(counts.sizes)[counts.group_of_class()]
    if labels is None:
        return np.repeat(np.arange(counts.classes), sizes)
    given = label_array(labels, len(features))
    _, classes, size = np.unique(given, return_inverse=True, return_counts=True)
    if Counter(size.tolist()) != Counter(sizes.tolist()):
        found = ClassCounts.of(size.tolist())
        raise InputError(
            f"the labels have class counts {found}, the problem has {counts}; change one of them"
        )
    own = getattr(problem.loss, "labels", None)
    if own is not None and not np.array_equal(given, np.repeat(own, problem.views)):
        raise InputError(f"{problem.loss.name} knows its samples by place; give its own labels, or none")
    return classes
