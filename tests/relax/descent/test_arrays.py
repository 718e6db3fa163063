"""Torch as an array library, and the charts: values against NumPy, derivatives against differences."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch

from relax.arrays import FLOATS, Arrays
from relax.descent.arrays import TorchArrays
from relax.descent.charts import Chart
from relax.losses.definition import Labelled, cross_entropy, log_sum_exp
from relax.norms import Ball, MeanSquare, Norm, Ridge, Sphere

XP = TorchArrays()
NORMS = [Sphere(1.5), Ball(2.0), MeanSquare(0.7), Ridge(0.1)]


def tensor(array: np.ndarray) -> torch.Tensor:
    return torch.tensor(array, dtype=torch.float64, requires_grad=True)


def test_it_is_an_array_library_of_float64() -> None:
    assert isinstance(XP, Arrays)
    x = np.array([[0.5, 2.0, 3.0], [1.0, 4.0, 0.25]])
    for name in ("exp", "expm1", "log", "log1p", "sqrt"):
        found = getattr(XP, name)(tensor(x))
        np.testing.assert_allclose(found.detach().numpy(), getattr(np, name)(x), rtol=1e-15)
    mask = np.array([[True, True, False], [False, False, False]])
    np.testing.assert_array_equal(XP.top(tensor(x), torch.tensor(mask)), [2.0, -np.inf])
    np.testing.assert_array_equal(XP.where(torch.tensor(mask), 1.0, 0.1).numpy(), np.where(mask, 1.0, 0.1))
    assert XP.number(Fraction(1, 3)).item() == 1 / 3
    assert XP.integers(np.array([2**53 - 1])).item() == 2**53 - 1


def test_bounds_pass_derivatives_on_where_they_are_met() -> None:
    x = tensor(np.array([0.0, 1.0, 2.0]))
    (XP.at_most(x, 1.0) + 10 * XP.at_least(x, 1.0)).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1.0, 11.0, 10.0]


@pytest.mark.parametrize("level", [0, 1, 0.5])
@pytest.mark.parametrize("spread", [1e-3, 1.0, 2000.0])
def test_no_anchor_spoils_the_derivatives_of_another(level: float, spread: float) -> None:
    """Near, far, without targets, and with nothing to read: values as in NumPy, all derivatives finite."""
    rng = np.random.default_rng(0)
    x = spread * rng.standard_normal((2, 4, 5))
    targets = np.array([[0, 1, 1, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [2, 0, 0, 0, 0]])
    reads = targets + np.array([[0, 0, 0, 3, 0], [0, 1, 1, 1, 1], [0, 0, 0, 0, 0], [0, 0, 0, 1, 1]])
    with np.errstate(divide="ignore"):
        expected = cross_entropy(x, FLOATS.integers(reads), FLOATS.integers(targets), FLOATS, level)
    moving = tensor(x)
    found = cross_entropy(moving, XP.integers(reads), XP.integers(targets), XP, level)
    np.testing.assert_allclose(found.excess.detach().numpy(), expected.excess, rtol=1e-12)
    assert (expected.excess[:, [1, 2]] == 0).all()
    found.excess.sum().backward()
    assert moving.grad is not None
    assert torch.isfinite(moving.grad).all()
    assert (moving.grad[:, [1, 2]] == 0).all()


def test_nothing_read_is_minus_infinity() -> None:
    reads = np.array([[0.0, 0.0], [1.0, 0.0]])
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(log_sum_exp(np.ones((2, 2)), reads, FLOATS), [-np.inf, 1.0])
    x = tensor(np.ones((2, 2)))
    found = log_sum_exp(x, torch.from_numpy(reads), XP)
    assert found.tolist() == [-np.inf, 1.0]
    found[1].backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[0.0, 0.0], [1.0, 0.0]]


def test_one_target_with_copies_leaves_no_rounding() -> None:
    """With 49 copies of one target the mean is the entry itself: the excess is e^{−2x} and not ulp(x)²."""
    x = np.array([[1 / 0.011, -1 / 0.011]])
    share = cross_entropy(x, np.array([[49.0, 50.0]]), np.array([[49.0, 0.0]]), FLOATS)
    assert share.excess[0] == pytest.approx(50 / 49 * np.exp(-2 / 0.011), rel=1e-12)


def test_what_features_see_of_a_classifier() -> None:
    vectors = Labelled.features(np.array([0, 0, 1, 2]))
    seen = vectors.reading(np.array([0, 1, 2]), np.array([1, 2]))
    np.testing.assert_array_equal(seen.same_class, [[1, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(seen.other_class, [[0, 1, 1], [1, 0, 1]])
    np.testing.assert_array_equal(seen.others, np.ones((2, 3)))
    np.testing.assert_array_equal(seen.same_sample, np.zeros((2, 3)))


def chart(norm: Norm, nonnegative: bool) -> Chart:
    return Chart(norm, torch.tensor([0.25, 0.25, 0.5], dtype=torch.float64), nonnegative)


def mean_square(vectors: np.ndarray) -> np.ndarray:
    return (vectors**2).sum(2) @ [0.25, 0.25, 0.5]


@pytest.mark.parametrize("nonnegative", [False, True])
@pytest.mark.parametrize("norm", NORMS, ids=lambda norm: norm.kind)
def test_vectors_obey_their_norm_at_every_stage(norm: Norm, nonnegative: bool) -> None:
    rng = np.random.default_rng(1)
    now = chart(norm, nonnegative)
    stages = {"sphere": ["each"], "ball": ["each", "within"], "mean-square": ["each", "all", "within"]}
    for held in stages.get(norm.kind, ["free"]):
        assert now.held == held
        free = torch.tensor(3 * rng.standard_normal((5, 3, 4)))
        vectors = now.vectors(free).numpy()
        norms = np.linalg.norm(vectors, axis=2)
        if nonnegative:
            assert vectors.min() >= 0
        if isinstance(norm, Sphere) or (isinstance(norm, Ball) and held == "each"):
            np.testing.assert_allclose(norms, norm.radius)
        if isinstance(norm, Ball):
            assert norms.max() <= norm.radius + 1e-12
        if isinstance(norm, MeanSquare):
            assert mean_square(vectors).max() <= 0.7 + 1e-12
            if held != "within":
                np.testing.assert_allclose(mean_square(vectors), 0.7)
            if held == "each":
                np.testing.assert_allclose(norms**2, 0.7)
        less = now.reduced(free)
        np.testing.assert_allclose(now.vectors(less).numpy(), vectors, atol=1e-12)
        assert less.abs().max() <= free.abs().max()
        now = now.released
    assert now.released.held == now.held


def test_the_start_keeps_directions() -> None:
    directions = torch.randn((2, 3, 4), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    free = chart(Ridge(1.0), True)
    np.testing.assert_allclose(free.vectors(free.start(directions)), directions.abs())
    plain = chart(Ridge(1.0), False)
    np.testing.assert_array_equal(plain.vectors(plain.start(directions)), directions)
