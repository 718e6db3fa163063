"""Batch-binding and the interaction graph: corner cases, brute force on small batches, the optimum."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest

from relax import Problem, solve
from relax.errors import InputError
from relax.losses import FixedBatches
from relax.losses.binding import bound, interaction
from tests.relax.losses.test_fixed_batches import frame_bound, naive


def of(labels: str, batches: list[list[int]]) -> FixedBatches:
    return FixedBatches.of(map(int, labels), batches)


CORNERS = {  # labels, batches, whether (a), whether (b)
    "a batch of one class": (
        "000011",
        [[0, 1, 4, 5], [2, 3, 4, 5], [1, 2]],
        False,
        True,
    ),
    "nobody has a mate": ("001122", [[0, 1, 4, 5], [2, 3, 4, 5], [0, 2, 4, 5]], True, False),
    "a mate on one side is enough": ("0011", [[0, 1, 2], [0, 1, 3]], False, True),
    "one batch": ("0011", [[0, 1, 2, 3]], True, True),
    "a chain": ("000111", [[0, 1, 3, 4], [1, 2, 4, 5]], True, True),
    "two classes that never meet": ("001122", [[0, 1, 2, 3], [2, 3, 4, 5]], True, False),
}


@pytest.mark.parametrize("name", CORNERS)
def test_corner_cases(name: str) -> None:
    labels, batches, holds, meets = CORNERS[name]
    found = interaction(of(labels, batches))
    assert bool(found.connected.all()) == holds
    off = ~np.eye(len(found.connected), dtype=bool)
    assert bool(found.compared[off].all()) == meets
    assert found.is_frame == (holds and meets)


SHATTERED = {  # non-negative minimisers that are no frame
    "a batch of one class": np.eye(4)[[0, 0, 1, 1, 2, 2]],
    "nobody has a mate": np.array([[1, 0], [1, 0], [1, 0], [1, 0], [0, 1], [0, 1]], dtype=float),
    "a mate on one side is enough": np.eye(3)[[0, 0, 1, 2]],
    "two classes that never meet": np.array([[1, 0], [1, 0], [0, 1], [0, 1], [1, 0], [1, 0]], dtype=float),
}


@pytest.mark.parametrize("name", SHATTERED)
@pytest.mark.parametrize("tau", [0.1, 1.0])
def test_where_a_condition_fails_something_else_attains_the_bound(name: str, tau: float) -> None:
    text, batches, *_ = CORNERS[name]
    labels, h = [int(y) for y in text], SHATTERED[name]
    expected = frame_bound(np.array(labels), batches, tau)
    assert naive(h, labels, batches, 1, tau) == pytest.approx(expected, rel=1e-13)
    assert not np.array_equal(h @ h.T, np.equal.outer(labels, labels))
    tied = bound(of(text, batches))
    expected = frame_bound(np.array(labels), [list(batch) for batch in tied.batches], tau)
    assert naive(h, labels, [list(batch) for batch in tied.batches], 1, tau) > expected + 1e-6


def minimisers_are_frames(labels: np.ndarray, batches: list[list[int]]) -> bool:
    """Whether the conditions of equality alone, pair by pair, make every minimiser a frame."""
    same, apart = nx.Graph(), nx.Graph()
    same.add_nodes_from(range(len(labels)))
    for batch in batches:
        inside = labels[batch]
        if len(set(inside.tolist())) < 2:
            continue
        for i, j in itertools.combinations(batch, 2):
            mates = [int((inside == labels[x]).sum()) >= 2 for x in (i, j)]
            if labels[i] == labels[j]:
                same.add_edge(i, j)
            elif any(mates):
                apart.add_edge(labels[i], labels[j])
    classes = set(labels.tolist())
    whole = all(nx.is_connected(same.subgraph(np.flatnonzero(labels == c).tolist())) for c in classes)
    return whole and all(apart.has_edge(*pair) for pair in itertools.combinations(classes, 2))


def test_the_graph_is_that_of_pairs() -> None:
    rng, seen = np.random.default_rng(0), set()
    for _ in range(300):
        k = int(rng.integers(2, 4))
        labels = np.repeat(np.arange(k), rng.integers(2, 4, k))
        many, size = int(rng.integers(1, 5)), int(rng.integers(2, min(len(labels), 6) + 1))
        batches = [rng.choice(len(labels), size, replace=False).tolist() for _ in range(many)]
        batches += [[i] for i in set(range(len(labels))) - {i for batch in batches for i in batch}]
        given = FixedBatches.of(labels, batches)
        found = interaction(given).is_frame
        assert found == minimisers_are_frames(labels, batches)
        assert interaction(bound(given)).is_frame
        seen.add(found)
    assert seen == {True, False}


def test_binding_makes_the_frame_the_optimum_of_non_negative_features() -> None:
    given = of("000011", [[0, 1, 4, 5], [2, 3, 4, 5], [1, 2]])
    tied = bound(given, [3, 5])
    assert tied.batches == ((0, 1, 4, 5, 3), (2, 3, 4, 5), (1, 2, 3, 5))
    found = solve(Problem([4, 2], tied, temperature=0.5, nonnegative=True))
    labels = np.array([0, 0, 0, 0, 1, 1])
    np.testing.assert_allclose(found.gram, np.equal.outer(labels, labels), atol=1e-4)


def test_binding_holds_classes_together_on_the_sphere() -> None:
    """Batches that share no sample have a frame each, and class means are short; bound ones share a frame."""
    counts = [15, 15, 5, 5]
    labels, order = np.repeat(range(4), counts), np.random.default_rng(0).permutation(40)
    given = FixedBatches.of(labels, [order[i : i + 10] for i in range(0, 40, 10)])
    full, off = solve(Problem(counts, temperature=0.5)).gram, ~np.eye(4, dtype=bool)
    grams = [
        solve(Problem(counts, batches, temperature=0.5), tolerance=1e-6).class_gram
        for batches in (given, bound(given))
    ]
    loose, tied = (np.sqrt(np.mean((gram - full)[off] ** 2)) for gram in grams)
    assert np.diag(grams[0]).max() < 0.7 and np.diag(grams[1]).min() > 0.9
    assert tied < 0.5 * loose


@pytest.mark.parametrize("samples", [[0], [0, 1], [0, 2, 3], [0, 9]])
def test_samples_that_are_not_one_of_each_class_are_refused(samples: list[int]) -> None:
    with pytest.raises(InputError, match=r"must be one of each class, 2 positions in all"):
        bound(of("0011", [[0, 1, 2, 3]]), samples)


def test_singletons_are_refused() -> None:
    with pytest.raises(InputError, match="two samples or more"):
        interaction(of("001", [[0, 1, 2]]))
