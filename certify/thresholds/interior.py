"""The cosine between minority classes of a STEP problem that are apart."""

from __future__ import annotations

from flint import arb

from certify.thresholds.falling import falling
from certify.thresholds.merged import margin, polished, root
from certify.thresholds.step import Tables, cosine

BEFORE = 20.0  # in log R: how much earlier a cosine must be the same to be called a limit
SAME = 1e-6  # of cosines; the limit is approached like 1/R


def minority_limit(tables: Tables, log_ratio: float) -> float | None:
    """Return the limit R → ∞ of the cosine, read off at R = e^log_ratio; None where it still moves there.

    At temperatures such as 0.002 minorities draw together beyond all ratios that float64 has.
    """
    before, found = (minority_cosine(tables, at) for at in (log_ratio - BEFORE, log_ratio))
    return found if abs(found - before) <= SAME else None


def minority_cosine(tables: Tables, log_ratio: float) -> float:
    """Return the cosine between minority classes at R = e^log_ratio, 1 where they coincide. Not proven."""
    y, guess = arb(-log_ratio).exp().mid(), 0.0

    def excess(log_s: float) -> float:
        nonlocal guess
        step = tables.at(y, arb(log_s).exp().mid())
        guess = root(step, guess)
        return -margin(step, polished(step, guess))

    return float(cosine(tables.k[1], arb(falling(excess)).exp()).mid())
