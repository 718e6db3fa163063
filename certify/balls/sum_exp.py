"""Sum-of-exponentials rows of a program at a matrix of balls: every term is positive, so nothing cancels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from flint import arb
from jaxtyping import Bool, Float, Int, Shaped

from certify.balls.enclosures import BallMatrix, Balls, balls, choose, exp
from relax.rows import SumExp


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

    @cached_property
    def has_floor(self) -> Bool[np.ndarray, " T"]:
        """Whether there is a floor: always, as the terms are not negative."""
        return np.ones(len(self.anchor), dtype=bool)

    def state(self, matrix: BallMatrix, inverse_temperature: arb) -> SumExpStateBalls:
        """Evaluate rows at a matrix, feasible or not: terms m e^{(x − x̄)/τ}, x̄ = Σ p x."""
        entry = np.column_stack([matrix.own[self.anchor], matrix.peer[self.anchor]])
        read = self.members * self.target * entry
        mean: Any = read.sum(axis=1)
        return SumExpStateBalls(self, self.multiplicity * exp((entry - mean[:, None]) * inverse_temperature))


@dataclass(frozen=True, eq=False)
class SumExpStateBalls:
    """T rows at a matrix; `term` is that of one entry behind a column."""

    table: SumExpBalls
    term: Shaped[Balls, "T m1"]

    @cached_property
    def excess(self) -> Shaped[Balls, " T"]:
        """Row − floor."""
        return (self.table.members * self.term).sum(axis=1)

    @cached_property
    def slope(self) -> Shaped[Balls, "T m1"]:
        """The derivative by x/τ of one entry: term − p · excess."""
        return self.term - self.table.target * self.excess[:, None]


def enclosure(rows: SumExp, multiplicity: Float[np.ndarray, " m"]) -> SumExpBalls:
    """Lay out rows at the present precision.

    Entries that stand for nobody (another member of a group of one) have no multiplicity, whatever they read.
    """
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
