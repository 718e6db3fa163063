"""Any conic solver that CVXPY knows: SCS, Clarabel, MOSEK and others.

What the solver calls optimal is not used. Its matrix becomes a candidate like any other, and the bounds of
`relax.bounds` say what it is worth.
"""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from relax.bounds import feasible, witness_at
from relax.errors import InputError, SolverError
from relax.orbits import OrbitMatrix
from relax.program import GramProgram, Rows, RowTable
from relax.rules import Fixed, RidgeCost
from relax.solution import Status
from relax.solvers.candidate import Candidate

if TYPE_CHECKING:
    import cvxpy as cp

_STATUS = {
    "optimal": Status.CONVERGED,
    "optimal_inaccurate": Status.STALLED,
    "user_limit": Status.ITERATION_LIMIT,
}
_PRECISE: dict[str, dict[str, Any]] = {
    "SCS": {"eps_abs": 1e-9, "eps_rel": 1e-9, "max_iters": 50_000},
    "CLARABEL": {"tol_gap_abs": 1e-12, "tol_gap_rel": 1e-12, "tol_feas": 1e-12},
}
_TIME_LIMIT = {"SCS": "time_limit_secs", "CLARABEL": "time_limit", "MOSEK": "mosek_params"}
LARGEST = 400  # slots; a dense PSD variable beyond is out of reach of these solvers


class Model(NamedTuple):
    """A CVXPY problem and its variables: own and peer entries as in `OrbitMatrix`."""

    problem: cp.Problem
    own: list[Any]
    peer: Any


def names() -> list[str]:
    """Return the conic solvers with exponential and PSD cones that CVXPY finds here, in lower case."""
    import cvxpy as cp

    return [name.lower() for name in ("CLARABEL", "SCS", "MOSEK") if name in cp.installed_solvers()]


def supports(program: GramProgram) -> str | None:
    """Return None for programs of a size that conic solvers reach, else the reason why not."""
    slots = program.groups * program.roles
    return None if slots <= LARGEST else f"{slots} slots are too many for a conic solver; it takes {LARGEST}"


def expression(program: GramProgram, own: list[Any], peer: Any) -> Any:
    """Return the objective as a CVXPY expression of own blocks and peer entries, floor left out.

    Rows with equally many entries make one log_sum_exp over a matrix.
    """
    import cvxpy as cp

    total: Any = 0
    for rows, table in zip(program.rows, program.tables, strict=True):
        floor = np.where(np.isfinite(table.floor), table.floor, 0.0)
        used = (table.members > 0) & np.isfinite(table.log_ratio)
        weights = rows.floats.weight / float(program.normaliser)
        width = used.sum(axis=1)
        for count in np.unique(width):
            picked = np.flatnonzero(width == count)
            columns = np.array([np.flatnonzero(used[t]) for t in picked])
            entry = _entries(program, rows, picked, own, peer)
            log_weight = _log_weights(table)[picked[:, None], columns]
            slots = np.repeat(np.arange(len(picked)), count), columns.ravel()
            gathered = cp.reshape(entry[slots], columns.shape, order="C") / program.tau
            target = (table.members * table.target)[picked]
            linear = cp.sum(cp.multiply(target, entry), axis=1) / program.tau
            brackets = cp.log_sum_exp(gathered + log_weight, axis=1) - linear - floor[picked]
            total = total + weights[picked] @ brackets
    return total


def _log_weights(table: RowTable) -> np.ndarray:
    """Return log of the total multiplicity behind each column; −∞ where nothing is read."""
    with np.errstate(divide="ignore"):
        members = np.log(table.members)
    return table.log_ratio + np.log(np.where(table.on_target, table.target, 1.0)) + members


def _entries(program: GramProgram, rows: Rows, picked: np.ndarray, own: list[Any], peer: Any) -> Any:
    """Return the entries that rows read, one line a row: the anchor's own first, then its peers."""
    import cvxpy as cp

    s, (r, q) = program.roles, rows.roles
    first = cp.vstack([own[a][r, q] for a in rows.anchor[picked]])
    return cp.hstack([first, peer[rows.anchor[picked] * s + r, :][:, q::s]])


def model(program: GramProgram) -> Model:
    """Return the whole program as a CVXPY problem; its value is the excess (value where no floor is)."""
    import cvxpy as cp

    m, s, g = program.groups, program.roles, program.multiplicity
    quotient = cp.Variable((m * s, m * s), PSD=True)
    within = {int(a): cp.Variable((s, s), PSD=True) for a in np.flatnonzero(g > 1)}
    root = np.repeat(1 / np.sqrt(g), s)
    apart: Any = np.zeros((m * s, m * s))
    for a, block in within.items():
        place = np.zeros((m * s, s))
        place[a * s : a * s + s] = np.eye(s)
        apart = apart + place @ block @ place.T
    peer = cp.multiply(np.outer(root, root), quotient - apart)
    own = [peer[a * s : a * s + s, a * s : a * s + s] + within.get(a, np.zeros((s, s))) for a in range(m)]
    diagonal = cp.hstack([own[a][r, r] for a in range(m) for r in range(s)])
    objective, constraints = expression(program, own, peer), []
    for rule in program.rules:
        weight = program.slot_multiplicity[rule.slots]
        if isinstance(rule, Fixed):
            constraints.append(diagonal[rule.slots] == rule.value)
        elif isinstance(rule, RidgeCost):
            objective = objective + (weight * rule.weights) @ diagonal[rule.slots]
        else:
            matrix, bound = rule.inequalities(weight)
            constraints.append(matrix @ diagonal[rule.slots] <= bound)
    if program.nonnegative:
        read = np.flatnonzero(g > 1)
        off = 1.0 - np.eye(m * s)
        constraints.append(cp.multiply(off, peer) >= 0)
        constraints += [peer[a * s : a * s + s, a * s : a * s + s] >= 0 for a in read]
    return Model(cp.Problem(cp.Minimize(objective), constraints), own, peer)


def matrix_of(program: GramProgram, solved: Model) -> OrbitMatrix:
    """Return the matrix that a solved model holds."""
    own = np.array([np.asarray(block.value) for block in solved.own])
    return OrbitMatrix(program.multiplicity, own, np.asarray(solved.peer.value))


def solve(
    program: GramProgram, tolerance: float, deadline: float, name: str = "clarabel", **options: Any
) -> Candidate:
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
    settings = options or dict(_PRECISE.get(key, {}))
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
    return Candidate(matrix, witness_at(program, feasible(program, matrix)), status, iterations)
