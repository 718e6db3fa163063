"""Ground truths: proven errors against closed forms, vectors that have the Gram matrix, and refusals."""

from __future__ import annotations

import importlib
import json
import math
import subprocess
import sys
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
import torch

from certify import GroundTruth, check, ground_truth
from certify.grammar import claim_hash
from relax import Ball, InputError, Problem, Ridge, SolverError, Sphere, solve
from relax.testing import simplex_etf, step_geometry

ROOT = Path(__file__).resolve().parents[3]
STEP = Problem([100, 100, 10, 10], temperature=0.5)
LABELS = ["cat"] * 6 + ["eel"] * 2 + ["dog"] * 3


def etf(k: int) -> np.ndarray:
    return simplex_etf(k) @ simplex_etf(k).T


@pytest.mark.parametrize(
    ("problem", "optimum"),
    [
        (Problem([30] * 5, temperature=0.2), etf(5)),
        (Problem([30] * 5, temperature=0.2, norm=Ball()), etf(5)),
        (Problem([7, 2], temperature=0.5), np.array([[1.0, -1.0], [-1.0, 1.0]])),
        (STEP, step_geometry(2, 2, 100, 10, 0.5)),
        (Problem([10, 100, 100], temperature=0.5), step_geometry(1, 2, 10, 100, 0.5)),
        (Problem([100, 100, 10, 10], temperature=0.5, norm=Ball()), step_geometry(2, 2, 100, 10, 0.5)),
        (Problem([4, 4, 2, 2, 2], temperature=0.1, views=2), step_geometry(2, 3, 8, 4, 0.1)),
        (Problem([1000, 10, 10], temperature=1.0), step_geometry(1, 2, 1000, 10, 1.0)),
        (Problem([10, 10, 1, 1], temperature=0.5), step_geometry(2, 2, 10, 1, 0.5)),
        (Problem([20, 10, 5], temperature=0.2, nonnegative=True), np.eye(3)),
    ],
)
def test_the_optimum_is_within_the_proven_error(problem: Problem, optimum: np.ndarray) -> None:
    truth = ground_truth(problem)
    oracle = 1e-10  # closed forms and searches in float64 know the optimum to about this
    assert np.abs(truth.gram - optimum).max() <= truth.error + oracle
    assert truth.error <= 1e-4


