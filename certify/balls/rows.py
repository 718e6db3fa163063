"""The rows of a program at a matrix of balls, without cancellation; one enclosure a kind."""

from __future__ import annotations

from functools import singledispatch
from itertools import pairwise
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from flint import arb, fmpq
from jaxtyping import Bool, Float, Int, Shaped

from certify.balls.enclosures import BallMatrix, Balls, balls, choose, exp, expm1, log, log1p, rational, zeros
from relax.errors import InputError
from relax.rows import LogSumExp


@runtime_checkable
class RowsAt(Protocol):
    """T rows at a matrix."""

    @property
    def excess(self) -> Shaped[Balls, " T"]:
        """Row − floor, and the row itself where there is no floor."""
        ...

    @property
    def slope(self) -> Shaped[Balls, "T m1"]:
        """The derivative by x/τ on each single entry, own entries in column 0."""
        ...


class RowHessians(NamedTuple):
    """Second derivatives of T rows by x/τ on single entries: diag(diagonal) + Σ_k ½(l_k r_kᵀ + r_k l_kᵀ)."""

    diagonal: Shaped[Balls, "T m1"]
    pairs: list[tuple[Shaped[Balls, "T m1"], Shaped[Balls, "T m1"]]]  # l_k and r_k


@runtime_checkable
class CurvedRows(RowsAt, Protocol):
    """Rows that know their second derivatives; what proves local minima asks for it."""

    def hessians(self) -> RowHessians:
        """Return the second derivatives."""
        ...


@runtime_checkable
class Enclosure(Protocol):
    """What no matrix changes in T rows of some kind, at the present precision."""

    @property
    def anchor(self) -> Int[np.ndarray, " T"]:
        """The groups."""
        ...

    @property
    def floor(self) -> Shaped[Balls, " T"]:
        """The infimum of each row over unconstrained entries; 0 where there is none."""
        ...

    @property
    def has_floor(self) -> Bool[np.ndarray, " T"]:
        """Whether there is one."""
        ...

    @property
    def accuracy(self) -> float:
        """The relative error of excesses and slopes that more bits do not lower."""
        ...

    def state(self, matrix: BallMatrix, inverse_temperature: arb) -> RowsAt:
        """Enclose the rows at a matrix, feasible or not."""
        ...


@singledispatch
def enclosure(rows: Any, multiplicity: Float[np.ndarray, " m"]) -> Enclosure:
    """Return the enclosure of a block of rows; a new kind registers its own.

    Raises
    ------
    InputError
        If none is known for rows of this kind.
    """
    raise InputError(f"no enclosure in balls is known for rows of kind {type(rows).__name__}")


class RowTable(NamedTuple):
    """What no matrix changes in T log-sum-exp rows; column 0 is the own entry, then come peers by groups.

    With m and p the multiplicity and target of one entry, a row has a floor where p is a distribution on
    entries with m > 0; its level c is then e^floor = Π (m/p)^p, and 1 elsewhere. The lists run over the
    entries with p ≠ 0, by row.
    """

    anchor: Int[np.ndarray, " T"]
    members: Shaped[Balls, "T m1"]  # entries behind a column
    ratio: Shaped[Balls, "T m1"]  # m/c
    row: Int[np.ndarray, " e"]
    column: Int[np.ndarray, " e"]
    target: Shaped[Balls, " e"]  # p
    offset: Shaped[Balls, " e"]  # log(m/p) − floor, and 0 where there is no floor
    floor: Shaped[Balls, " T"]  # 0 where there is none
    has_floor: Bool[np.ndarray, " T"]
    accuracy: float = 0.0

    def state(self, matrix: BallMatrix, inverse_temperature: arb) -> RowBalls:
        """Enclose the rows at a matrix."""
        return row_balls(self, matrix, inverse_temperature)


class RowBalls(NamedTuple):
    """T rows at a matrix; x̄ = Σ p x is what the target reads."""

    excess: Shaped[Balls, " T"]  # row − floor, and the row itself where there is no floor
    slope: Shaped[Balls, "T m1"]  # softmax − target of one entry
    mass: Shaped[Balls, "T m1"]  # (m/c) e^{(x − x̄)/τ} of one entry
    rest: Shaped[Balls, " T"]  # e^excess − 1, and e^excess where there is no floor
    total: Shaped[Balls, " T"]  # e^excess

    def hessians(self) -> RowHessians:
        """Return diag(π) − π πᵀ, π the softmax."""
        softmax = self.mass / self.total[:, None]
        return RowHessians(softmax, [(-softmax, softmax)])


class _Level(NamedTuple):
    has_floor: bool
    floor: arb
    level: arb
    offset: list[arb]


