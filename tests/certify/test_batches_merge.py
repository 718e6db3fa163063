"""Batch sizes that merge minorities which the full batch keeps apart, and the other way round."""

from __future__ import annotations

import pytest

from certify.thresholds import coinciding, collapse_threshold
from relax import Problem
from relax.losses import SupCon

# counts, τ, batch size, sampler, views
MERGED_IN_BATCHES = [
    ([100, 100, 10, 10], 0.5, 4, "shuffle", 1),
    ([100, 100, 10, 10], 0.5, 4, "replacement", 1),
    pytest.param([300, 300, 10, 10], 0.5, 8, "shuffle", 1, marks=pytest.mark.slow),
    pytest.param([300, 300, 5, 5], 0.5, 8, "shuffle", 2, marks=pytest.mark.slow),
    pytest.param([3000, 3000, 3000, 10, 10], 0.5, 32, "shuffle", 1, marks=pytest.mark.slow),
    pytest.param([10000, 10000, 10000, 10, 10], 0.1, 4, "shuffle", 1, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("counts", "tau", "b", "sampler", "views"), MERGED_IN_BATCHES)
def test_small_batches_merge_what_the_full_batch_keeps_apart(
    counts: list[int], tau: float, b: int, sampler: str, views: int
) -> None:
    loss = SupCon(batch_size=b, sampler=sampler)  # type: ignore[arg-type]
    batches = coinciding(Problem(counts, loss, temperature=tau, views=views))
    full = coinciding(Problem(counts, temperature=tau, views=views))
    assert batches.points() == [(counts[-1],)]
    assert full.points() == [] and full.apart[1, 1]


def test_no_imbalance_merges_them_in_the_full_batch() -> None:
    """That of three large classes and two small ones; batches of 32 merge them at a ratio of 300."""
    found = collapse_threshold(3, 2, 10, 0.5)
    assert found.ratio is None and found.limit is not None and found.limit < 0.7


def test_batches_can_keep_apart_what_the_full_batch_merges() -> None:
    counts = [3000, 3000, 10, 10, 10, 10]
    loss = SupCon(batch_size=128, sampler="replacement")
    assert coinciding(Problem(counts, loss, temperature=0.5)).apart[1, 1]
    assert coinciding(Problem(counts, temperature=0.5)).points() == [(10,)]
    assert coinciding(Problem(counts, SupCon(batch_size=8), temperature=0.5)).points() == [(10,)]


@pytest.mark.parametrize("b", [4, 16])
def test_class_balanced_batches_merge_nothing(b: int) -> None:
    """Not even singletons, or at a ratio of a million."""
    for counts in ([10**6, 10**6, 2, 2], [1000, 1, 1, 1]):
        loss = SupCon(batch_size=b, sampler="class-balanced")
        found = coinciding(Problem(counts, loss, temperature=0.5))
        assert found.points() == [] and found.decided
