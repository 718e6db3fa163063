"""The optimum of a STEP problem whose minorities are apart, by two nested equations, as floats."""

from __future__ import annotations

import math

from flint import arb

from certify.thresholds.merged import falling
from certify.thresholds.step import ForRatios, Slopes, Tables


def minority_cosine(tables: Tables, log_ratio: float) -> float:
    """Return the cosine between minority classes at R = e^log_ratio, 1 where they coincide.

    With A = 1 + (k_M − 1) α, B = 1 + (k_m − 1) β, t² = A/k_M and γ = −t √(B/k_m), stationarity in α and β is

        k_M t D_MM = √(k_m B) D_Mm,    √(k_m B) D_mm = k_M t D_Mm,

    the first with t ≤ 1, the second with β ≤ 1 (`step_geometry` has the same for the supervised-contrastive
    loss). At R = 10^299 it is the limit R → ∞ up to rounding where that is approached like 1/R.
    """
    k, k_minor = tables.k
    step = tables.at(arb(-log_ratio).exp().mid())
    guess = 0.0

    def major(log_b: float) -> tuple[Slopes, float]:
        """Return the slopes at the best t for given B/k_m, and its logarithm."""
        nonlocal guess

        def difference(log_t: float) -> float:
            slopes = _slopes(step, log_t, log_b)
            ratio = float(slopes.major.log_ratio(slopes.across).mid())
            return ratio + log_t - log_b / 2 + math.log(k / k_minor)

        guess = falling(difference, guess) if k > 1 else 0.0
        return _slopes(step, guess, log_b), guess

    def excess(log_b: float) -> float:
        slopes, log_t = major(log_b)
        ratio = float(slopes.minor.log_ratio(slopes.across).mid())
        return ratio + log_b / 2 - log_t - math.log(k / k_minor)

    log_b = falling(excess)
    return 1.0 if log_b == 0.0 else (k_minor * math.exp(log_b) - 1) / (k_minor - 1)


def _slopes(step: ForRatios, log_t: float, log_b: float) -> Slopes:
    t, part = arb(log_t).exp().mid(), arb(log_b).exp().mid()
    beta = (step.k[1] * part - 1) / (step.k[1] - 1)
    return step.slopes(t, beta.mid(), (-t * part.sqrt()).mid())
