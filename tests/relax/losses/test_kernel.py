"""The kernel loss: brute force, closed forms, its minorant, refusals, other solvers."""

from __future__ import annotations

import numpy as np
import pytest

from relax import losses
from relax.errors import InputError
from relax.losses import Kernel
from relax.losses.definition import Labelled
from relax.losses.evaluate import evaluate
from relax.norms import Ball, Ridge, Sphere
from relax.orbits import OrbitMatrix
from relax.problem import Problem
from relax.solvers import solve

COUNTS = [[5, 5, 3, 1], [4, 4, 4], [2, 1]]


def naive(h: np.ndarray, labels: np.ndarray, t: float, gamma: float) -> float:
    """Two means over pairs, one pair at a time."""
    same, apart = [], []
    for i in range(len(h)):
        for j in range(len(h)):
            if i != j:
                kernel = np.exp(-t * np.sum((h[i] - h[j]) ** 2))
                (same if labels[i] == labels[j] else apart).append(kernel)
    return float(gamma * np.mean(apart) - np.mean(same))


def by_definition(problem: Problem, h: np.ndarray, vectors: Labelled) -> float:
    gram, normaliser = h @ h.T / problem.temperature, float(problem.reduction().normaliser)
    share = evaluate(problem.loss, vectors, lambda anchors: gram[anchors], normaliser, block=3)
    assert share.floor == pytest.approx(-1.0, rel=1e-14)
    assert share.excess >= 0
    return float(share.floor + share.excess)


def unit(count: int, dim: int, rng: np.random.Generator, radius: float) -> np.ndarray:
    h = rng.normal(size=(count, dim))
    return radius * h / np.linalg.norm(h, axis=1, keepdims=True)


def plain(gram: np.ndarray, diagonal: float) -> OrbitMatrix:
    return OrbitMatrix(np.ones(len(gram)), np.full((len(gram), 1, 1), diagonal), gram)


@pytest.mark.parametrize("radius", [1.0, 1.5])
@pytest.mark.parametrize("views", [1, 2])
@pytest.mark.parametrize("counts", COUNTS)
def test_the_program_is_the_loss_at_collapse_and_below_it_elsewhere(
    counts: list[int], views: int, radius: float
) -> None:
    t, gamma, rng = 1.7, 3.5, np.random.default_rng(0)
    problem = Problem(counts, Kernel(gamma), 1 / (2 * t), Sphere(radius), views=views)
    labels = np.repeat(np.arange(len(counts)), np.array(counts) * views)
    reduction, lifted = problem.reduction("classes"), problem.reduction("samples")
    assert (reduction.below, reduction.attained) == (True, True)
    assert (lifted.below, lifted.attained) == (True, False)
    program, lift = problem.assembled(reduction), problem.assembled(lifted)
    assert (program.floor, lift.floor) == pytest.approx((-1.0, -1.0), rel=1e-14)
    for _ in range(4):
        v = unit(len(counts), 4, rng, radius)
        loss = naive(v[labels], labels, t, gamma)
        assert by_definition(problem, v[labels], Labelled.features(labels, views)) == pytest.approx(loss)
        together = Labelled.collapsed(np.array(counts), views)
        assert by_definition(problem, v, together) == pytest.approx(loss, rel=1e-12)
        assert program.value(plain(v @ v.T, radius**2)) == pytest.approx(loss, rel=1e-12)
        assert lift.value(plain(v[labels] @ v[labels].T, radius**2)) == pytest.approx(loss, rel=1e-12)
        h = unit(len(labels), 4, rng, radius)
        loss = naive(h, labels, t, gamma)
        assert by_definition(problem, h, Labelled.features(labels, views)) == pytest.approx(loss, rel=1e-12)
        means = np.array([h[labels == c].mean(axis=0) for c in range(len(counts))])
        assert program.value(plain(means @ means.T, radius**2)) <= loss + 1e-12
        assert lift.value(plain(h @ h.T, radius**2)) <= loss + 1e-12


@pytest.mark.parametrize(("counts", "tau"), [([6, 6, 3, 1], 0.25), ([50, 10, 10, 2], 1.0), ([4, 4], 0.1)])
def test_levels_and_solvers_agree(counts: list[int], tau: float) -> None:
    problem = Problem(counts, Kernel(2.0), tau)
    first = solve(problem)
    assert first.relative_gap() <= 1e-9
    others = [solve(problem, "barrier"), solve(problem, "low_rank", "classes"), solve(problem, "clarabel")]
    if sum(counts) < 20:
        others.append(solve(problem, level="samples"))
    for other in others:
        assert other.excess == pytest.approx(first.excess, rel=1e-5)
        assert other.bound.excess <= first.excess * (1 + 1e-9)
        np.testing.assert_allclose(others[1].gram, first.gram, atol=1e-3)


@pytest.mark.parametrize("k", [2, 3, 8])
def test_equal_classes_stand_on_a_simplex(k: int) -> None:
    found = solve(Problem([5] * k, "kernel"))
    assert found.problem.temperature == 0.25
    np.testing.assert_allclose(found.gram, (k * np.eye(k) - 1) / (k - 1), atol=1e-5)
    assert found.value == pytest.approx(-1 + 16 * np.exp(-2 * (2 + 2 / (k - 1))), rel=1e-12)


def test_non_negative_features_stand_on_a_frame() -> None:
    found = solve(Problem([9, 5, 2], Kernel(1.0), nonnegative=True))
    assert found.relative_gap() <= 1e-9
    assert found.value == pytest.approx(-1 + np.exp(-4.0), rel=1e-12)
    np.testing.assert_allclose(found.gram, np.eye(3), atol=1e-6)


def test_gamma_leaves_the_geometry() -> None:
    weak, strong = (solve(Problem([9, 5, 2, 2], Kernel(gamma))) for gamma in (0.1, 10.0))
    np.testing.assert_allclose(weak.gram, strong.gram, atol=1e-4)
    assert 100 * weak.excess == pytest.approx(strong.excess, rel=1e-8)


def test_what_makes_no_sense_is_refused() -> None:
    for norm in (Ball(), Ridge(0.1)):
        with pytest.raises(InputError, match="about distances on a sphere"):
            Problem([3, 3], "kernel", norm=norm)
    with pytest.raises(InputError, match="no negative pairs"):
        Problem([3], "kernel")
    with pytest.raises(InputError, match="no positive pairs"):
        Problem([1, 1], "kernel")
    assert Problem([1, 1], "kernel", views=2).program().floor == pytest.approx(-1.0)
    with pytest.raises(InputError, match=r"gamma 0\.0 must be a positive finite number"):
        Problem([3, 3], "kernel:gamma=0")


def test_it_is_what_the_command_line_says() -> None:
    problem = Problem([5, 5], "kernel:gamma=0.1")
    assert losses.statement_of(problem.loss) == {"name": "kernel", "gamma": "1/10"}
    assert Problem.from_statement(problem.statement()) == problem
