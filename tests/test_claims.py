"""Sentences of the pages that no snippet prints and no table holds, each checked here."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable
from functools import wraps
from math import comb
from typing import ParamSpec

import mpmath
import numpy as np
import pytest

from benchmarks.instances.model import instances, read
from benchmarks.tasks import Task, tasks
from relax import Problem, Status, solve
from relax.orbits import OrbitMatrix
from relax.solvers import AUTO, barrier, conic, low_rank, names
from relax.testing import conformance
from tests.pages import PAGES, ROOT

P = ParamSpec("P")


def claim(page: str, words: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Say which words of a page a test is about. They must stand there: who changes them changes the test."""

    def about(test: Callable[P, None]) -> Callable[P, None]:
        @wraps(test)
        def checked(*arguments: P.args, **options: P.kwargs) -> None:
            assert words in " ".join(PAGES[page].split()), f"{page} no longer says so"
            test(*arguments, **options)

        return checked

    return about


@claim("README.md", "the wrong geometry (an orthogonal frame) is only 4·10⁻¹¹ above the optimum")
def test_an_absolute_gap_would_mean_nothing() -> None:
    solution = solve(Problem([100] * 4, temperature=0.04))
    frame = OrbitMatrix(np.array([4.0]), np.ones((1, 1, 1)), np.zeros((1, 1)))
    above = solution.program.excess(frame) - solution.excess
    assert 3.5e-11 < above < 4.5e-11


@claim("README.md", "so a million classes in two sizes are a 2×2 problem")
def test_a_million_classes_are_two_groups() -> None:
    assert Problem.step(500_000, 500_000, 1000, 10).program().groups == 2


@claim("README.md", "torch is imported for gradient descent and for features given or asked for as tensors")
def test_torch_is_imported_for_descent_and_tensors_only() -> None:
    importing = set()
    for path in [*ROOT.glob("relax/**/*.py"), *ROOT.glob("certify/**/*.py")]:
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        found = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
        found += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
        if any(name.split(".")[0] == "torch" for name in found):
            importing.add(path.relative_to(ROOT).parts[:2])
    assert importing == {("relax", "descent"), ("certify", "features"), ("certify", "ground_truth")}


@claim("README.md", "twelve problems with optimal values proven to 30 digits")
def test_there_are_twelve_instances_of_thirty_digits() -> None:
    assert len(instances()) == 12
    for name in instances():
        below, above = map(mpmath.mpf, read(name)["value"])
        assert above - below <= abs(above) * mpmath.mpf(10) ** -28


@claim("README.md", "at τ = 10⁹ it is 2.5·10⁻¹⁰ above, which is a quarter of the range")
@claim(
    "docs/certificate-format.md", "for k balanced classes an orthogonal frame is then 1/k of the range above"
)
def test_a_wrong_geometry_is_near_the_optimum_at_large_temperatures() -> None:
    for k in (3, 4, 10):
        solution = solve(Problem([100] * k, temperature=1e9))
        program = solution.program
        frame = OrbitMatrix(np.array([float(k)]), np.ones((1, 1, 1)), np.zeros((1, 1)))
        above = program.range(solution.point) - program.range(frame)
        assert above / program.range(solution.point) == pytest.approx(1 / k, rel=1e-5)
        assert above < 1e-9 * solution.excess
        if k == 4:
            assert above == pytest.approx(2.5e-10, rel=0.01)


@claim("README.md", "On the lift the excess is about 10⁻⁵, below the tolerance SCS comes with")
def test_the_excess_of_the_lifts_is_small() -> None:
    lifts: list[Task] = [task for task in tasks() if task.kind == "lift"]
    assert len(lifts) == 8
    for task in lifts:
        assert 2e-6 < solve(task.problem()).excess < 5e-5  # and SCS stops at 1e-4


@claim("docs/batches.md", "Of batches of eight these are 3 in 100,000: most runs of 10,000 steps see none")
def test_rare_batches_decide() -> None:
    """Of 1,010 samples, two or more of one minority and one or more of the other."""
    ways = 0
    for i, j in itertools.product(range(6), repeat=2):
        if max(i, j) >= 2 and min(i, j) >= 1:
            ways += comb(5, i) * comb(5, j) * (comb(1000, 8 - i - j) if i + j <= 8 else 0)
    chance = ways / comb(1010, 8)
    assert chance == pytest.approx(3e-5, rel=0.15)
    assert (1 - chance) ** 10_000 > 0.5


@claim("docs/solvers.md", "up to 60 slots")
@claim("docs/solvers.md", "up to 1,000 |")
@claim("docs/solvers.md", "up to 400 slots")
def test_sizes_of_solvers() -> None:
    assert (barrier.LARGEST, low_rank.LARGEST, conic.LARGEST) == (60, 1000, 400)


def test_every_solver_is_in_the_table() -> None:
    rows = [line for line in PAGES["docs/solvers.md"].splitlines() if line.startswith("| `")]
    told = [name.strip("` ") for row in rows for name in row.split("|")[1].split(",")]
    assert sorted(told) == sorted(set(names()) - {"auto"})
    assert told[: len(AUTO)] == [name for name in AUTO]


@claim("docs/solvers.md", "their gap is 10⁻⁹ of the excess where the excess is 10⁻²⁵")
@pytest.mark.parametrize("solver", ["low_rank", "barrier"])
def test_general_solvers_keep_relative_accuracy(solver: str) -> None:
    solution = solve(Problem([1000, 2], temperature=0.034), solver)
    assert 1e-26 < solution.excess < 1e-25
    assert solution.gap() <= 1e-9 * solution.excess


@claim("docs/solvers.md", "for `low_rank` an excess below 10⁻²⁸⁰) ends in a status that is not CONVERGED")
def test_what_float64_cannot_hold_is_no_success() -> None:
    problem = Problem([1000, 2], temperature=0.0029)
    solution, true = solve(problem, "low_rank"), solve(problem)
    assert solution.excess < 1e-280
    assert solution.status is not Status.CONVERGED
    assert solution.bound.excess <= true.excess <= solution.excess


@claim("docs/solvers.md", "at τ = 0.05 the excess of two classes of 1,000 and 2 samples is 10⁻¹⁷")
def test_the_excess_of_a_cold_case() -> None:
    assert solve(Problem([1000, 2], temperature=0.05)).excess == pytest.approx(1e-17, rel=0.2)
    assert "two classes, [1000, 2]" in map(str, conformance.cases())


@claim("docs/certificate-format.md", "2 Σ_{j≥1} |Γ(1 + 2πij/h)| < 1.8e-16")
@claim("docs/certificate-format.md", "the trapezoid rule of step h = 1/4")
def test_the_error_of_the_quadrature() -> None:
    error = 2 * sum(abs(mpmath.gamma(1 + 2j * mpmath.pi * j * 4)) for j in range(1, 9))
    assert 1.7e-16 < error < 1.8e-16
