"""One convex program for every loss: log-sum-exp rows over a positive semidefinite Gram matrix."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from relax.orbits import OrbitMatrix
from relax.rules import Rule


@dataclass(frozen=True, eq=False)
class Rows:
    """T rows, each the cross-entropy of a target distribution p against a softmax over entries of M.

    Row t belongs to the members of one group (its anchors), whose total weight is w_t, and reads

        w_t · [ log Σ_e m_te exp(x_e/τ) − Σ_e p_te x_e/τ ]

    where e runs over the anchor's own entry and its entries with every other node. x_e is the entry
    between role r of the anchor and role r' of the other, (r, r') = `roles`.

    Numbers are exact: an array of integers or floats means these very numbers, an array of `Fraction`
    objects is welcome; solvers read the float arrays of `floats`.

    Attributes
    ----------
    anchor : array of int, shape (T,)
        The group whose members are the anchors.
    weight : array, shape (T,)
        Weight of the row, all anchors of the group together.
    own_multiplicity, own_target : array, shape (T,)
        m and p of the entry between the anchor and itself.
    peer_multiplicity : array, shape (T, m)
        m of the entry with each *other* member of each group.
    peer_target : array, shape (T, m), or None
        p of those entries; None means zero.
    roles : pair of int
        Role of the anchor and of what it reads.
    """

    anchor: Int[np.ndarray, " T"]
    weight: np.ndarray
    own_multiplicity: np.ndarray
    own_target: np.ndarray
    peer_multiplicity: np.ndarray
    peer_target: np.ndarray | None = None
    roles: tuple[int, int] = (0, 0)

    @cached_property
    def floats(self) -> Rows:
        """The same rows in float64, rounded where a number is not representable."""

        def rounded(array: np.ndarray) -> np.ndarray:
            return array if array.dtype == np.float64 else array.astype(np.float64)

        return Rows(
            self.anchor,
            rounded(self.weight),
            rounded(self.own_multiplicity),
            rounded(self.own_target),
            rounded(self.peer_multiplicity),
            None if self.peer_target is None else rounded(self.peer_target),
            self.roles,
        )


class RowTable(NamedTuple):
    """What evaluating rows needs and no matrix changes; column 0 is the anchor's own entry, then peers.

    `members` counts the entries behind a column, `target` is p of one of them, `log_ratio` is log(m/p) on
    the target of a row that has a floor and log m elsewhere, `on_target` says which, `floor` is
    inf_x (log Σ m e^x − Σ p x) = Σ p log(m/p), and −∞ where p is not a distribution on entries with m > 0.
    """

    members: Float[np.ndarray, "T m+1"]
    target: Float[np.ndarray, "T m+1"]
    log_ratio: Float[np.ndarray, "T m+1"]
    on_target: Bool[np.ndarray, "T m+1"]
    floor: Float[np.ndarray, " T"]


class RowState(NamedTuple):
    """Where rows stand at a matrix: excess over the floor, and softmax − target on each single entry."""

    excess: Float[np.ndarray, " T"]
    slope: Float[np.ndarray, "T m+1"]


@dataclass(frozen=True, eq=False)
class GramProgram:
    """Minimise a weighted sum of log-sum-exp rows over an invariant Gram matrix M ⪰ 0.

    Attributes
    ----------
    multiplicity : array, shape (m,)
        Members g_a of each group; all ones is the plain form.
    temperature : Fraction
        τ > 0, which divides every entry.
    rows : tuple of Rows
        The objective; its weights are divided by `normaliser`.
    normaliser : Fraction
        For means over anchors, the number of anchors.
    rules : tuple of Rule
        What the diagonal obeys; each slot exactly once.
    roles : int
        Roles of each node: 1 for features, 2 for classifier and feature.
    nonnegative : bool
        Whether M ≥ 0 entrywise as well.
    """

    multiplicity: Float[np.ndarray, " m"]
    temperature: Fraction
    rows: tuple[Rows, ...]
    normaliser: Fraction
    rules: tuple[Rule, ...]
    roles: int = 1
    nonnegative: bool = False

    def __post_init__(self) -> None:
        slots = np.sort(np.concatenate([np.zeros(0, dtype=int), *(rule.slots for rule in self.rules)]))
        if not np.array_equal(slots, np.arange(self.groups * self.roles)):
            raise ValueError("every slot must obey exactly one diagonal rule")

    @property
    def groups(self) -> int:
        """The number of groups m."""
        return len(self.multiplicity)

    @cached_property
    def tau(self) -> float:
        """The temperature, rounded."""
        return float(self.temperature)

    @cached_property
    def slot_multiplicity(self) -> Float[np.ndarray, " ms"]:
        """How many members each slot has."""
        return np.repeat(self.multiplicity, self.roles)

    @cached_property
    def tables(self) -> tuple[RowTable, ...]:
        """One table for each block of rows."""
        return tuple(row_table(rows, self.multiplicity) for rows in self.rows)

    @cached_property
    def floor(self) -> float:
        """The infimum of the objective over unconstrained entries (−∞ where there is none).

        For the supervised-contrastive loss Σ_c n_c log(n_c − 1) / N₊.
        """
        blocks = zip(self.rows, self.tables, strict=True)
        return sum(float(rows.floats.weight @ table.floor) for rows, table in blocks) / float(self.normaliser)

    def states(self, matrix: OrbitMatrix) -> tuple[RowState, ...]:
        """Evaluate every block of rows at a matrix, feasible or not."""
        blocks = zip(self.rows, self.tables, strict=True)
        return tuple(row_state(table, rows, matrix, self.tau) for rows, table in blocks)

    def excess(self, matrix: OrbitMatrix) -> float:
        """Return value − floor, by log1p and never by subtraction (the value itself where floor is −∞)."""
        return self._rows_excess(self.states(matrix)) + self.rule_cost(matrix)

    def _rows_excess(self, states: tuple[RowState, ...]) -> float:
        total = 0.0
        for rows, state, table in zip(self.rows, states, self.tables, strict=True):
            total += float(rows.floats.weight @ state.excess)
            if np.isinf(self.floor):
                total += float(rows.floats.weight @ np.where(np.isfinite(table.floor), table.floor, 0.0))
        return total / float(self.normaliser)

    def value(self, matrix: OrbitMatrix) -> float:
        """Return the objective at a matrix, feasible or not."""
        excess = self.excess(matrix)
        return excess if np.isinf(self.floor) else self.floor + excess

    def rule_cost(self, matrix: OrbitMatrix) -> float:
        """Return what the diagonal rules add to the objective (ridges)."""
        diagonal, g = matrix.diagonal(), self.slot_multiplicity
        return sum(rule.cost(diagonal[rule.slots], g[rule.slots]) for rule in self.rules)

    def gradient(self, matrix: OrbitMatrix) -> OrbitMatrix:
        """Return the symmetric gradient of the rows (diagonal rules not included).

        Entries are derivatives with respect to single entries of the full matrix, so that the directional
        derivative is `gradient.inner(direction)`.
        """
        return self._rows_gradient(self.states(matrix))

    def linearise(self, matrix: OrbitMatrix) -> tuple[float, OrbitMatrix]:
        """Return the excess of the rows, diagonal rules not included, and their gradient."""
        states = self.states(matrix)
        return self._rows_excess(states), self._rows_gradient(states)

    def _rows_gradient(self, states: tuple[RowState, ...]) -> OrbitMatrix:
        m, s = self.groups, self.roles
        own = np.zeros((m, s, s))
        peer = np.zeros((m * s, m * s))
        for rows, state in zip(self.rows, states, strict=True):
            r, q = rows.roles
            anchors = self.multiplicity[rows.anchor]
            slope = (
                state.slope * (rows.floats.weight / (anchors * float(self.normaliser) * self.tau))[:, None]
            )
            np.add.at(own[:, r, q], rows.anchor, slope[:, 0])
            np.add.at(peer[r::s, q::s], rows.anchor, slope[:, 1:])
        return OrbitMatrix(self.multiplicity, (own + own.transpose(0, 2, 1)) / 2, (peer + peer.T) / 2)

    def scale_of_gap(self, matrix: OrbitMatrix) -> float:
        """Return what a gap at this matrix is measured against: the excess, or max(1, |value|)."""
        return max(1.0, abs(self.value(matrix))) if np.isinf(self.floor) else self.excess(matrix)


def row_table(rows: Rows, multiplicity: Float[np.ndarray, " m"]) -> RowTable:
    """Lay out the rows of a program whose groups have these multiplicities."""
    numbers, count = rows.floats, len(rows.anchor)
    members = np.empty((count, len(multiplicity) + 1))
    members[:, 0], members[:, 1:] = 1.0, multiplicity
    members[np.arange(count), rows.anchor + 1] -= 1.0
    weights = np.column_stack([numbers.own_multiplicity, numbers.peer_multiplicity])
    target = np.zeros_like(weights)
    target[:, 0] = numbers.own_target
    if numbers.peer_target is not None:
        target[:, 1:] = numbers.peer_target
    used = (target > 0) & (members > 0)
    with np.errstate(divide="ignore"):
        log_weight = np.where(members > 0, np.log(weights), -np.inf)
    log_ratio = log_weight - np.log(np.where(used, target, 1.0))
    total = (members * target).sum(axis=1)
    floor = (members * np.where(used, target * np.where(used, log_ratio, 0.0), 0.0)).sum(axis=1)
    floor = np.where(np.abs(total - 1.0) <= 1e-9, floor, -np.inf)
    on_target = used & np.isfinite(floor)[:, None]
    return RowTable(members, target, np.where(on_target, log_ratio, log_weight), on_target, floor)


def row_state(table: RowTable, rows: Rows, matrix: OrbitMatrix, tau: float) -> RowState:
    """Evaluate rows without cancellation.

    With y = x/τ + log_ratio, shifted to Σ p y = 0, the excess of a row with a floor is
    log1p( Σ_{p=0} e^y + Σ_{p>0} p (e^y − 1 − y) ) and softmax − target is p (e^y − 1 − rest)/(1 + rest) on
    the target. A row without a floor is shifted by Σ p x/τ and has no "1 +".
    """
    s, (r, q) = matrix.roles, rows.roles
    entry = np.empty_like(table.members)
    entry[:, 0] = matrix.own[rows.anchor, r, q]
    entry[:, 1:] = matrix.peer[rows.anchor * s + r, q::s]
    entry /= tau
    has_floor = np.isfinite(table.floor)
    shift = (table.members * table.target * entry).sum(axis=1) + np.where(has_floor, table.floor, 0.0)
    y = entry + table.log_ratio - shift[:, None]
    top = np.maximum(0.0, y.max(axis=1))[:, None]
    unit = np.where(has_floor[:, None], np.exp(-top), 0.0)
    term = np.exp(y - top)
    on, p = table.on_target, table.target
    centred = np.where(top == 0.0, np.expm1(np.minimum(y, 0.0)), term - unit)
    beyond = np.where(on, p * centred, term)
    curved = beyond - np.where(on, p * unit * np.where(on, y, 0.0), 0.0)
    rest = (table.members * curved).sum(axis=1)[:, None]
    with np.errstate(divide="ignore"):
        excess = np.where(
            has_floor & (top[:, 0] == 0), np.log1p(rest[:, 0]), top[:, 0] + np.log(unit + rest)[:, 0]
        )
    slope = np.where(on, beyond - p * rest, beyond) / (unit + rest) - np.where(on, 0.0, p)
    return RowState(excess, slope)
