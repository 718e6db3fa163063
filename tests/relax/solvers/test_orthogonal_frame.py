"""The orthogonal frame of non-negative features, proven at once at any size; and where it is not optimal."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from relax import datasets
from relax.answer import Status
from relax.problem import Ball, Problem, Ridge
from relax.program import GramProgram
from relax.rows import LogSumExp
from relax.rules import Fixed
from relax.solvers import barrier, orthogonal_frame, solve
from tests.relax.programs import supcon


@pytest.mark.parametrize(
    ("level", "tau"),  # the lift has entries of order one beside an excess of e^(-1/τ)
    [
        ("samples", 2.0),
        ("samples", 0.1),
        ("classes", 2.0),
        ("classes", 0.02),
        ("groups", 0.1),
        ("groups", 0.02),
    ],
)
def test_it_is_the_optimum_for_any_sizes(level: str, tau: float) -> None:
    program = supcon([9, 9, 4, 2, 1, 1], level, temperature=tau, nonnegative=True, norm=Ball())
    found = orthogonal_frame.solve(program, 1e-9, np.inf)
    assert found.status is Status.CONVERGED
    labels = np.repeat(np.arange(6), [9, 9, 4, 2, 1, 1]) if level == "samples" else np.arange(6)
    np.testing.assert_allclose(found.point.expand(), labels[:, None] == labels, atol=1e-12)


def test_auto_proves_it_for_real_class_counts() -> None:
    problem = Problem(datasets.counts("places-lt"), temperature=0.1, nonnegative=True)
    solution = solve(problem)
    n = np.array(problem.counts.sizes, dtype=float)
    g = np.array(problem.counts.multiplicities, dtype=float)
    apart = ((g @ n) - n) * np.exp(-10.0) / (n - 1.0)
    assert solution.answer.solver == "orthogonal_frame"
    assert solution.excess == pytest.approx(float(g * n @ np.log1p(apart) / (g @ n)), rel=1e-12)
    assert solution.relative_gap() <= 1e-9


def test_auto_goes_on_where_the_frame_is_not_optimal() -> None:
    ones = np.ones(3)
    target = np.array([[0.0, 0.5, 0.0], [0.1, 0.0, 0.2], [0.0, 0.3, 0.0]])
    rows = LogSumExp(np.arange(3), ones, ones, 1.0 - target.sum(axis=1), np.ones((3, 3)), target)
    program = GramProgram(ones, Fraction(1), (rows,), Fraction(3), (Fixed(np.arange(3)),), nonnegative=True)
    found = orthogonal_frame.solve(program, 1e-9, np.inf)
    assert found.status is Status.STALLED
    better = barrier.solve(program, 1e-9, np.inf)
    assert better.status is Status.CONVERGED
    assert program.excess(better.point) < program.excess(found.point) - 1e-3


def test_it_says_what_it_does_not_take() -> None:
    for program in (supcon([5, 4]), supcon([5, 4], nonnegative=True, norm=Ridge(0.1))):
        assert "orthogonal_frame is for" in str(orthogonal_frame.supports(program))
