"""Where minority classes merge: the mark on the slider of R."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction

from certify.explore.background import Latest, Request
from certify.explore.model import FULL_BATCH, Controls, views_of
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


class Marker:
    """The marks that are known, and the one that is being computed beside the page.

    Parameters
    ----------
    beside : Latest
        Where it is computed.
    deliver : function
        Called, in a thread, with each mark that has become known.
    """

    def __init__(self, beside: Latest, deliver: Callable[[Mark], None]) -> None:
        self._beside, self._deliver = beside, deliver
        self._known: dict[Controls, Mark] = {}
        self._asked: Controls | None = None

    def mark(self, controls: Controls) -> Mark | None:
        """Return the mark, one that is `working` where it is not known yet; None for counts of no ratio."""
        asked = about(controls)
        wanted = asked if controls.counts is None and asked not in self._known else None
        if wanted != self._asked:
            self._asked = wanted
            self._beside.stop()
            if wanted is not None:
                self._beside.ask(Request(marks, wanted, self._keep, self._give_up))
        if controls.counts is not None:
            return None
        return self._known.get(asked) or Mark(asked, working=True)

    def _give_up(self, why: str) -> None:
        if self._asked is not None:
            words = f"Where minority classes merge is not known: {why}."
            self._keep(Mark(self._asked, words=words))

    def _keep(self, mark: Mark) -> None:
        self._known[mark.about] = mark
        self._deliver(mark)


def about(controls: Controls) -> Controls:
    """Return the controls with what does not move the threshold at its default: R, a size of no batches."""
    batch_size = Controls.batch_size if controls.sampler == FULL_BATCH else controls.batch_size
    return replace(controls, ratio=Controls.ratio, batch_size=batch_size)


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


def _rounded(ratio: Fraction, rounding: str) -> str:
    exact = Context(DIGITS, rounding).divide(Decimal(ratio.numerator), Decimal(ratio.denominator))
    return f"{exact:,f}" if exact < 10**DIGITS else f"{exact:.{DIGITS - 1}e}"
