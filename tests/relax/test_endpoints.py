"""What a descent reports, and its match with a certified optimum: by hand-made features."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from relax import Problem, solve
from relax.endpoints import Descent, Trajectory, approach, certified, match
from relax.errors import InputError
from relax.geometry import embed, orthogonal_frame_gram, simplex_etf_gram
from relax.losses import FixedBatches


def ended_at(*features: np.ndarray, labels: Sequence[int], losses: Sequence[float]) -> Descent:
    starts = len(features)
    return Descent(
        features=np.stack(features),
        labels=np.array(labels),
        losses=np.array(losses),
        excesses=np.array(losses),
        gradient_norms=np.zeros(starts),
        converged=np.ones(starts, dtype=bool),
        evaluations=1,
    )


def test_match_measures_loss_gram_and_residual() -> None:
    labels = [0, 0, 1, 2]
    right = embed(simplex_etf_gram(3))[labels]
    turned = right @ np.array([[0.6, 0.8], [0.8, -0.6]])
    moved = right.copy()
    moved[1] = moved[2]  # the second sample of class 0 stands on class 1
    found = match(ended_at(turned, moved, labels=labels, losses=[2.0, 2.25]), simplex_etf_gram(3), 2.0)
    np.testing.assert_allclose(found.loss_gaps, [0, 0.25])
    # within class 0 the product falls from 1 to −1/2
    np.testing.assert_allclose(found.gram_distances, [0, 1.5], atol=1e-14)
    assert found.residuals[0] < 1e-14
    assert 0.1 < found.residuals[1] <= math.sqrt(3) / 2 + 1e-12  # no rotation at all leaves √3 of a norm of 2
    assert found.agrees.tolist() == [True, False]
    assert found.facts() == [
        ("starts", "2"),
        ("agree", "1 of 2"),
        ("worst loss gap", "2.50e-01"),
        ("worst Gram distance", "1.50e+00"),
        ("worst Procrustes residual", f"{found.residuals[1]:.2e}"),
    ]


def test_match_needs_both_the_loss_and_the_geometry() -> None:
    labels = [0, 1, 2]
    descent = ended_at(embed(simplex_etf_gram(3), 3), labels=labels, losses=[1.0])
    assert match(descent, simplex_etf_gram(3), 1.0).agrees.all()
    assert not match(descent, simplex_etf_gram(3), 1.0 + 1e-8).agrees.any()
    assert not match(descent, orthogonal_frame_gram(3), 1.0).agrees.any()


def test_match_shows_a_loss_below_the_certified_one() -> None:
    descent = ended_at(np.eye(2), np.eye(2), labels=[0, 1], losses=[0.75, 1.125])
    assert ("worst loss gap", "-2.50e-01") in match(descent, np.eye(2), 1.0).facts()


def test_match_pads_when_the_descent_had_fewer_dimensions() -> None:
    flat = embed(simplex_etf_gram(3))
    found = match(ended_at(flat, labels=[0, 1, 2], losses=[1.0]), orthogonal_frame_gram(3), 1.0)
    assert found.gram_distances[0] == pytest.approx(0.5)
    assert found.residuals[0] > 0.1


def test_class_means_and_spread_of_a_descent() -> None:
    features = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 2.0]])
    descent = ended_at(2 * features, features, labels=[0, 0, 1], losses=[4.0, 1.0])
    assert descent.best == 1
    np.testing.assert_allclose(descent.class_gram(1), [[0.5, 1.0], [1.0, 4.0]])
    assert descent.within_class_spread(1) == pytest.approx(math.sqrt(0.5))
    assert descent.within_class_spread(0) == pytest.approx(2 * math.sqrt(0.5))


def test_match_refuses() -> None:
    descent = ended_at(np.eye(2), labels=[0, 1], losses=[1.0])
    with pytest.raises(
        InputError, match=r"^gram of shape \(3, 3\) with value 1\.0 must be \(2, 2\) with a finite"
    ):
        match(descent, np.eye(3), 1.0)
    with pytest.raises(InputError, match=r"value nan must be"):
        match(descent, np.eye(2), math.nan)
    with pytest.raises(InputError, match=r"^gram has the eigenvalue"):
        match(descent, -np.eye(2), 1.0)


def test_a_trajectory_that_ends_sooner_repeats_its_last_step() -> None:
    rng = np.random.default_rng(0)
    short = Trajectory(np.array([[3.0], [2.0]]), rng.random((2, 1, 4, 2)), rng.random((2, 1, 3, 2)))
    long = Trajectory(np.array([[9.0], [8.0], [7.0]]), rng.random((3, 1, 4, 2)), rng.random((3, 1, 3, 2)))
    both = Trajectory.beside([short, long])
    assert both.losses.tolist() == [[3.0, 9.0], [2.0, 8.0], [2.0, 7.0]]
    np.testing.assert_array_equal(both.features[2], [short.features[1, 0], long.features[2, 0]])
    assert both.classifier is not None
    np.testing.assert_array_equal(both.classifier[2], [short.classifier[1, 0], long.classifier[2, 0]])  # type: ignore[index]


def test_features_of_one_sample_are_compared_with_its_row() -> None:
    vectors = embed(simplex_etf_gram(3))
    descent = replace(
        ended_at(vectors[[0, 0, 1, 1, 2, 2]], labels=[0, 0, 0, 0, 1, 1], losses=[1.0]),
        samples=np.array([0, 0, 1, 1, 2, 2]),
    )
    assert match(descent, simplex_etf_gram(3), 1.0).agrees.all()
    assert match(descent, np.eye(2), 1.0).gram_distances[0] == pytest.approx(1.5)  # by class
    with pytest.raises(InputError, match=r"must be \(2, 2\) or \(3, 3\) or \(6, 6\) with a finite"):
        match(descent, np.eye(4), 1.0)


def test_a_classifier_stands_before_the_features() -> None:
    classifier, features = np.array([[2.0, 0.0], [0.0, 2.0]]), np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    descent = replace(ended_at(features, labels=[0, 0, 1], losses=[1.0]), classifier=classifier[None])
    joint = np.kron([[4.0, 2.0], [2.0, 1.0]], np.eye(2))
    assert match(descent, joint, 1.0).agrees.all()
    assert match(descent, np.eye(2), 1.0).agrees.all()
    assert match(descent, joint[::-1, ::-1], 1.0).gram_distances[0] == pytest.approx(3.0)


def test_each_step_is_measured() -> None:
    steps = np.array([[[[1.0, 0.0], [1.0, 0.0]]], [[[1.0, 0.0], [0.0, 1.0]]]])
    ended = replace(
        ended_at(steps[-1, 0], labels=[0, 1], losses=[1.0]),
        trajectory=Trajectory(np.array([[3.0], [1.0]]), steps),
    )
    near = approach(ended, np.eye(2), 0.5)
    assert near.gram_distances.tolist() == [[1.0], [0.0]]
    assert near.loss_gaps.tolist() == [[2.5], [0.5]]


def test_what_a_solution_is_compared_by() -> None:
    solution = solve(Problem([4, 4, 4], temperature=0.5))
    gram, value = certified(solution)
    np.testing.assert_allclose(gram, simplex_etf_gram(3), atol=1e-9)
    assert value == pytest.approx(math.log(3 + 8 * math.exp(-3)), rel=1e-12)


def test_samples_of_a_solution_stand_class_by_class() -> None:
    batches = FixedBatches.of([0, 1, 0, 1], [[0, 1, 2], [0, 1, 3]])
    solution = solve(Problem([2, 2], loss=batches, temperature=0.5))
    gram, _ = certified(solution)
    order = [0, 2, 1, 3]  # where the samples of each class stand in the labels
    np.testing.assert_array_equal(gram, solution.gram[np.ix_(order, order)])
    assert gram[0, 1] > 0.9 > solution.gram[0, 1]  # in the order of the labels the second is of class 1
