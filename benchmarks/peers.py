"""Ours against SCS and Clarabel through CVXPY, each peer in a process of its own with limits."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks.measuring import in_a_process, timed
from benchmarks.tasks import PEERS, Kind, Peer, Task
from certify.balls import factored, prove
from relax import Problem, Solution, solve
from relax.bounds import Witness, feasible, witness_at
from relax.orbits import OrbitMatrix
from relax.program import GramProgram
from relax.solvers import conic

SECONDS, MEMORY = 120.0, 12 * 2**30
ENOUGH = 60.0  # seconds; a peer that took longer is not tried on a larger task of that kind
LONG = 30.0  # seconds; what takes longer is measured once
WORDS = """\
CPU seconds of model, compilation and solution on one thread, the median of several runs (of one, where it is
above thirty). Each peer runs in a process of its own, capped at 120 s and 12 GB, with the
settings it comes with and with tight ones; one that took over a minute is not tried on larger sizes, nor
with tight settings. Gaps and errors are relative to the true excess: the *claimed gap* is between the
primal and dual objectives that the solver reports (ours: in float64), the *true error* is that of its
matrix, made feasible, and the *proven gap* is what ball arithmetic proves from that matrix, by the same
bounds for every solver. Lift: one node a sample, n samples in four classes of 4 : 3 : 2 : 1. Reduced: one
node a class, k long-tailed classes of ratio 20. Data sets: one node for each distinct class size. τ =
0.1."""
HEADS = (
    "task",
    "solver",
    "seconds",
    "in the solver",
    "ratio",
    "claims",
    "claimed gap",
    "true error",
    "proven gap",
)


class Answer(NamedTuple):
    """What a peer answered: seconds in all and in its own code, its words, its gap, and its matrix."""

    seconds: float
    inside: float
    status: str
    claimed_gap: float
    matrix: OrbitMatrix


@dataclass(frozen=True)
class Line:
    """What one solver did on one task: medians of times; errors and gaps are relative to the true excess."""

    task: Task
    solver: str
    status: str
    seconds: float = np.inf
    inside: float = np.nan
    ratio: float = np.inf
    claimed: float = np.nan
    error: float = np.nan
    proven: float = np.inf

    @property
    def answered(self) -> bool:
        """Whether there was an answer within the limits."""
        return np.isfinite(self.seconds)

    def cells(self) -> list[str]:
        """Return the table's cells, under `HEADS`."""
        if not self.answered:
            at_least = f"> {self.ratio:,.0f}" if self.status.startswith("no answer") else ""
            return [self.task.name, self.solver, "", "", at_least, self.status, "", "", ""]
        inside = "" if np.isnan(self.inside) else f"{self.inside:.3g}"
        gaps = [f"{gap:.1e}" for gap in (self.claimed, self.error, self.proven)]
        return [
            self.task.name,
            self.solver,
            f"{self.seconds:.3g}",
            inside,
            f"{self.ratio:,.0f}",
            self.status,
            *gaps,
        ]


def compare(tasks: Iterable[Task], runs: int = 3) -> Iterator[Line]:
    """Yield what ours and every peer do, task by task; sizes beyond a peer's reach are left out."""
    beyond: set[tuple[Kind | Task, str]] = set()
    for task in tasks:
        ours, truth = _ours(task, runs)
        yield ours
        for peer in PEERS:
            if not beyond.isdisjoint({(task.kind, peer.name), (task, peer.solver)}):
                continue
            line = _theirs(task, peer, runs, truth)
            yield replace(line, ratio=min(line.seconds, SECONDS) / ours.seconds)
            if line.seconds > ENOUGH:  # no larger size, and no tighter settings; data sets are tried all
                beyond.add((task, peer.solver))
                beyond.update({(task.kind, peer.name)} if task.kind != "data set" else ())


def _ours(task: Task, runs: int) -> tuple[Line, float]:
    """Return our line, and the true excess (proven to the gap of that line)."""
    problem = task.problem()
    once = timed(lambda: solve(problem), 1).median
    run = timed(lambda: solve(problem), int(np.clip(1.0 / once, 7 * runs, 500)))  # a second, as noise lasts
    found: Solution = run.result
    gap = _proven(found.program, found.point, found.witness)[1]
    numbers = (run.median, np.nan, 1.0, found.relative_gap(), 0.0, gap / found.excess)
    return Line(task, "ours", found.status.name.lower(), *numbers), found.excess


def _theirs(task: Task, peer: Peer, runs: int, truth: float) -> Line:
    """Return a peer's line: of several runs, or of one that takes long or fails."""
    answer = in_a_process(partial(run, task, peer), SECONDS, MEMORY)
    if not isinstance(answer, Answer):
        return Line(task, peer.name, str(answer)[:80])
    times = [(answer.seconds, answer.inside)]
    for _ in range(runs - 1 if answer.seconds < LONG else 0):
        again = in_a_process(partial(run, task, peer), SECONDS, MEMORY)
        times += [(again.seconds, again.inside)] if isinstance(again, Answer) else []
    program = task.problem().program(task.level)
    point = feasible(program, answer.matrix)
    excess, gap = _proven(program, point, witness_at(program, point))
    seconds, inside = np.median(times, axis=0)
    gaps = (answer.claimed_gap / truth, abs(excess - truth) / truth, gap / truth)
    return Line(task, peer.name, answer.status, seconds, inside, np.nan, *gaps)


def _proven(program: GramProgram, point: OrbitMatrix, witness: Witness) -> tuple[float, float]:
    """Return the excess of a point and its gap, both proven in ball arithmetic."""
    bounds = prove(program, witness, factored(program, point), radius=False)
    gap = np.inf if bounds.gap is None else float(bounds.gap)
    return float(bounds.excess_upper), gap


def run(task: Task, peer: Peer) -> Answer:
    """Solve by a peer; building and compiling the model counts, as building ours does, imports do not."""
    import cvxpy as cp

    small = Problem([3, 2], temperature=1.0).program()
    _through_cvxpy(conic.model(small).problem, peer)
    started = time.process_time()
    program = task.problem().program(task.level)
    model = conic.model(program)
    inside, claimed = _through_cvxpy(model.problem, peer)
    seconds = time.process_time() - started
    if model.peer.value is None:
        raise cp.SolverError(f"no matrix, status {model.problem.status}")
    status, matrix = str(model.problem.status), conic.matrix_of(program, model)
    return Answer(seconds, inside, status, claimed, matrix)


def _through_cvxpy(problem: Any, peer: Peer) -> tuple[float, float]:
    """Solve as `problem.solve` does; return the solver's own seconds and |primal − dual objective|."""
    settings = dict(peer.settings)
    data, chain, inverse = problem.get_problem_data(peer.solver, solver_opts=settings)
    started = time.process_time()
    raw = chain.solve_via_data(problem, data, solver_opts=settings)
    inside = time.process_time() - started
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an inaccurate answer is judged by what is proven of it
        problem.unpack_results(raw, chain, inverse)
    if peer.solver == "SCS":
        return inside, abs(raw["info"]["pobj"] - raw["info"]["dobj"])
    return inside, abs(raw.obj_val - raw.obj_val_dual)
