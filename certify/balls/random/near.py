"""Many factors 1 + t y with y near one together: a short series in x = 1 − y, with its remainder."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from flint import arb, arb_mat, arb_poly, arb_series, ctx
from jaxtyping import Bool, Shaped

from certify.balls.enclosures import Balls, total, upper
from relax.facts import brief

LARGEST = 0.02  # x
MOST_TERMS = 64


@brief
@dataclass(frozen=True, eq=False)
class Near:
    """Which y are near one, and how many terms stand for them."""

    which: Bool[np.ndarray, " m"]
    terms: int
    draws: int
    largest: arb

    def sums(self, counts: Shaped[Balls, " m"], x: Shaped[Balls, " m"]) -> arb_series:
        """Return Σ_e c_e x_e/(1 + t (1 − x_e)), over these.

        1/(1 + t − t x) = Σ_{p<P} (t x)^p/(1 + t)^{p+1} + (t x)^P/((1 + t)^P (1 + t y)), and coefficient k of
        the last is at most x^P binomial(k, P), that of (t x)^P/(1 − t)^{P+1}.
        """
        if not self.which.any():
            return arb_series([0], self.draws)
        near = x[self.which]
        power, moments = counts[self.which] * near, []
        for _ in range(self.terms):
            moments.append(total(power))
            power = power * near
        left = total(power).upper()
        found = (_shift(self.draws, self.terms) * arb_mat(self.terms, 1, moments)).entries()
        found = [c + arb(0, 1) * (left * math.comb(k, self.terms)) for k, c in enumerate(found)]
        return arb_series(found, self.draws)

    def shifted(self, coefficients: list[arb]) -> arb_poly:
        """Return the polynomial Σ_i c_i z^i in x = 1 + z, cut after P terms, its remainder in the last.

        What is cut is at most x^P Σ |c_i| binomial(i, P) for 0 ≤ x ≤ 1.
        """
        if not self.which.any():
            return arb_poly([0])
        row = arb_mat(1, len(coefficients), coefficients)
        found = (row * _shift(self.draws, self.terms)).entries()
        sizes = total(abs(c).upper() * math.comb(i, self.terms) for i, c in enumerate(coefficients))
        found[-1] += arb(0, 1) * (sizes * self.largest)
        return arb_poly(found)


def near_one(x: Shaped[Balls, " m"], draws: int) -> Near:
    """Return which x are small, where that many of them are that a series for all is worth it."""
    most = np.array([float(u) for u in upper(x).tolist()])
    which = most <= LARGEST
    largest = float(most[which].max(initial=0.0))
    terms = _terms(largest, draws)
    if terms is None or 2 * terms >= which.sum():
        which = np.zeros(len(x), dtype=bool)
    return Near(which, terms or 1, draws, arb(largest * (1.0 + 1e-9)) + arb("1e-300"))  # above, if rounded


def _terms(largest: float, draws: int) -> int | None:
    """Return for how many terms the remainder is below the present precision."""
    if largest == 0.0:
        return 1
    for p in range(1, min(MOST_TERMS, draws) + 1):
        if p * math.log2(largest) + math.log2(math.comb(draws, p)) < -ctx.prec:
            return p
    return None


@lru_cache(maxsize=128)
def _shift(rows: int, terms: int) -> arb_mat:
    """Return (−1)^{i−p} binomial(i, p), i < rows, p < terms: exact."""
    entries = [(-1) ** (i - p) * math.comb(i, p) if p <= i else 0 for i in range(rows) for p in range(terms)]
    return arb_mat(rows, terms, entries)
