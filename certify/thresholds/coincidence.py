"""Which classes coincide at the optimum: what is proven, and how it follows from balls around cosines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from flint import arb, ctx
from jaxtyping import Bool, Float, Shaped

from certify.balls.enclosures import Balls, ball
from relax.facts import Shown, brief
from relax.problem import Problem
from relax.rules import Bounded, Fixed

PRECISION = 192  # bits


@brief
@dataclass(frozen=True, eq=False)
class Coincidence(Shown):
    """Which classes stand on one point at every optimum, and which are proven apart, by groups of equal size.

    Arrays have one row and column for each distinct class size, largest first; on the diagonal they speak of
    two different classes of that size (nothing is said of a size that one class has).

    Attributes
    ----------
    problem : Problem
        The problem.
    together, apart : arrays of bool, shape (m, m)
        What is proven. A pair of which neither holds is undecided.
    nearest, farthest : arrays, shape (m, m)
        Proven bounds of the angle between two classes, in radians, rounded outward; 0 where together.
    method : str
        "Krawczyk" (interval Newton on the dual-vector equations), "two points" (the dual slack of two
        opposite points is positive semidefinite), "two sizes" (any rows, by the signs of derivatives), "Gram
        radius" (a box around the optimum; classes of one size coincide where no matrix of the box has a slack
        that lets them part), or "gap of the certificate" (distances inside groups alone).
    reason : str
        Why it is not Krawczyk, where it is not.
    """

    problem: Problem
    together: Bool[np.ndarray, "m m"]
    apart: Bool[np.ndarray, "m m"]
    nearest: Float[np.ndarray, "m m"]
    farthest: Float[np.ndarray, "m m"]
    method: str
    reason: str = ""

    @property
    def pairs(self) -> Bool[np.ndarray, "m m"]:
        """Which pairs of sizes there are two classes of."""
        return np.array(pairs_of(self.problem.counts.multiplicities))

    @property
    def undecided(self) -> Bool[np.ndarray, "m m"]:
        """Pairs of which nothing is proven but bounds of their angle."""
        return self.pairs & ~self.together & ~self.apart

    @property
    def decided(self) -> bool:
        """Whether every pair of classes is proven together or proven apart."""
        return not self.undecided.any()

    def merged(self) -> Bool[np.ndarray, " m"]:
        """Return for each size whether its classes are proven to coincide with another class."""
        return np.asarray(self.together.any(axis=1))

    def points(self) -> list[tuple[int, ...]]:
        """Return the sizes that stand on one point with another class, a point a tuple of sizes."""
        sizes, left, found = self.problem.counts.sizes, set(np.flatnonzero(self.merged()).tolist()), []
        while left:
            first = min(left)
            members = sorted({first, *np.flatnonzero(self.together[first]).tolist()})
            found.append(tuple(sizes[a] for a in members))
            left -= set(members)
        return found

    def in_brief(self) -> str:
        """Return the problem and the points."""
        from certify.thresholds.words import coincidence_headline

        return f"{self.problem.in_brief()}: {coincidence_headline(self)}"

    def facts(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        from certify.thresholds.words import coincidence_facts

        return coincidence_facts(self)


def pairs_of(multiplicities: Sequence[int]) -> Bool[np.ndarray, "m m"]:
    """Return which pairs of groups with these numbers of members hold two different members."""
    g = np.array(multiplicities)
    return (np.outer(g, g) - np.diag(g)) > 0


class _Angles(NamedTuple):
    below: float
    above: float


def from_balls(
    problem: Problem,
    gram: Shaped[Balls, "m m"],
    together: Bool[np.ndarray, "m m"],
    method: str,
    reason: str = "",
) -> Coincidence:
    """Return what balls around inner products prove; who stands together is proven elsewhere."""
    pairs = pairs_of(problem.counts.multiplicities)
    rule = problem.program().rules[0]
    assert isinstance(rule, (Fixed, Bounded))
    together = together & pairs
    nearest, farthest = np.zeros(pairs.shape), np.zeros(pairs.shape)
    with ctx.workprec(PRECISION):
        norm = ball(rule.value)
        for a, b in np.argwhere(pairs & ~together).tolist():
            nearest[a, b], farthest[a, b] = _angles(gram[a, b] / norm)
    return Coincidence(
        problem, together, pairs & ~together & (nearest > 0), nearest, farthest, method, reason
    )


def _angles(cosine: arb) -> _Angles:
    """Return proven bounds of the angle that has a cosine, by 2 arcsin √((1 − cos)/2)."""
    half = [(1 - end) / 2 for end in (cosine.upper(), cosine.lower())]
    low = 2 * half[0].sqrt().asin() if half[0] > 0 else arb(0)
    high = 2 * half[1].sqrt().asin() if half[1] < 1 else arb.pi()
    below = math.nextafter(float(low.lower()), -math.inf) if low > 0 else 0.0
    return _Angles(max(0.0, below), math.nextafter(float(high.upper()), math.inf))
