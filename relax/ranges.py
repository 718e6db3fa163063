"""Least, mean and greatest of many numbers, by labels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from relax.facts import brief


@brief
class Range(NamedTuple):
    """The least, the mean and the greatest of some numbers; NaN where there are none."""

    low: Float[np.ndarray, " *k"]
    mean: Float[np.ndarray, " *k"]
    high: Float[np.ndarray, " *k"]


def pair_ranges(
    values: Float[np.ndarray, "m m"], pairs: Float[np.ndarray, "m m"], label: Int[np.ndarray, " m"]
) -> Range:
    """Return the range of the pairs of each two labels."""
    k = int(label.max()) + 1
    flat = ranges(values.reshape(-1), pairs.reshape(-1), (label[:, None] * k + label).reshape(-1), k * k)
    return Range(*(part.reshape(k, k) for part in flat))


def ranges(
    values: Float[np.ndarray, " n"], weight: Float[np.ndarray, " n"], label: Int[np.ndarray, " n"], count: int
) -> Range:
    """Return least, weighted mean and greatest of the values of each label that have weight."""
    here: Bool[np.ndarray, " n"] = weight > 0
    values, weight, label = values[here], weight[here], label[here]
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, label, values)
    np.maximum.at(high, label, values)
    total = np.bincount(label, weights=weight, minlength=count)
    sums = np.bincount(label, weights=weight * values, minlength=count)
    mean = np.divide(sums, total, out=np.full(count, np.nan), where=total > 0)
    some = total > 0
    return Range(np.where(some, low, np.nan), np.clip(mean, low, high), np.where(some, high, np.nan))


def summed(pairs: Float[np.ndarray, "m m"], label: Int[np.ndarray, " m"]) -> Float[np.ndarray, "K K"]:
    """Return how many pairs there are of each two labels."""
    k = int(label.max()) + 1
    keys = (label[:, None] * k + label).reshape(-1)
    return np.bincount(keys, weights=pairs.reshape(-1), minlength=k * k).reshape(k, k)
