"""The cosine between minority classes of a STEP problem that are apart."""

from __future__ import annotations

from flint import arb

from certify.thresholds.falling import falling
from certify.thresholds.merged import margin, polished, root
from certify.thresholds.step import Tables, cosine


def minority_cosine(tables: Tables, log_ratio: float) -> float:
    """Return the cosine between minority classes at R = e^log_ratio, 1 where they coincide. Not proven.

    At R = 10^299 it is the limit R → ∞ up to rounding, where that is approached like 1/R.
    """
    y, guess = arb(-log_ratio).exp().mid(), 0.0

    def excess(log_s: float) -> float:
        nonlocal guess
        step = tables.at(y, arb(log_s).exp().mid())
        guess = root(step, guess)
        return -margin(step, polished(step, guess))

    return float(cosine(tables.k[1], arb(falling(excess)).exp()).mid())
