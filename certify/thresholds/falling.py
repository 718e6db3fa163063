"""Roots of rising functions of a logarithm, in float64."""

from __future__ import annotations

from collections.abc import Callable

DEEPEST = -1e9  # a logarithm: e^{−1/τ} at τ = 10⁻⁹


def falling(difference: Callable[[float], float], guess: float = 0.0) -> float:
    """Return the root ≤ 0 of a function that rises through zero, looking first near a guess; else 0."""
    from scipy.optimize import brentq  # loads much, for those who ask for thresholds

    low = high = min(0.0, guess + 0.01)
    if difference(high) <= 0:
        if high == 0.0 or difference(0.0) <= 0:
            return 0.0
        high = 0.0
    else:
        step = 0.02
        low = high - step
        while difference(low) > 0 and low > DEEPEST:
            step *= 4
            high, low = low, low - step
    return float(brentq(difference, low, high, xtol=1e-15, rtol=1e-15))  # type: ignore[arg-type]
