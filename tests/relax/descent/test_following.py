"""Descent from given features: down, in small steps, each start on its own; Hessians by differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from relax.descent import check_descent, descend_from, freed, parameters_of, second_order
from relax.descent.second_order import hessian, local, polished
from relax.errors import InputError
from relax.problem import Ball, MeanSquare, Norm, Problem, Ridge, Sphere

CASES: list[tuple[str, Norm, bool]] = [
    ("supcon", Sphere(), False),
    ("supcon", Sphere(2.0), False),
    ("supcon", Ball(), False),
    ("supcon", Ridge(0.01), False),
    ("supcon", MeanSquare(1.0), False),
    ("supcon", Sphere(), True),
    ("cross-entropy", Ball(), False),
]


def drawn(starts: int, n: int, dim: int) -> np.ndarray:
    return np.random.default_rng(3).normal(size=(starts, n, dim))


@pytest.mark.parametrize(("loss", "norm", "nonnegative"), CASES)
def test_it_goes_down_to_a_stationary_point(loss: str, norm: Norm, nonnegative: bool) -> None:
    problem = Problem([3, 2], loss, 0.5, norm, nonnegative)
    start = np.abs(drawn(6, 5, 2)) if nonnegative else drawn(6, 5, 2)
    first = descend_from(problem, start, max_evaluations=1)
    last = descend_from(problem, start)
    assert last.converged.all()
    assert (last.losses < first.losses).all()
    lengths = np.linalg.norm(last.features, axis=2)
    if isinstance(norm, Sphere):
        assert np.allclose(lengths, norm.radius)
    if isinstance(norm, Ball):
        assert (lengths <= 1 + 1e-12).all()
    assert not nonnegative or (last.features >= 0).all()


@pytest.mark.parametrize(("loss", "norm", "nonnegative"), CASES)
def test_given_features_are_where_it_begins(loss: str, norm: Norm, nonnegative: bool) -> None:
    problem = Problem([3, 2], loss, 0.5, norm, nonnegative)
    features = 0.4 * np.abs(drawn(2, 5, 2)) / np.abs(drawn(2, 5, 2)).max()
    classifier = 0.3 * np.ones((2, 2, 2)) if loss == "cross-entropy" else None
    begun = descend_from(problem, features, classifier, max_evaluations=1)
    if isinstance(norm, Sphere):
        features = norm.radius * features / np.linalg.norm(features, axis=2, keepdims=True)
    assert np.allclose(begun.features, features)
    if classifier is not None:
        assert begun.classifier is not None
        assert np.allclose(begun.classifier, classifier)


def test_each_start_is_on_its_own() -> None:
    problem, start = Problem([3, 3], temperature=0.2), drawn(5, 6, 2)
    together = descend_from(problem, start)
    alone = [descend_from(problem, start[i : i + 1]).losses[0] for i in range(5)]
    assert np.allclose(together.losses, alone, rtol=1e-7)


def test_it_stays_in_a_narrow_basin() -> None:
    """Samples near ±e_1, ±e_2, antipodes within a class: a bad minimum at τ = .1, which is not left."""
    cross = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    found = descend_from(Problem([2, 2], temperature=0.1), cross + 0.02 * drawn(20, 4, 2).clip(-1, 1))
    gram = found.features @ np.swapaxes(found.features, 1, 2)
    assert np.allclose(gram, cross @ cross.T, atol=2e-4)  # a gradient of 1e-4 is left
    assert found.losses == pytest.approx(np.log(2 + np.exp(-10)) + 10, rel=1e-7)


@pytest.mark.parametrize(
    ("features", "words"),
    [
        (np.ones((5, 2)), "shape"),
        (np.full((1, 5, 2), np.nan), "finite"),
        ("abc", "no array of numbers"),
        (np.ones((1, 4, 2)), "give 5 to each start"),
    ],
)
def test_what_is_no_start(features: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        descend_from(Problem([3, 2]), features)


@pytest.mark.parametrize(("loss", "norm", "nonnegative"), CASES)
def test_the_hessian_is_that_of_differences(loss: str, norm: Norm, nonnegative: bool) -> None:
    goal = freed(check_descent(Problem([2, 2], loss, 0.5, norm, nonnegative), 2, level="samples"))
    features = torch.from_numpy(np.abs(drawn(1, 4, 2)) * 0.3 + 0.1)
    free = parameters_of(goal, features)
    sizes = [role.numel() for role in free]

    def at(flat: np.ndarray) -> float:
        parts = np.split(flat, np.cumsum(sizes)[:-1])
        roles = [torch.from_numpy(part).reshape(role.shape) for part, role in zip(parts, free, strict=True)]
        vectors = [chart.vectors(role) for chart, role in zip(goal.charts, roles, strict=True)]
        return float(goal.share(vectors).excess)

    point = np.concatenate([role.numpy().ravel() for role in free])
    steps = 1e-4 * np.eye(len(point))
    expected = [
        [
            (at(point + a + b) - at(point + a - b) - at(point - a + b) + at(point - a - b)) / 4e-8
            for b in steps
        ]
        for a in steps
    ]
    assert np.allclose(hessian(free, goal), expected, atol=2e-6 * np.abs(expected).max())


def test_products_find_what_the_matrix_has(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem([5, 5], temperature=0.3)
    goal = freed(check_descent(problem, 3, level="samples"))
    end = descend_from(problem, drawn(1, 10, 3))
    free = parameters_of(goal, torch.from_numpy(end.features + 1e-3 * drawn(1, 10, 3)))
    dense = local(polished(free, goal), goal)
    monkeypatch.setattr(second_order, "DENSE", 5)
    lanczos = local(polished(free, goal), goal)
    assert np.allclose(lanczos.lowest[:4], dense.lowest[:4], rtol=1e-6)
    assert lanczos.largest == pytest.approx(dense.largest, rel=1e-6)
    assert np.linalg.norm(dense.gradient) < 1e-14
    assert np.linalg.norm(lanczos.gradient) < 1e-9
