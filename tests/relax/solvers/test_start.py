"""A solution nearby as a start: fewer steps, the same optimum, and never a worse end than without it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from relax import MeanSquare, Problem, Solution, solve
from relax.testing import step_geometry

R = np.geomspace(1, 1e4, 40)


def along(problems: list[Problem], warm: bool) -> list[Solution]:
    found: list[Solution] = []
    for problem in problems:
        found.append(solve(problem, start=found[-1] if warm and found else None))
    return found


def step(ratio: float, **options: Any) -> Problem:
    return Problem.step(2, 3, round(10 * ratio), 10, **options)


@pytest.mark.parametrize("tau", [0.01, 0.1, 1.0])
def test_newton_steps_are_fewer_along_a_curve(tau: float) -> None:
    problems = [step(ratio, temperature=tau) for ratio in R]
    cold, warm = (along(problems, start) for start in (False, True))
    assert all(one.relative_gap() <= 1e-9 for one in warm)
    assert {one.answer.solver for one in warm} == {"dual_vector"}
    steps = [sum(one.answer.iterations for one in run) for run in (cold, warm)]
    assert steps[1] < 0.7 * steps[0]


@pytest.mark.parametrize("loss", [pytest.param("supcon:batch_size=8", marks=pytest.mark.slow), "kernel"])
def test_hessian_products_are_fewer_along_a_curve(loss: str) -> None:
    problems = [step(ratio, loss=loss, temperature=1.0) for ratio in np.geomspace(1, 100, 8)]
    cold, warm = (along(problems, start) for start in (False, True))
    assert {one.answer.solver for one in warm} == {"low_rank"}
    for one, other in zip(cold, warm, strict=True):
        assert one.lower_bound() <= other.value and other.lower_bound() <= one.value
        assert one.relative_gap() <= 1e-9 and other.relative_gap() <= 1e-9
    products = [sum(one.answer.iterations for one in run) for run in (cold, warm)]
    assert products[1] < 0.7 * products[0]


def test_across_the_threshold_both_ways_the_geometry_is_the_closed_form() -> None:
    """Minorities coincide at one end and not at the other: clusters are taken along, and split."""
    sizes = [100, 300, 480, 500, 700, 500, 480, 300, 100]
    problems = [Problem.step(1, 4, n, 10, temperature=1.0) for n in sizes]
    found = along(problems, warm=True)
    for n, one in zip(sizes, found, strict=True):
        np.testing.assert_allclose(one.gram, step_geometry(1, 4, n, 10, temperature=1.0), atol=1e-9)
    assert [one.gram[1, 2] == 1.0 for one in found] == [n > 487 for n in sizes]


@pytest.mark.parametrize(
    "start",
    [
        Problem([2, 2]),  # other multiplicities
        Problem([50, 4, 3]),
        Problem([10**6, 3, 2], temperature=0.02),  # far away
        Problem([50, 30, 20], "cross-entropy", norm=MeanSquare(1.0)),  # other roles
        Problem([50, 30, 20], "negatives-only", temperature=2.0, views=2),
        Problem([40, 5, 1], "kernel"),
    ],
)
def test_no_start_does_harm(start: Problem) -> None:
    problem = Problem([50, 4, 3], temperature=0.5)
    cold, warm = solve(problem), solve(problem, start=solve(start))
    assert warm.relative_gap() <= 1e-9
    np.testing.assert_allclose(warm.gram, cold.gram, atol=1e-7)


@pytest.mark.parametrize("solver", ["barrier", "clarabel"])
def test_solvers_that_take_no_start_ignore_it(solver: str) -> None:
    problem = Problem([5, 4, 3], temperature=0.5)
    cold = solve(problem, solver)
    warm = solve(problem, solver, start=cold)
    assert warm.answer.iterations == cold.answer.iterations and warm.value == cold.value
