"""Any conic solver that CVXPY knows: SCS, Clarabel, MOSEK and others.

What the solver calls optimal is not used. Its matrix becomes a candidate like any other, and the bounds of
`relax.bounds` say what it is worth.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from relax.answer import Answer, Status
from relax.apart import Ended, OutOfTime, can_fork, working
from relax.bounds import feasible, witness_at
from relax.errors import InputError, SolverError
from relax.model import Model, model
from relax.orbits import OrbitMatrix
from relax.program import GramProgram
from relax.rows import RandomLogSumExp
from relax.solvers.worth import nothing_yet

_STATUS = {
    "optimal": Status.CONVERGED,
    "optimal_inaccurate": Status.STALLED,
    "user_limit": Status.ITERATION_LIMIT,
}
PRECISE: dict[str, dict[str, Any]] = {
    "SCS": {"eps_abs": 1e-9, "eps_rel": 1e-9, "max_iters": 50_000},
    "CLARABEL": {"tol_gap_abs": 1e-12, "tol_gap_rel": 1e-12, "tol_feas": 1e-12},
}
_TIME_LIMIT = {"SCS": "time_limit_secs", "CLARABEL": "time_limit"}
LEAST_TIME = 0.1  # seconds that a solver is given, so that it has an iterate to return
GRACE = 0.4  # seconds after the deadline in which an iterate may still come
LARGEST = 400  # slots; a dense PSD variable beyond is out of reach of these solvers


def names() -> list[str]:
    """Return the conic solvers with exponential and PSD cones that CVXPY finds here, in lower case."""
    import cvxpy as cp

    return [name.lower() for name in ("CLARABEL", "SCS", "MOSEK") if name in cp.installed_solvers()]


def supports(program: GramProgram) -> str | None:
    """Return None for programs that CVXPY can write, of a size that conic solvers reach, else the reason."""
    if any(isinstance(rows, RandomLogSumExp) for rows in program.rows):
        return "rows over random draws are no finite sum that CVXPY could write"
    slots = program.groups * program.roles
    return None if slots <= LARGEST else f"{slots} slots are too many for a conic solver; it takes {LARGEST}"


def matrix_of(program: GramProgram, solved: Model) -> OrbitMatrix:
    """Return the matrix that a solved model holds."""
    s = program.roles
    own = np.asarray(solved.own.value).reshape(s, program.groups, s).transpose(1, 0, 2)
    return OrbitMatrix(program.multiplicity, own, np.asarray(solved.peer.value))


def check_installed(name: str) -> None:
    """Refuse a solver that CVXPY does not find here; it is imported for that.

    Raises
    ------
    InputError
        If it does not.
    """
    if name not in names():
        raise InputError(f"solver {name!r} is not installed; CVXPY finds here: {', '.join(names())}")


def solve(
    program: GramProgram, tolerance: float, deadline: float, name: str = "clarabel", **options: Any
) -> Answer:
    """Solve by a conic solver; `options` go to it and replace the precise settings used otherwise.

    CVXPY does not look at a clock, nor the solvers at signals, so they run in a process that can be ended.

    Raises
    ------
    InputError
        If CVXPY does not find the solver here.
    SolverError
        If the solver returned no matrix at all.
    """
    check_installed(name)
    if not can_fork():
        (solved,) = _solved(program, deadline, name, options)
        return solved
    try:
        with working(_solved, program, deadline, name, options) as worker:
            return replace(worker.receive(deadline + GRACE), program=program)
    except OutOfTime:
        return replace(nothing_yet(program), status=Status.TIME_LIMIT)
    except Ended as ended:
        raise SolverError(f"{name} ended without an answer; the program may be too large for it") from ended


def _solved(program: GramProgram, deadline: float, name: str, options: dict[str, Any]) -> Iterator[Answer]:
    """Yield what the solver makes of a program, in whichever process."""
    import cvxpy as cp

    key, conic = name.upper(), model(program)
    settings = options or dict(PRECISE.get(key, {}))
    if np.isfinite(deadline) and key in _TIME_LIMIT:
        settings[_TIME_LIMIT[key]] = max(LEAST_TIME, deadline - time.monotonic())
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
    yield Answer(program, matrix, witness_at(program, feasible(program, matrix)), status, iterations)
