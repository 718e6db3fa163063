"""What losses of tests have in common: losses from outside the package."""

from __future__ import annotations

from typing import ClassVar

from relax.counts import ClassCounts
from relax.losses.reduction import Reduction
from relax.norms import Norm


class Toy:
    """A loss that refuses nothing, and has no program by samples unless it says so."""

    name: ClassVar[str] = "toy"
    default_temperature: ClassVar[float] = 0.5
    formula: ClassVar[str] = ""
    source: ClassVar[str] = "a test"

    def refuses(self, counts: ClassCounts, views: int, norm: Norm, nonnegative: bool) -> str | None:
        return None

    def lift(self, counts: ClassCounts, views: int) -> Reduction | None:
        return None
