"""What a table of a sweep says, in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from certify.certificate import Verdict
from certify.rounding import upward
from certify.sweeps.rows import FAILED, REFUSED

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Summary:
    """How many points there are of each kind.

    Attributes
    ----------
    points, certified, undecided, failed, refused : int
        The rows of the table, and those that are certified, are not, were too much for the solvers, or were
        refused by their loss.
    largest_relative_gap : float
        Of those that are certified; NaN where there is none.
    coinciding : int
        Points at which the smallest classes are on one point.
    """

    points: int
    certified: int
    undecided: int
    failed: int
    refused: int
    largest_relative_gap: float
    coinciding: int

    @property
    def all_certified(self) -> bool:
        """Whether every row is certified, and there are some."""
        return self.certified == self.points > 0

    def __str__(self) -> str:
        """Write a sentence."""
        points = f"{self.points:,} point{'' if self.points == 1 else 's'}"
        if self.all_certified:
            verdicts = "CERTIFIED" if self.points == 1 else "all CERTIFIED"
        else:
            kinds = ((self.certified, "CERTIFIED"), (self.undecided, "UNDECIDED"))
            kinds += (self.failed, "without solution"), (self.refused, "refused by their loss")
            verdicts = ", ".join(
                f"{number:,} {kind}" for number, kind in kinds if number or kind == "CERTIFIED"
            )
        if not self.certified:
            return f"{points}, {verdicts}"
        gap = upward(self.largest_relative_gap, 2)
        of = "" if self.all_certified else " of what is certified"
        coinciding = f"minorities coincide in {self.coinciding:,}"
        return f"{points}, {verdicts}, largest relative gap{of} {gap}; {coinciding}"


def summary(table: pd.DataFrame) -> Summary:
    """Return what a table of `sweep` says."""
    status, gaps = table["status"].to_numpy(), table["relative_gap"].to_numpy()
    certified = table["verdict"].to_numpy() == Verdict.CERTIFIED.name
    failed, refused = (int(np.count_nonzero(status == kind)) for kind in (FAILED, REFUSED))
    proven = int(np.count_nonzero(certified))
    return Summary(
        points=len(table),
        certified=proven,
        undecided=len(table) - proven - failed - refused,
        failed=failed,
        refused=refused,
        largest_relative_gap=float(gaps[certified].max()) if proven else np.nan,
        coinciding=int(np.count_nonzero(table["minorities_coincide"].to_numpy())),
    )
