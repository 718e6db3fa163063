"""Solvers of one signature, and `solve`, which picks among them.

A solver is two functions: `supports(program)` returns None or the reason why not; `solve(program, tolerance,
deadline)` returns an `Answer`. What an answer is worth is decided by bounds alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from relax.answer import Answer, Status
from relax.bounds import feasible, on_fixed_diagonal, witness_at
from relax.errors import InputError, SolverError, between, expect
from relax.problem import Level, Problem
from relax.program import GramProgram
from relax.solution import Solution
from relax.solvers import barrier, conic, dual_vector, low_rank, orthogonal_frame
from relax.solvers.worth import nothing_yet

TOLERANCE = 1e-9  # of the gap over its scale
CONIC = ("clarabel", "scs", "mosek")


@dataclass(frozen=True)
class Solver:
    """A named pair of `supports` and `solve`, which takes a `start` where `warm` says so."""

    name: str
    supports: Callable[[GramProgram], str | None]
    solve: Callable[..., Answer]
    warm: bool = False


_SOLVERS = {
    solver.name: solver
    for solver in [
        Solver("dual_vector", dual_vector.supports, dual_vector.solve, warm=True),
        Solver("orthogonal_frame", orthogonal_frame.supports, orthogonal_frame.solve),
        Solver("low_rank", low_rank.supports, low_rank.solve, warm=True),
        Solver("barrier", barrier.supports, barrier.solve),
        *(Solver(name, conic.supports, partial(conic.solve, name=name)) for name in CONIC),
    ]
}
# each steps in where those before do not fit or fail
AUTO = ("dual_vector", "orthogonal_frame", "low_rank", "barrier", "clarabel")


def names() -> list[str]:
    """Return the names `solve` takes, "auto" first."""
    return ["auto", *_SOLVERS]


def solve(
    problem: Problem,
    solver: str = "auto",
    level: Level = "groups",
    tolerance: float = TOLERANCE,
    time_limit: float | None = None,
    start: Solution | None = None,
) -> Solution:
    """Return the optimum of a problem.

    Parameters
    ----------
    problem : Problem
        What is to be minimised.
    solver : str
        One of `names()`; see `solve_program`.
    level : "groups", "classes" or "samples"
        Which nodes the program has (`Problem.reduction`). All levels have one optimal value; groups of equal
        classes are by far the fastest, samples are the reference.
    tolerance, time_limit : float
        See `solve_program`.
    start : Solution, optional
        Of a problem that differs little, at the same level: solvers that can begin there, and begin anew
        where that leads nowhere. It costs time or saves it; what is optimal is decided by bounds alone.

    Raises
    ------
    InputError
        If the solver is unknown or does not support the program, or the problem has no such level.
    SolverError
        If it failed altogether.
    """
    expect(problem, Problem, "problem", "give a Problem: solve(Problem([12, 6, 3]))")
    deadline = _deadline(solver, tolerance, time_limit)
    reduction = problem.reduction(level)
    if start is not None:
        expect(start, Solution, "start", "give what solve returned for a problem nearby")
    near = None if start is None else start.answer
    answer = _solved(problem.assembled(reduction), solver, tolerance, deadline, near)
    return Solution(problem, reduction, level, answer)


def solve_program(
    program: GramProgram, solver: str = "auto", tolerance: float = TOLERANCE, time_limit: float | None = None
) -> Answer:
    """Return a feasible point of a program and a witness for a lower bound.

    Parameters
    ----------
    program : GramProgram
        Any; those of losses and those written by hand.
    solver : str
        One of `names()`. "auto" takes the first that supports the program, and goes on to the next while
        the gap is above the tolerance, keeping the best point and the best bound of all.
    tolerance : float
        Wanted gap, relative to `GramProgram.scale_of_gap`.
    time_limit : float, optional
        Seconds, loading aside, after which the best so far is returned. So it is when the user interrupts
        (Ctrl-C).

    Raises
    ------
    InputError
        If the solver is unknown or does not support the program; the message says why.
    SolverError
        If it failed altogether.
    """
    expect(program, GramProgram, "program", "give a GramProgram: problem.program(), or use solve(problem)")
    return _solved(program, solver, tolerance, _deadline(solver, tolerance, time_limit))


def check_request(solver: str, tolerance: float, time_limit: float | None) -> None:
    """Refuse what makes no sense for any program, and load what takes long to load.

    Raises
    ------
    InputError
        If the solver is unknown or not installed, or a number is out of its range.
    """
    expect(solver, str, "solver", f"give one of: {', '.join(names())}")
    between(tolerance, 0, 1, "tolerance", "1e-9")
    if time_limit is not None:
        between(time_limit, 0, np.inf, "time limit", "60 (seconds)")
    if solver not in names():
        raise InputError(f"unknown solver {solver!r}; choose one of: {', '.join(names())}")
    if solver in CONIC:
        conic.check_installed(solver)


def _deadline(solver: str, tolerance: float, time_limit: float | None) -> float:
    """Return when to stop a request that makes sense; loading is not on the clock."""
    check_request(solver, tolerance, time_limit)
    return np.inf if time_limit is None else time.monotonic() + float(time_limit)


def _solved(
    program: GramProgram, solver: str, tolerance: float, deadline: float, start: Answer | None = None
) -> Answer:
    """Return the best point and the best bound of the solvers that are tried until the deadline."""
    best, started, runs = None, time.monotonic(), _runs(program, _chosen(program, solver), start)
    for left, (chosen, options) in zip(range(len(runs))[::-1], runs, strict=True):
        try:
            answer = chosen.solve(program, tolerance, deadline, **options)
            found = _judged(replace(answer, solver=chosen.name), tolerance, started, deadline)
        except KeyboardInterrupt:
            found = replace(nothing_yet(program), solver=chosen.name, seconds=time.monotonic() - started)
        except SolverError:
            if best is None and not left:
                raise
            continue  # what others found stands
        best = found if best is None else _better_of(best, found)
        underflows = best.excess == 0.0  # τ so small that float64 has no excess; no solver here can do more
        if best.relative_gap() <= tolerance or underflows or found.status is Status.INTERRUPTED:
            break
        if time.monotonic() > deadline:
            return replace(best, status=Status.TIME_LIMIT) if left else best
    assert best is not None
    return best


def _runs(
    program: GramProgram, choice: list[Solver], start: Answer | None
) -> list[tuple[Solver, dict[str, Answer]]]:
    """Return what to try in turn: each solver from the start, where it takes that and it fits, then anew."""
    runs: list[tuple[Solver, dict[str, Answer]]] = []
    for solver in choice:
        if start is not None and solver.warm and _alike(program, start.program):
            runs.append((solver, {"start": start}))
        runs.append((solver, {}))
    return runs


def _alike(program: GramProgram, other: GramProgram) -> bool:
    """Return whether two programs have the same nodes."""
    return program.roles == other.roles and np.array_equal(program.multiplicity, other.multiplicity)


def _judged(answer: Answer, tolerance: float, started: float, deadline: float) -> Answer:
    """Make the point feasible, keep the better of the solver's witness and the one of stationarity.

    Whether a solver that came to its end has converged is for the proven gap to say, not for its criterion.
    """
    program, late = answer.program, time.monotonic() > deadline
    point = feasible(program, answer.point)
    witness = replace(answer.witness, base=on_fixed_diagonal(program, answer.witness.base))
    found = replace(answer, point=point, witness=witness, seconds=time.monotonic() - started)
    # a gap at the point itself is known better; stationarity may prove more
    for other in () if late else (partial(replace, witness, base=point), partial(witness_at, program, point)):
        if found.relative_gap() > TOLERANCE / 10:
            found = min(found, replace(found, witness=other()), key=Answer.gap)
    if found.status not in (Status.CONVERGED, Status.STALLED):
        return found
    status = Status.CONVERGED if found.relative_gap() <= tolerance else Status.STALLED
    return found if status is found.status else replace(found, status=status)


def _better_of(first: Answer, second: Answer) -> Answer:
    """Return the best point with the best bound; the solver of the better point signs.

    Where both are known to rounding only, one of the answers as it stands may prove more.
    """
    upper = min((first, second), key=lambda one: one.excess)
    lower = max((first, second), key=lambda one: one.bound.excess)
    best = min((replace(upper, witness=lower.witness), second, first), key=Answer.relative_gap)
    status = second.status if second.status is Status.INTERRUPTED else best.status
    steps = first.iterations + second.iterations
    return replace(best, status=status, iterations=steps, seconds=second.seconds)


def _chosen(program: GramProgram, name: str) -> list[Solver]:
    if name != "auto":
        reason = _SOLVERS[name].supports(program)
        if reason is not None:
            raise InputError(f"{reason}; solver auto finds one that fits")
        return [_SOLVERS[name]]
    fitting = [_SOLVERS[n] for n in AUTO if _SOLVERS[n].supports(program) is None]
    if not fitting:
        reasons = "; ".join(str(_SOLVERS[n].supports(program)) for n in AUTO)
        raise SolverError(f"no solver supports this program: {reasons}")
    return fitting
