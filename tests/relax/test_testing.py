"""Closed forms: against their definitions, mpmath, and the solvers, which share nothing with them."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest

from relax import InputError, Problem, solve
from relax.testing import (
    orthogonal_frame,
    random_rotation,
    repeated,
    rotated,
    seli,
    simplex_etf,
    step_geometry,
)

pytest_plugins = ["relax.testing"]

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("k", "dim"), [(2, None), (2, 5), (3, 2), (10, 9), (10, 64)])
def test_simplex_has_equal_angles_and_sums_to_zero(k: int, dim: int | None) -> None:
    vectors = simplex_etf(k, dim)
    assert vectors.shape == (k, k - 1 if dim is None else dim)
    np.testing.assert_allclose(vectors.sum(axis=0), 0, atol=1e-14)
    for i, j in itertools.product(range(k), repeat=2):
        assert math.isclose(vectors[i] @ vectors[j], 1 if i == j else -1 / (k - 1), abs_tol=1e-14)


@pytest.mark.parametrize(("k", "dim"), [(1, None), (4, 4), (4, 9)])
def test_frame_is_orthonormal_and_not_negative(k: int, dim: int | None) -> None:
    vectors = orthogonal_frame(k, dim)
    assert vectors.shape == (k, dim or k)
    assert vectors.min() >= 0
    assert np.array_equal(vectors @ vectors.T, np.eye(k))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: simplex_etf(1), "k = 1 vectors span no simplex"),
        (lambda: simplex_etf(4, 2), "dim = 2 is too small"),
        (lambda: orthogonal_frame(4, 3), "k = 4 orthonormal vectors of length dim = 3"),
        (lambda: orthogonal_frame(0), "k = 0 orthonormal"),
        (lambda: seli([5]), "SELI of 1 classes"),
        (lambda: seli([5, 5, 5], dim=1), "SELI of 3 classes in dim = 1"),
        (lambda: seli([5, 0]), "class size 0 is not positive"),
        (lambda: step_geometry(2, 0, 10, 10, 0.1), "no STEP problem"),
        (lambda: step_geometry(2, 2, 1, 1, 0.1), "no STEP problem"),
        (lambda: step_geometry(2, 2, 10, 5, math.nan), "no STEP problem"),
        (lambda: step_geometry(2, 2, 10, 5, 0.0), "no STEP problem"),
        (lambda: repeated(np.eye(3), [0, 1, 1]), "2 different labels for 3 class vectors"),
    ],
)
def test_bad_input(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize("counts", [[2, 2], [4, 1], [3, 1, 2], [5, 2, 2, 1]])
def test_seli_is_the_svd_of_the_label_matrix(counts: list[int]) -> None:
    """Z of the paper, column by column and decomposed by mpmath: W Gram = V Λ Vᵀ, H Gram = U Λ Uᵀ."""
    k, labels = len(counts), np.repeat(np.arange(len(counts)), counts)
    with mpmath.workdps(40):
        Z = mpmath.matrix(k, len(labels))
        for c, i in itertools.product(range(k), range(len(labels))):
            Z[c, i] = mpmath.mpf(int(labels[i] == c)) - mpmath.mpf(1) / k
        V, values, U = mpmath.svd_r(Z)
        L = mpmath.diag([x if abs(x) > mpmath.mpf(10) ** -30 else 0 for x in values])
        classifier, features = V * L * V.T, U.T * L * U
    found = seli(counts, dim=k + 1)
    assert found.classifier.shape == found.features.shape == (k, k + 1)
    rows = found.features[labels]
    np.testing.assert_allclose(found.classifier_gram, np.array(classifier.tolist(), float), atol=1e-13)
    np.testing.assert_allclose(rows @ rows.T, np.array(features.tolist(), float), atol=1e-13)
    np.testing.assert_allclose(found.classifier @ rows.T, np.array(Z.tolist(), float), atol=1e-13)
    np.testing.assert_allclose(found.logits, np.eye(k) - 1 / k, atol=1e-13)


def test_seli_of_balanced_counts_is_a_simplex_and_of_extreme_ones_still_exact() -> None:
    found = seli([7, 7, 7, 7])
    np.testing.assert_allclose(
        found.feature_gram / found.feature_gram[0, 0], simplex_etf(4) @ simplex_etf(4).T
    )
    far = seli([10**9, 10, 10])
    np.testing.assert_allclose(far.logits, np.eye(3) - 1 / 3, atol=1e-12)


def stationary_cosines(arguments: tuple[Any, ...], start: np.ndarray) -> list[Any]:
    """Newton's method of mpmath on the loss as the docstring writes it, differentiated numerically."""
    kM, km, nM, nm, temperature = arguments
    tau = mpmath.mpf(repr(temperature))

    def loss(alpha: Any, beta: Any) -> Any:
        def e(cosine: Any) -> Any:
            return mpmath.exp((cosine - 1) / tau)

        gamma = -mpmath.sqrt((1 + (kM - 1) * alpha) * (1 + (km - 1) * beta) / (kM * km))
        major = nM - 1 + (kM - 1) * nM * e(alpha) + km * nm * e(gamma)
        minor = nm - 1 + (km - 1) * nm * e(beta) + kM * nM * e(gamma)
        return kM * nM * mpmath.log(major) + km * nm * mpmath.log(minor)

    def gradient(alpha: Any, beta: Any) -> list[Any]:
        return [mpmath.diff(loss, (alpha, beta), order) for order in ((1, 0), (0, 1))]

    return list(mpmath.findroot(gradient, (mpmath.mpf(start[0, 1]), mpmath.mpf(start[-1, -2]))))


