"""Where minority classes merge: the mark on the slider of R."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction

from certify.explore.model import Controls, views_of
from certify.thresholds import collapse_threshold
from relax.errors import InputError, SolverError

DIGITS = 9  # as many as brackets have


@dataclass(frozen=True)
class Mark:
    """Where the mark stands, and what is known of it.

    Attributes
    ----------
    about : Controls
        The controls, with nothing in them that does not move the threshold.
    ratio : float or None
        The threshold of collapse, None where there is none or it is not known (yet).
    words : str
        One sentence on it.
    working : bool
        Whether it is being computed.
    """

    about: Controls
    ratio: float | None = None
    words: str = ""
    working: bool = False


def about(controls: Controls) -> Controls:
    """Return the controls with R, which does not move the threshold, at its default."""
    return replace(controls, ratio=Controls.ratio)


def marks(controls: Controls) -> Iterator[Mark]:
    """Yield the mark; takes a second, for some losses minutes."""
    asked = about(controls)
    step = asked.k_major, asked.k_minor, asked.n_minor
    try:
        found = collapse_threshold(*step, asked.temperature, asked.loss_object(), views_of(asked.loss))
    except (InputError, SolverError) as error:
        yield Mark(asked, words=f"No threshold is known: {error}.")
        return
    if found.lower is None or found.upper is None:
        limit = "" if found.limit is None else f"; their cosine tends to {found.limit:.4f} (a float) as R → ∞"
        yield Mark(asked, words=f"Minority classes were found to merge at no ratio{limit}.")
        return
    apart, together = _rounded(found.lower, ROUND_FLOOR), _rounded(found.upper, ROUND_CEILING)
    first = "Minority classes merge" if found.smallest else "Minority classes merge (earlier is not excluded)"
    yield Mark(asked, found.ratio, f"{first}: proven apart at R = {apart}, together at R = {together}.")


def given_up(controls: Controls, why: str) -> Mark:
    """Return the mark of work that did not come to its end."""
    return Mark(about(controls), words=f"Where minority classes merge is not known: {why}.")


def _rounded(ratio: Fraction, rounding: str) -> str:
    exact = Context(DIGITS, rounding).divide(Decimal(ratio.numerator), Decimal(ratio.denominator))
    return f"{exact:,f}" if exact < 10**DIGITS else f"{exact:.{DIGITS - 1}e}"
