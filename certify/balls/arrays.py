"""Balls as an array library: object arrays of `flint.arb`, for the definitions of losses and norms."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb

from certify.balls.enclosures import ball, balls, choose, exp, expm1, largest, least, log, log1p, sqrt

SMALL = 1_000  # counts up to here are looked up


class BallArrays:
    """Object arrays of balls."""

    exact = True
    exp, expm1, log, log1p = staticmethod(exp), staticmethod(expm1), staticmethod(log), staticmethod(log1p)
    sqrt, where = staticmethod(sqrt), staticmethod(choose)

    def number(self, exact: Fraction | int) -> arb:
        """Return a ball around an exact number."""
        return ball(Fraction(exact))

    def integers(self, counts: np.ndarray) -> Any:
        """Return exact balls; most counts are small and the same."""
        if counts.size and counts.dtype.kind in "iub" and counts.max() < SMALL:
            return balls(np.arange(int(counts.max()) + 1))[counts.astype(int)]
        return balls(counts)

    def at_most(self, x: Any, bound: Any) -> Any:
        """Return min(x, bound)."""
        return least(x, bound)

    def at_least(self, x: Any, bound: Any) -> Any:
        """Return max(x, bound)."""
        return largest(x, bound)

    def top(self, x: Any, mask: Any) -> Any:
        """Return the largest entry of each line where the mask holds; never needed, since sums are exact."""
        raise NotImplementedError("balls do not overflow")


BALLS = BallArrays()
