"""The table of random log-sum-exp rows in balls, and the rows at a matrix."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, reduce
from typing import Any

import numpy as np
from flint import arb, ctx, fmpq
from jaxtyping import Bool, Float, Int, Shaped

from certify.balls.enclosures import (
    BallMatrix,
    Balls,
    ball,
    balls,
    choose,
    elementwise,
    rational,
    total,
    zeros,
)
from certify.balls.random import hypergeometric, multinomial
from certify.balls.random.laplace import LaplaceBalls, laplace
from relax.errors import InputError
from relax.facts import brief
from relax.rows import RandomLogSumExp

LARGEST_DRAW = 1_000_000  # the distribution of own draws is written out
_exp = elementwise(arb.exp)


def random_row_table(rows: RandomLogSumExp, multiplicity: Float[np.ndarray, " m"]) -> RandomRowTable:
    """Lay out random log-sum-exp rows at the present precision.

    Raises
    ------
    InputError
        If the rows are no expectation over draws, so that they need not be convex.
    """
    check_random_rows(rows, multiplicity)
    count, m = len(rows.anchor), len(multiplicity)
    members: Any = np.empty((count, m + 1), dtype=object)
    members[:, 0], members[:, 1:] = arb(1), balls(multiplicity)
    members[np.arange(count), rows.anchor + 1] = balls(multiplicity[rows.anchor] - 1.0)
    floor = [_floor(rows, t, _total(rows, t, multiplicity)) for t in range(count)]
    return RandomRowTable(rows, multiplicity, members, np.array(floor), np.ones(count, dtype=bool))


def check_random_rows(rows: RandomLogSumExp, multiplicity: Float[np.ndarray, " m"]) -> None:
    """Return if rows are expectations over draws.

    Raises
    ------
    InputError
        If they are not, so that they need not be convex.
    """
    if (
        type(rows.draws) is not int
        or not 1 <= rows.draws <= LARGEST_DRAW
        or type(rows.replacement) is not bool
    ):
        raise InputError(f"draws must be a whole number from 1 to {LARGEST_DRAW}, and replacement a bool")
    populations = [*rows.own_population.ravel().tolist(), *np.unique(rows.peer_population).tolist()]
    numbers = [rows.base, rows.own_multiplicity, rows.peer_multiplicity, *populations]
    if not all(0 <= number < np.inf for number in numbers):
        raise InputError("multiplicities and populations of rows must be finite and not negative")
    if not (rows.peer_multiplicity > 0 and (rows.base > 0 or rows.own_multiplicity > 0)):
        raise InputError("a draw of a peer must count for something, and so must base or own draws")
    if not rows.replacement and any(Fraction(number).denominator != 1 for number in populations):
        raise InputError("populations of draws without replacement must be whole numbers")
    totals = {_total(rows, t, multiplicity) for t in range(len(rows.anchor))}
    if 0 in totals:
        raise InputError("a row draws from nothing")
    if not rows.replacement and any(total < rows.draws for total in totals):
        raise InputError("more is drawn than there is")
    if not rows.replacement and len(totals) > 1:
        raise InputError("rows without replacement draw from populations of one size")


@brief
@dataclass(frozen=True, eq=False)
class RandomRowTable:
    """What no matrix changes in T rows; column 0 is the anchor's own entry, then come peers by groups."""

    rows: RandomLogSumExp
    multiplicity: Float[np.ndarray, " m"]
    members: Shaped[Balls, "T m1"]
    floor: Shaped[Balls, " T"]  # E[1{B>0} log B]
    has_floor: Bool[np.ndarray, " T"]
    accuracy: float = 1e-15  # the quadrature's own error is 1.8e-16

    @cached_property
    def load(self) -> Shaped[Balls, "T m"]:
        """E[1{B>0} N_e/B] of one peer of each group; 0 where there is none, or it is never drawn."""
        rows, found = self.rows, zeros(*self.members[:, 1:].shape)
        for t in range(len(rows.anchor)):
            whole, own = _total(rows, t, self.multiplicity), Fraction(_exact(rows.own_population[t]))
            ways = _ways(rows, own, whole)
            others = total(  # whoever is not own is drawn alike
                arb(fmpq(way * (rows.draws - j), 1)) / ball(rows.base + j * rows.own_multiplicity)
                for j, way in enumerate(ways[0])
                if way and (rows.base or j)
            ) / arb(ways[1])
            for e, population in enumerate(rows.peer_population[t].tolist()):
                if population and self.members[t, 1 + e] != arb(0):
                    found[t, e] = others * ball(Fraction(population) / (whole - own))
        return found

    @property
    def anchor(self) -> Int[np.ndarray, " T"]:
        """The groups."""
        return self.rows.anchor

    def state(self, matrix: BallMatrix, inverse_temperature: arb) -> RandomRowBalls:
        """Evaluate rows at a matrix, feasible or not."""
        own, peer = matrix.own[self.anchor], matrix.peer[self.anchor]
        read = self.members[:, 1:] != arb(0)
        rise = choose(read, (peer - own[:, None]) * inverse_temperature, arb(0))
        return RandomRowBalls(self, _exp(rise) * ball(self.rows.peer_multiplicity))


