"""What an iterate proves, so that a solver can stop on that and keep the best."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from relax.answer import Answer, Status
from relax.bounds import Witness, feasible, lower_bound, witness_at
from relax.orbits import OrbitMatrix
from relax.program import GramProgram

LEAST_EXCESS = 1e-280  # below, a gap beside it means nothing in float64


class Worth(NamedTuple):
    """A feasible matrix, a witness, the gap they prove, and this beside what gaps are measured against."""

    gap: float
    relative_gap: float
    point: OrbitMatrix
    witness: Witness


def worth(program: GramProgram, matrix: OrbitMatrix, witness: Witness | None = None) -> Worth:
    """Return what a matrix proves, with a witness or with the one that stationarity suggests.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a number is not finite.
    """
    point = feasible(program, matrix)
    witness = witness_at(program, point) if witness is None else witness
    rows, cost = program.rows_excess(point), program.rule_cost(point)
    gap = lower_bound(program, witness, rows + cost).gap(rows, cost)
    scale = program.scale_of_gap(point, rows + cost)
    return Worth(gap, gap / scale if scale > LEAST_EXCESS else np.inf, point, witness)


def nothing_yet(program: GramProgram) -> Answer:
    """Return a diagonal matrix with a bound that is poor but proven, at the cost of one evaluation."""
    m, s = program.groups, program.roles
    own = np.zeros((m, s, s))
    for rule in program.rules:
        level = rule.interior(program.slot_multiplicity[rule.slots])
        own[rule.slots // s, rule.slots % s, rule.slots % s] = level
    matrix = OrbitMatrix(program.multiplicity, own, np.zeros((m * s, m * s)))
    no_slack = Witness(matrix, np.zeros((m * s, 0)), np.zeros((m, s, 0)))
    return Answer(program, matrix, no_slack, Status.INTERRUPTED, 0)