@enclosure.register
def row_table(rows: LogSumExp, multiplicity: Float[np.ndarray, " m"]) -> RowTable:
    """Lay out rows at the present precision; whether there is a floor is decided in rational numbers."""
    t, m = np.arange(len(rows.anchor)), len(multiplicity)
    count = np.broadcast_to(np.append(1.0, multiplicity), (len(t), m + 1)).copy()
    count[t, rows.anchor + 1] -= 1.0
    target = np.zeros((len(t), m + 1), dtype=object)
    target[:, 0] = rows.own_target.tolist()
    if rows.peer_target is not None:
        target[:, 1:] = rows.peer_target.tolist()
    at, column = np.nonzero((target != 0) & (count > 0))
    starts = np.searchsorted(at, np.append(t, len(t)))
    exact = [rational(p) for p in target[at, column]]
    levels = []
    for row, (first, last) in enumerate(pairwise(starts.tolist())):
        columns = column[first:last].tolist()
        weights = [rational(_multiplicity(rows, row, c)) for c in columns]
        members = [rational(count[row, c].item()) for c in columns]
        levels.append(_level(members, weights, exact[first:last]))
    ratio: Any = np.empty((len(t), m + 1), dtype=object)
    ratio[:, 0], ratio[:, 1:] = balls(rows.own_multiplicity), balls(rows.peer_multiplicity)
    ratio = ratio / np.array([level.level for level in levels])[:, None]
    members = np.empty((len(t), m + 1), dtype=object)
    members[:, 0], members[:, 1:] = arb(1), balls(multiplicity)
    members[t, rows.anchor + 1] = balls(multiplicity[rows.anchor] - 1.0)
    return RowTable(
        rows.anchor,
        members,
        ratio,
        at,
        column,
        np.array([arb(p) for p in exact]),
        np.array([x for level in levels for x in level.offset]),
        np.array([level.floor for level in levels]),
        np.array([level.has_floor for level in levels]),
    )


def _multiplicity(rows: LogSumExp, row: int, column: int) -> object:
    read = rows.peer_multiplicity[row, column - 1] if column else rows.own_multiplicity[row]
    return read.item() if isinstance(read, np.generic) else read


def _level(members: list[fmpq], multiplicity: list[fmpq], target: list[fmpq]) -> _Level:
    """Return floor and level of one row, from its entries with p ≠ 0."""
    total = sum((g * p for g, p in zip(members, target, strict=True)), fmpq(0))
    proper = all(p > 0 for p in target) and all(m > 0 for m in multiplicity) and total == 1
    if not proper:
        return _Level(False, arb(0), arb(1), [arb(0)] * len(target))
    ratios = [m / p for m, p in zip(multiplicity, target, strict=True)]
    if all(ratio == ratios[0] for ratio in ratios):  # then the level is rational and offsets vanish
        level = arb(ratios[0])
        return _Level(True, level.log(), level, [arb(0)] * len(target))
    logs = [arb(ratio).log() for ratio in ratios]
    floor = sum((arb(g * p) * x for g, p, x in zip(members, target, logs, strict=True)), arb(0))
    return _Level(True, floor, floor.exp(), [x - floor for x in logs])


def row_balls(table: RowTable, matrix: BallMatrix, inverse_temperature: arb) -> RowBalls:
    """Evaluate rows at a matrix, feasible or not.

    With y = (x − x̄)/τ + log(m/c) on entries without target and y = (x − x̄)/τ + log(m/p) − floor on the
    target, so that Σ p y = 0, the excess of a row with a floor is

        log1p( Σ_{p=0} e^y + Σ_{p>0} p (e^y − 1 − y) ),

    and softmax − target is p (e^y − 1 − rest)/(1 + rest) on the target. Other rows are log Σ m e^{(x − x̄)/τ}.
    """
    row, column = table.row, table.column
    entry = np.column_stack([matrix.own[table.anchor], matrix.peer[table.anchor]])
    mean = zeros(len(table.anchor))
    np.add.at(mean, row, table.members[row, column] * table.target * entry[row, column])
    rise = (entry - mean[:, None]) * inverse_temperature
    mass = table.ratio * exp(rise)
    on = table.has_floor[row]
    place, target = (row[on], column[on]), table.target[on]
    y = choose(target == arb(1), arb(0), rise[place] + table.offset[on])  # a target of one entry reads x̄
    beyond = expm1(y)
    curved = mass.copy()
    curved[place] = target * (beyond - y)
    rest = (table.members * curved).sum(axis=1)
    unit = choose(table.has_floor, arb(1), arb(0))
    total = unit + rest
    slope = mass / total[:, None]
    slope[place] = target * (beyond - rest[place[0]]) / total[place[0]]
    slope[row[~on], column[~on]] -= table.target[~on]
    excess = choose(table.has_floor, log1p(rest), log(total))
    return RowBalls(excess, slope, mass, rest, total)
