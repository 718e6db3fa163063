"""Features against ground truths: what matches, and messages that name the pair that is off."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import jaxtyping
import numpy as np
import pytest
import torch

from certify import GroundTruth, assert_matches_geometry
from certify.ground_truth import compare
from relax import InputError
from relax.testing import orthogonal_frame, repeated, rotated

LABELS = ["cat"] * 6 + ["eel"] * 2 + ["dog"] * 3


@pytest.fixture
def unchecked_shapes() -> Iterator[None]:
    """Do not check array shapes, as no user's run does: what answers is the function itself."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def test_rotated_truth_matches(pets: GroundTruth) -> None:
    features = rotated(pets.features(LABELS, dim=7), seed=3)
    found = assert_matches_geometry(features, LABELS, pets, atol=1e-12)
    assert found.residual < 1e-14
    assert found.names == ("cat", "dog", "eel")
    assert assert_matches_geometry(features, LABELS, pets.gram, atol=1e-12).error == 0


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_tensors_match_and_keep_their_graph(pets: GroundTruth, dtype: torch.dtype) -> None:
    tensor = pets.torch_features(LABELS, dim=3).to(dtype).requires_grad_()
    labels = torch.tensor([0] * 6 + [2] * 2 + [1] * 3)
    assert_matches_geometry(tensor, labels, pets, atol=10 * torch.finfo(dtype).eps)
    assert tensor.requires_grad


@pytest.mark.parametrize(
    "labels",
    [
        [1] * 6 + [7] * 2 + [3] * 3,
        np.array([1.5] * 6 + [7] * 2 + [3] * 3),
        [("a", 1)] * 6 + [("b", 1)] * 2 + [("a", 2)] * 3,
        [b"a"] * 6 + [b"c"] * 2 + [b"b"] * 3,
    ],
)
def test_labels_of_any_sortable_kind(pets: GroundTruth, labels: Any) -> None:
    assert_matches_geometry(pets.features(LABELS), labels, pets, atol=1e-12)
    assert np.array_equal(pets.features(labels), pets.features(LABELS))


def test_message_names_the_pair_that_is_off_most(pets: GroundTruth) -> None:
    gram = pets.gram.copy()
    gram[1, 2] = gram[2, 1] = 0.25
    gram[0, 1] = gram[1, 0] = gram[0, 1] + 0.01
    with pytest.raises(AssertionError) as caught:
        assert_matches_geometry(pets.features(LABELS), LABELS, gram, atol=1e-3)
    assert str(caught.value).startswith(
        f"class means of 'dog' and 'eel' have cosine {pets.gram[1, 2]:.9g} (inner product "
        f"{pets.gram[1, 2]:.9g}), and should have cosine 0.25 (inner product 0.25) to within 0.001; "
        "2 of 3 pairs are off; Procrustes residual 0."
    )


def test_message_tells_the_proven_error_and_how_many(pets: GroundTruth) -> None:
    features = repeated(orthogonal_frame(3), LABELS)
    with pytest.raises(
        AssertionError, match=r"to within 0\.01 \+ \d\.\de-\d+ \(proven error of the truth\); 3"
    ):
        assert_matches_geometry(features, LABELS, pets, atol=0.01)


def test_the_proven_error_is_allowed_for(pets: GroundTruth) -> None:
    gram, error = pets.gram.copy(), 1e-6
    gram[0, 1] = gram[1, 0] = gram[0, 1] + error / 2
    shifted = GroundTruth(pets.problem, gram, error, pets.certificate)
    assert_matches_geometry(pets.features(LABELS), LABELS, shifted, atol=error / 100)
    with pytest.raises(AssertionError):
        assert_matches_geometry(pets.features(LABELS), LABELS, gram, atol=error / 100)


def test_message_on_spread(pets: GroundTruth) -> None:
    features = pets.features(LABELS, dim=3)
    features[6:8, 2] += [0.2, -0.2]  # the two eels part, and their mean stays
    with pytest.raises(AssertionError) as caught:
        assert_matches_geometry(features, LABELS, pets, atol=0.01)
    assert str(caught.value).startswith(
        "a feature of 'eel' is 0.2 away from its class mean, and should be within 0.01; 1 of 3 classes are "
        "not collapsed; Procrustes residual "
    )


def test_message_on_norms_asks_to_normalise(pets: GroundTruth) -> None:
    features = pets.features(LABELS, dim=3)
    features[:6] *= 2
    with pytest.raises(
        AssertionError, match=r"mean of 'cat' has squared norm 4, and should have 1 to .*normalise"
    ):
        assert_matches_geometry(features, LABELS, pets, atol=0.01)


def test_scale_of_what_is_measured() -> None:
    """Against plain loops: deviation, spread and residual of features that match nothing."""
    rng = np.random.default_rng(0)
    labels, features = [0, 1, 1, 0, 1], rng.normal(size=(5, 3))
    target = np.array([[2.0, 0.5], [0.5, 1.0]])
    found = compare(features, labels, target)
    means = [np.mean([f for f, y in zip(features, labels, strict=True) if y == c], axis=0) for c in (0, 1)]
    for c in (0, 1):
        away = [np.linalg.norm(f - means[c]) for f, y in zip(features, labels, strict=True) if y == c]
        assert found.spread[c] == pytest.approx(max(away))
        for d in (0, 1):
            assert found.deviation[c, d] == pytest.approx(abs(means[c] @ means[d] - target[c, d]))
    # min over Q of |μQ − V|² = |μ|² + |V|² − 2 (nuclear norm of μᵀV)
    V = np.linalg.cholesky(target)
    nuclear = np.linalg.svd(np.array(means).T @ V, compute_uv=False).sum()
    square = np.sum(np.square(means)) + np.trace(target) - 2 * nuclear
    assert found.residual == pytest.approx(math.sqrt(square / np.trace(target)))


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        (
            np.ones((11, 2)),
            ["a"] * 6 + ["b"] * 2 + ["c"] * 3,
            r"\{'a': 6, 'b': 2, 'c': 3\}.* in another order",
        ),
        (np.ones((3, 2)), ["a", "b", "c"], r"labels count .*, the problem 6,3,2; make the problem by"),
        (np.ones((10, 2)), LABELS, r"features have shape \(10, 2\) for 11 labels"),
        (np.ones(11), LABELS, r"features of shape \(11,\) must be a matrix"),
        (np.full((11, 2), np.nan), LABELS, "matrix of finite numbers"),
        ([["x"]] * 11, LABELS, "features cannot be read"),
        (np.ones((2, 2)), [1.0, math.nan], "hold NaN"),
        (np.ones((2, 2)), [], "labels are empty"),
        (np.ones((2, 2)), [1, "a"], "no list of sortable values"),
        (np.ones((2, 2)), 3, "no list of sortable values"),
    ],
)
@pytest.mark.usefixtures("unchecked_shapes")
def test_bad_input(pets: GroundTruth, features: Any, labels: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        assert_matches_geometry(features, labels, pets, atol=0.1)


@pytest.mark.parametrize("truth", [np.eye(2), np.ones((3, 2)), np.triu(np.ones((3, 3))), np.eye(3) * np.nan])
def test_bad_truth(truth: np.ndarray) -> None:
    with pytest.raises(InputError, match="truth "):
        assert_matches_geometry(np.ones((11, 2)), LABELS, truth, atol=0.1)
    with pytest.raises(InputError, match="atol -1 must be"):
        assert_matches_geometry(np.ones((11, 2)), LABELS, np.eye(3), atol=-1)
