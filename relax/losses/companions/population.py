"""Who may be drawn beside given anchors, and what their own class contributes by itself."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import comb
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

from relax.facts import brief
from relax.losses.definition import Seen


class Reading(NamedTuple):
    """Numbers of b anchors: P(B>0), E[1{B>0} log B], and what of the targets drawn samples are."""

    counted: Any
    floor: Any
    drawn: Any


@brief
@dataclass(frozen=True, eq=False)
class Companions:
    """Who may be drawn beside b anchors; samples are numbered as they first appear when sorted."""

    seen: Seen
    batch_size: int
    sampler: str

    @cached_property
    def draws(self) -> int:
        """K, the companions of an anchor."""
        return self.batch_size - 1

    @cached_property
    def replacement(self) -> bool:
        """Whether a sample may be drawn again."""
        return self.sampler != "shuffle"

    @cached_property
    def views(self) -> int:
        """V, the features of one sample."""
        return int(self.seen.views[self.seen.samples == self.seen.samples[0]].sum())

    @cached_property
    def column(self) -> Int[np.ndarray, "s c"]:
        """The columns of each sample."""
        count = len(np.unique(self.seen.samples))
        return np.argsort(self.seen.samples, kind="stable").reshape(count, -1)

    @cached_property
    def size(self) -> Int[np.ndarray, " s"]:
        """How many samples coincide in each."""
        first = self.column[:, 0]
        return self.seen.copies[first] // self.seen.views[first]

    @cached_property
    def class_size(self) -> Int[np.ndarray, " s"]:
        """Samples of the class of each."""
        classes = self.seen.classes[self.column[:, 0]]
        return ((classes[:, None] == classes) * self.size).sum(axis=1)

    @cached_property
    def is_class(self) -> np.ndarray:
        """Whether a sample is of the anchor's class; (b, s)."""
        return self.seen.is_class[:, self.column[:, 0]]

    @cached_property
    def is_own(self) -> np.ndarray:
        """Whether a sample is the anchor's own; (b, s)."""
        return self.seen.is_sample[:, self.column[:, 0]]

    @cached_property
    def anchor_class(self) -> Int[np.ndarray, " b"]:
        """Samples of the anchor's class."""
        return (self.is_class * self.size).sum(axis=1)

    @cached_property
    def rate(self) -> Any:
        """What an anchor counts for, beside the normaliser."""
        integers = self.seen.xp.integers
        if self.sampler == "class-balanced":
            return 1 / integers(self.views * self.anchor_class)
        return 1 / integers(np.full(len(self.anchor_class), self.views))

    def reading(self) -> Reading:
        """Return exact expectations over the own draws, anchor by anchor."""
        xp, sizes = self.seen.xp, self.anchor_class
        counted, floor, drawn = 0 * xp.integers(sizes), 0 * xp.integers(sizes), 0 * xp.integers(sizes)
        for size in np.unique(sizes).tolist():
            here = xp.integers((sizes == size).astype(int))
            for j, chance in enumerate(self.own_draws(size)):
                positives = self.views - 1 + self.views * j
                if positives and chance:
                    counted = counted + xp.number(chance) * here
                    floor = floor + xp.number(chance) * xp.log(xp.number(positives)) * here
                    drawn = drawn + xp.number(chance * Fraction(self.views * j, positives)) * here
        return Reading(counted, floor, drawn)

    def own_draws(self, size: int) -> list[Fraction]:
        """Return the distribution of how many draws are of a class of this size."""
        k, total = self.draws, int(self.size.sum())
        if not self.replacement:
            own, others = size - 1, total - size
            ways = [comb(own, j) * comb(others, k - j) for j in range(k + 1)]
            return [Fraction(way, comb(total - 1, k)) for way in ways]
        classes = len(np.unique(self.seen.classes))
        p = Fraction(1, classes) if self.sampler == "class-balanced" else Fraction(size, total)
        return [comb(k, j) * p**j * (1 - p) ** (k - j) for j in range(k + 1)]

    def positives(self, x: Any, reading: Reading) -> Any:
        """Return what the targets read, over P(B>0); zero for anchors that never count."""
        seen, xp = self.seen, self.seen.xp
        own = seen.same_sample
        drawn = seen.copies * seen.is_class
        if not self.replacement:
            drawn = drawn - seen.views * seen.is_sample
        mates = xp.integers(drawn)
        read = reading.drawn * _mean(mates, x, xp) + (reading.counted - reading.drawn) * _mean(own, x, xp)
        return read / xp.where(reading.counted > 0, reading.counted, 0 * reading.counted + 1)


def _mean(weight: Any, x: Any, xp: Any) -> Any:
    total = weight.sum(-1)
    return (weight * x).sum(-1) / xp.where(total > 0, total, 0 * total + 1)
