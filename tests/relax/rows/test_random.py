"""Random log-sum-exp rows against enumeration of all draws, in 60 digits."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import mpmath
import numpy as np
import pytest

from relax import datasets
from relax.counts import ClassCounts
from relax.losses.batches import expected_rows
from relax.problem import Problem
from relax.program import GramProgram
from relax.rows import RandomLogSumExp, Rows, RowState, RowTable
from relax.rows.random.circle import circle
from relax.rows.random.far import Pairs, Tail
from relax.rules import Fixed
from relax.solvers import solve_program
from tests.relax.rows.enumeration import Exact, enumerated

ACCURACY = 1e-13  # relative, of what is above the floor


class Case(NamedTuple):
    rows: RandomLogSumExp
    rise: np.ndarray
    exact: Exact


def case(seed: int) -> Case:
    """A row of a few classes, 2 to 8 draws, and differences of entries down to −100 or a little above 0."""
    rng = np.random.default_rng(seed)
    k, replacement, views = int(rng.integers(2, 5)), bool(seed % 2), 1 + seed // 2 % 2
    counts = np.exp(rng.uniform(1.1, rng.choice([2.5, 9.0]), size=k)).astype(int).tolist()
    draws = int(rng.integers(2, min(sum(counts) - 1, 8) + 1))
    own = counts[0] - (0 if replacement else 1)
    rise = -np.abs(rng.normal(size=k - 1)) * np.exp(rng.uniform(-1, 4))
    if seed % 5 == 0:
        rise = -rise / 10.0
    return made(draws, replacement, views - 1, views, views, [own, *counts[1:]], rise)


def made(
    draws: int, replacement: bool, base: Any, own: Any, peer: Any, populations: list[int], rise: np.ndarray
) -> Case:
    with mpmath.workdps(60):
        numbers = [mpmath.mpf(Fraction(x).numerator) / Fraction(x).denominator for x in (base, own, peer)]
        exact = enumerated(draws, populations, replacement, numbers, [mpmath.mpf(x) for x in rise.tolist()])
    rows = RandomLogSumExp(
        anchor=np.array([0]),
        weight=np.array([1]),
        draws=draws,
        replacement=replacement,
        base=base,
        own_multiplicity=own,
        peer_multiplicity=peer,
        own_population=np.array(populations[:1]),
        peer_population=np.array([[7, *populations[1:]]]),  # nobody stands behind the 7
    )
    return Case(rows, rise, exact)


def state(given: Case) -> Any:
    """The row at an own entry of 2, which differences must not see."""
    entry = np.concatenate([[2.0, 0.0], 2.0 + given.rise])[None]
    return given.rows.table(np.ones(len(given.rise) + 1)).state(entry)


def off(found: float, exact: Any) -> float:
    return float(abs(found - exact) / abs(exact))


CASES = range(300)


@pytest.mark.parametrize("first", CASES[::20])
def test_rows_equal_enumeration(first: int) -> None:
    for seed in range(first, first + 20):
        given = case(seed)
        found, exact = state(given), given.exact
        shift = np.finfo(float).eps * float(
            np.abs(given.rise).max() + 2.0
        )  # of what differences are rounded to
        assert off(float(found.excess[0]), exact.excess) < ACCURACY + 2 * shift, seed
        assert max(map(off, found.slope[0, 2:], exact.slope)) < ACCURACY + 4 * shift, seed
        assert found.slope[0, 0] == -found.slope[0, 2:].sum()
        table = given.rows.table(np.ones(len(given.rise) + 1))
        assert abs(table.floor[0] - exact.floor) <= 1e-14 * abs(exact.floor)
        hessian = found.hessian()[0]
        assert hessian.sum(axis=0) == pytest.approx(0.0, abs=1e-13 * np.abs(hessian).max())
        for e, row in enumerate(exact.hessian):
            size = float(exact.slope[e])
            assert [float(x) for x in row] == pytest.approx(hessian[2 + e, 2:], rel=1e-10, abs=1e-12 * size)
        assert found.single()[0] == pytest.approx(np.diag(hessian), rel=1e-10, abs=1e-13 * found.excess[0])


def test_excesses_of_the_cases_reach_far_down() -> None:
    sizes = [float(case(seed).exact.excess) for seed in CASES]
    assert min(sizes) < 1e-20 and max(sizes) > 1.0


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize("views", [1, 2])
def test_tiny_excesses_keep_their_digits(replacement: bool, views: int) -> None:
    for rise in (-46.0, -200.0, -600.0):
        given = made(3, replacement, views - 1, views, views, [3, 50], np.array([rise]))
        assert off(float(state(given).excess[0]), given.exact.excess) < 1e-13
        assert off(float(state(given).slope[0, 2]), given.exact.slope[0]) < 1e-13


def test_rows_that_almost_never_count() -> None:
    given = made(4, True, 0, 1, 1, [2, 100_000, 3], np.array([-11.0, -0.5]))
    assert off(float(state(given).excess[0]), given.exact.excess) < ACCURACY
    given = made(4, True, 0, 1, 1, [100_000, 3, 2], np.array([-11.0, -0.5]))
    assert off(float(state(given).excess[0]), given.exact.excess) < ACCURACY


@pytest.mark.parametrize("a", [Fraction(1), Fraction(1, 50)])
@pytest.mark.parametrize("same", [0, 3])
@pytest.mark.parametrize("q", [1, 2, 5])
def test_risks_with_random_negatives(a: Fraction, same: int, q: int) -> None:
    """E log(a + mean e^t): negatives of other classes alone, or of all."""
    for rise in (np.array([-1.5, -0.3]), np.array([-40.0, -35.0])):
        given = made(q, True, a, Fraction(1, q), Fraction(1, q), [same, 4, 5], rise)
        found = state(given)
        assert off(float(found.excess[0]), given.exact.excess) < ACCURACY
        assert max(map(off, found.slope[0, 2:], given.exact.slope)) < ACCURACY
        floor = given.rows.table(np.ones(3)).floor[0]
        assert floor == pytest.approx(float(given.exact.floor), rel=1e-14, abs=1e-16)


def random_entries(k: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(k, 4))
    gram = vectors @ vectors.T / 3.0
    return np.column_stack([np.diag(gram), gram])


@pytest.mark.parametrize("sampler", ["shuffle", "replacement", "class-balanced"])
@pytest.mark.parametrize("views", [1, 2])
def test_derivatives_are_those_of_the_value(sampler: Any, views: int) -> None:
    """At numbers of classes and draws that no enumeration reaches."""
    counts = ClassCounts.of([40, 31, 17, 9, 5, 3])
    (rows,), _ = expected_rows(counts, views, 24, sampler)
    table, entry = rows.table(np.ones(6)), random_entries(6)
    at, direction = table.state(entry), random_entries(6, 1)
    step = 1e-4

    def slope(t: float) -> np.ndarray:
        return table.state(entry + t * direction).slope

    def excess(t: float) -> np.ndarray:
        return table.state(entry + t * direction).excess

    first = (8 * (excess(step) - excess(-step)) - (excess(2 * step) - excess(-2 * step))) / (12 * step)
    second = (8 * (slope(step) - slope(-step)) - (slope(2 * step) - slope(-2 * step))) / (12 * step)
    assert (table.members * at.slope * direction).sum(axis=1) == pytest.approx(first, rel=1e-10)
    assert at.along(direction) == pytest.approx(second, rel=1e-8, abs=1e-10)
    along = np.einsum("tef,tf->te", at.hessian(), direction)
    assert table.members * at.along(direction) == pytest.approx(along, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("sampler", ["shuffle", "replacement", "class-balanced"])
@pytest.mark.parametrize("views", [1, 2])
def test_groups_are_their_classes(sampler: Any, views: int) -> None:
    counts = ClassCounts.of({30: 3, 8: 2, 4: 1})
    apart = counts.apart()
    (rows,), normaliser = expected_rows(counts, views, 16, sampler)
    (single,), same = expected_rows(apart, views, 16, sampler)
    assert normaliser == same
    peer = random_entries(3)[:, 1:]
    group = counts.group_of_class()
    entry = np.column_stack([[1.0, 1.2, 0.9], peer])
    expanded = np.column_stack([entry[group, 0], peer[np.ix_(group, group)]])
    table, all_classes = rows.table(np.array([3.0, 2.0, 1.0])), single.table(np.ones(6))
    at, each = table.state(entry), all_classes.state(expanded)
    assert at.excess[group] == pytest.approx(each.excess, rel=1e-14)
    for c in range(6):
        for d in range(6):
            if c != d:
                assert each.slope[c, d + 1] == pytest.approx(at.slope[group[c], group[d] + 1], rel=1e-13)
    assert rows.weights @ at.excess == pytest.approx(single.weights @ each.excess, rel=1e-14)


def batches(counts: Any, batch_size: int, views: int, sampler: Any, temperature: str = "1/10") -> GramProgram:
    counts = ClassCounts.of(counts)
    rows, normaliser = expected_rows(counts, views, batch_size, sampler)
    multiplicity = np.array(counts.multiplicities, dtype=float)
    rule = Fixed(np.arange(len(multiplicity)))
    return GramProgram(multiplicity, Fraction(temperature), rows, normaliser, (rule,))


@pytest.mark.parametrize(
    ("batch_size", "cosine"),
    [(8, 0.3068), (32, 0.0823), (64, 0.0366), (256, -0.0071), (505, -0.0169), (1010, -0.0159)],
)
def test_the_batch_size_moves_the_geometry(batch_size: int, cosine: float) -> None:
    found = solve_program(batches([500, 500, 5, 5], batch_size, 1, "shuffle"))
    assert found.relative_gap() < 1e-9
    assert found.point.peer[1, 1] == pytest.approx(cosine, abs=1e-4)


@pytest.mark.parametrize("views", [1, 2])
@pytest.mark.parametrize("counts", [[500, 500, 5, 5], [30, 20, 2, 2], [3, 3, 2]])
def test_one_batch_of_everything_is_the_full_batch(counts: list[int], views: int) -> None:
    full = Problem(counts, views=views).program()
    batch = batches(counts, sum(counts), views, "shuffle")
    point = solve_program(full).point
    assert batch.excess(point) == pytest.approx(full.excess(point), rel=3e-15)
    assert batch.gradient(point).peer == pytest.approx(full.gradient(point).peer, rel=1e-14)
    assert batch.floor == pytest.approx(full.floor, rel=1e-15)


@pytest.mark.parametrize("sampler", ["shuffle", "replacement"])
def test_a_long_tail_is_solved(sampler: Any) -> None:
    found = solve_program(batches(datasets.long_tail(10, 5000, 100), 256, 2, sampler))
    assert found.relative_gap() < 1e-9 and found.solver == "low_rank"


def test_a_series_and_pairs_one_by_one_agree() -> None:
    ring, rng = circle(40, 9_000, 8.0, True), np.random.default_rng(0)
    alpha = np.exp(rng.uniform(np.log(ring.small), 4.0, size=(5, 3, 6)))
    far, factor = rng.random(alpha.shape) < 0.7, rng.uniform(1, 50, size=(3, 6))
    mean = rng.normal(size=(5, 3, len(ring.odds))) + 1j * rng.normal(size=(5, 3, len(ring.odds)))
    one, other = Pairs(ring, alpha, far), Tail(ring, alpha, far)
    assert 0 < len(ring.tail) < 12
    assert one.logs(factor) == pytest.approx(other.logs(factor), rel=1e-13)
    assert one.pull(factor) == pytest.approx(other.pull(factor), rel=1e-13)
    for name in ("slope", "bend", "square"):
        expected = getattr(one, name)(mean)
        assert getattr(other, name)(mean) == pytest.approx(expected, rel=1e-11, abs=1e-14)


def test_without_replacement_there_must_be_enough() -> None:
    rows = made(3, True, 1, 2, 2, [3, 2], np.array([-1.0])).rows
    few = RandomLogSumExp(
        rows.anchor, rows.weight, 6, False, 1, 2, 2, rows.own_population, rows.peer_population
    )
    with pytest.raises(ValueError, match="6 draws without replacement from 5"):
        few.table(np.ones(2))


def test_it_is_a_kind_of_rows() -> None:
    given = case(0)
    table = given.rows.table(np.ones(len(given.rise) + 1))
    assert isinstance(given.rows, Rows) and isinstance(table, RowTable) and isinstance(state(given), RowState)
    assert table.expression(None, np.ones(1)) is None
