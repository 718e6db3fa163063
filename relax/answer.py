"""What every solver returns, and what it is worth: every number is recomputed from a point and a witness."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np

from relax.bounds import Cluster, LowerBound, Witness, lower_bound
from relax.errors import InputError, expect
from relax.facts import brief
from relax.orbits import OrbitMatrix
from relax.program import GramProgram


class Status(Enum):
    """Why a solver stopped; whether the answer is good is for the bounds to say.

    What `solve_program` returns has converged if and only if the gap is within the wanted one.
    """

    CONVERGED = "the solver's own criterion was met"
    STALLED = "no further progress in float64; another solver or a larger temperature may do better"
    ITERATION_LIMIT = "the iteration limit was reached; the best proven bound so far is returned"
    INTERRUPTED = "it was interrupted; the best proven bound so far is returned"
    TIME_LIMIT = "the time limit was reached; the best proven bound so far is returned (raise time_limit)"


@brief
@dataclass(frozen=True, eq=False)
class Answer:
    """A matrix and a witness for a program; nothing that a solver says of them is used.

    Attributes
    ----------
    program : GramProgram
        What was to be minimised.
    point : OrbitMatrix
        A matrix; feasible in what `solve_program` returns.
    witness : Witness
        What the lower bound is computed from.
    status : Status
        Why the solver stopped.
    iterations : int
        Newton steps or solver iterations.
    solver : str
        The solver's name.
    seconds : float
        Wall-clock time.
    """

    program: GramProgram
    point: OrbitMatrix
    witness: Witness
    status: Status
    iterations: int
    solver: str = "by hand"
    seconds: float = 0.0

    def __post_init__(self) -> None:
        parts = ("program", GramProgram), ("point", OrbitMatrix), ("witness", Witness), ("status", Status)
        for name, kind in parts:
            expect(getattr(self, name), kind, name, f"an Answer has a {kind.__name__} there")
        _check_matrix(self.program, self.point, "point")
        _check_matrix(self.program, self.witness.base, "base of the witness")
        _check_witness(self.program, self.witness)

    def in_brief(self) -> str:
        """Return what was solved, and how."""
        size = f"{self.program.groups} groups of {int(self.program.multiplicity.sum())} nodes"
        return f"{size}, {self.status.name.lower()} by {self.solver}, {self.iterations} iterations"

    @cached_property
    def excess(self) -> float:
        """The objective at the point above its infimum over unconstrained entries (`GramProgram.excess`)."""
        return self.rows_excess + self.program.rule_cost(self.point)

    @cached_property
    def rows_excess(self) -> float:
        """The excess of the rows at the point, without what diagonal rules cost."""
        return self.program.rows_excess(self.point)

    @cached_property
    def value(self) -> float:
        """The objective at the point, an upper bound on the optimum."""
        return self.excess if np.isinf(self.program.floor) else self.program.floor + self.excess

    @cached_property
    def bound(self) -> LowerBound:
        """The lower bound of the witness, as an excess, with its multipliers."""
        return lower_bound(self.program, self.witness, self.excess)

    def lower_bound(self) -> float:
        """Return the lower bound on the objective at every feasible matrix, in float64."""
        floor = self.program.floor
        return self.bound.excess + (0.0 if np.isinf(floor) else floor)

    @cached_property
    def scale(self) -> float:
        """What the gap is measured against, min(excess, range) (`GramProgram.scale_of_gap`)."""
        return self.program.scale_of_gap(self.point, self.excess)

    def gap(self) -> float:
        """Return upper minus lower bound, computed between excesses; rounding below zero counts as zero."""
        return max(0.0, self.bound.gap(self.rows_excess, self.program.rule_cost(self.point)))

    def relative_gap(self) -> float:
        """Return the gap over its scale; infinite where the scale is not positive, or underflows."""
        return self.gap() / self.scale if self.scale > 0 else np.inf

    def primal_residual(self) -> float:
        """Return how far the point is from feasible: its most negative eigenvalue or broken rule."""
        several = self.point.multiplicity > 1
        least = [np.linalg.eigvalsh(self.point.quotient()).min()]
        least += [np.linalg.eigvalsh(self.point.within()[several]).min()] if several.any() else []
        diagonal, g = self.point.diagonal(), self.program.slot_multiplicity
        factors = [rule.scale(diagonal[rule.slots], g[rule.slots]) ** 2 - 1.0 for rule in self.program.rules]
        return max(0.0, -float(min(least)), max(float(np.abs(f).max()) for f in factors))

    def dual_residual(self) -> float:
        """Return the most negative eigenvalue of D + diag(ν), as a positive number, ν being the bound's."""
        gradient = self.program.gradient(self.witness.base)
        s = self.program.roles
        multiplier = self.bound.multiplier.reshape(-1, s)[:, :, None] * np.eye(s)
        slack = OrbitMatrix(gradient.multiplicity, gradient.own + multiplier, gradient.peer)
        several = slack.multiplicity > 1
        least = [np.linalg.eigvalsh(slack.quotient()).min()]
        least += [np.linalg.eigvalsh(slack.within()[several]).min()] if several.any() else []
        return max(0.0, -float(min(least)))


def _check_matrix(program: GramProgram, matrix: OrbitMatrix, what: str) -> None:
    """Raise unless a matrix is one of the program's nodes."""
    m, s = program.groups, program.roles
    shapes = _shape(matrix.own) == (m, s, s) and _shape(matrix.peer) == (m * s, m * s)
    if not (shapes and np.array_equal(matrix.multiplicity, program.multiplicity)):
        raise InputError(
            f"the {what} is a matrix of other nodes than those of the program; solve that program"
        )


def _check_witness(program: GramProgram, witness: Witness) -> None:
    """Raise unless the parts of a witness are arrays of the program's nodes."""
    m, s = program.groups, program.roles
    factor, within = _shape(witness.factor), _shape(witness.within)
    fits = len(factor) == 2 and factor[0] == m * s and len(within) == 3 and within[:2] == (m, s)
    if not (fits and all(_is_of(cluster, m) for cluster in witness.clusters)):
        raise InputError("the witness is one of other nodes than those of the program; solve that program")


def _is_of(cluster: Cluster, groups: int) -> bool:
    at, shape = cluster.groups, _shape(cluster.groups)
    listed = len(shape) == 1 and shape[0] > 0 and _shape(cluster.weight) == shape and at.dtype.kind in "iu"
    return listed and bool(np.all((at >= 0) & (at < groups)))


def _shape(array: object) -> tuple[int, ...]:
    return array.shape if isinstance(array, np.ndarray) else ()