@brief
@dataclass(frozen=True, eq=False)
class RandomRowBalls:
    """T rows at a matrix, evaluated when they are asked for, at the precision of that time."""

    table: RandomRowTable
    reach: Shaped[Balls, "T m"]  # m e^{(x_e − x_own)/τ}

    @property
    def excess(self) -> Shaped[Balls, " T"]:
        """E[1{B>0} log(X/B)]."""
        if "_both" in self.__dict__:
            return self._both[0]
        return self._alone

    @cached_property
    def _alone(self) -> Shaped[Balls, " T"]:
        return self._evaluated(False)[0]

    @property
    def slope(self) -> Shaped[Balls, "T m1"]:
        """Its derivative by x/τ on single entries; that by the own entry balances all others."""
        return self._both[1]

    @property
    def curvature(self) -> Shaped[Balls, "T m"]:
        """A lower bound of the second derivative by x/τ on single peers, which all peers together have.

        That of log X is at least the diagonal B N a/X² (B stands at an entry that is held), and by Cauchy and
        Schwarz E[1{B>0} B N a/X²] E[1{B>0} N a/B] ≥ E[1{B>0} N a/X]², the square of the slope.
        """
        load = self.table.load
        drawn = load != arb(0)
        divisor = choose(drawn, self.reach * load, arb(1))
        return choose(drawn, self.slope[:, 1:] * self.slope[:, 1:] / divisor, arb(0))

    @cached_property
    def _both(self) -> tuple[Shaped[Balls, " T"], Shaped[Balls, "T m1"]]:
        return self._evaluated(True)

    def _evaluated(self, slopes: bool) -> tuple[Shaped[Balls, " T"], Shaped[Balls, "T m1"]]:
        rows, table = self.table.rows, self.table
        excess, slope = zeros(len(rows.anchor)), zeros(*table.members.shape)
        for t in range(len(rows.anchor)):
            found, peers = self._row(t, slopes)
            excess[t] = found
            if peers is not None:
                slope[t, 1:] = peers
                slope[t, 0] = -total(table.members[t, 1:] * peers)
        return excess, slope

    def _row(self, t: int, slopes: bool) -> tuple[arb, Shaped[Balls, " m"] | None]:
        """Evaluate at the middle of what is read, without radius, and let the ball hold the rest.

        If every reach is known up to factors 1 ± δ, so is log(1 + S/B), and N_e a_e/X up to (1 + δ)/(1 − δ).
        """
        rule, top = self._rule(t)
        reach = np.array([x.mid() for x in self.reach[t].tolist()])
        away = reduce(arb.max, [x.rad() / abs(x).lower() for x in self.reach[t].tolist() if x != 0], arb(0))
        spread = (2 * away / (1 - away)).upper() if away < 1 else arb("inf")
        sure = (1 + arb(0, 1) * rule.error) * (1 + arb(0, 1) * spread)
        with ctx.workprec(ctx.prec + multinomial.GUARD):
            excess, peers = self._at_middle(t, reach, rule, top, slopes)
        return excess * sure, peers if peers is None else peers * sure

    def _at_middle(
        self, t: int, reach: Shaped[Balls, " m"], rule: LaplaceBalls, top: arb, slopes: bool
    ) -> tuple[arb, Shaped[Balls, " m"] | None]:
        rows, members = self.table.rows, _members(self.table.rows, t, self.table.multiplicity)
        base, own = rational(_exact(rows.base)), rational(_exact(rows.own_multiplicity))
        peers, mine = [_exact(p) for p in rows.peer_population[t]], _exact(rows.own_population[t])
        if rows.replacement:
            whole = _total(rows, t, self.table.multiplicity)
            shares = np.array([arb(rational(Fraction(p) / whole)) for p in peers])
            share = arb(rational(Fraction(mine) / whole))
            many = multinomial.Row(rows.draws, arb(base), arb(own), share, shares, balls(members), reach)
            return multinomial.evaluated(many, rule, top)
        one = hypergeometric.Row(rows.draws, base, own, int(mine), [int(p) for p in peers], members, reach)
        return hypergeometric.evaluated(one, rule, top, slopes)

    def _rule(self, t: int) -> tuple[LaplaceBalls, arb]:
        """Return the quadrature, and a number that no X is above."""
        rows = self.table.rows
        base, own = ball(rows.base), ball(rows.own_multiplicity)
        top = (base + rows.draws * reduce(arb.max, self.reach[t].tolist(), own)).upper()
        return laplace(top, base if rows.base else own), top


