"""Solutions: geometry in the user's order, residuals, files, and every bad argument of `solve`."""

from __future__ import annotations

from pathlib import Path

import cvxpy as cp
import numpy as np
import pytest

from relax.answer import Status
from relax.errors import InputError
from relax.problem import Level, Problem, Ridge
from relax.solution import Solution
from relax.solvers import solve


def test_gram_is_in_the_order_given() -> None:
    counts = [10, 100, 10, 50]
    solution = solve(Problem(counts, temperature=0.3))
    ordered = solve(Problem(sorted(counts, reverse=True), temperature=0.3))
    position = np.argsort(-np.array(counts), kind="stable")
    np.testing.assert_allclose(solution.gram[np.ix_(position, position)], ordered.gram, atol=1e-12)
    program = solution.problem.program("classes")
    from relax.orbits import OrbitMatrix

    full = solution.gram
    matrix = OrbitMatrix(np.ones(4), np.diag(full)[:, None, None].copy(), full)
    assert program.value(matrix) == pytest.approx(solution.value, rel=1e-13)


def test_embedding_has_the_gram() -> None:
    solution = solve(Problem([100, 100, 10, 10], temperature=0.3))
    for dim in (None, 3, 7):
        vectors = solution.embedding(dim)
        assert vectors.shape == (4, dim or 3)
        np.testing.assert_allclose(vectors @ vectors.T, solution.gram, atol=1e-12)
    with pytest.raises(InputError):
        solution.embedding(2)


def test_residuals_vanish_at_the_optimum() -> None:
    solution = solve(Problem([100, 100, 10, 10], temperature=0.3))
    assert solution.answer.primal_residual() <= 1e-12
    assert solution.answer.dual_residual() <= 1e-12
    assert solution.lower_bound() <= solution.value
    assert solution.gap() <= 1e-12 * solution.excess


@pytest.mark.parametrize(
    "problem",
    [
        Problem([10, 100, 10, 50], temperature=0.3),
        Problem([1000, 10, 10, 1, 1], temperature=1.0),
        Problem([9, 5, 5], norm=Ridge(0.01)),
    ],
)
def test_save_and_load(problem: Problem, tmp_path: Path) -> None:
    solution = solve(problem)
    solution.save(tmp_path / "s.npz")
    loaded = Solution.load(tmp_path / "s.npz")
    assert loaded.problem == problem
    assert (loaded.value, loaded.gap(), loaded.status) == (solution.value, solution.gap(), solution.status)
    np.testing.assert_array_equal(loaded.gram, solution.gram)


def test_load_refuses_what_is_no_solution(tmp_path: Path) -> None:
    (tmp_path / "s.npz").write_bytes(b"nothing")
    for name in ("s.npz", "missing.npz"):
        with pytest.raises(InputError, match="is not a solution file"):
            Solution.load(tmp_path / name)


def test_a_large_gram_is_refused_and_its_groups_given() -> None:
    solution = solve(Problem({100: 20_000, 10: 5}))
    with pytest.raises(InputError, match=r"use \.groups\.gram"):
        _ = solution.gram
    assert solution.groups.gram.shape == (2, 2)


def test_it_prints() -> None:
    solution = solve(Problem([10, 5]))
    assert "gap / scale" in str(solution)
    assert "<table>" in solution._repr_html_()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"solver": "simplex"}, "unknown solver 'simplex'"),
        ({"tolerance": 0.0}, "tolerance 0.0 must lie between 0 and 1"),
        ({"time_limit": -1.0}, "time limit -1.0 must be a positive"),
    ],
)
def test_bad_arguments(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        solve(Problem([10, 5]), **options)
    with pytest.raises(InputError, match="one sphere or ball"):
        solve(Problem([10, 5], norm=Ridge(0.1)), "dual_vector")
    with pytest.raises(InputError, match="unknown loss 'triplet'"):
        solve(Problem([10, 5], loss="triplet"))


def test_a_time_limit_returns_the_best_so_far() -> None:
    solution = solve(Problem([9 - i % 5 for i in range(24)], norm=Ridge(0.01)), "barrier", time_limit=1e-3)
    assert solution.status is Status.TIME_LIMIT
    assert solution.bound.excess <= solution.excess


def test_an_interrupt_returns_a_proven_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("relax.solvers.continuation.newton", interrupted)
    solution = solve(Problem([20, 10, 5], temperature=0.3))
    assert solution.status is Status.INTERRUPTED
    assert solution.bound.excess <= solve(Problem([20, 10, 5], temperature=0.3), "barrier").excess
    assert solution.relative_gap() > 1e-3


def test_blocks_are_those_of_their_roles() -> None:
    """Classes in the user's order, members of a group told apart from each other."""
    solution = solve(Problem([3, 6, 3], "cross-entropy:classifier=ball:2"))
    logits = solution.block("classifier", "feature")
    assert (np.diag(logits)[:, None] > logits + 0.1).sum() == 6
    np.testing.assert_allclose(solution.gram.diagonal(), 1.0, atol=1e-6)
    np.testing.assert_allclose(solution.block("classifier", "classifier").diagonal(), 4.0, atol=1e-5)
    assert logits[0, 2] == logits[2, 0] != logits[0, 1]
    with pytest.raises(InputError, match="role 'head' is not one of: classifier, feature"):
        solution.block("head", "feature")


@pytest.mark.parametrize("level", ["groups", "classes", "samples"])
def test_the_cvxpy_problem_has_the_value_of_the_loss(level: Level) -> None:
    problem = Problem([4, 2, 2], temperature=0.5)
    stated = problem.cvxpy(level)
    assert {variable.name() for variable in stated.variables()} <= {"G", "Q", "A[0]", "A[1]"}
    stated.solve(solver="CLARABEL")
    assert stated.value == pytest.approx(solve(problem).value, abs=1e-6)
    changed = cp.Problem(stated.objective, [*stated.constraints, stated.variables()[0][0, -1] >= 0.0])
    changed.solve(solver="CLARABEL")
    assert float(np.asarray(changed.value)) > float(np.asarray(stated.value)) + 1e-3
