"""Cost against the number m of distinct counts: seconds, gradient evaluations, products, factorisations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.measuring import timed
from relax import Problem, dual_equations, solve
from relax.program import GramProgram

SIZES = (10, 30, 100, 300, 1_000, 3_000)
LARGEST = 10_000  # two and a half minutes, 14 GB
WORDS = """\
Class sizes 2, 3, …, m + 1, one class each, τ = 0.1. Seconds are CPU seconds, medians of several runs. An
evaluation is one of all rows of the loss, or of the dual-vector equations with the entries of their Jacobian;
a Krylov product is one of the Jacobian with a vector, a factorisation one of the Jacobian as a matrix."""
HEADS = (
    "sizes",
    "seconds",
    "in gradient evaluations",
    "Newton steps",
    "evaluations",
    "Krylov products",
    "factorisations",
    "gap / scale (float)",
)


def line(m: int) -> list[str]:
    """Return one line of the table: counts 2, 3, …, m + 1, one class each."""
    problem = Problem({c + 2: 1 for c in range(m)}, temperature=0.1)
    with counted() as count:
        solution = solve(problem)
    runs = 9 if m < 1_000 else 3
    seconds = timed(lambda: solve(problem), runs).median
    floor = timed(lambda: solution.program.gradient(solution.point), runs)
    return [
        f"{m:,}",
        f"{seconds:.4f}",
        f"{seconds / floor.median:.0f}",
        str(solution.answer.iterations),
        *(str(count[name]) for name in ("evaluations", "products", "factorisations")),
        f"{solution.relative_gap():.1e}",
    ]


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count what a solve by the dual-vector method does meanwhile (see `WORDS`)."""
    count: Counter[str] = Counter()

    def counting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted_function(*arguments: Any, **options: Any) -> Any:
            count[name] += 1
            return function(*arguments, **options)

        return counted_function

    linearise = counting("evaluations", dual_equations.DualEquations.linearise)
    states = counting("evaluations", GramProgram.states)
    factorise = counting("factorisations", dual_equations.Linearisation.jacobian)

    def gmres(operator: Any, right: np.ndarray, **options: Any) -> Any:
        def product(x: np.ndarray) -> np.ndarray:
            count["products"] += 1
            return operator.matvec(x)

        counting_operator = dual_equations.LinearOperator(operator.shape, matvec=product)  # type: ignore[call-arg]
        return true_gmres(counting_operator, right, **options)

    true_gmres = dual_equations.gmres
    with (
        mock.patch.object(GramProgram, "states", states),
        mock.patch.object(dual_equations.DualEquations, "linearise", linearise),
        mock.patch.object(dual_equations.Linearisation, "jacobian", factorise),
        mock.patch.object(dual_equations, "gmres", gmres),
    ):
        yield count
