"""What every solver returns."""

from __future__ import annotations

from dataclasses import dataclass

from relax.bounds import Witness
from relax.orbits import OrbitMatrix
from relax.solution import Status


@dataclass(frozen=True, eq=False)
class Candidate:
    """An answer that claims nothing: a matrix, feasible or not, and a witness for a lower bound."""

    matrix: OrbitMatrix
    witness: Witness
    status: Status
    iterations: int
