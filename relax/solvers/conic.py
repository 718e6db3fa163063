"""Any conic solver that CVXPY knows: SCS, Clarabel, MOSEK and others.

What the solver calls optimal is not used. Its matrix becomes a candidate like any other, and the bounds of
`relax.bounds` say what it is worth.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from relax.answer import Answer, Status
from relax.bounds import feasible, witness_at
from relax.errors import InputError, SolverError
from relax.orbits import OrbitMatrix
from relax.program import GramProgram
from relax.rules import Fixed, RidgeCost

if TYPE_CHECKING:
    import cvxpy as cp

_STATUS = {
    "optimal": Status.CONVERGED,
    "optimal_inaccurate": Status.STALLED,
    "user_limit": Status.ITERATION_LIMIT,
}
PRECISE: dict[str, dict[str, Any]] = {
    "SCS": {"eps_abs": 1e-9, "eps_rel": 1e-9, "max_iters": 50_000},
    "CLARABEL": {"tol_gap_abs": 1e-12, "tol_gap_rel": 1e-12, "tol_feas": 1e-12},
}
_TIME_LIMIT = {"SCS": "time_limit_secs", "CLARABEL": "time_limit", "MOSEK": "mosek_params"}
LARGEST = 400  # slots; a dense PSD variable beyond is out of reach of these solvers


class Model(NamedTuple):
    """A CVXPY problem and what to read from it: own blocks side by side, s × m·s, and `OrbitMatrix.peer`."""

    problem: cp.Problem
    own: Any
    peer: Any


def names() -> list[str]:
    """Return the conic solvers with exponential and PSD cones that CVXPY finds here, in lower case."""
    import cvxpy as cp

    return [name.lower() for name in ("CLARABEL", "SCS", "MOSEK") if name in cp.installed_solvers()]


def supports(program: GramProgram) -> str | None:
    """Return None for programs of a size that conic solvers reach, else the reason why not."""
    slots = program.groups * program.roles
    return None if slots <= LARGEST else f"{slots} slots are too many for a conic solver; it takes {LARGEST}"


def expression(program: GramProgram, own: Sequence[Any], peer: Any) -> Any:
    """Return the objective as a CVXPY expression, floor left out; `own` are blocks to stand side by side.

    What rows read is gathered from one vector of all entries.
    """
    import cvxpy as cp

    # own blocks stand side by side, s × m·s; `GramProgram.read` has them one after the other
    s = program.roles
    beside = np.arange(program.groups * s * s).reshape(s, program.groups, s).transpose(1, 0, 2).ravel()
    entries = cp.hstack([cp.vec(cp.hstack(own), order="C")[beside], cp.vec(peer, order="C")])
    total = 0.0
    for rows, table, read in zip(program.rows, program.tables, program.read, strict=True):
        entry = cp.reshape(entries[read.ravel()] / program.tau, read.shape, order="C")
        total = total + table.expression(entry, rows.weights / float(program.normaliser))
    return total


def model(program: GramProgram) -> Model:
    """Return the whole program as a CVXPY problem; its value is the excess (value where no floor is).

    The variables are `OrbitMatrix.quotient` and the blocks of `OrbitMatrix.within` that mean something, and
    entries are linear maps of both, whatever the number of roles.
    """
    import cvxpy as cp

    m, s, g = program.groups, program.roles, program.multiplicity
    slots, root = m * s, np.repeat(1 / np.sqrt(g), s)
    quotient = cp.Variable((slots, slots), PSD=True)
    within = _within(program)
    stack, blocks = np.tile(np.eye(s), m), np.kron(np.eye(m), np.ones((s, s)))
    peer = cp.multiply(np.outer(root, root), quotient - cp.multiply(blocks, stack.T @ within))
    own = stack @ cp.multiply(blocks, peer) + within
    objective, constraints = expression(program, [own], peer), []
    diagonal = cp.vec(own, order="C")[np.arange(slots) % s * slots + np.arange(slots)]
    for rule in program.rules:
        weight = program.slot_multiplicity[rule.slots]
        if isinstance(rule, Fixed):
            constraints.append(diagonal[rule.slots] == rule.square)
        elif isinstance(rule, RidgeCost):
            objective = objective + (weight * rule.weights) @ diagonal[rule.slots]
        else:
            matrix, bound = rule.inequalities(weight)
            constraints.append(matrix @ diagonal[rule.slots] <= bound)
    if program.nonnegative:
        meant = np.triu(np.kron(np.outer(g, g) > np.diag(g), np.ones((s, s))))
        constraints += [own >= 0, cp.vec(peer, order="C")[np.flatnonzero(meant)] >= 0]
    return Model(cp.Problem(cp.Minimize(objective), constraints), own, peer)


def _within(program: GramProgram) -> Any:
    """Return A_a side by side, s × m·s: a variable where a group has several members, else zero."""
    import cvxpy as cp

    s, several = program.roles, np.flatnonzero(program.multiplicity > 1)
    if not len(several):
        return cp.Constant(np.zeros((s, program.groups * s)))
    place = np.kron(np.eye(program.groups)[several], np.eye(s))
    return cp.hstack([cp.Variable((s, s), PSD=True) for _ in several]) @ place


def matrix_of(program: GramProgram, solved: Model) -> OrbitMatrix:
    """Return the matrix that a solved model holds."""
    s = program.roles
    own = np.asarray(solved.own.value).reshape(s, program.groups, s).transpose(1, 0, 2)
    return OrbitMatrix(program.multiplicity, own, np.asarray(solved.peer.value))


def solve(
    program: GramProgram, tolerance: float, deadline: float, name: str = "clarabel", **options: Any
) -> Answer:
    """Solve by a conic solver; `options` go to it and replace the precise settings used otherwise.

    Raises
    ------
    InputError
        If CVXPY does not find the solver here.
    SolverError
        If the solver returned no matrix at all.
    """
    import cvxpy as cp

    if name not in names():
        raise InputError(f"solver {name!r} is not installed; CVXPY finds here: {', '.join(names())}")
    key, conic = name.upper(), model(program)
    settings = options or dict(PRECISE.get(key, {}))
    if np.isfinite(deadline) and key in _TIME_LIMIT and key != "MOSEK":
        settings[_TIME_LIMIT[key]] = max(0.1, deadline - time.monotonic())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # inaccurate solutions are judged by their bounds
            conic.problem.solve(solver=key, **settings)
    except cp.SolverError as error:
        raise SolverError(f"{name} failed on this program ({error}); try another solver") from error
    if conic.peer.value is None:
        raise SolverError(f"{name} returned no matrix (it says {conic.problem.status}); try another solver")
    matrix = matrix_of(program, conic)
    status = _STATUS.get(conic.problem.status, Status.STALLED)
    iterations = int(conic.problem.solver_stats.num_iters or 0)
    return Answer(program, matrix, witness_at(program, feasible(program, matrix)), status, iterations)
