"""Grams, vectors and rotations: against constructions, scans and plain loops."""

from __future__ import annotations

import math
from collections.abc import Iterator

import jaxtyping
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relax.errors import InputError
from relax.geometry import align, class_means, embed, orthogonal_frame_gram, simplex_etf_gram


@pytest.fixture
def unchecked_shapes() -> Iterator[None]:
    """Do not check array shapes, as no user's run does: what answers is the function itself."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def random_rotation(dim: int, seed: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((dim, dim)))[0]


@pytest.mark.parametrize("k", range(2, 9))
def test_simplex_etf_is_the_centred_basis_at_unit_norm(k: int) -> None:
    centred = [np.array([float(i == j) for j in range(k)]) - 1 / k for i in range(k)]
    unit = [v / math.sqrt(float(v @ v)) for v in centred]
    np.testing.assert_allclose(simplex_etf_gram(k), [[float(u @ v) for v in unit] for u in unit], atol=1e-14)


@pytest.mark.parametrize("k", range(1, 7))
def test_orthogonal_frame_is_the_gram_of_a_rotation(k: int) -> None:
    vectors = random_rotation(k, seed=k)
    np.testing.assert_allclose(orthogonal_frame_gram(k), vectors @ vectors.T, atol=1e-14)


def test_frames_refuse_too_few_vectors() -> None:
    with pytest.raises(InputError, match=r"^k = 1 vectors span no simplex; give at least two$"):
        simplex_etf_gram(1)
    with pytest.raises(InputError, match=r"^k = 0 vectors are no frame; give at least one$"):
        orthogonal_frame_gram(0)


@given(k=st.integers(1, 7), rank=st.integers(1, 7), extra=st.integers(0, 3), seed=st.integers(0, 10**6))
def test_embed_returns_to_the_gram(k: int, rank: int, extra: int, seed: int) -> None:
    rank = min(rank, k)
    rng = np.random.default_rng(seed)
    # singular values between 1 and 3, so that the rank is what it seems
    spread = np.diag(rng.uniform(1, 3, rank))
    factor = random_rotation(k, seed)[:, :rank] @ spread @ random_rotation(rank, seed + 1)
    gram = factor @ factor.T
    assert embed(gram).shape == (k, rank)
    vectors = embed(gram, rank + extra)
    assert vectors.shape == (k, rank + extra)
    np.testing.assert_allclose(vectors @ vectors.T, gram, atol=1e-12)
    assert np.count_nonzero(np.abs(vectors).sum(axis=0)) == rank


@given(seed=st.integers(0, 10**6))
def test_embed_signs_do_not_depend_on_rounding(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gram = simplex_etf_gram(4) + np.diag([0.4, 0.3, 0.2, 0.1])  # distinct eigenvalues
    noise = rng.uniform(-1e-13, 1e-13, (4, 4))
    vectors = embed(gram)
    np.testing.assert_allclose(embed(gram + noise), vectors, atol=1e-11)
    assert (vectors[np.abs(vectors).argmax(axis=0), range(4)] > 0).all()


@pytest.mark.parametrize("noise", [0.0, 1e-12, -1e-12])
def test_embed_gives_a_tie_to_the_first_vector(noise: float) -> None:
    np.testing.assert_allclose(embed(simplex_etf_gram(2) + np.diag([0, noise])), [[1.0], [-1.0]], atol=1e-12)


def test_embed_drops_the_negative_eigenvalues_of_an_inexact_gram() -> None:
    gram = simplex_etf_gram(3) - 1e-8 * np.ones((3, 3))
    vectors = embed(gram)
    assert vectors.shape == (3, 2)
    np.testing.assert_allclose(vectors @ vectors.T, gram, atol=2e-8)


def test_embed_of_zero_is_one_column_of_zeros() -> None:
    np.testing.assert_array_equal(embed(np.zeros((3, 3))), np.zeros((3, 1)))


BAD_GRAMS = [
    (simplex_etf_gram(4), 2, r"^dim = 2 is too small for a Gram matrix of rank 3; give at least 3$"),
    (np.zeros((2, 2)), 0, r"^dim = 0 is too small for a Gram matrix of rank 0; give at least 1$"),
    (np.array([[1.0, 2.0], [2.0, 1.0]]), None, r"^gram has the eigenvalue -1 < 0; give a positive semidef"),
    (-np.eye(2), None, r"^gram has the eigenvalue -1 < 0"),
    (
        np.array([[1.0, math.nan], [math.nan, 1.0]]),
        None,
        r"^gram of shape \(2, 2\) must be a square matrix of",
    ),
    (np.ones((2, 3)), None, r"^gram of shape \(2, 3\) must be a square matrix of finite numbers$"),
    (np.zeros((0, 0)), None, r"^gram of shape \(0, 0\) must be a square matrix"),
]


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(("gram", "dim", "message"), BAD_GRAMS)
def test_embed_refuses(gram: np.ndarray, dim: int | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        embed(gram, dim)


@given(n=st.integers(1, 9), d=st.integers(1, 5), e=st.integers(1, 5), seed=st.integers(0, 10**6))
def test_align_undoes_a_rotation_into_more_or_fewer_dimensions(n: int, d: int, e: int, seed: int) -> None:
    dim, common = max(d, e), min(d, e)
    low = np.random.default_rng(seed).standard_normal((n, common))
    features, reference = low @ random_rotation(d, seed)[:common], low @ random_rotation(e, seed + 1)[:common]
    found = align(features, reference)
    assert found.residual < 1e-12
    np.testing.assert_allclose(found.aligned[:, :e], reference, atol=1e-12)
    np.testing.assert_allclose(found.aligned[:, e:], 0, atol=1e-12)
    np.testing.assert_allclose(found.rotation @ found.rotation.T, np.eye(dim), atol=1e-13)


@pytest.mark.parametrize("seed", range(5))
def test_align_finds_the_best_of_all_rotations_and_reflections_of_the_plane(seed: int) -> None:
    rng = np.random.default_rng(seed)
    features, reference = rng.standard_normal((4, 2)), rng.standard_normal((4, 2))
    best = math.inf
    for angle in np.linspace(0, 2 * math.pi, 20_001):
        c, s = math.cos(angle), math.sin(angle)
        for rotation in ([[c, s], [-s, c]], [[c, s], [s, -c]]):
            best = min(best, float(np.linalg.norm(features @ np.array(rotation) - reference)))
    found = align(features, reference)
    assert found.residual * np.linalg.norm(reference) == pytest.approx(best, rel=1e-6)
    np.testing.assert_allclose(features @ found.rotation, found.aligned, atol=1e-14)


def test_residual_is_relative_to_the_reference_and_sees_scale() -> None:
    reference = 5 * embed(simplex_etf_gram(3))
    assert align(np.zeros((3, 2)), reference).residual == pytest.approx(1)
    assert align(1.25 * reference, reference).residual == pytest.approx(0.25)


BAD_PAIRS = [
    (
        np.ones((3, 2)),
        np.ones((4, 2)),
        r"^features \(3, 2\) and reference \(4, 2\) must be matrices of equally",
    ),
    (np.ones(3), np.ones((3, 2)), r"^features \(3,\) and reference \(3, 2\) must be matrices of equally"),
    (np.ones((3, 2)), np.ones(3), r"^features \(3, 2\) and reference \(3,\) must be matrices of equally"),
    (np.full((3, 2), math.nan), np.ones((3, 2)), r"^features or reference hold NaN or infinity; give finite"),
    (np.ones((3, 2)), np.full((3, 2), math.inf), r"^features or reference hold NaN or infinity"),
    (np.ones((3, 2)), np.zeros((3, 2)), r"^reference is zero, so every rotation fits it"),
]


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(("features", "reference", "message"), BAD_PAIRS)
def test_align_refuses(features: np.ndarray, reference: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        align(features, reference)


@given(labels=st.lists(st.sampled_from(["b", "a", "dd", "c"]), min_size=1, max_size=12), d=st.integers(1, 4))
def test_class_means_by_a_plain_loop(labels: list[str], d: int) -> None:
    features = np.random.default_rng(len(labels)).standard_normal((len(labels), d))
    means = class_means(features, np.array(labels))
    for row, name in zip(means, sorted(set(labels)), strict=True):
        own = [features[i] for i in range(len(labels)) if labels[i] == name]
        for j in range(d):
            assert row[j] == pytest.approx(math.fsum(float(v[j]) for v in own) / len(own), abs=1e-14)


BAD_LABELS = [
    (np.ones((3, 2)), np.zeros(2), r"^labels have shape \(2,\); give one label for each of 3 features$"),
    (np.ones((3, 2)), np.zeros((3, 1)), r"^labels have shape \(3, 1\); give one label"),
    (np.ones(3), np.zeros(3), r"^features have shape \(3,\); give one feature a row, shape \(n, d\)$"),
    (np.ones((0, 2)), np.zeros(0), r"^features have shape \(0, 2\); give one feature a row"),
]


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(("features", "labels", "message"), BAD_LABELS)
def test_class_means_refuses(features: np.ndarray, labels: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        class_means(features, labels)
