"""One convex program for every loss: convex rows over a positive semidefinite Gram matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from relax.errors import InputError
from relax.facts import brief
from relax.orbits import OrbitMatrix
from relax.rows import Rows, RowState, RowTable
from relax.rules import RidgeCost, Rule

CANCELLED = 1e-3  # a difference of excesses over an excess, below which digits are missed


class _Sums(NamedTuple):
    """Sums over the rows of each group that has some; `start` is None where each has one.

    A sparse matrix says the same, but to build one costs as much as evaluating a program of few groups.
    """

    groups: Int[np.ndarray, " q"]
    scale: Float[np.ndarray, "T 1"]
    order: Int[np.ndarray, " T"]
    start: Int[np.ndarray, " q"] | None

    @classmethod
    def of(cls, anchor: Int[np.ndarray, " T"], scale: Float[np.ndarray, "T 1"]) -> _Sums:
        """Return the sums over rows of these anchors, each times its scale."""
        order = np.argsort(anchor, kind="stable")
        if np.bincount(anchor).max(initial=0) <= 1:
            return cls(anchor, scale, order, None)
        groups, start = np.unique(anchor[order], return_index=True)
        return cls(groups, scale, order, start)

    def __call__(self, slope: Float[np.ndarray, "T m1"]) -> Float[np.ndarray, "q m1"]:
        """Return the sum for each of `groups`."""
        scaled = self.scale * slope
        return scaled if self.start is None else np.add.reduceat(scaled[self.order], self.start, axis=0)


@brief
@dataclass(frozen=True, eq=False)
class GramProgram:
    """Minimise a weighted sum of convex rows over an invariant Gram matrix M ⪰ 0.

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
            raise InputError("every slot must obey exactly one diagonal rule")
        if not self.rows:
            raise InputError("rows are empty, so that there is nothing to minimise; give a block of rows")

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
        return tuple(rows.table(self.multiplicity) for rows in self.rows)

    @cached_property
    def floor(self) -> float:
        """The infimum of the objective over unconstrained entries (−∞ where there is none).

        For the supervised-contrastive loss Σ_c n_c log(n_c − 1) / N₊.
        """
        blocks = zip(self.rows, self.tables, strict=True)
        return sum(float(rows.weights @ table.floor) for rows, table in blocks) / float(self.normaliser)

    def states(self, matrix: OrbitMatrix) -> tuple[RowState, ...]:
        """Evaluate every block of rows at a matrix, feasible or not."""
        pairs = zip(self.tables, self.gather(matrix), strict=True)
        return tuple(table.state(entry / self.tau) for table, entry in pairs)

    def gather(self, matrix: OrbitMatrix) -> list[Float[np.ndarray, "_ m1"]]:
        """Return for each block what its rows read: own entries in column 0, then peers."""
        found = []
        for rows in self.rows:
            s, (r, q) = matrix.roles, rows.roles
            entry = np.empty((len(rows.anchor), self.groups + 1))
            entry[:, 0] = matrix.own[rows.anchor, r, q]
            entry[:, 1:] = matrix.peer[rows.anchor * s + r, q::s]
            found.append(entry)
        return found

    def scatter(self, slopes: Sequence[Float[np.ndarray, "_ m1"]]) -> OrbitMatrix:
        """Return the symmetric matrix D with ⟨D, M⟩ = Σ_t w_t Σ_e slope_te x_te / (normaliser · τ).

        It is the transpose of `gather`, for derivatives by x/τ on single entries.
        """
        m, s = self.groups, self.roles
        own, peer = np.zeros((m, s, s)), np.zeros((m * s, m * s))
        for rows, onto, slope in zip(self.rows, self._onto_groups, slopes, strict=True):
            r, q = rows.roles
            summed = onto(slope)
            own[onto.groups, r, q] += summed[:, 0]
            peer[onto.groups * s + r, q::s] += summed[:, 1:]
        return OrbitMatrix(self.multiplicity, (own + own.transpose(0, 2, 1)) / 2, (peer + peer.T) / 2)

    @cached_property
    def _onto_groups(self) -> list[_Sums]:
        """The sums over the rows of each group, weighted by w_t/(g_a τ) and the normaliser."""
        found = []
        for rows in self.rows:
            scale = rows.weights / (self.multiplicity[rows.anchor] * float(self.normaliser) * self.tau)
            found.append(_Sums.of(rows.anchor, scale[:, None]))
        return found

    @property
    def read(self) -> list[Int[np.ndarray, "_ m1"]]:
        """Where what each block gathers stands in the vector of own entries (m·s·s), then peers (ms·ms)."""
        s, slots = self.roles, self.groups * self.roles
        found = []
        for rows in self.rows:
            r, q = rows.roles
            own = (rows.anchor * s + r) * s + q
            peers = slots * s + (rows.anchor * s + r)[:, None] * slots + np.arange(q, slots, s)
            found.append(np.column_stack([own, peers]))
        return found

    def excess(self, matrix: OrbitMatrix) -> float:
        """Return value − floor, by log1p and never by subtraction (the value itself where floor is −∞)."""
        return self.rows_excess(matrix) + self.rule_cost(matrix)

    def rows_excess(self, matrix: OrbitMatrix) -> float:
        """Return the excess of the rows alone, without what diagonal rules cost."""
        return self._rows_excess(self.states(matrix))

    def _rows_excess(self, states: tuple[RowState, ...]) -> float:
        total = 0.0
        for rows, state, table in zip(self.rows, states, self.tables, strict=True):
            total += float(rows.weights @ state.excess)
            if np.isinf(self.floor):
                total += float(rows.weights @ np.where(np.isfinite(table.floor), table.floor, 0.0))
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
        return self.scatter([state.slope for state in self.states(matrix)])

    def linearise(self, matrix: OrbitMatrix) -> tuple[float, OrbitMatrix]:
        """Return the excess of the rows, diagonal rules not included, and their gradient."""
        states = self.states(matrix)
        return self._rows_excess(states), self.scatter([state.slope for state in states])

    def curvature(self, states: Sequence[RowState], direction: OrbitMatrix) -> OrbitMatrix:
        """Return the derivative of `gradient` in a direction, where the rows stand at these states."""
        pairs = zip(states, self.gather(direction), strict=True)
        return self.scatter([state.along(entry) / self.tau for state, entry in pairs])

    def single_curvature(self, states: Sequence[RowState]) -> OrbitMatrix:
        """Return the second derivative of the rows in each entry alone, all members of an orbit moving."""
        return self.scatter([state.single() / self.tau for state in states])

    @cached_property
    def _at_zero(self) -> float:
        """The excess of the rows where all similarities are equal."""
        m, s = self.groups, self.roles
        return self.rows_excess(OrbitMatrix(self.multiplicity, np.zeros((m, s, s)), np.zeros((m * s, m * s))))

    def range(self, matrix: OrbitMatrix, excess: float | None = None) -> float:
        """Return how far the objective is below its value at M = 0, where all similarities are equal.

        At a temperature far above the entries it is a small part of the excess, and lost in its rounding;
        there the slope towards zero is taken, which by convexity is no more.
        """
        excess = self.excess(matrix) if excess is None else excess
        below = self._at_zero - excess
        if below > CANCELLED * excess:
            return below
        return max(below, -self.gradient(matrix).inner(matrix) - self.rule_cost(matrix))

    def scale_of_gap(self, matrix: OrbitMatrix, excess: float | None = None) -> float:
        """Return what a gap at this matrix is measured against: what geometry can change in the objective.

        That is min(excess, range), of what there is: without a floor there is no excess, and with a ridge no
        range, as M = 0 may be optimal. With neither, it is max(1, |value|). Excess decides at small
        temperatures, where almost all of an objective is its floor; range at large ones, where the excess is
        nearly the same whatever the geometry. A matrix worse than M = 0 has a scale below zero.
        `excess` is that of the matrix, where it is known.
        """
        excess = self.excess(matrix) if excess is None else excess
        ridge = any(isinstance(rule, RidgeCost) for rule in self.rules)
        known = [] if np.isinf(self.floor) else [excess]
        known += [] if ridge else [self.range(matrix, excess)]
        return min(known) if known else max(1.0, abs(excess))
