"""Ours against SCS and Clarabel through CVXPY, each peer in a process of its own with limits."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.measuring import in_a_process, timed
from certify.balls import factored, prove
from relax import Problem, datasets, losses, solve
from relax.bounds import feasible, witness_at
from relax.losses import Level
from relax.solvers import conic

SECONDS, BYTES = 120.0, 12 * 2**30
LONG = 10.0  # seconds; what takes longer is measured once
PEERS = ("scs", "clarabel")


@dataclass(frozen=True)
class Task:
    """One problem at one level, for all solvers."""

    name: str
    counts: tuple[int, ...]
    temperature: float
    level: Level

    def problem(self) -> Problem:
        """Return it."""
        return Problem(self.counts, temperature=self.temperature)


@dataclass(frozen=True)
class Answer:
    """What a peer answered: its time, its own words, and what its matrix is worth."""

    seconds: float
    status: str
    excess: float
    gap: float


@dataclass(frozen=True)
class Line:
    """What one solver did on one task: medians, and gaps relative to the true excess."""

    task: str
    solver: str
    seconds: float
    ratio: float
    claimed: str
    error: float
    proven: float

    def cells(self) -> list[str]:
        """Return the table's cells."""
        if not np.isfinite(self.seconds):
            return [self.task, self.solver, "", "", self.claimed, "", ""]
        numbers = [f"{self.seconds:.2e}", f"{self.ratio:,.0f}"]
        return [self.task, self.solver, *numbers, self.claimed, f"{self.error:.1e}", f"{self.proven:.1e}"]


def tasks() -> Iterator[Task]:
    """Yield the n×n lifts, the reduced programs, and the real data sets."""
    for n in (24, 60, 120, 180):
        yield Task(f"lift, n = {n}", (2 * n // 5, 3 * n // 10, n // 5, n // 10), 0.1, "samples")
    for k in (10, 30, 60, 100):
        yield Task(f"reduced, k = {k}", datasets.long_tail(k, 20 * k, 20.0), 0.1, "classes")
    for name in ("places-lt", "lvis-v1"):
        yield Task(name, datasets.counts(name), 0.1, "groups")


def run(task: Task, runs: int = 3, seconds: float = SECONDS) -> list[Line]:
    """Run ours and both peers on one task."""
    problem = task.problem()
    ours = timed(lambda: solve(problem), runs)
    solution = ours.result
    bounds = prove(
        solution.program, solution.witness, factored(solution.program, solution.point), radius=False
    )
    assert bounds.gap is not None
    truth = solution.excess
    lines = [Line(task.name, "ours", ours.median, 1.0, solution.status.name, 0.0, float(bounds.gap) / truth)]
    for name in PEERS:
        answers = _answers(task, name, runs, seconds)
        solved = [answer for answer in answers if isinstance(answer, Answer)]
        if not solved:
            lines.append(Line(task.name, name, np.inf, np.inf, str(answers[0])[:60], np.inf, np.inf))
            continue
        seconds_spent, excess, gap = np.median([(a.seconds, a.excess, a.gap) for a in solved], axis=0)
        ratio, error = seconds_spent / ours.median, abs(excess - truth) / truth
        status = solved[0].status
        lines.append(Line(task.name, name, seconds_spent, ratio, status, error, gap / truth))
    return lines


def _answers(task: Task, name: str, runs: int, seconds: float) -> list[Answer | str]:
    """Return what a peer answers in several runs, or in one where that takes long or fails."""
    answers = [in_a_process(partial(peer, task, name), (), seconds)]
    first = answers[0]
    if isinstance(first, Answer) and first.seconds < LONG:
        answers += [in_a_process(partial(peer, task, name), (), seconds) for _ in range(runs - 1)]
    return answers


def peer(task: Task, name: str) -> Answer:
    """Solve by a peer with the settings it comes with; building the model counts, as building ours does."""
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    import cvxpy as cp

    started = time.perf_counter()
    program = losses.build(task.problem(), task.level)
    model = conic.model(program)
    model.problem.solve(solver=name.upper())
    seconds = time.perf_counter() - started
    if model.peer.value is None:
        raise cp.SolverError(f"no matrix, status {model.problem.status}")
    matrix = conic.matrix_of(program, model)
    point = feasible(program, matrix)
    bounds = prove(program, witness_at(program, point), factored(program, point), radius=False)
    gap = np.inf if bounds.gap is None else float(bounds.gap)
    return Answer(seconds, str(model.problem.status), float(bounds.excess_upper), gap)
