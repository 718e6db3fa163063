"""Programs for tests: those of real losses, and synthetic ones of every kind a program can be."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from relax.answer import Answer
from relax.bounds import feasible, lower_bound
from relax.orbits import OrbitMatrix
from relax.problem import Ball, Problem, Ridge, Sphere
from relax.program import GramProgram
from relax.rows import LogSumExp
from relax.rules import Bounded, Budget, Fixed, RidgeCost


def cross_entropy(counts: list[int], budget: float = 3.0) -> GramProgram:
    """A layer-peeled model: roles (classifier, feature), softmax rows, one budget for each role."""
    k = len(counts)
    slots = np.arange(2 * k)
    rows = LogSumExp(
        np.arange(k),
        np.array(counts, dtype=float),
        np.ones(k),
        np.ones(k),
        np.ones((k, k)),
        roles=(1, 0),
    )
    rules = tuple(Budget(slots[role::2], np.ones(k), budget * k) for role in (0, 1))
    return GramProgram(np.ones(k), Fraction(1), (rows,), Fraction(sum(counts)), rules, roles=2)


def negatives_only(k: int, g: float = 1.0) -> GramProgram:
    """A loss without a floor: the positive is not in the denominator."""
    rows = LogSumExp(np.arange(k), np.full(k, g), np.zeros(k), np.ones(k), np.full((k, k), 3.0))
    return GramProgram(np.full(k, g), Fraction(1, 2), (rows,), Fraction(k), (Fixed(np.arange(k)),))


def mixed_targets() -> GramProgram:
    """Two blocks of rows, several rows for an anchor, targets on peers, groups of several members."""
    first = LogSumExp(
        np.array([0, 0, 1, 2]),
        np.array([1.0, 2.0, 0.5, 1.0]),
        np.array([1.0, 2.0, 0.0, 1.0]),
        np.array([0.25, 1.0, 0.0, 0.5]),
        np.array([[1.0, 2.0, 1.0], [1.0, 1.0, 3.0], [2.0, 1.0, 1.0], [1.0, 1.0, 1.0]]),
        np.array([[0.25, 0.25, 0.0], [0.0, 0.0, 0.0], [0.25, 0.25, 0.0], [0.0, 0.25, 0.0]]),
    )
    second = LogSumExp(np.array([2]), np.ones(1), np.zeros(1), np.ones(1), np.array([[1.0, 1.0, 0.0]]))
    rules = (
        Fixed(np.array([0]), 1.0),
        Bounded(np.array([1]), 2.0),
        RidgeCost(np.array([2]), np.array([0.3])),
    )
    g = np.array([2.0, 3.0, 1.0])
    return GramProgram(g, Fraction(1, 3), (first, second), Fraction(2), rules)


def supcon(counts: object, level: str = "groups", **options: object) -> GramProgram:
    return Problem(counts, **options).program(level)  # type: ignore[arg-type]


def long_tail(k: int) -> list[int]:
    """Return k sizes from 500 down to 5."""
    return [int(500 * 100 ** (-c / (k - 1))) for c in range(k)]


def log_sum_exp(program: GramProgram) -> list[LogSumExp]:
    """Return the rows of a program that has no other kind."""
    blocks = [rows for rows in program.rows if isinstance(rows, LogSumExp)]
    assert len(blocks) == len(program.rows)
    return blocks


def gap(program: GramProgram, found: Answer) -> float:
    """Return the relative gap of a candidate by its own witness."""
    point = feasible(program, found.point)
    excess = program.excess(point)
    return (excess - lower_bound(program, found.witness, excess).excess) / program.scale_of_gap(point)


PROGRAMS = {
    "supcon-groups": supcon([7, 7, 3, 2, 2, 1, 1], temperature=0.3),
    "supcon-classes": supcon([7, 7, 3, 2], "classes", temperature=0.2, norm=Ball()),
    "supcon-samples": supcon([3, 2, 2, 1], "samples", temperature=0.4),
    "supcon-ridge": supcon([6, 2, 2], temperature=0.3, norm=Ridge(0.05)),
    "supcon-nonnegative": supcon([6, 2, 2], temperature=0.3, norm=Sphere(), nonnegative=True),
    "cross-entropy": cross_entropy([5, 5, 2]),
    "negatives-only": negatives_only(4),
    "negatives-only-groups": negatives_only(2, g=2.0),
    "mixed-targets": mixed_targets(),
}


def random_matrix(program: GramProgram, rng: np.random.Generator, obedient: bool) -> OrbitMatrix:
    """A random invariant matrix; with `obedient`, one in the cone that obeys the diagonal rules."""
    m, s, g = program.groups, program.roles, program.multiplicity
    vectors = rng.normal(size=(m * s, rng.integers(1, m * s + 2)))
    if program.nonnegative:
        vectors = np.abs(vectors)
    peer = vectors @ vectors.T
    apart = rng.normal(size=(m, s, s)) * rng.uniform(0, 1)
    blocks = peer.reshape(m, s, m, s)[np.arange(m), :, np.arange(m), :]
    within = apart @ apart.transpose(0, 2, 1)
    own = blocks + np.where((g > 1)[:, None, None], within, 0.0)
    matrix = OrbitMatrix(g, own, peer)
    if not obedient:
        return matrix
    diagonal, factor = matrix.diagonal(), np.empty(m * s)
    for rule in program.rules:
        factor[rule.slots] = rule.scale(diagonal[rule.slots], program.slot_multiplicity[rule.slots])
    return matrix.scaled(factor)
