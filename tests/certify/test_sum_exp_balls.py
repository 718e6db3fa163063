"""Sums of exponentials in balls: they contain what high precision says, and are narrow."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from flint import arb, ctx

from certify.balls.enclosures import BallMatrix, balls
from certify.balls.sum_exp import SumExpBalls, sum_exp_balls
from relax.losses import Kernel
from relax.problem import Problem
from relax.rows import SumExp

G = np.array([3.0, 1.0])


def rows() -> SumExp:
    third = Fraction(1, 3)
    return SumExp(
        anchor=np.array([0, 1, 1]),
        weight=np.array([1.0, 2.0, 1.0]),
        own_multiplicity=np.array([0.0, 0.5, 1.0]),
        own_target=np.array([Fraction(1), third, Fraction(0)]),
        peer_multiplicity=np.array([[1.0, 2.0], [3.0, 7.0], [0.25, 0.0]]),
        floor=np.array([-third, Fraction(0), Fraction(1, 7)]),
        peer_target=np.array([[0, 0], [third, third], [0, 0]], dtype=object),
    )


def exactly(t: int, own: np.ndarray, peer: np.ndarray, tau: Fraction) -> tuple[Any, list[Any]]:
    """Excess, and slope by each column, of one row: an entry at a time."""
    mpmath.mp.dps = 60
    given = rows()
    a = int(given.anchor[t])
    assert given.peer_target is not None
    single = [(0, given.own_multiplicity[t], given.own_target[t], own[a])]
    for b in range(2):
        for _ in range(int(G[b]) - (a == b)):
            single.append((b + 1, given.peer_multiplicity[t, b], given.peer_target[t, b], peer[a, b]))

    def number(x: object) -> Any:
        return mpmath.mpf(Fraction(x).numerator) / Fraction(x).denominator  # type: ignore[arg-type]

    mean = mpmath.fsum(number(p) * number(x) for _, _, p, x in single)
    terms = [number(m) * mpmath.exp((number(x) - mean) / number(tau)) for _, m, _, x in single]
    total = mpmath.fsum(terms)
    slope = [mpmath.mpf(0)] * 3
    for (column, _, p, _), term in zip(single, terms, strict=True):
        slope[column] = term - number(p) * total
    return total, slope


@pytest.mark.parametrize("tau", [Fraction(1, 4), Fraction(1, 10)])
def test_balls_contain_the_exact_numbers(tau: Fraction) -> None:
    rng = np.random.default_rng(0)
    own, peer = rng.normal(size=2), rng.normal(size=(2, 2))
    peer = peer + peer.T
    with ctx.workprec(128):
        table = sum_exp_balls(rows(), G)
        assert isinstance(table, SumExpBalls)
        inverse = arb(tau.denominator) / arb(tau.numerator)
        state = table.state(BallMatrix(balls(own), balls(peer)), inverse)
        assert table.has_floor.all()
        assert [float(x) for x in table.floor] == pytest.approx(rows().floor.astype(float))
        for t in range(3):
            excess, slope = exactly(t, own, peer, tau)
            columns = [e for e in range(3) if table.members[t, e] != 0]
            for ball, number in [
                (state.excess[t], excess),
                *((state.slope[t, e], slope[e]) for e in columns),
            ]:
                low, high = (mpmath.mpf(str(x.str(50, radius=False))) for x in (ball.lower(), ball.upper()))
                assert (
                    low - abs(low) * mpmath.mpf(10) ** -45
                    <= number
                    <= high + abs(high) * mpmath.mpf(10) ** -45
                )
                assert ball.rad() <= abs(ball.mid()) * 1e-30


def test_balls_agree_with_floats_on_a_loss() -> None:
    program = Problem([9, 9, 4, 1], Kernel(3.0)).program()
    block = program.rows[0]
    assert isinstance(block, SumExp)
    rng = np.random.default_rng(1)
    entry = rng.uniform(-1, 1, size=(3, 3))
    entry = entry + entry.T
    own = np.ones(3)
    state = sum_exp_balls(block, program.multiplicity).state(BallMatrix(balls(own), balls(entry)), arb(4))
    floats = program.tables[0].state(np.column_stack([own, entry]) / 0.25)
    np.testing.assert_allclose(state.excess.astype(float), floats.excess, rtol=1e-13)
    np.testing.assert_allclose(state.slope.astype(float), floats.slope, rtol=1e-13)
