"""What is said of a solution that was not proven, because time or patience was up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from certify.certificate import Verdict
from relax.solution import Solution

ARITHMETIC = "float64, nothing is proven"


@dataclass(frozen=True)
class Unproven:
    """What a certificate would say, in float64: it stands in its place where things are printed."""

    lower: str | None
    upper: str
    excess_lower: str | None
    excess_upper: str | None
    gap: str | None
    scale: str | None
    relative_gap: float
    gram_radius: None = None
    verdict: Verdict = Verdict.UNDECIDED

    @classmethod
    def of(cls, solution: Solution) -> Unproven:
        """Return what floats say of a solution."""
        lower, has_floor = solution.lower_bound(), math.isfinite(solution.program.floor)
        bounded = math.isfinite(lower)
        return cls(
            lower=repr(lower) if bounded else None,
            upper=repr(solution.value),
            excess_lower=repr(solution.bound.excess) if has_floor and bounded else None,
            excess_upper=repr(solution.excess) if has_floor else None,
            gap=repr(solution.gap()) if bounded else None,
            scale=repr(solution.answer.scale) if bounded else None,
            relative_gap=solution.relative_gap(),
        )

    @property
    def excess(self) -> float:
        """The excess of the point."""
        return float(self.excess_upper) if self.excess_upper is not None else math.nan

    def facts(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        beside = f", {self.relative_gap:.1e} of its scale" if math.isfinite(self.relative_gap) else ""
        gap = "no lower bound" if self.gap is None else f"{float(self.gap):.2e}{beside}"
        return [
            ("verdict", f"{Verdict.UNDECIDED.name}: the proof was not finished; these are floats"),
            ("value", self.upper),
            ("lower bound", str(self.lower)),
            ("gap", gap),
            ("arithmetic", ARITHMETIC),
        ]


def as_unproven(said: dict[str, Any]) -> dict[str, Any]:
    """Return JSON values that do not take floats for proven decimals."""
    return said | {"arithmetic": ARITHMETIC, "proven": None}
