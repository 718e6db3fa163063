"""Draws without replacement in balls: coefficients of truncated products, without complex numbers.

With t for each draw, U(t) = own(t) (1 + t)^{n_rest} has the coefficients of E[1{B>0} e^{−sB}], own(t) being
(1 + t e^{−s m_own})^{n_own}, less 1 where a row counts only with B > 0. Peers at e^{−α_e} turn it into U e^ℓ,

    ℓ(t) = Σ n_e log((1 + t e^{−α_e})/(1 + t)),    ℓ'(t) = −1/(1 + t) · Σ n_e (1 − e^{−α_e})/(1 + t e^{−α_e}),

in which every coefficient is a sum of numbers of one sign, so that −[tᴷ] U (e^ℓ − 1) is accurate however near α is
to zero. Signs alternate in the products; what cancels there is made up for by bits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from flint import arb, arb_poly, arb_series, ctx
from jaxtyping import Shaped

from certify.balls.enclosures import Balls, elementwise, total
from certify.balls.random.laplace import LaplaceBalls

GUARD = 64  # bits

_exp, _expm1 = elementwise(arb.exp), elementwise(arb.expm1)


class Row(NamedTuple):
    """One row: K draws without replacement, populations whole numbers; see `multinomial.Row`."""

    draws: int
    base: arb
    own_multiplicity: arb
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


def evaluated(
    row: Row, rule: LaplaceBalls, top: arb, slopes: bool
) -> tuple[arb, Shaped[Balls, " m"] | None]:
    """Return Σ_j weight_j E[1{B>0}(e^{−s_j B} − e^{−s_j X})], and where wanted its derivative by single peers."""
    k, precision = row.draws, ctx.prec
    excess, slope = arb(0), np.full(len(row.reach), arb(0), dtype=object)
    with _length(k + 1):
        for node, weight in zip(rule.node, rule.weight, strict=True):
            s = node / top
            with ctx.workprec(precision + GUARD + _lost_bits(row, row.reach * s)):
                alpha = row.reach * s
                products = _products(row, s, alpha)
                scale = weight / math.comb(row.own + row.rest, k)
                first = products.base.coeffs()
                first += [arb(0)] * (k + 1 - len(first))
                change = products.change.coeffs()
                excess -= scale * total(first[k - i] * c for i, c in enumerate(change) if i)
                if slopes:
                    slope += alpha * (_drawn(products, k, _exp(-alpha)) * scale)
    return excess, slope * np.array(row.peer, dtype=object) if slopes else None


def _products(row: Row, s: arb, alpha: Shaped[Balls, " m"]) -> _Products:
    k, rest = row.draws, row.rest
    y, power = (-s * row.own_multiplicity).exp(), (-s * row.base).exp()
    own, others = [], []
    ways_own = ways_rest = 1
    for i in range(k + 1):
        own.append(power * ways_own)
        others.append(arb(ways_rest))
        power *= y
        ways_own = ways_own * max(row.own - i, 0) // (i + 1)
        ways_rest = ways_rest * max(rest - i, 0) // (i + 1)
    if row.base == 0:
        own[0] = arb(0)
    base = arb_series(own, k + 1) * arb_series(others, k + 1)
    return _Products(base, _exponent(row, alpha).exp() - 1)


def _exponent(row: Row, alpha: Shaped[Balls, " m"]) -> arb_series:
    """Return ℓ."""
    k, summed = row.draws, arb_series([0], row.draws)
    fall = -_expm1(-alpha)
    for n, g, x in zip(row.peer, row.members, fall.tolist(), strict=True):
        if n and g:
            summed += arb_series([1, 1 - x], k).inv() * arb_series([n * g * x], k)
    derivative = -summed * arb_series([1, 1], k).inv()
    integral = [arb(0), *(c / (i + 1) for i, c in enumerate(derivative.coeffs()))]
    return arb_series(integral, k + 1)


def _drawn(products: _Products, k: int, y: Shaped[Balls, " m"]) -> Shaped[Balls, " m"]:
    """Return [tᴷ] U e^ℓ · t y_e/(1 + t y_e) for each peer: y_e Σ_i (−y_e)^i [t^{K−1−i}] U e^ℓ."""
    whole = (products.base * (products.change + 1)).coeffs()
    whole += [arb(0)] * (k - len(whole))
    reverse = arb_poly(whole[k - 1 :: -1])
    return y * np.array([reverse(-x) for x in y.tolist()])


def _lost_bits(row: Row, alpha: Shaped[Balls, " m"]) -> int:
    """Return about how many bits cancel in the products, from the sizes of what is summed."""
    k, n = row.draws, row.own + row.rest
    most = _log_binomial(2 * n + k - 1, k) - _log_binomial(n, k)
    fall = sum(
        p * g * -math.expm1(-float(x.mid())) for p, g, x in zip(row.peer, row.members, alpha.tolist(), strict=True)
    )
    return int(1.5 * min(most, 2.0 * k * fall / n + 2.0 * k * k / n))


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
