"""The geometry of several batch sizes: known cosines, brute force over batches, proofs that are given up."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from certify.batches import BatchGeometry, batch_geometry
from relax import datasets
from relax.errors import InputError

STEP = [500, 500, 5, 5]


def test_small_batches_draw_minorities_together() -> None:
    found = batch_geometry(STEP, [8, 32, 64, None])
    np.testing.assert_allclose(found.minority, [0.307, 0.082, 0.037, -0.0159], atol=5e-4)
    assert found.certified.all() and found.apart.all() and (found.gram_radius < 1e-5).all()
    assert found.distance[3] == 0.0 and (np.diff(found.distance) < 0).all()
    assert list(found.closest) == list(found.minority)
    assert found.closest_sizes(0) == (5, 5)


def rises_and_falls(found: BatchGeometry) -> bool:
    """Whether the second of three minority cosines is proven to be the least."""
    low, high = found.minority - found.gram_radius, found.minority + found.gram_radius
    return bool(high[1] < min(low[0], low[2]))


def test_the_minority_cosine_is_not_monotone_in_the_batch_size() -> None:
    assert rises_and_falls(batch_geometry(STEP, [256, 1010, None], "replacement"))


@pytest.mark.slow
def test_neither_is_it_in_shuffled_batches() -> None:
    found = batch_geometry(STEP, [256, 505, None])
    np.testing.assert_allclose(found.minority, [-0.007, -0.0169, -0.0159], atol=5e-4)
    assert rises_and_falls(found)


@pytest.mark.parametrize("counts", [[500, 500, 5, 5], [30, 7, 2]])
@pytest.mark.parametrize("b", [3, 64])
def test_class_balanced_batches_restore_the_simplex(counts: list[int], b: int) -> None:
    found = batch_geometry(counts, [b], "class-balanced", temperature=0.5)
    entries = found.gram[0][~np.isnan(found.gram[0])]
    assert np.abs(entries + 1 / (len(counts) - 1)).max() <= found.gram_radius[0] + 1e-12
    assert found.gram_radius[0] < 1e-5


def two_groups(n: int, tau: float, b: int) -> Callable[[float], float]:
    """The loss of one class of n samples and two of 2, by all batches, at a minority cosine."""
    labels = np.repeat([0, 1, 2], [n, 2, 2])
    batches = [labels[list(batch)] for batch in itertools.combinations(range(n + 4), b)]
    kinds, counts = np.unique(
        [np.bincount(batch, minlength=3) for batch in batches], axis=0, return_counts=True
    )

    def loss(x: float) -> float:
        gamma = -np.sqrt((1 + x) / 2)  # the majority opposite to the mean of the minorities
        gram = np.array([[1, gamma, gamma], [gamma, 1, x], [gamma, x, 1]])
        value = 0.0
        for held, count in zip(kinds, counts, strict=True):
            for c in np.flatnonzero(held >= 2):
                others = sum(held[e] * np.exp((gram[c, e] - 1) / tau) for e in range(3) if e != c)
                value += count * held[c] * np.log(held[c] - 1 + others)
        return value

    return loss


@pytest.mark.parametrize(("b", "tau"), [(4, 0.3), (5, 1.0)])
def test_cosines_are_those_of_brute_force_over_all_batches(b: int, tau: float) -> None:
    loss = two_groups(7, tau, b)
    best: Any = minimize_scalar(loss, bounds=(-0.999, 0.999), method="bounded", options={"xatol": 1e-10})
    found = batch_geometry([7, 2, 2], [b], temperature=tau)
    assert found.minority[0] == pytest.approx(best.x, abs=1e-6)


def made(sizes: list[int], classes: list[int], gram: list[list[float]]) -> BatchGeometry:
    """A line of these cosines, beside a full batch of zeros."""
    found = batch_geometry(dict(zip(sizes, classes, strict=True)), [None], temperature=1.0)
    fields = vars(found) | {"gram": np.array([gram]), "full": np.zeros((len(sizes),) * 2)}
    return BatchGeometry(**fields)


def test_means_are_over_pairs_of_classes() -> None:
    """Sizes 9, 4, 2 of one, two and three classes: the tail of six is three, all of size 2."""
    g = [[np.nan, 0.1, 0.2], [0.1, 0.3, 0.4], [0.2, 0.4, 0.5]]
    found = made([9, 4, 2], [1, 2, 3], g)
    index = [0, 1, 1, 2, 2, 2]
    full = [g[index[i]][index[j]] for i, j in itertools.permutations(range(6), 2)]
    assert found.distance[0] == pytest.approx(np.sqrt(np.mean(np.square(full))), rel=1e-14)
    assert found.farthest[0] == 0.5
    assert found.tail.tolist() == [False, False, True]
    assert found.tail_cosine[0] == pytest.approx(0.5)
    assert found.minority[0] == 0.5
    wide = made([9, 4, 2], [1, 2, 1], [*g[:2], [0.2, 0.4, np.nan]])
    assert wide.tail.tolist() == [False, True, True]
    assert wide.tail_cosine[0] == pytest.approx((2 * 0.3 + 4 * 0.4) / 6)
    assert np.isnan(wide.minority[0])
    assert made([3, 2], [1, 1], [[np.nan, -1.0], [-1.0, np.nan]]).tail_cosine[0] == -1.0


def test_a_proof_that_takes_too_long_is_given_up() -> None:
    found = batch_geometry([500, 500, 5, 5], [256, None], proof_limit=0.05)
    assert not found.proven[0] and found.gram_radius[0] == np.inf and np.isnan(found.proof_seconds[0])
    assert not found.apart[0]  # nothing is said without a proof
    assert found.relative_gap[0] < 1e-9
    assert "not proven" in str(found)


def test_what_coincides_is_not_said_to_be_apart() -> None:
    found = batch_geometry([1000, 10, 10, 10], [None], temperature=1.0)
    assert found.minority[0] == pytest.approx(1.0) and not found.apart[0]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([4, 4], []), "batch_sizes must be a list"),
        (([4, 4], [9]), "above the 8 samples"),
        (([4, 4], [4], "shuffle", 0.1, 1, -1.0), "proof_limit"),
        (([4], [4]), "one class only"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: tuple, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        batch_geometry(*arguments)


def test_small_batches_spread_a_long_tail() -> None:
    """A hundred classes of 500 to 5: the tail's cosines fall towards zero, as the page says."""
    found = batch_geometry(
        datasets.counts("cifar100-lt-100"), [64, None], "replacement", views=2, proof_limit=0.0
    )
    assert 0 < found.tail_cosine[0] < 0.03 < 0.08 < found.tail_cosine[1]
    assert np.isnan(found.proof_seconds).all() and not found.proven.any()


def test_the_radius_has_the_rounding_of_cosines_in_it() -> None:
    found = batch_geometry([5, 5], [None], temperature=0.01, views=2)
    away = abs(float(found.gram[0, 0, 0]) + 1)  # opposite at the optimum: −1, exactly
    assert away <= found.gram_radius[0] < 1e-15
