"""Sum-of-exponentials rows of a program at a matrix of balls: every term is positive, so nothing cancels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb
from jaxtyping import Bool, Float, Int, Shaped

from certify.balls.enclosures import BallMatrix, Balls, balls, choose, exp
from certify.balls.rows import RowHessians
from relax.errors import InputError
from relax.facts import brief
from relax.rows import SumExp


@brief
@dataclass(frozen=True, eq=False)
class SumExpBalls:
    """What no matrix changes in T rows; column 0 is the anchor's own entry, then come peers, group by group.

    `members` counts the entries behind a column, m and p of one of them are `multiplicity` and `target`;
    `floor` is what excesses are measured from.
    """

    anchor: Int[np.ndarray, " T"]
    members: Shaped[Balls, "T m1"]
    multiplicity: Shaped[Balls, "T m1"]
    target: Shaped[Balls, "T m1"]
    floor: Shaped[Balls, " T"]
    accuracy: float = 0.0

    @property
    def has_floor(self) -> Bool[np.ndarray, " T"]:
        """Whether there is a floor: always, as the terms are not negative."""
        return np.ones(len(self.anchor), dtype=bool)

    def state(self, matrix: BallMatrix, inverse_temperature: arb) -> SumExpStateBalls:
        """Evaluate rows at a matrix, feasible or not: terms m e^{(x − x̄)/τ}, x̄ = Σ p x."""
        entry = np.column_stack([matrix.own[self.anchor], matrix.peer[self.anchor]])
        read = self.members * self.target * entry
        mean: Any = read.sum(axis=1)
        term = self.multiplicity * exp((entry - mean[:, None]) * inverse_temperature)
        excess = (self.members * term).sum(axis=1)
        return SumExpStateBalls(excess, term - self.target * excess[:, None], term, self.target)


@brief
@dataclass(frozen=True, eq=False)
class SumExpStateBalls:
    """T rows at a matrix: `excess` is Σ m e^y, and `slope`, by one entry, m e^y − p Σ m e^y."""

    excess: Shaped[Balls, " T"]
    slope: Shaped[Balls, "T m1"]
    term: Shaped[Balls, "T m1"]  # m e^y of one entry
    target: Shaped[Balls, "T m1"]

    def hessians(self) -> RowHessians:
        """Return diag(t) − t pᵀ − p tᵀ + (Σ t) p pᵀ, t = m e^y."""
        both = [(-2 * self.term, self.target), (self.excess[:, None] * self.target, self.target)]
        return RowHessians(self.term, both)


def sum_exp_balls(rows: SumExp, multiplicity: Float[np.ndarray, " m"]) -> SumExpBalls:
    """Lay out rows at the present precision.

    Entries that stand for nobody (another member of a group of one) have no multiplicity, whatever they read.
    """
    for numbers in (rows.own_multiplicity, rows.peer_multiplicity):
        if not (np.all(numbers >= 0) and np.all(numbers < np.inf)):
            raise InputError("multiplicities of rows must be finite and not negative")
    t, m = np.arange(len(rows.anchor)), len(multiplicity)
    count = np.broadcast_to(np.append(1.0, multiplicity), (len(t), m + 1)).copy()
    count[t, rows.anchor + 1] -= 1.0
    there = count > 0
    peer_target = np.zeros((len(t), m)) if rows.peer_target is None else rows.peer_target

    def columns(own: np.ndarray, peer: np.ndarray) -> Shaped[Balls, "T m1"]:
        return choose(there, np.column_stack([balls(own), balls(peer)]), arb(0))

    return SumExpBalls(
        rows.anchor,
        balls(count),
        columns(rows.own_multiplicity, rows.peer_multiplicity),
        columns(rows.own_target, peer_target),
        balls(rows.floor),
    )
