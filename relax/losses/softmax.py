"""Losses with one softmax an anchor: who stands in its denominator, and whom it pulls."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from relax.counts import ClassCounts, ExactFloat
from relax.errors import InputError, worded
from relax.losses.definition import Labelled, Seen, Share, cross_entropy
from relax.losses.reduction import (
    Reduction,
    class_nodes,
    class_rows,
    exact_array,
    feature_rows,
    interchangeable_nodes,
    sample_nodes,
)
from relax.norms import Norm
from relax.rows import LogSumExp


@dataclass(frozen=True)
class Softmax:
    """What an anchor adds: log Σ m_l e^{x_l} − (mean of x over its positives), x = similarities/τ.

    Features of other classes have m = 1 and the anchor itself 0. An anchor without positives adds nothing.

    Attributes
    ----------
    positives : "class" or "views"
        All other features of the anchor's class, or the other views of its own sample.
    positive : Fraction
        m ≥ 0 of the positives.
    mates : bool
        Whether other samples of the anchor's class, where they are no positives, have m = 1 instead of 0.
    """

    positives: Literal["class", "views"]
    positive: Fraction = Fraction(1)
    mates: bool = False

    def shares(self, x: Any, seen: Seen) -> Share:
        """Return what each anchor adds, by the definition."""
        targets = seen.same_class if self.positives == "class" else seen.same_sample
        rest = seen.others - targets if self.mates else seen.other_class
        level = seen.xp.number(self.positive) if self.positive else 0
        return cross_entropy(x, level * targets + rest, targets, seen.xp, level)

    def by_classes(self, counts: ClassCounts, views: int, each: Sequence[Fraction]) -> LogSumExp:
        """Return the rows where the features of a class coincide.

            g_c n_c each_c · [ log( own_c e^{M_cc/τ} + Σ_{c'≠c} n_c' e^{M_cc'/τ} ) − M_cc/τ ]

        with n_c features in a class, views counted, and `each` the weight of one of its anchors.
        """
        sizes = [size * views for size in counts.sizes]
        number = [n - 1 if self.positives == "class" else views - 1 for n in sizes]
        own = [p * self.positive + (n - 1 - p) * self.mates for n, p in zip(sizes, number, strict=True)]
        anchored = [a for a, p in enumerate(number) if p > 0]
        weight = [counts.multiplicities[a] * sizes[a] * each[a] for a in anchored]
        return class_rows(sizes, anchored, weight, [own[a] for a in anchored])

    def by_samples(self, counts: ClassCounts, views: int) -> LogSumExp:
        """Return the row of samples whose views coincide, all of them in one group: for `mates` and views."""
        own = self.positive * (views - 1)
        return class_rows([views], [0], [Fraction(views * counts.samples)], [own])

    def by_features(self, counts: ClassCounts, views: int, each: Sequence[Fraction]) -> LogSumExp:
        """Return one row an anchor, one node a feature; `each` is the weight of an anchor of each size."""
        classes = sample_nodes(counts, views).class_of_unit()
        same, same_sample = others_alike(classes, views)
        targets = same if self.positives == "class" else same_sample
        reads = np.where(targets, exact_array([self.positive])[0], 0)
        reads = np.where(classes[:, None] == classes, reads + (same & ~targets) * self.mates, 1)
        anchors = np.flatnonzero(targets.any(axis=1))
        weight = np.array(each, dtype=object)[counts.group_of_class()[classes]]
        return feature_rows(anchors, weight[anchors], reads[anchors], targets[anchors])


def others_alike(classes: np.ndarray, views: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which other features are of the same class, and of the same sample."""
    features, others = Labelled.features(classes, views), ~np.eye(len(classes), dtype=bool)
    same = features.classes[:, None] == features.classes
    return same & others, (features.samples[:, None] == features.samples) & others


def views_over_classes(softmax: Softmax, counts: ClassCounts, views: int) -> Reduction:
    """Return the mean over all features of a loss whose positives are views and whose classes collapse."""
    rows = softmax.by_classes(counts, views, [Fraction(1)] * len(counts.sizes))
    return Reduction(class_nodes(counts, views), (rows,), Fraction(counts.samples * views))


def views_over_samples(softmax: Softmax, counts: ClassCounts, views: int) -> Reduction:
    """Return the mean over all features of a loss whose positives are views and which sees no labels."""
    rows = softmax.by_samples(counts, views)
    return Reduction(interchangeable_nodes(counts, views), (rows,), Fraction(counts.samples * views))


def views_over_features(softmax: Softmax, counts: ClassCounts, views: int) -> Reduction:
    """Return the mean over all features of a loss whose positives are views, one node a feature."""
    rows = softmax.by_features(counts, views, [Fraction(1)] * len(counts.sizes))
    return Reduction(sample_nodes(counts, views), (rows,), Fraction(counts.samples * views))


def weight_of_positives(weight: Any, usual: str) -> float:
    """Return a weight of positives in a denominator as a float, or refuse it.

    Raises
    ------
    InputError
        If it is not a finite number ≥ 0.
    """
    is_number = isinstance(weight, (int, float)) and not isinstance(weight, bool)
    if not (is_number and 0 <= weight <= sys.float_info.max):
        raise InputError(f"positives_weight {worded(weight)} must be a finite number from 0 on; {usual}")
    return weight if isinstance(weight, ExactFloat) else float(weight)


def lacks_floor(name: str, norm: Norm) -> str | None:
    """Return a sentence where a loss without a floor meets norms without a bound.

    Along r M the loss falls like −r/τ times a constant and a ridge grows like r, so that with a small weight
    the sum has no infimum.
    """
    if norm.kind != "ridge":
        return None
    return (
        f"{name} has no positive in its denominator and no floor, so that a ridge leaves it unbounded below "
        "unless its weight is large; give norm sphere, ball or mean-square"
    )


def lacks_views(name: str, views: int) -> str | None:
    """Return a sentence where a sample has no other view."""
    if views >= 2:
        return None
    return f"the positives of {name} are the other views of a sample, and there is one view; give views=2"


def lacks_classes(name: str, counts: ClassCounts) -> str | None:
    """Return a sentence where there is one class."""
    if counts.classes >= 2:
        return None
    return f"one class only: {name} has no negatives; give at least two classes"


def unlabelled(name: str, counts: ClassCounts, views: int, norm: Norm) -> str | None:
    """Return a sentence where a loss that sees no labels has no views, no negatives, or a norm by classes."""
    if counts.samples < 2:
        return f"one sample only: {name} has no negatives; give at least two"
    if norm.kind == "mean-square" and len(counts.sizes) > 1:
        return (
            f"{name} sees no labels, and a mean square over classes of different sizes weighs samples by "
            "theirs; give equal counts, or another norm"
        )
    return lacks_views(name, views)
