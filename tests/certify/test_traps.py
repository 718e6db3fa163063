"""Points and problems that eigenvalue tolerances and absolute gaps get wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certify import Verdict, certify
from certify.balls import factored, prove
from certify.features.verdict import certify_point
from relax import Problem, solve
from relax.bounds import feasible
from relax.descent import descend
from relax.errors import InputError
from relax.geometry import embed
from relax.solvers import conic


def samples_at(vectors: np.ndarray, counts: list[int]) -> np.ndarray:
    return np.repeat(vectors, counts, axis=0)


def test_the_optimum_is_certified_as_a_point() -> None:
    counts = [12, 6, 3]
    problem = Problem(counts, temperature=0.2)
    found = certify_point(samples_at(solve(problem).embedding(), counts), problem)
    assert found.verdict is Verdict.CERTIFIED
    assert found.relative_gap <= 1e-9


@pytest.mark.parametrize("tau", [pytest.param(0.05, marks=pytest.mark.slow), 0.04, 0.02])
def test_orthogonal_frame_at_small_temperature_is_refuted(tau: float) -> None:
    problem = Problem([100] * 4, temperature=tau)
    found = certify_point(samples_at(np.eye(4), [100] * 4), problem)
    assert found.verdict is Verdict.REFUTED
    assert float(found.loss[0]) - float(found.optimum[1]) < 1e-8  # any absolute tolerance lets it pass
    assert found.relative_gap > 10


def test_a_stationary_point_in_too_small_a_dimension_is_refuted() -> None:
    """Four classes of 100 in the plane at τ = 0.5: the square, 1.4 % above, whose λ_min is only −9e-4."""
    problem = Problem([100] * 4, temperature=0.5)
    angles = np.arange(4) * np.pi / 2
    square = np.column_stack([np.cos(angles), np.sin(angles)])
    found = certify_point(samples_at(square, [100] * 4), problem)
    assert found.verdict is Verdict.REFUTED
    assert float(found.loss[0]) / float(found.optimum[1]) == pytest.approx(1.014, abs=2e-3)


def test_a_local_minimum_of_descent_is_refuted_or_the_optimum_certified() -> None:
    problem = Problem([6, 6, 2, 2], temperature=0.2)
    ends = descend(problem, dim=2, starts=8)
    for features in ends.features:
        assert certify_point(features, problem).verdict is Verdict.REFUTED


def test_a_bad_local_minimum_in_enough_dimensions_is_refuted() -> None:
    """Three classes of ten at d = k − 1: one sample opposite to its class is a strict local minimum."""
    angle = np.deg2rad(51.0851)
    first = np.array([[1.0, 0.0]] * 9 + [[-1.0, 0.0]])
    others = [np.array([[np.cos(a), np.sin(a)]] * 10) for a in (angle, -angle)]
    found = certify_point(np.vstack([first, *others]), Problem([10] * 3, temperature=0.1))
    assert found.verdict is Verdict.REFUTED
    assert float(found.loss[0]) - np.log(9) == pytest.approx(0.815924, abs=1e-6)


@pytest.mark.parametrize("ratio", [48, 49])
def test_both_sides_of_the_collapse_threshold(ratio: int) -> None:
    """The threshold is R = 48.71…: below it the collapsed geometry is refuted, above it certified."""
    counts = [10 * ratio, 10, 10, 10, 10]
    problem = Problem(counts, temperature=1.0)
    collapsed = samples_at(np.array([[1.0], [-1.0], [-1.0], [-1.0], [-1.0]]), counts)
    found = certify_point(collapsed, problem)
    assert found.verdict is (Verdict.REFUTED if ratio == 48 else Verdict.CERTIFIED)


@pytest.mark.parametrize("counts", [[487, 10, 10, 10, 10], [488, 10, 10, 10, 10]])
def test_certified_on_both_sides_of_the_threshold(counts: list[int]) -> None:
    assert certify(solve(Problem(counts, temperature=1.0))).verdict is Verdict.CERTIFIED


@settings(max_examples=25)
@given(
    counts=st.lists(st.integers(1, 200), min_size=2, max_size=5).filter(lambda c: max(c) > 1),
    tau=st.floats(0.05, 2),
)
@pytest.mark.slow
def test_no_other_solvers_point_lies_below_a_proven_bound(counts: list[int], tau: float) -> None:
    problem = Problem(counts, temperature=tau)
    ours = solve(problem)
    below = prove(ours.program, ours.witness, factored(ours.program, ours.point)).excess_lower
    program = problem.program()
    theirs = factored(program, feasible(program, conic.solve(program, 1e-9, np.inf, "clarabel").point))
    above = prove(program, ours.witness, theirs).excess_upper
    assert below is not None
    assert not below > above


def test_points_that_do_not_fit_are_refused() -> None:
    problem = Problem([5, 3], temperature=0.2)
    with pytest.raises(InputError, match="8 samples"):
        certify_point(np.eye(7), problem)
    with pytest.raises(InputError, match="tolerance 0 must lie"):
        certify_point(np.eye(8), problem, tolerance=0)
    with pytest.raises(InputError):
        certify_point(np.zeros((8, 2)), problem)


def test_labels_in_any_order() -> None:
    problem = Problem([4, 3, 2], temperature=0.3)
    vectors = embed(solve(problem).gram)
    labels = np.array([0, 1, 0, 2, 1, 0, 2, 1, 0])
    assert certify_point(vectors[labels], problem, labels).verdict is Verdict.CERTIFIED
