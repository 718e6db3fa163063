"""Draws without replacement in balls: coefficients of truncated products, without complex numbers.

With t for each draw, U(t) = own(t) (1 + t)^{n_rest} has the coefficients of E[1{B>0} e^{−sB}], own(t) being
(1 + t e^{−s m_own})^{n_own}, less 1 where a row counts only with B > 0. Peers at e^{−α_e} turn it into U e^ℓ,

    ℓ(t) = Σ n_e log((1 + t e^{−α_e})/(1 + t)),    ℓ'(t) = −1/(1 + t) · Σ n_e (1 − e^{−α_e})/(1 + t e^{−α_e}),

in which every coefficient is a sum of numbers of one sign, so that −[tᴷ] U (e^ℓ − 1) is accurate however near
α is to zero. Signs alternate in the products; what cancels there is made up for by bits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from flint import arb, arb_poly, arb_series, ctx, fmpq
from jaxtyping import Shaped

from certify.balls.enclosures import Balls, balls, elementwise, total
from certify.balls.random.laplace import LaplaceBalls
from certify.balls.random.near import near_one

GUARD = 64  # bits
STEP = 64  # bits in which precision is raised
MOST_BITS = 64  # of a result; the quadrature is not better than 52
WIDEST = 20_000  # bits, beyond which a ball stays as it is

_expm1 = elementwise(arb.expm1)


class Row(NamedTuple):
    """One row: K draws without replacement, populations whole numbers; see `multinomial.Row`."""

    draws: int
    base: fmpq
    own_multiplicity: fmpq
    own: int
    peer: list[int]
    members: list[int]
    reach: Shaped[Balls, " m"]

    @property
    def rest(self) -> int:
        """How many are not of the own population."""
        return sum(n * g for n, g in zip(self.peer, self.members, strict=True))


class _Products(NamedTuple):
    """U and the coefficients of e^ℓ − 1 (without the first, which is zero), times e^{−s·base}."""

    base: arb_series
    change: arb_series


def evaluated(row: Row, rule: LaplaceBalls, top: arb, slopes: bool) -> tuple[arb, Shaped[Balls, " m"] | None]:
    """Return Σ_j weight_j E[1{B>0}(e^{−s_j B} − e^{−s_j X})], where wanted with its derivative by peers."""
    found = np.full(1 + len(row.reach), arb(0), dtype=object)  # the value, then slopes
    enough = arb(2) ** -min(ctx.prec, MOST_BITS)
    with _length(row.draws + 1):
        for node, weight in zip(rule.node, rule.weight, strict=True):
            bits = ctx.prec + GUARD + _lost_bits(row, row.reach * (node / top))
            while True:  # nodes increase, and what later ones have matters beside what is there only
                with ctx.workprec(bits):
                    more = _at_node(row, node / top, weight, slopes)
                    sums = found + more
                if bits > WIDEST or all(
                    x.rad() <= enough * abs(y).lower() for x, y in zip(more, sums, strict=True)
                ):
                    break
                bits *= 2
            found = sums
    return found[0], found[1:] * np.array(row.peer, dtype=object) if slopes else None


def _at_node(row: Row, s: arb, weight: arb, slopes: bool) -> Shaped[Balls, " m1"]:
    """Return what one node adds to the value and, over their populations, to the slopes."""
    k, alpha, found = row.draws, row.reach * s, np.full(1 + len(row.reach), arb(0), dtype=object)
    fall = -_expm1(-alpha)
    products = _products(row, s, fall)
    scale = weight / math.comb(row.own + row.rest, k)
    first = products.base.coeffs()
    first += [arb(0)] * (k + 1 - len(first))
    change = products.change.coeffs()
    found[0] = -scale * total(first[k - i] * c for i, c in enumerate(change) if i)
    if slopes:
        found[1:] = alpha * (_drawn(products, k, fall) * scale)
    return found


def _products(row: Row, s: arb, fall: Shaped[Balls, " m"]) -> _Products:
    k, y, power = row.draws, (-s * row.own_multiplicity).exp(), (-s * row.base).exp()
    own = []
    for ways in _binomials(row.own, k, ctx.prec):
        own.append(power * ways)
        power *= y
    if row.base == 0:
        own[0] = arb(0)
    base = arb_series(own, k + 1) * arb_series(_binomials(row.rest, k, ctx.prec), k + 1)
    return _Products(base, _exponent(row, fall).exp() - 1)


@lru_cache(maxsize=32)
def _binomials(n: int, most: int, precision: int) -> list[arb]:
    """Return the binomial coefficients of n up to the `most`-th, rounded."""
    found, ways = [], 1
    for i in range(most + 1):
        found.append(arb(ways) * 1)
        ways = ways * max(n - i, 0) // (i + 1)
    return found


def _exponent(row: Row, fall: Shaped[Balls, " m"]) -> arb_series:
    """Return ℓ, of x = 1 − e^{−α}."""
    k = row.draws
    near, counts = near_one(fall, k), balls(row.peer) * balls(row.members)
    summed = near.sums(counts, fall)
    for c, x in zip(counts[~near.which].tolist(), fall[~near.which].tolist(), strict=True):
        summed += arb_series([1, 1 - x], k).inv() * arb_series([c * x], k)
    derivative = -summed * arb_series([1, 1], k).inv()
    integral = [arb(0), *(c / (i + 1) for i, c in enumerate(derivative.coeffs()))]
    return arb_series(integral, k + 1)


def _drawn(products: _Products, k: int, fall: Shaped[Balls, " m"]) -> Shaped[Balls, " m"]:
    """Return [tᴷ] U e^ℓ · t y/(1 + t y) for each peer, y = 1 − x: y Σ_i (−y)^i [t^{K−1−i}] U e^ℓ."""
    whole = (products.base * (products.change + 1)).coeffs()
    whole += [arb(0)] * (k - len(whole))
    reverse, near = whole[k - 1 :: -1], near_one(fall, k)
    shifted, polynomial = near.shifted(reverse), arb_poly(reverse)
    found = np.empty(len(fall), dtype=object)
    for e, x in enumerate(fall.tolist()):
        found[e] = (1 - x) * (shifted(x) if near.which[e] else polynomial(x - 1))
    return found


def _lost_bits(row: Row, alpha: Shaped[Balls, " m"]) -> int:
    """Return about how many bits cancel in the products, from the sizes of what is summed."""
    k, n = row.draws, row.own + row.rest
    most = _log_binomial(2 * n + k - 1, k) - _log_binomial(n, k)
    fall = sum(
        p * g * -math.expm1(-float(x.mid()))
        for p, g, x in zip(row.peer, row.members, alpha.tolist(), strict=True)
    )
    bits = 1.5 * min(most, 2.0 * k * fall / n + 2.0 * k * k / n)
    return STEP * math.ceil(bits / STEP)


def _log_binomial(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


@contextmanager
def _length(count: int) -> Iterator[None]:
    """Let series have so many coefficients."""
    before, ctx.cap = ctx.cap, count
    try:
        yield
    finally:
        ctx.cap = before
