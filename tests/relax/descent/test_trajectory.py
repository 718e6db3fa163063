"""What a descent passed through: it begins at the start, ends at the end, and approaches the optimum."""

from __future__ import annotations

import math

import numpy as np
import pytest

from relax import solve
from relax.descent import approach, certified, descend, lbfgs, match
from relax.errors import InputError
from relax.geometry import simplex_etf_gram
from relax.norms import Ball, MeanSquare, Norm, Sphere
from relax.problem import Problem


def supcon(features: np.ndarray, labels: np.ndarray, tau: float) -> float:
    """The loss from its formula, for classes of two samples or more."""
    x = features @ features.T / tau
    np.fill_diagonal(x, -np.inf)
    top = np.log(np.exp(x - x.max(1, keepdims=True)).sum(1)) + x.max(1)
    positive = (labels[:, None] == labels) & ~np.eye(len(labels), dtype=bool)
    return float(np.mean(top - np.where(positive, x, 0).sum(1) / positive.sum(1)))


@pytest.mark.parametrize("norm", [Sphere(), Ball(), MeanSquare(1.0)])
def test_every_step_has_its_features_and_their_loss(norm: Norm) -> None:
    problem = Problem([3, 2, 2], temperature=0.3, norm=norm)
    descent = descend(problem, 2, starts=3, trajectory=True)
    path = descent.trajectory
    assert path is not None
    steps = len(path.losses)
    assert path.features.shape == (steps, 3, 7, 2)
    assert path.losses.shape == (steps, 3)
    assert path.classifier is None
    for step in (0, 1, steps // 2, steps - 1):
        for start in range(3):
            expected = supcon(path.features[step, start], descent.labels, 0.3)
            assert path.losses[step, start] == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(path.losses[-1], descent.losses, rtol=1e-13)
    np.testing.assert_allclose(path.features[-1], descent.features, atol=1e-12)


def test_the_trajectory_is_that_of_the_descent_without_it() -> None:
    problem = Problem([4, 3, 2], temperature=0.5)
    plain = descend(problem, 2, starts=3, max_iterations=12)
    kept = descend(problem, 2, starts=3, max_iterations=12, trajectory=True)
    assert plain.trajectory is None
    assert kept.trajectory is not None
    np.testing.assert_allclose(kept.features, plain.features, atol=1e-9)
    assert len(kept.trajectory.losses) == 13  # the start and twelve iterations
    begun = descend(problem, 2, starts=3, max_iterations=1, trajectory=True).trajectory
    assert begun is not None
    np.testing.assert_array_equal(begun.features, kept.trajectory.features[:2])


def test_steps_approach_the_certified_optimum() -> None:
    counts, tau = [5, 5, 5], 0.2
    descent = descend(Problem(counts, temperature=tau), 2, starts=4, trajectory=True)
    path = descent.trajectory
    assert path is not None
    value = math.log(4 + 10 * math.exp(-1.5 / tau))
    near = approach(descent, simplex_etf_gram(3), value)
    np.testing.assert_allclose(near.loss_gaps, path.losses - value, atol=1e-15)
    assert near.gram_distances.shape == path.losses.shape
    target = simplex_etf_gram(3)[np.ix_(descent.labels, descent.labels)]
    middle = path.features[5, 2]
    assert near.gram_distances[5, 2] == pytest.approx(np.abs(middle @ middle.T - target).max(), rel=1e-12)
    assert (near.gram_distances[0] > 0.5).all()
    assert (near.gram_distances[-1] <= 1e-5).all()
    assert (np.diff(near.loss_gaps.sum(1)) < 1e-2).all()  # log excess falls, its sum over starts nearly so
    assert (near.loss_gaps >= -1e-12).all()
    solution = solve(Problem(counts, temperature=tau))
    again = approach(descent, *certified(solution))
    np.testing.assert_allclose(again.gram_distances, near.gram_distances, atol=1e-7)
    np.testing.assert_allclose(
        again.gram_distances[-1], match(descent, *certified(solution)).gram_distances, atol=1e-12
    )


def test_starts_in_groups_have_one_trajectory(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem([6, 2, 2], temperature=0.2)
    together = descend(problem, 2, starts=2, seed=3, trajectory=True)
    monkeypatch.setattr("relax.descent.GROUP_ENTRIES", 100)  # one start to a group
    apart = descend(problem, 2, starts=2, seed=3, trajectory=True)
    assert together.trajectory is not None
    assert apart.trajectory is not None
    np.testing.assert_array_equal(apart.trajectory.features[0], together.trajectory.features[0])
    np.testing.assert_allclose(apart.trajectory.features[-1], apart.features, atol=1e-12)
    np.testing.assert_allclose(apart.losses, together.losses, atol=1e-10)


def test_what_is_too_large_or_missing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem([4, 4], temperature=0.5)
    with pytest.raises(
        InputError, match=r"^the descent kept no trajectory; call descend\(\.\.\., trajectory"
    ):
        approach(descend(problem, 1, starts=2, max_iterations=1), simplex_etf_gram(2), 1.0)
    with pytest.raises(InputError, match=r"^gram of shape \(3, 3\) with value 1\.0 must be \(2, 2\) or"):
        approach(descend(problem, 1, starts=2, max_iterations=1, trajectory=True), np.eye(3), 1.0)
    monkeypatch.setattr(lbfgs, "MOST_RECORDED", 100)
    with pytest.raises(InputError, match=r"^the trajectory is too large to keep after 4 steps; give fewer"):
        descend(problem, 2, starts=2, trajectory=True)
