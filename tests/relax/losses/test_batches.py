"""Expected mini-batches, as rows and by their definition, against a walk through all batches."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from certify.balls.arrays import BALLS
from relax.counts import ClassCounts
from relax.errors import InputError
from relax.losses.batches import expected_rows, refusal
from relax.losses.companions import expected_shares
from relax.losses.definition import Labelled

SAMPLERS = ("shuffle", "replacement", "class-balanced")
SMALL = [([3, 2], 1, 3), ([3, 2, 1], 2, 3), ([2, 2, 1], 1, 4), ([3, 2], 2, 2), ([4, 1], 1, 5), ([3, 3], 1, 4)]
CASES = [(*small, sampler) for small in SMALL for sampler in SAMPLERS]


def walked(counts: list[int], views: int, batch: int, sampler: str, x: np.ndarray) -> tuple[float, Fraction]:
    """The expected sum over anchors of all batches, and the expected number of anchors that count."""
    classes = np.repeat(np.arange(len(counts)), counts)
    n, total, anchors = len(classes), [], Fraction(0)
    if sampler == "shuffle":
        drawn = list(itertools.combinations(range(n), batch))
        chances = [Fraction(1, len(drawn))] * len(drawn)
    else:
        even = [Fraction(1, n)] * n
        by_class = [Fraction(1, len(counts) * counts[c]) for c in classes]
        chance = by_class if sampler == "class-balanced" else even
        drawn = list(itertools.product(range(n), repeat=batch))
        chances = [math.prod(chance[i] for i in one) for one in drawn]
    for one, chance in zip(drawn, chances, strict=True):
        features = [(i, i * views + v) for i in one for v in range(views)]
        for place, (sample, anchor) in enumerate(features):
            others = features[:place] + features[place + 1 :]
            positives = [x[anchor, f] for i, f in others if classes[i] == classes[sample]]
            if positives:
                anchors += chance
                seen = np.log(np.exp([x[anchor, f] for _, f in others]).sum())
                total.append(float(chance) * (seen - np.mean(positives)))
    return float(np.sum(total)), anchors


def vectors(n: int, seed: int = 0) -> np.ndarray:
    found = np.random.default_rng(seed).normal(size=(n, 3))
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.mark.parametrize(("counts", "views", "batch", "sampler"), CASES)
def test_rows_and_definition_equal_a_walk_through_all_batches(
    counts: list[int], views: int, batch: int, sampler: Any
) -> None:
    given = ClassCounts.of(counts)
    (rows,), normaliser = expected_rows(given.apart(), views, batch, sampler)
    classes = np.repeat(np.arange(len(counts)), counts)
    features = np.repeat(classes, views)
    spread = vectors(len(features)) @ vectors(len(features)).T / 0.3
    means = vectors(len(counts)) @ vectors(len(counts)).T / 0.3
    rate = given.classes if sampler == "class-balanced" else given.samples
    for x in (spread, means[np.ix_(features, features)]):
        expected, anchors = walked(counts, views, batch, sampler, x)
        assert normaliser == anchors * rate / (batch * views)  # rates, and not anchors of one batch
        share = expected_shares(
            x, Labelled.features(features, views).seen(np.arange(len(features))), batch, sampler
        )
        found = float((share.floor + share.excess).sum()) / float(normaliser)
        assert found == pytest.approx(expected / float(anchors), rel=1e-13)
    at = rows.table(np.ones(len(counts)))
    state = at.state(np.column_stack([np.diag(means), means])[rows.anchor])
    collapsed = float(rows.weights @ (at.floor + state.excess)) / float(normaliser)
    assert collapsed == pytest.approx(expected / float(anchors), rel=1e-13)
    nodes = Labelled.collapsed(np.array(counts), views)
    share = expected_shares(means, nodes.seen(np.arange(len(counts))), batch, sampler)
    each = (nodes.copies * share.excess)[rows.anchor]
    assert each == pytest.approx(rows.weights * state.excess, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("views", [1, 2])
def test_small_excesses_of_collapsed_vectors(sampler: Any, views: int) -> None:
    counts = [4, 3, 2]
    (rows,), _ = expected_rows(ClassCounts.of(counts), views, 4, sampler)
    x = np.eye(3) * 40.0
    state = rows.table(np.ones(3)).state(np.column_stack([np.diag(x), x])[rows.anchor])
    labelled = Labelled.collapsed(np.array(counts), views)
    share = expected_shares(x, labelled.seen(np.arange(3)), 4, sampler)
    assert (labelled.copies * share.excess)[rows.anchor] == pytest.approx(
        rows.weights * state.excess, rel=1e-12
    )
    assert state.excess.max() < 1e-15


@pytest.mark.parametrize(
    ("counts", "views", "batch", "sampler", "words"),
    [
        ([3, 2], 1, 6, "shuffle", "above the 5 samples"),
        ([3, 2], 1, 2, "replacement", "never both"),
        ([3, 2], 1, 1, "shuffle", "at least 2"),
        ([1, 1, 1], 1, 3, "shuffle", "no anchor"),
        ([5], 1, 3, "shuffle", "one class"),
        ([3, 2], 1, 3, "sequential", "is not one of"),
    ],
)
def test_refusals(counts: list[int], views: int, batch: int, sampler: Any, words: str) -> None:
    assert words in str(refusal(ClassCounts.of(counts), views, batch, sampler))
    with pytest.raises(InputError, match=words):
        expected_rows(ClassCounts.of(counts), views, batch, sampler)


def test_what_is_refused_in_a_batch_of_two_is_zero() -> None:
    x = vectors(5) @ vectors(5).T / 0.3
    for sampler in SAMPLERS:
        assert walked([3, 2], 1, 2, sampler, x)[0] == pytest.approx(0.0, abs=1e-15)


def test_sampling_with_replacement_takes_what_shuffling_refuses() -> None:
    assert refusal(ClassCounts.of([3, 2]), 1, 6, "replacement") is None
    assert refusal(ClassCounts.of([1, 1, 1]), 1, 3, "replacement") is None
    assert refusal(ClassCounts.of([3, 2]), 2, 2, "shuffle") is None


def test_balls_are_refused() -> None:
    seen = Labelled.collapsed(np.array([2, 2]), 1).seen(np.arange(2), BALLS)
    with pytest.raises(InputError, match="floats only"):
        expected_shares(np.zeros((2, 2)), seen, 3, "replacement")


def test_too_many_samples_without_replacement_are_refused() -> None:
    seen = Labelled.collapsed(np.array([50_000, 50_000]), 1).seen(np.arange(2))
    with pytest.raises(InputError, match="too many"):
        expected_shares(np.eye(2), seen, 64, "shuffle")