@pytest.mark.parametrize("counts", [[9, 4, 2], [4, 9, 9], [3, 3, 3, 3]])
def test_the_error_covers_the_radius_and_the_conversion_to_floats(
    counts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    enclosure = importlib.import_module("certify.ground_truth.enclosure")
    monkeypatch.setattr(enclosure, "MOST_GROUPS", 0)  # no interval Newton
    truth = ground_truth(Problem(counts, temperature=0.3))
    point = json.loads(truth.certificate)["point"]
    vectors = [[float.fromhex(x) for x in line] for line in point["vectors"]]
    group = truth.problem.counts.group_of_class()
    with mpmath.workdps(50):
        for c, d in permutations(range(len(counts)), 2):
            a, b = group[c], group[d]
            norms = [mpmath.fdot(vectors[x], vectors[x]) + _play(point, truth.problem, x) for x in (a, b)]
            peer = mpmath.fdot(vectors[a], vectors[b])
            if a == b:
                peer -= (
                    mpmath.mpf(float.fromhex(point["within"][a])) ** 2
                    / truth.problem.counts.multiplicities[a]
                )
            away = abs(truth.gram[c, d] - peer / mpmath.sqrt(norms[0] * norms[1]))
            assert away < 1e-15
            assert away + mpmath.mpf(truth.claim["gram_radius"]) <= truth.error


def _play(point: dict[str, Any], problem: Problem, a: int) -> Any:
    return mpmath.mpf(float.fromhex(point["within"][a])) ** 2 * (
        1 - 1 / mpmath.mpf(problem.counts.multiplicities[a])
    )


def test_gram_stands_in_the_order_of_the_user() -> None:
    order = [2, 0, 3, 1]
    straight, shuffled = (ground_truth(Problem(c, temperature=0.5)) for c in ([9, 5, 3, 2], [3, 9, 2, 5]))
    np.testing.assert_allclose(shuffled.gram, straight.gram[np.ix_(order, order)], atol=1e-12)


def test_certificate_is_one_that_both_verifiers_accept(tmp_path: Path) -> None:
    truth = ground_truth(STEP)
    truth.save(tmp_path / "truth.json")
    found = check(tmp_path / "truth.json")
    assert found.accepted, str(found)
    assert truth.sha256 == claim_hash(truth.claim)
    assert float(truth.lower) <= solve(STEP).value <= float(truth.upper) + 1e-15
    assert "certificate" not in repr(truth)
    assert truth.lower in str(truth)
    assert f"{truth.error:.1e}, proven" in truth._repr_html_()


def test_gram_is_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        ground_truth(STEP).gram[0, 0] = 2.0


def test_vectors_and_features_have_the_gram() -> None:
    truth = ground_truth(Problem.from_labels(LABELS, temperature=0.5))
    vectors = truth.vectors(dim=6)
    assert vectors.shape == (3, 6)
    np.testing.assert_allclose(vectors @ vectors.T, truth.gram, atol=1e-14)
    features = truth.features(LABELS, dim=6)
    assert np.array_equal(features, vectors[[0] * 6 + [2] * 2 + [1] * 3])
    assert np.array_equal(truth.features(), np.repeat(truth.vectors(), [6, 3, 2], axis=0))
    with pytest.raises(InputError, match="dim = 1 is too small"):
        truth.vectors(dim=1)


def test_features_have_a_row_for_every_view() -> None:
    truth = ground_truth(Problem([4, 3], temperature=0.5, views=2))
    assert truth.features().shape == (14, 1)
    assert truth.features(["b"] * 6 + ["a"] * 8)[0, 0] == truth.vectors()[1, 0]


def test_nonnegative_vectors_have_no_negative_entries() -> None:
    truth = ground_truth(Problem([20, 10, 5], temperature=0.2, nonnegative=True))
    vectors = truth.vectors(dim=5)
    assert vectors.shape == (3, 5)
    assert vectors.min() >= 0
    np.testing.assert_allclose(vectors @ vectors.T, truth.gram, atol=1e-9)
    with pytest.raises(InputError, match="dim = 2 is too small for 3 non-negative vectors"):
        truth.vectors(dim=2)


def test_torch_features_are_the_same_numbers(pets: GroundTruth) -> None:
    tensor = pets.torch_features(LABELS, dim=4)
    assert tensor.dtype == torch.float64
    assert np.array_equal(tensor.numpy(), pets.features(LABELS, dim=4))


@pytest.mark.parametrize(
    ("problem", "options", "message"),
    [
        (STEP, {"atol": 1e-18}, r"proven to within \d\.\d\de-\d+ only, and atol = 1e-18 asks for more"),
        (STEP, {"atol": 0.0}, "atol 0.0 must be a positive"),
        (STEP, {"atol": math.nan}, "atol nan must be"),
        (Problem([30, 10], norm=Ridge(0.01)), {}, r"no error of its Gram .* give norm=Sphere\(\)"),
        (Problem({10: 20_001}), {}, "20001 classes are too many"),
    ],
)
def test_refusals(problem: Problem, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ground_truth(problem, **options)


def test_what_is_not_certified_is_an_error_and_not_kept(solving: Callable[..., None], cache: Path) -> None:
    solving(lambda problem: solve(problem, "scs"))
    with pytest.raises(
        SolverError, match=r"not certified: the proven gap is \d\.\d\de-\d+, \d\.\de-\d+ of its scale"
    ):
        ground_truth(STEP)
    assert not cache.exists()


def test_import_loads_neither_torch_nor_pytest() -> None:
    program = "import sys, certify; print(*({'torch', 'pytest', 'cvxpy'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


@pytest.mark.parametrize("radius", [2.0, 1.1])
def test_norms_other_than_one(radius: float) -> None:
    """Vectors r u at temperature r² τ are unit vectors u at τ."""
    unit = ground_truth(Problem([9, 5, 3], temperature=0.5))
    large = ground_truth(Problem([9, 5, 3], temperature=round(0.5 * radius**2, 12), norm=Sphere(radius)))
    assert np.abs(large.gram - radius**2 * unit.gram).max() <= large.error + 4 * unit.error + 1e-14
    assert large.error < 1e-12


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        ("decoupled", "no vector for each class"),
        ("cross-entropy", "no vector for each class"),
        ("supcon-temperatures", "other lengths"),
        ("hscl", "bounds it and says nothing"),
    ],
)
def test_losses_without_class_vectors_are_refused(loss: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        ground_truth(Problem([3, 2], loss, 0.5, views=2))
