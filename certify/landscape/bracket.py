"""Brackets of critical temperatures: a minimum is proven at the lower end, and none at the upper."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction

from certify.landscape.proven import ProvenMinimum, ProvenSaddle
from certify.rounding import downward, upward
from relax.facts import Shown, brief

DIGITS = 9


@brief
@dataclass(frozen=True, eq=False)
class Bracket(Shown):
    """Two temperatures with a critical one between them.

    Attributes
    ----------
    lower : Fraction or None
        Here the point is proven to be a strict local minimum modulo rotation.
    upper : Fraction or None
        Here it is proven stationary with a direction along which the loss falls.
    reason : str
        What is proven beyond that, or why an end is None.
    minimum, saddle : ProvenMinimum, ProvenSaddle, or None
        The proofs at both ends, where they are not those of a closed form.
    """

    lower: Fraction | None
    upper: Fraction | None
    reason: str
    minimum: ProvenMinimum | None = None
    saddle: ProvenSaddle | None = None

    @property
    def proven(self) -> bool:
        """Whether there are both ends."""
        return self.lower is not None and self.upper is not None

    @property
    def relative_width(self) -> float:
        """(upper − lower)/lower; infinite where an end is missing."""
        if self.lower is None or self.upper is None:
            return float("inf")
        return float((self.upper - self.lower) / self.lower)

    def in_brief(self) -> str:
        """Return both ends, rounded outward."""
        return f"{_end(self.lower, False)} … {_end(self.upper, True)}"

    def facts(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        return [
            ("a minimum at τ =", _end(self.lower, False)),
            ("no minimum at τ =", _end(self.upper, True)),
            ("what is proven", self.reason),
        ]


def _end(temperature: Fraction | None, up: bool) -> str:
    """Return an end of a bracket in few digits, moved outward; "not proven" where there is none."""
    if temperature is None:
        return "not proven"
    exact = Context(40, ROUND_CEILING if up else ROUND_FLOOR).divide(
        *map(Decimal, temperature.as_integer_ratio())
    )
    return (upward if up else downward)(exact, DIGITS)
