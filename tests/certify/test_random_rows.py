"""Balls of random log-sum-exp rows hold the numbers of enumeration and of floats, and are narrow."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from flint import arb, ctx

from certify.balls.enclosures import BallMatrix, balls
from certify.balls.random.laplace import laplace
from certify.balls.random.near import Near, near_one
from certify.balls.random.rows import random_row_table
from relax import datasets
from relax.counts import ClassCounts
from relax.losses.batches import expected_rows
from tests.relax.rows.enumeration import enumerated
from tests.relax.rows.test_random import CASES, Case, case, made

NARROW = 2e-16  # the quadrature's own error, relative


def enclosed(given: Case) -> Any:
    k = len(given.rise) + 1
    table = random_row_table(given.rows, np.ones(k))
    peer = balls(np.concatenate([[0.0], given.rise])[None].repeat(k, axis=0))
    return table, table.state(BallMatrix(balls(np.zeros(k)), peer), arb(1))


def holds(ball: Any, exact: Any) -> bool:
    """Whether a ball holds a number that enumeration gives to some fifty digits."""
    number = exact if isinstance(exact, float) else arb(mpmath.nstr(exact, 50))
    return bool(abs(ball.mid() - number) <= ball.rad() * (1 + arb("1e-12")) + abs(ball.mid()) * arb("1e-33"))


EVERY = [pytest.param(at, marks=[pytest.mark.slow] if i % 2 else []) for i, at in enumerate(CASES[::30])]


@pytest.mark.parametrize("first", EVERY)
def test_balls_hold_enumeration(first: int) -> None:
    with ctx.workprec(128):
        for seed in range(first, first + 30):
            given = case(seed)
            table, at = enclosed(given)
            assert holds(table.floor[0], given.exact.floor), seed
            assert holds(at.excess[0], given.exact.excess), seed
            assert at.excess[0].rad() < NARROW * abs(at.excess[0].mid())
            for ball, exact in zip(at.slope[0, 2:], given.exact.slope, strict=True):
                assert holds(ball, exact), seed
                assert ball.rad() < NARROW * abs(ball.mid())
            assert table.floor[0].rad() <= 1e-36 * abs(table.floor[0].mid())


def test_a_ball_does_not_hold_what_is_next_to_it() -> None:
    given = case(1)
    with ctx.workprec(128):
        _, at = enclosed(given)
        assert not holds(at.excess[0], given.exact.excess * (1 + mpmath.mpf(5) / 10**16))


@pytest.mark.parametrize("replacement", [True, False])
def test_tiny_excesses_are_narrow_balls(replacement: bool) -> None:
    for views in (1, 2):
        given = made(3, replacement, views - 1, views, views, [3, 50, 2], np.array([-46.0, -900.0]))
        with ctx.workprec(96):
            _, at = enclosed(given)
            assert holds(at.excess[0], given.exact.excess)
            assert at.excess[0].rad() < NARROW * at.excess[0].mid()


def test_risks_with_random_negatives() -> None:
    third = Fraction(1, 3)
    for same in (0, 3):
        given = made(3, True, Fraction(1, 50), third, third, [same, 4, 5], np.array([-1.5, 0.25]))
        with ctx.workprec(128):
            table, at = enclosed(given)
            assert holds(at.excess[0], given.exact.excess) and holds(table.floor[0], given.exact.floor)
            assert all(map(holds, at.slope[0, 2:], given.exact.slope))


@pytest.mark.parametrize("sampler", ["shuffle", "replacement"])
@pytest.mark.parametrize("views", [1, 2])
def test_floats_agree_where_no_enumeration_reaches(sampler: Any, views: int) -> None:
    """Groups of several classes, many of them nearly orthogonal."""
    counts = ClassCounts.of(datasets.long_tail(16, 300, 60))
    (rows,), _ = expected_rows(counts, views, 32, sampler)
    g = np.array(counts.multiplicities, dtype=float)
    vectors = np.random.default_rng(0).normal(size=(len(g), 60))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    peer = vectors @ vectors.T
    np.fill_diagonal(peer, -0.03)
    peer[-1, -2] = peer[-2, -1] = 0.99
    table = rows.table(g)
    found = table.state(np.column_stack([np.ones(len(g)), peer])[rows.anchor] / 0.1)
    with ctx.workprec(96):
        enclosure = random_row_table(rows, g)
        at = enclosure.state(BallMatrix(balls(np.ones(len(g))), balls(peer)), arb(10))
        read = table.members > 0
        for ball, number in [
            *zip(at.excess, found.excess, strict=True),
            *zip(at.slope[read], found.slope[read], strict=True),
        ]:
            assert abs(ball - number) < 2e-14 * abs(ball), (ball, number)
            assert ball.rad() < NARROW * abs(ball.mid())
        assert [float(x.mid()) for x in enclosure.floor] == pytest.approx(table.floor, rel=1e-14)


@pytest.mark.parametrize("counts", [[10**6, 2, 2], [300, 300, 300, 5], [50, 40, 30, 20, 10, 2]])
@pytest.mark.parametrize("sampler", ["shuffle", "replacement"])
@pytest.mark.parametrize("batch_size", [3, 120])
@pytest.mark.parametrize("beta", [10, 1])
def test_floats_agree_at_any_temperature(counts: list[int], sampler: Any, batch_size: int, beta: int) -> None:
    """Where much is drawn and nothing is far away, terms of both signs are largest; balls stay narrow."""
    given = ClassCounts.of(counts)
    vectors = np.random.default_rng(batch_size).normal(size=(len(given.sizes), 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    peer = vectors @ vectors.T
    for views in (1, 2):
        (rows,), _ = expected_rows(given, views, batch_size, sampler)
        g = np.array(given.multiplicities, dtype=float)
        table = rows.table(g)
        found = table.state(np.column_stack([np.ones(len(g)), peer])[rows.anchor] * beta)
        with ctx.workprec(96):
            enclosure = random_row_table(rows, g)
            at = enclosure.state(BallMatrix(balls(np.ones(len(g))), balls(peer)), arb(beta))
            read = table.members > 0
            slopes = zip(at.slope[read], found.slope[read], strict=True)
            for ball, number in [*zip(at.excess, found.excess, strict=True), *slopes]:
                assert abs(ball - number) < 2e-14 * abs(ball), (ball, number)
                assert ball.rad() < NARROW * abs(ball.mid())


def test_an_uncertain_matrix_has_wider_balls() -> None:
    given = case(3)
    k = len(given.rise) + 1
    with ctx.workprec(128):
        table = random_row_table(given.rows, np.ones(k))
        peer = balls(np.concatenate([[0.0], given.rise])[None].repeat(k, axis=0)) + arb(0, 1e-6)
        at = table.state(BallMatrix(balls(np.zeros(k)), peer), arb(1))
        for end in (-1e-6, 1e-6):
            moved = table.state(
                BallMatrix(
                    balls(np.zeros(k)), balls(np.concatenate([[0.0], given.rise])[None].repeat(k, 0)) + end
                ),
                arb(1),
            )
            assert at.excess[0].contains(moved.excess[0])
            assert all(a.contains(b) for a, b in zip(at.slope[0], moved.slope[0], strict=True))
        assert at.excess[0].rad() < 1e-5 * at.excess[0].mid()


def test_factors_near_one_are_summed_together() -> None:
    rng, draws = np.random.default_rng(0), 30
    with ctx.workprec(160):
        x, counts = balls(rng.uniform(0, 1e-3, size=60)), balls(rng.integers(1, 9, size=60))
        near = near_one(x, draws)
        assert near.which.all() and near.terms < 30
        polynomial = [arb(3) ** -i for i in range(draws)]
        shifted = near.shifted(polynomial)
        for e in range(60):
            direct = sum((c * (x[e] - 1) ** i for i, c in enumerate(polynomial)), arb(0))
            assert shifted(x[e]).overlaps(direct) and shifted(x[e]).rad() < arb(2) ** -140
        for k, found in enumerate(near.sums(counts, x).coeffs()):
            direct = sum((c * u * (u - 1) ** k for c, u in zip(counts, x, strict=True)), arb(0))
            assert found.overlaps(direct) and found.rad() < arb(2) ** -140 * abs(direct)
    with ctx.workprec(160):
        assert not near_one(balls(np.full(60, 0.5)), draws).which.any()


def test_the_remainder_of_few_terms_is_in_the_ball() -> None:
    with ctx.workprec(160):
        x, counts = balls(np.full(3, 0.02)), balls(np.ones(3))
        for terms in (1, 2, 4):
            near = Near(np.ones(3, dtype=bool), terms, 10, arb(0.02))
            direct = [3 * x[0] * (x[0] - 1) ** k for k in range(10)]
            found = near.sums(counts, x).coeffs()
            assert all(a.overlaps(b) for a, b in zip(found, direct, strict=True))
            assert found[-1].rad() > 0
            shifted = near.shifted([arb(1)] * 10)(x[0])
            assert shifted.overlaps(sum(((x[0] - 1) ** i for i in range(10)), arb(0)))


def test_the_quadrature_errs_by_less_than_it_says() -> None:
    with ctx.workprec(128):
        rule = laplace(arb(511), arb(1))
        assert len(rule.node) == 45 and float(rule.error) < NARROW
        for x, b in [(511, 1), (40, 39), (1.001, 1), (3, 2)]:
            terms = [(-s / 511 * b).exp() - (-s / 511 * x).exp() for s in rule.node]
            found = sum((w * t for w, t in zip(rule.weight, terms, strict=True)), arb(0))
            exact = (arb(x) / arb(b)).log()
            assert abs(found / exact - 1) < rule.error
        assert abs(found / exact - 1) > rule.error / 10**4  # so it is no empty promise


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(300, 900, 50))
def test_balls_hold_many_enumerations(seed: int) -> None:
    with ctx.workprec(128):
        for one in range(seed, seed + 50):
            given = case(one)
            _, at = enclosed(given)
            assert holds(at.excess[0], given.exact.excess), one
            assert all(map(holds, at.slope[0, 2:], given.exact.slope)), one


def test_the_oracle_itself() -> None:
    """Two draws with replacement from one own and one other: chances 1/4, 1/2, 1/4 of 2, 1, 0 own draws."""
    with mpmath.workdps(40):
        a = mpmath.exp(-1)
        found = enumerated(2, [1, 1], True, [1, 2, 2], [mpmath.mpf(-1)])
        exact = mpmath.log((3 + 2 * a) / 3) / 2 + mpmath.log((1 + 4 * a) / 1) / 4
        assert abs(found.excess - exact) < mpmath.mpf(10) ** -38
