"""Who coincides, against mpmath roots of plain gradients, dense eigenvalues and other solvers."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certify.thresholds import coinciding, coinciding_at, margins
from relax import Problem, Ridge, solve
from relax.errors import InputError

NEAR = {  # radians between the classes of 5 and of 3 in [1000, 600, 5, 3] at τ = 1
    "ntxent-labels": (lambda n: n * (n - 1), lambda n: 1),
    "negatives-only": (lambda n: n, lambda n: 0),
    "supcon:class_weights=classes": (lambda n: 1, lambda n: n - 1),
}


def angle_in_the_plane(loss: str, counts: list[int]) -> Any:
    """Return the angle between the last two classes: all of them on a circle, stationary by mpmath."""
    weight, own = NEAR[loss]
    views = 2 if loss == "negatives-only" else 1
    gram = solve(Problem(counts, loss, 1.0, views=views)).gram
    vectors = np.linalg.svd(gram)[0][:, :2] * np.sqrt(np.linalg.svd(gram)[1][:2])
    start = np.unwrap(np.arctan2(vectors[:, 1], vectors[:, 0]))

    def slope(*angles: Any) -> list[Any]:
        at = [mpmath.mpf(0), *angles]
        found = [mpmath.mpf(0)] * len(at)
        for c, n in enumerate(counts):
            terms = {d: m * mpmath.exp(mpmath.cos(at[c] - at[d]) - 1) for d, m in enumerate(counts) if d != c}
            whole = own(n) + sum(terms.values())
            for d, term in terms.items():
                pull = weight(n) * term / whole * mpmath.sin(at[c] - at[d])
                found[c] -= pull
                found[d] += pull
        return found[1:]

    with mpmath.workdps(40):
        root = mpmath.findroot(slope, [mpmath.mpf(x - start[0]) for x in start[1:]])
        return abs(root[len(counts) - 2] - root[len(counts) - 3])


@pytest.mark.parametrize("loss", NEAR)
def test_different_sizes_come_near_by_a_proven_distance(loss: str) -> None:
    found = coinciding(Problem([1000, 600, 5, 3], loss, 1.0, views=2 if loss == "negatives-only" else 1))
    truth = angle_in_the_plane(loss, [1000, 600, 5, 3])
    assert 1e-4 < truth < 4e-4
    assert found.nearest[2, 3] <= truth <= found.farthest[2, 3]
    assert found.farthest[2, 3] - found.nearest[2, 3] < 1e-12
    assert found.decided and not found.together.any() and found.points() == []
    assert found.method == "Krawczyk, dual slack of rank 2"


def test_under_supcon_they_coincide() -> None:
    found = coinciding(Problem([1000, 600, 5, 3], temperature=1.0))
    assert found.points() == [(5, 3)] and found.decided
    assert found.together[2, 3] and found.together[3, 2] and not found.together[0, 1]


@pytest.mark.parametrize("loss", NEAR)
def test_equal_classes_beside_near_ones(loss: str) -> None:
    found = coinciding(Problem([1000, 600, 5, 5, 3], loss, 1.0, views=2 if loss == "negatives-only" else 1))
    assert found.points() == [(5,)] and found.decided
    assert 0 < found.nearest[2, 3] < 4e-4


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_random_counts_agree_with_another_solver(data: st.DataObject) -> None:
    sizes = st.sampled_from([1, 2, 3, 5, 10, 40, 300, 2000])
    counts = data.draw(st.lists(sizes, min_size=2, max_size=5).filter(lambda n: max(n) > 1))
    loss = data.draw(st.sampled_from(["supcon", "ntxent-labels"]))
    problem = Problem(counts, loss, data.draw(st.sampled_from([0.2, 0.5, 1.0, 3.0])))
    found, other = coinciding(problem), solve(problem, "barrier").groups.gram
    for a, b in np.argwhere(found.pairs).tolist():
        angle = math.acos(max(-1.0, min(1.0, other[a, b])))
        slack = 2e-3  # of the other solver, whose cosines near 1 have half the digits
        assert found.nearest[a, b] - slack <= angle <= found.farthest[a, b] + slack
        assert not (found.together[a, b] and angle > slack)
        assert not (found.together[a, b] and found.apart[a, b])
    assert found.decided or loss != "supcon" or 1 in counts


@pytest.mark.parametrize("counts", [[400, 3, 1], [400, 3, 1, 1], [1000, 10, 10, 10, 10], [50, 2]])
def test_two_opposite_points(counts: list[int]) -> None:
    """The slack of the classes, written out and diagonalised densely, agrees."""
    found = coinciding(Problem(counts, temperature=1.0))
    assert found.method == "two points" and found.decided
    k, x = len(counts), np.array([1.0] + [-1.0] * (len(counts) - 1))
    gram, slope = np.outer(x, x), np.zeros((k, k))
    for c, n in enumerate(counts):
        if n > 1:
            mass = np.array([m * math.exp(gram[c, d] - 1) for d, m in enumerate(counts)])
            mass[c] = n - 1
            slope[c] += n * mass / mass.sum()
    slope = (slope + slope.T) / 2
    np.fill_diagonal(slope, 0)
    slack = slope - np.diag((slope * gram).sum(axis=1))
    assert np.sort(np.linalg.eigvalsh(slack))[1] > 0
    assert len(found.points()) == (len(counts) > 2)


def test_singletons_coincide_and_more_points_hold_the_small_class_off() -> None:
    found = coinciding(Problem([400, 300, 3, 1, 1], temperature=1.0))
    assert found.points() == [(1,)] and found.decided


@pytest.mark.parametrize(("batch", "cosine"), [(8, 0.3068), (32, 0.0823)])
def test_batches_of_two_sizes(batch: int, cosine: float) -> None:
    problem = Problem([500, 500, 5, 5], f"supcon:batch_size={batch}", 0.1)
    found = coinciding(problem)
    assert found.method == "two sizes" and found.decided and not found.together.any()
    assert math.cos(found.farthest[1, 1]) <= cosine + 5e-5
    assert math.cos(found.nearest[1, 1]) >= cosine - 5e-5
    assert found.farthest[1, 1] - found.nearest[1, 1] < 1e-4


def test_batches_that_draw_a_minority_together() -> None:
    found = coinciding(Problem([500_000, 500_000, 5, 5], "supcon:batch_size=8", 0.1))
    assert found.points() == [(5,)] and found.decided


def test_batches_of_three_sizes_are_decided_where_there_is_a_radius() -> None:
    found = coinciding(Problem([500, 500, 50, 5, 5], "supcon:batch_size=8", 0.1))
    assert found.method == "Gram radius" and found.decided and not found.together.any()


def test_batches_of_three_sizes_without_a_radius_have_distances_within_a_size() -> None:
    found = coinciding(Problem([500_000, 500_000, 50, 5, 5], "supcon:batch_size=8", 0.5))
    assert not found.together.any() and not found.apart.any() and not found.decided
    assert 0 < found.farthest[2, 2] < 1e-3
    assert "undecided" in str(found)


def test_a_forged_witness_proves_nothing() -> None:
    """Clusters of the witness are a guess: classes that are apart are not said to coincide."""
    together, apart = solve(Problem([1000, 600, 5, 3], temperature=1.0)), Problem([1000, 600, 5, 3])
    assert together.witness.clusters
    found = coinciding_at(replace(solve(apart), answer=together.answer))
    assert not found.together.any()


def test_a_million_classes_by_groups() -> None:
    assert coinciding(Problem({1000: 5, 10: 1_000_000}, temperature=1.0)).decided


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (Problem([10, 5], norm=Ridge(0.01)), "norm must be sphere or ball"),
        (Problem([10, 5, 2], nonnegative=True), "any sign"),
        (Problem([10, 5], "self-supervised", views=2), "no one vector"),
    ],
)
def test_refusals(problem: Problem, message: str) -> None:
    with pytest.raises(InputError, match=message):
        coinciding(problem)


@pytest.mark.usefixtures("unchecked")
def test_what_is_no_problem_is_refused() -> None:
    given: Any = [10, 5]
    with pytest.raises(InputError, match="problem is"):
        coinciding(given)


def cosine_of_the_last_two(counts: list[int], tau: float) -> float:
    return float(solve(Problem(counts, temperature=tau), "barrier").gram[-1, -2])


def test_margins() -> None:
    """One class of 10 of four that coincide parts as a single sample; τ as another solver has it."""
    large, small = margins(Problem([1000, 10, 10, 10, 10], temperature=1.0))
    assert (large.size, large.merged, large.count, large.temperature) == (1000, False, None, None)
    assert small.merged and small.count is not None and small.temperature is not None
    assert (small.count.before, small.count.after) == (2, 1) and small.count.proven
    tau = small.temperature
    assert tau.proven and abs(tau.after / tau.before - 1) <= 1e-6
    assert cosine_of_the_last_two([1000, 10, 10, 10, 10], tau.before * 1.05) > 1 - 1e-6
    assert cosine_of_the_last_two([1000, 10, 10, 10, 10], tau.after * 0.9) < 1 - 1e-4


@pytest.mark.slow
def test_margins_of_classes_that_are_apart() -> None:
    found = {one.size: one for one in margins(Problem([487, 10, 10, 10, 10], temperature=1.0))}
    assert not found[487].merged and not found[10].merged
    assert found[10].temperature is not None and found[10].temperature.proven
    assert found[487].count is None  # its own: it joins none of the others, however small or large
    change = found[10].count  # R = 48.71…: a class of 9 in place of one of 10 is enough
    assert change is not None and (change.before, change.after) == (10, 9) and change.proven


@pytest.mark.parametrize("level", ["classes", "samples"])
def test_a_solution_by_other_nodes_is_refused(level: Any) -> None:
    with pytest.raises(InputError, match=f"by {level}"):
        coinciding_at(solve(Problem([6, 6, 3, 3], temperature=1.0), level=level))
