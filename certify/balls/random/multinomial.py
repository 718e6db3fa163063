"""Draws with replacement in balls; the formulas are those of `relax.rows.random.multinomial`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from flint import arb
from jaxtyping import Shaped

from certify.balls.enclosures import Balls, elementwise, total
from certify.balls.random.laplace import LaplaceBalls

GUARD = 64  # bits to be spent: with B = 0 possible, two differences are subtracted that agree in 1/(K p_own)

_expm1 = elementwise(arb.expm1)


class Row(NamedTuple):
    """One row: K draws, shares of one draw in total one; `members` of the peers behind a column.

    `reach` is m e^{(x_e − x_own)/τ}; it has no radius, which would be blown up by cancellation.
    """

    draws: int
    base: arb
    own_multiplicity: arb
    own: arb
    peer: Shaped[Balls, " m"]
    members: Shaped[Balls, " m"]
    reach: Shaped[Balls, " m"]


def evaluated(row: Row, rule: LaplaceBalls, top: arb) -> tuple[arb, Shaped[Balls, " m"]]:
    """Return Σ_j weight_j E[1{B>0}(e^{−s_j B} − e^{−s_j X})], and its derivative by single peers."""
    shares, rest = row.members * row.peer, total(row.members * row.peer)
    excess, slope = arb(0), np.full(len(row.reach), arb(0), dtype=object)
    for node, weight in zip(rule.node, rule.weight, strict=True):
        s = node / top
        alpha = row.reach * s
        fall = _expm1(-alpha)
        above, once = _powers(row, s, rest, -total(shares * fall), total(shares * _plus_one(fall)))
        excess += weight * above
        slope += alpha * _plus_one(fall) * (weight * once)
    return excess, slope * row.peer


def _plus_one(fall: Any) -> Any:
    return fall + arb(1)


def _powers(row: Row, s: arb, rest: arb, eta: arb, left: arb) -> tuple[arb, arb]:
    """Return E[1{B>0}(e^{−sB} − e^{−sX})] and K E'[1{B>0} e^{−sX}], one draw taken out.

    `eta` is Σ p (1 − e^{−α}) and `left` Σ p e^{−α} over the peers, `rest` Σ p.
    """
    k, delta = row.draws, row.own * (-s * row.own_multiplicity).exp()
    size = (-s * row.base).exp()
    p0, p1 = rest + delta, left + delta
    if row.base > 0:
        return size * _fall(k, p0, p1, eta), k * size * p1 ** (k - 1)
    above = _fall(k, p0, p1, eta) - _fall(k, rest, left, eta)
    return above, k * _fall(k - 1, p1, left, delta)


def _fall(k: int, p: arb, q: arb, difference: arb) -> arb:
    """Return pᵏ − qᵏ, the difference p − q ≥ 0 being known by itself."""
    if k == 0:
        return arb(0)
    if difference * 2 < p:
        return -(p**k) * (k * (-difference / p).log1p()).expm1()
    return p**k - q**k