@pytest.mark.parametrize(
    "arguments",
    [
        (2, 2, 100, 10, 0.1),
        (3, 3, 50, 5, 0.5),
        (10, 90, 5000, 50, 0.1),
        (2, 2, 10, 2, 1.0),
        (5, 4, 10, 1000, 5.0),
        (5, 2, 10000, 2, 5.0),
    ],
)
def test_step_is_stationary_to_rounding_level(arguments: tuple[Any, ...]) -> None:
    gram = step_geometry(*arguments)
    with mpmath.workdps(50):
        alpha, beta = stationary_cosines(arguments, gram)
        assert abs(alpha - gram[0, 1]) < 2e-14
        assert abs(beta - gram[-1, -2]) < 2e-14


STEPS = [
    pytest.param((kM, km, nM, nm, tau), id=f"{kM},{km},{nM},{nm}-{tau}")
    for kM, km in [(1, 2), (2, 2), (5, 4), (3, 1)]
    for nM, nm in [(100, 10), (10000, 2), (10, 1000), (20, 1)]
    for tau in (0.02, 0.1, 1.0, 5.0)
]


@pytest.mark.parametrize("arguments", STEPS)
def test_step_is_what_the_solver_finds(arguments: tuple[int, int, int, int, float]) -> None:
    *counts, temperature = arguments
    found = solve(Problem.step(*counts, temperature=temperature))
    np.testing.assert_allclose(step_geometry(*arguments), found.gram, atol=1e-10)


@pytest.mark.parametrize(
    "arguments", [(3, 2, 7, 7, 0.5), (1, 1, 100, 10, 0.1), (3, 4, 50, 10, 1e-3), (2, 90, 2**40, 3, 20.0)]
)
def test_step_is_singular_and_positive(arguments: tuple[Any, ...]) -> None:
    gram = step_geometry(*arguments)
    assert np.array_equal(gram, gram.T)
    assert abs(np.linalg.eigvalsh(gram)[0]) < 1e-13
    if arguments[2] == arguments[3]:
        np.testing.assert_allclose(gram, simplex_etf(5) @ simplex_etf(5).T, atol=1e-14)


def test_minorities_collapse_exactly_from_the_threshold_on() -> None:
    """One majority class, four of 10 at τ = 1: R ≥ 48.71 (by hand)."""
    assert step_geometry(1, 4, 487, 10, 1.0)[1, 2] < 1
    assert step_geometry(1, 4, 488, 10, 1.0)[1, 2] == 1.0
    assert step_geometry(4, 1, 10, 488, 1.0)[0, 1] == 1.0  # the groups may stand the other way round
    assert step_geometry(2, 3, 20, 1, 0.1)[-1, -2] == 1.0  # without anchors nothing keeps classes apart


def test_rows_by_label_and_rotation() -> None:
    vectors = simplex_etf(3, 4)
    rows = repeated(vectors, ["c", "a", "b", "a"])
    assert np.array_equal(rows, vectors[[2, 0, 1, 0]])
    turned = rotated(rows, seed=5)
    np.testing.assert_allclose(turned @ turned.T, rows @ rows.T, atol=1e-14)
    assert np.abs(turned - rows).max() > 0.1
    assert np.array_equal(turned, rows @ random_rotation(4, seed=5))
    assert not np.array_equal(random_rotation(4, seed=5), random_rotation(4, seed=6))
    np.testing.assert_allclose(random_rotation(6) @ random_rotation(6).T, np.eye(6), atol=1e-14)


def test_rotations_are_uniform() -> None:
    """The mean of Q is 0 and that of trace² is 1 for the Haar measure; without sign correction it is not."""
    traces = np.array([np.trace(random_rotation(3, seed)) for seed in range(1000)])
    assert abs(traces.mean()) < 0.1
    assert abs((traces**2).mean() - 1) < 0.15


def test_fixtures_are_the_factories(
    simplex_etf: Any, orthogonal_frame: Any, seli: Any, step_geometry: Any
) -> None:
    module = sys.modules["relax.testing"]
    found = (simplex_etf, orthogonal_frame, seli, step_geometry)
    assert found == tuple(
        getattr(module, name) for name in ("simplex_etf", "orthogonal_frame", "seli", "step_geometry")
    )


def test_factories_do_without_pytest() -> None:
    program = (
        "import sys; sys.modules['pytest'] = None\n"
        "import relax; assert 'relax.testing' not in sys.modules\n"
        "from relax.testing import simplex_etf\n"
        "assert 'torch' not in sys.modules and 'cvxpy' not in sys.modules\n"
        "print(simplex_etf(2))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["[[", "1.]", "[-1.]]"]
