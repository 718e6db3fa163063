"""The minimum of a loss for two class sizes by mpmath, from the definition and derivatives by differences.

Nothing here knows of dual slacks, multipliers or slopes: the loss is minimised along the boundary of the
positive semidefinite matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath

DIGITS = 50


@dataclass(frozen=True)
class Oracle:
    """k_M classes of R n and k_m of n, in a named loss at a rational temperature."""

    k_major: int
    k_minor: int
    n_minor: int
    tau: Fraction
    loss: str = "supcon"

    def value(self, ratio: Fraction, alpha: Any, beta: Any) -> Any:
        """Return the loss where γ is the least that the cosines α and β allow, times a constant."""
        k, m = self.k_major, self.k_minor
        n = (mpmath.mpf(ratio.numerator) / ratio.denominator * self.n_minor, mpmath.mpf(self.n_minor))
        tau = mpmath.mpf(self.tau.numerator) / self.tau.denominator
        gamma = -mpmath.sqrt((1 + (k - 1) * alpha) * (1 + (m - 1) * beta) / (k * m))
        same, near, across = (mpmath.exp((x - 1) / tau) for x in (alpha, beta, gamma))
        first = (k - 1) * n[0] * same + m * n[1] * across
        second = (m - 1) * n[1] * near + k * n[0] * across
        weight, own = self._rows(n)
        return k * weight[0] * mpmath.log(own[0] + first) + m * weight[1] * mpmath.log(own[1] + second)

    def _rows(self, n: tuple[Any, Any]) -> tuple[list[Any], list[Any]]:
        if self.loss == "ntxent-labels":
            return [x * (x - 1) for x in n], [mpmath.mpf(1)] * 2
        if self.loss == "negatives-only":
            return list(n), [mpmath.mpf(0)] * 2
        if self.loss == "supcon:class_weights=classes":
            return [mpmath.mpf(1)] * 2, [x - 1 for x in n]
        weight = mpmath.mpf(self.loss.partition("=")[2] or 1)
        return list(n), [weight * (x - 1) for x in n]

    def alpha(self, ratio: Fraction, beta: Any) -> Any:
        """Return the best α: where the convex function of it stops falling, by bisection of log A."""
        k = self.k_major
        if k == 1:
            return mpmath.mpf(1)

        def at(log_a: Any) -> Any:
            return (mpmath.exp(log_a) - 1) / (k - 1)

        def falls(log_a: Any) -> bool:
            return slope(lambda x: self.value(ratio, at(x), beta), log_a) < 0

        high = mpmath.log(k)
        if falls(high - mpmath.mpf(10) ** -20):
            return mpmath.mpf(1)
        low = high - 1
        while not falls(low):
            low = high - 2 * (high - low)
        return at(bisected(falls, low, high))

    def coincide(self, ratio: Fraction) -> bool:
        """Return whether the loss still falls as β comes to 1 from below (α is the best at β = 1)."""
        with mpmath.workdps(2 * DIGITS):
            one = mpmath.mpf(1)
            alpha, step = self.alpha(ratio, one), mpmath.mpf(10) ** -DIGITS
            return bool(self.value(ratio, alpha, one) < self.value(ratio, alpha, one - step))


def slope(function: Callable[[Any], Any], x: Any) -> Any:
    """Return a central difference."""
    step = mpmath.mpf(10) ** -30
    return (function(x + step) - function(x - step)) / (2 * step)


def bisected(below: Callable[[Any], bool], low: Any, high: Any) -> Any:
    """Return where a condition that holds at the lower end ceases to."""
    for _ in range(150):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return (low + high) / 2
