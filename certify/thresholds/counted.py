"""Thresholds of random rows, at exact counts: n_major whole, or any rational multiple of n_minor."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from flint import arb

from certify.thresholds.cover import LOOSE
from certify.thresholds.merged import decided
from certify.thresholds.step import AtCounts, step_problem
from relax.counts import LARGEST_COUNT
from relax.errors import SolverError
from relax.losses import SupCon
from relax.problem import Problem

HALF_WIDTH = 3e-7  # of a bracket, relative
LARGEST_RATIO = 10**6  # that is searched
GROWTH = 1.5
FINE = 10**7  # denominator of a ratio


@dataclass(frozen=True)
class Counted:
    """A STEP problem whose counts may change."""

    k: tuple[int, int]
    n_minor: int
    problem: Problem
    whole: bool

    @classmethod
    def of(cls, problem: Problem) -> Counted:
        """Read what stays; draws with replacement see proportions only."""
        loss, (k_major, k_minor) = problem.loss, problem.counts.multiplicities
        proportions = isinstance(loss, SupCon) and loss.batch_size is not None and loss.sampler != "shuffle"
        return cls((k_major, k_minor), problem.counts.sizes[1], problem, not proportions)

    def at(self, ratio: Fraction) -> AtCounts:
        """Return the rows at a ratio that has counts."""
        sizes = (ratio.numerator, ratio.denominator)
        if self.whole:
            sizes = (int(ratio * self.n_minor), self.n_minor)
        p = self.problem
        return AtCounts.of(step_problem(self.k, sizes, p.loss, p.temperature, p.views).program())

    def smallest(self) -> Fraction:
        """Return the smallest ratio ≥ 1 at which the samples fill a batch."""
        batch = getattr(self.problem.loss, "batch_size", None) or 0
        (k_major, k_minor), n = self.k, self.n_minor
        least = -((k_minor * n - batch) // k_major) if self.whole else 0
        return Fraction(max(n, least), n)

    def margin(self, ratio: Fraction) -> float:
        """Return a float that is positive where the minorities coincide."""
        return self.at(ratio).search()[1]

    def decided(self, ratio: Fraction) -> int:
        """Return what is proven at a ratio (`merged.decided`)."""
        step = self.at(ratio)
        t = arb(step.search()[0]).exp().mid()
        return decided(step, (t, t), LOOSE)

    def ratio(self, number: float) -> Fraction:
        """Return the ratio of counts next to a number."""
        unit = self.n_minor if self.whole else FINE
        return Fraction(max(unit, round(number * unit)), unit)


def counted_threshold(given: Counted) -> tuple[Fraction | None, Fraction] | None:
    """Return a ratio at which the minorities are proven apart, and one near it at which together.

    None where no change was found up to the ratio 10⁶. The first is None where they coincide at the smallest
    ratio already.

    Raises
    ------
    SolverError
        If an end is not proven.
    """
    largest = min(LARGEST_RATIO, LARGEST_COUNT // (2 * sum(given.k) * given.n_minor * given.problem.views))
    low, high, begun = given.smallest(), given.smallest(), False
    while given.margin(high) <= 0:
        if high >= largest:
            return None
        begun, low, high = (
            True,
            high,
            max(given.ratio(float(high) * GROWTH), high + Fraction(1, given.n_minor)),
        )
    if not begun and given.decided(high) == 1:
        return None, high
    step = Fraction(1, given.n_minor)
    while high - low > step if given.whole else high / low > 1 + HALF_WIDTH:
        middle = given.ratio(math.sqrt(low * high))
        if not low < middle < high:
            middle = low + step
        if given.margin(middle) > 0:
            high = middle
        else:
            low = middle
    if not given.whole:
        low, high = given.ratio(float(low) * (1 - HALF_WIDTH)), given.ratio(float(high) * (1 + HALF_WIDTH))
    if given.decided(low) != -1 or given.decided(high) != 1:
        raise SolverError(f"near R = {float(low):.6g} neither side is proven")
    return low, high
