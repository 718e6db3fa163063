"""Cost against the number m of distinct counts, in seconds and in gradient evaluations."""

from __future__ import annotations

from benchmarks.measuring import timed
from relax import Problem, losses, solve

SIZES = (10, 30, 100, 300, 1_000, 3_000)


def line(m: int) -> list[str]:
    """Return one line of the table: counts 2, 3, …, m + 1, one class each."""
    problem = Problem({c + 2: 1 for c in range(m)}, temperature=0.1)
    run = timed(lambda: solve(problem), runs=3 if m < 1_000 else 1)
    program = losses.build(problem)
    floor = timed(lambda: program.gradient(run.result.point), runs=3)
    cost = run.median / floor.median
    return [
        f"{m:,}",
        str(run.result.iterations),
        f"{run.median:.4f}",
        f"{cost:.0f}",
        f"{run.result.relative_gap():.1e}",
    ]
