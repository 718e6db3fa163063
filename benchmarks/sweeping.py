"""Sweeps: 10,000 points by processes and with a journal, and what a start nearby saves along curves."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.progress import Progress
from rich.table import Table

from benchmarks.pages import markdown
from certify.sweeps import step_grid, summary, sweep
from relax import MeanSquare, Problem, solve

WORDS = """\
STEP imbalance, two classes of round(1000 R) samples and two of 1,000, R at 2,500 numbers from 1 to 10⁴,
τ = 0.05, 0.1, 0.5 and 1. Seconds are by the clock, of the whole call, processes started and table made;
`points` are the seconds that rows add up to, divided by the processes, so that the rest is overhead. Both
are larger on a busy machine: `load` is how many processes wanted its cores when the line began."""
HEADS = ("processes", "journal", "load", "seconds", "points", "what the table says")
CURVE_WORDS = """\
Solving alone, each point anew or from its neighbour, all to a gap of 10⁻⁹. Steps are Newton steps of
dual_vector and Hessian products of low_rank, means of a point; seconds are CPU seconds a point."""
CURVE_HEADS = (
    "curve",
    "points",
    "solver",
    "steps anew",
    "from the neighbour",
    "seconds anew",
    "from the neighbour",
)


def section(progress: Progress) -> str:
    """Return both tables."""
    table = Table(*HEADS, title="Sweeps", caption=WORDS)
    runs = [(1, False), (1, True), (2, True)]
    for jobs, kept in progress.track(runs, description="sweeps"):
        table.add_row(*line(jobs, kept))
    warm = Table(*CURVE_HEADS, title="A start nearby", caption=CURVE_WORDS)
    for name, problems in progress.track(list(curves()), description="curves"):
        warm.add_row(*curve_line(name, problems))
    return markdown(table) + "\n\n" + markdown(warm).replace("## ", "### ", 1)


def line(jobs: int, kept: bool) -> list[str]:
    """Sweep 10,000 points."""
    grid = step_grid(2, 2, 1000, np.geomspace(1, 1e4, 2500), temperatures=[0.05, 0.1, 0.5, 1.0])
    with TemporaryDirectory() as folder:
        load, began = os.getloadavg()[0], time.perf_counter()
        table = sweep(grid, jobs=jobs, journal=Path(folder) / "journal" if kept else None)
        seconds = time.perf_counter() - began
    points = table["seconds"].sum() / jobs
    numbers = (f"{load:.1f}", f"{seconds:.0f}", f"{points:.0f}")
    return [str(jobs), "yes" if kept else "no", *numbers, str(summary(table))]


def curves() -> Iterator[tuple[str, list[Problem]]]:
    """Yield curves of problems by what they are."""
    for tau, end in ((0.01, 4), (0.02, 9), (0.1, 4), (1.0, 4)):
        ratios = np.geomspace(1, 10.0**end, 100)
        problems = [Problem.step(2, 2, round(10 * ratio), 10, temperature=tau) for ratio in ratios]
        yield f"STEP 2,2,10, R from 1 to 1e{end}, τ = {tau:g}", problems
    taus = np.linspace(0.1, 1.0, 46).round(3)
    for name in ("cifar10-lt-100", "places-lt"):
        yield f"{name}, τ from 0.1 to 1", [Problem.from_dataset(name, temperature=float(tau)) for tau in taus]
    for loss in ("supcon:batch_size=8", "kernel", "cross-entropy"):
        norm = MeanSquare(1.0) if loss == "cross-entropy" else None
        problems = [
            Problem.step(2, 2, round(10 * ratio), 10, loss=loss, temperature=1.0, norm=norm)
            for ratio in np.geomspace(1, 1e3, 40)
        ]
        yield f"STEP 2,2,10, {loss}, R from 1 to 1e3, τ = 1", problems


def curve_line(name: str, problems: list[Problem]) -> list[str]:
    """Solve along a curve anew, and from each neighbour."""
    steps, seconds, solvers = [], [], set()
    for warm in (False, True):
        count, found, began = 0, None, time.process_time()
        for problem in problems:
            found = solve(problem, start=found if warm else None)
            assert found.relative_gap() <= 1e-9
            solvers.add(found.answer.solver)
            count += found.answer.iterations
        steps.append(f"{count / len(problems):.1f}")
        seconds.append(f"{(time.process_time() - began) / len(problems):.4f}")
    return [name, str(len(problems)), ", ".join(sorted(solvers)), *steps, *seconds]
