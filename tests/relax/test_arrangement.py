"""How vectors lie to each other: by hand-made and solved solutions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from relax import Problem, Solution, solve
from relax.arrangement import geometry
from relax.losses import FixedBatches
from relax.norms import Ball, Ridge, Sphere


def brute(solution: Solution, i: int, j: int) -> tuple[float, float, float]:
    """Return least, mean and greatest entry between classes of two sizes, from the whole Gram matrix."""
    counts, gram = solution.problem.counts, solution.gram
    size = np.array(counts.sizes)[counts.group_of_class()]
    sizes = sorted(set(size.tolist()), reverse=True)
    rows, columns = np.flatnonzero(size == sizes[i]), np.flatnonzero(size == sizes[j])
    values = [float(gram[a, b]) for a in rows for b in columns if a != b]
    return (min(values), sum(values) / len(values), max(values))


@pytest.mark.parametrize("level", ["groups", "classes"])
def test_classes_by_size_whatever_the_level_and_the_order(level: str) -> None:
    solution = solve(Problem([10, 100, 10, 100, 40], temperature=0.5), level=level)  # type: ignore[arg-type]
    found = geometry(solution)
    assert (found.unit, found.kin, found.labelled) == ("class", None, True)
    assert found.sizes.tolist() == [100, 40, 10]
    assert found.units.tolist() == [2, 1, 2]
    (block,) = found.blocks
    assert block.cosine
    assert block.kin is None
    assert np.isnan(block.others.mean[1, 1])  # one class of this size: no pair
    for i, j in [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 0)]:
        got = [float(part[i, j]) for part in block.others]
        np.testing.assert_allclose(got, brute(solution, i, j), atol=1e-12)
    assert found.coincide == ()


def test_ranges_of_sizes() -> None:
    solution = solve(Problem([60, 50, 40, 30, 20, 10], temperature=0.5))
    found = geometry(solution)
    parts = found.parts(2)
    assert [part.tolist() for part in parts] == [[0, 1, 2], [3, 4, 5]]
    low, mean, high = found.by_parts(found.blocks[0], parts)
    gram = solution.gram
    for a, part in enumerate(parts):
        values = [float(gram[i, j]) for i in part for j in range(6) if i != j]
        expected = (min(values), float(np.mean(values)), max(values))
        np.testing.assert_allclose((low[a], mean[a], high[a]), expected, atol=1e-14)
    assert len(found.parts(100)) == 6


def test_only_what_the_witness_holds_together_coincides() -> None:
    at_one_point = geometry(solve(Problem([100, 100, 1, 1], temperature=0.1)))
    assert [point.tolist() for point in at_one_point.coincide] == [[0, 2]]
    several = geometry(solve(Problem([100, 50, 3, 2], temperature=5.0)))
    assert [point.tolist() for point in several.coincide] == [[0, 1, 1, 1]]
    near = solve(Problem([500, 500, 5, 5], temperature=0.5))
    assert near.groups.gram[1, 1] > 0.9
    assert geometry(near).coincide == ()


def test_a_cluster_that_is_not_held_or_not_on_one_point_does_not_coincide() -> None:
    solution = solve(Problem([100, 100, 1, 1], temperature=0.1))
    (cluster,) = solution.witness.clusters
    witness = replace(solution.witness, clusters=(replace(cluster, kappa=0.0),))
    loose = replace(solution, answer=replace(solution.answer, witness=witness))
    assert geometry(loose).coincide == ()
    peer = solution.point.peer.copy()
    peer[1, 1] -= 1e-6
    point = replace(solution.point, peer=peer)
    assert geometry(replace(solution, answer=replace(solution.answer, point=point))).coincide == ()


@pytest.mark.parametrize(
    ("norm", "cosine"), [(Sphere(), True), (Sphere(2.0), True), (Ball(), True), (Ridge(0.01), False)]
)
def test_cosines_are_of_common_norms_only(norm: Sphere | Ball | Ridge, cosine: bool) -> None:
    solution = solve(Problem([100, 100, 10, 10], norm=norm, temperature=0.5))
    (block,) = geometry(solution).blocks
    assert block.cosine is cosine
    square = solution.gram[0, 0] if cosine else 1.0
    np.testing.assert_allclose(block.others.mean[0, 1], solution.gram[0, 2] / square, rtol=1e-9)
    np.testing.assert_allclose(block.own.mean, [solution.gram[0, 0], solution.gram[2, 2]], rtol=1e-9)


def test_two_roles_have_a_block_each_pair_matched_classes_apart() -> None:
    solution = solve(Problem([10, 10, 4, 4], loss="cross-entropy"))
    found = geometry(solution)
    names = [(block.first, block.second) for block in found.blocks]
    assert names == [("classifier", "classifier"), ("classifier", "feature"), ("feature", "feature")]
    assert not any(block.cosine for block in found.blocks)
    crossed, full = found.blocks[1], solution.block("classifier", "feature")
    np.testing.assert_allclose(crossed.own.mean, [full[0, 0], full[2, 2]], atol=1e-12)
    np.testing.assert_allclose(crossed.others.mean[[0, 1], [1, 0]], [full[0, 2], full[2, 0]], atol=1e-12)
    assert crossed.others.mean[0, 1] != crossed.others.mean[1, 0]


def test_samples_of_a_loss_that_sees_no_labels_are_of_one_kind() -> None:
    problem = Problem([3, 2], loss="decoupled", views=2)
    found = geometry(solve(problem))
    assert (found.unit, found.labelled, found.kin) == ("sample", False, None)
    assert (found.sizes.tolist(), found.units.tolist()) == ([1], [5])
    np.testing.assert_allclose(found.blocks[0].others.mean, [[-0.25]], atol=1e-9)
    lifted = geometry(solve(problem, level="samples"))
    assert (lifted.unit, lifted.kin, lifted.units.tolist()) == ("view", "sample", [10])
    assert lifted.blocks[0].kin is not None
    np.testing.assert_allclose(lifted.blocks[0].kin.mean, [1.0], atol=1e-6)
    np.testing.assert_allclose(lifted.blocks[0].others.mean, [[-0.25]], atol=1e-6)


def test_samples_of_classes_have_their_class_in_common() -> None:
    batches = FixedBatches.of([0, 0, 0, 1, 1], [[0, 1, 3, 4], [1, 2, 3, 4]])
    solution = solve(Problem([3, 2], loss=batches, temperature=0.5))
    found = geometry(solution)
    assert (found.unit, found.labelled, found.kin) == ("sample", True, "class")
    assert (found.sizes.tolist(), found.units.tolist()) == ([3, 2], [3, 2])
    kin, gram = found.blocks[0].kin, solution.gram
    assert kin is not None
    inside = [float(gram[i, j]) for i, j in [(0, 1), (0, 2), (1, 2)]]
    expected = (min(inside), float(np.mean(inside)), max(inside))
    np.testing.assert_allclose([float(part[0]) for part in kin], expected, atol=1e-12)
    assert np.isnan(found.blocks[0].others.mean[0, 0])  # one class of three samples
    assert found.blocks[0].others.low[0, 1] == pytest.approx(gram[:3, 3:].min(), abs=1e-12)
