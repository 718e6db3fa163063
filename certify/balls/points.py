"""Explicit feasible points, as dyadic vectors that are scaled to the diagonal rules."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from flint import arb
from jaxtyping import Float64, Shaped

from certify.balls.enclosures import BallMatrix, Balls, ball, balls, exact_gram, largest, rational, sqrt
from relax.errors import InputError
from relax.facts import brief
from relax.orbits import OrbitMatrix
from relax.program import GramProgram
from relax.rules import Bounded, Budget, Fixed

EPSILON = float(np.finfo(float).eps)


@brief
@dataclass(frozen=True, eq=False)
class FactoredPoint:
    """A feasible point: member i of group a is (v_a, y_a (e_i − 1/g_a)), scaled to the diagonal rules.

    Attributes
    ----------
    vectors : array, shape (m, r)
        v_a, exactly these dyadic numbers.
    within : array, shape (m,)
        y_a ≥ 0, what tells members of one group apart, each in a coordinate of its own; 0 where g_a = 1.
    """

    vectors: Float64[np.ndarray, "m r"]
    within: Float64[np.ndarray, " m"]

    @cached_property
    def gram(self) -> Shaped[Balls, "m m"]:
        """⟨v_a, v_b⟩, exactly."""
        return exact_gram(self.vectors)

    def rank(self, multiplicity: Float64[np.ndarray, " m"]) -> int:
        """Return the dimension the point lives in: the length of v plus Σ (g_a − 1) where y_a ≠ 0."""
        return self.vectors.shape[1] + sum(int(g) - 1 for g in multiplicity[self.within != 0.0].tolist())

    def is_nonnegative(self, multiplicity: Float64[np.ndarray, " m"]) -> bool:
        """Return whether all entries between different members are ≥ 0, in exact arithmetic."""
        apart = ~np.eye(len(multiplicity), dtype=bool)
        several = np.flatnonzero(multiplicity > 1)
        return bool(np.all(self.gram[apart] >= arb(0))) and all(
            rational(multiplicity[a].item()) * self.gram[a, a].fmpq() >= rational(self.within[a].item()) ** 2
            for a in several
        )


def scaled(program: GramProgram, point: FactoredPoint) -> BallMatrix:
    """Return the matrix of a factored point after scaling, at the present precision.

    Raises
    ------
    InputError
        If M ≥ 0 is asked for and does not hold, or a vector that is to have a given norm is zero.
    """
    if program.nonnegative and not point.is_nonnegative(program.multiplicity):
        raise InputError("the point has a negative entry where none is allowed, so it bounds nothing")
    g, y = balls(program.multiplicity), balls(point.within)
    apart = y * y / g
    squared = point.gram.diagonal() + y * y - apart
    factor = np.empty_like(squared)
    own = np.empty_like(squared)
    for rule in program.rules:
        at = rule.slots
        if isinstance(rule, Fixed):
            if not all(norm > 0 for norm in squared[at]):
                raise InputError("a vector of the point is zero and cannot be scaled to a given norm")
            factor[at] = ball(rule.value) / squared[at]
            own[at] = ball(rule.value)
            continue
        if isinstance(rule, Bounded):
            factor[at] = ball(rule.value) / largest(squared[at], ball(rule.value))
        elif isinstance(rule, Budget):
            spent = (g[at] * balls(rule.weight) * squared[at]).sum()
            factor[at] = ball(rule.total) / arb.max(spent, ball(rule.total))
        else:
            factor[at] = arb(1)
        own[at] = factor[at] * squared[at]
    t = sqrt(factor)
    peer = t[:, None] * point.gram * t
    diagonal = np.arange(len(g))
    peer[diagonal, diagonal] = factor * (point.gram.diagonal() - apart)
    return BallMatrix(own, peer)


def conversion(program: GramProgram, matrix: BallMatrix, peer: Float64[np.ndarray, "m m"]) -> arb:
    """Return how far float64 entries between different members are from those of a matrix, at most."""
    pairs = program.multiplicity - np.eye(len(peer)) > 0
    return max([away.upper() for away in abs(matrix.peer - peer)[pairs]], default=arb(0))


def factored(program: GramProgram, matrix: OrbitMatrix) -> FactoredPoint:
    """Return a factored point near a matrix with one role, feasible for the program.

    From the quotient [√(g_a g_b) B_ab + δ_ab A_a] = U Λ Uᵀ as v_a = √Λ U_a / √g_a, y_a = √A_a, both clipped.
    With M ≥ 0 entrywise, the least common entry that makes it so is added to all.

    Raises
    ------
    InputError
        If nodes of the program have several roles.
    """
    if program.roles != 1:
        raise InputError(f"nodes have {program.roles} roles; a factored point is for programs with one")
    if not (np.isfinite(matrix.own).all() and np.isfinite(matrix.peer).all()):
        raise InputError("the point holds NaN or infinity; give a matrix of finite numbers")
    g = matrix.multiplicity
    values, vectors = np.linalg.eigh(matrix.quotient())
    cancelled = np.abs(matrix.diagonal()) + (g - 1) * np.abs(matrix.peer.diagonal())  # in the quotient
    kept = values > 8 * len(g) * EPSILON * max(values[-1], cancelled.max())
    v = vectors[:, kept] * np.sqrt(values[kept]) / np.sqrt(g)[:, None]
    within = np.sqrt(np.maximum(matrix.within()[:, 0, 0], 0.0))
    point = FactoredPoint(v, np.where(g > 1, within, 0.0))
    return _lifted(point, g) if program.nonnegative else point


def _lifted(point: FactoredPoint, multiplicity: Float64[np.ndarray, " m"]) -> FactoredPoint:
    """Return the point with the least common entry added that makes all entries ≥ 0 (to within rounding)."""
    entries = point.gram.astype(float)
    apart = point.within**2 / multiplicity
    smallest = EPSILON**2 * max(np.abs(entries).max(), apart.max())  # above 0, or all entries are 0
    np.fill_diagonal(entries, np.where(multiplicity > 1, entries.diagonal() - apart, 0.0))
    lift = max(-entries.min(), smallest)
    raised = point
    while not raised.is_nonnegative(multiplicity):
        column = np.full(len(entries), np.sqrt(lift))
        raised = FactoredPoint(np.column_stack([point.vectors, column]), point.within)
        lift *= 2
    return raised