def _exact(number: Any) -> Any:
    return number.item() if isinstance(number, np.generic) else number


def _members(rows: RandomLogSumExp, t: int, multiplicity: Float[np.ndarray, " m"]) -> list[int]:
    members = [int(g) for g in multiplicity.tolist()]
    members[int(rows.anchor[t])] -= 1
    return members


def _total(rows: RandomLogSumExp, t: int, multiplicity: Float[np.ndarray, " m"]) -> Fraction:
    """Return the population of a row."""
    pairs = zip(_members(rows, t, multiplicity), rows.peer_population[t], strict=True)
    return sum((g * Fraction(_exact(p)) for g, p in pairs), Fraction(_exact(rows.own_population[t])))


def _floor(rows: RandomLogSumExp, t: int, whole: Fraction) -> arb:
    """Return E[1{B>0} log B] from exact chances."""
    ways = _ways(rows, Fraction(_exact(rows.own_population[t])), whole)
    return total(
        arb(fmpq(way, 1)) * ball(rows.base + j * rows.own_multiplicity).log()
        for j, way in enumerate(ways[0])
        if way and (rows.base or j)
    ) / arb(ways[1])


def _ways(rows: RandomLogSumExp, own: Fraction, whole: Fraction) -> tuple[list[int], int]:
    """Return in how many ways j of K draws are own, and how many there are."""
    k = rows.draws
    return _with(k, own, whole) if rows.replacement else _without(k, int(own), int(whole))


def _without(k: int, own: int, whole: int) -> tuple[list[int], int]:
    return [math.comb(own, j) * math.comb(whole - own, k - j) for j in range(k + 1)], math.comb(whole, k)


def _with(k: int, own: Fraction, whole: Fraction) -> tuple[list[int], int]:
    share = own / whole
    p, q = share.numerator, share.denominator
    return [math.comb(k, j) * p**j * (q - p) ** (k - j) for j in range(k + 1)], q**k
