"""Laplace's integral of the logarithm in balls: nodes, weights and a proven relative error.

The rule is that of `relax.rows.random.quadrature`, of step h = 1/4. With X between `least` and `top`, and
s₀ top = 4, all its errors are relative to 1/X, and so to log(X/B) = ∫_B^X du/u for B ≥ `least`:

- the trapezoid rule over all s, 2 Σ_{j≥1} |Γ(1 + 2πij/h)|;
- what is left out on the right, Σ_{s > s_J} h s X e^{−sX} ≤ ∫ e^v e^{−e^v} dv ≤ e^{−s_J least};
- the Gauss rule in place of the left part. If its moments Σ κ uᵖ, p ≥ 1, differ by δ_p from those of
  {h at e^{−hj}, j ≥ 0}, h/(1 − e^{−hp}), expanding e^{−sX} gives at most 4 Σ_p |δ_p| 4^{p−1}/(p − 1)!. So its
  numbers need not be those of Gauss;
- nodes s (1 + δ) in place of s = s₀ e^{hj}, at most 8 δ: Σ_j h s X |1 − s X| e^{−sX} is below 3.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

from flint import arb, ctx, fmpq

from relax.rows.random.quadrature import GAUSS_NODES, LARGEST_LEFT, LAST, laplace_rule

STEP = fmpq(1, 4)
GUARD = 64  # bits for the numbers of the rule
MOMENTS = 60  # beyond, 4^{p−1}/(p − 1)! times all that the moments can be is below 1e-44
NEWTON_STEPS = 8  # from sixteen digits on


class LaplaceBalls(NamedTuple):
    """log(X/B) ∈ (1 ± error) Σ_j weight_j (e^{−s_j B} − e^{−s_j X}), s_j = node_j/top without radius."""

    node: list[arb]
    weight: list[arb]
    error: arb


def laplace(top: arb, least: arb) -> LaplaceBalls:
    """Return the rule for B and X between two numbers, at the present precision."""
    ratio = top / least
    count = max(0, math.ceil(4.0 * float((ratio * (LAST / LARGEST_LEFT)).log().upper())))
    inner = _left(ctx.prec)
    outer = [LARGEST_LEFT * arb(STEP * j).exp() for j in range(1, count + 1)]
    node = [*inner.node, *(s.mid() for s in outer)]
    weight = [*inner.weight, *[arb(STEP)] * count]
    last = node[-1] if count else arb(LARGEST_LEFT)
    moved = max((float((s.rad() / s.mid()).upper()) for s in outer), default=0.0)
    error = (inner.error + (-last / ratio).exp() + 8.1 * arb(moved)).upper()
    return LaplaceBalls(node, weight, (error / (1 - error)).upper())


@cache
def _left(precision: int) -> LaplaceBalls:
    """Return the part s ≤ s₀, whose error holds that of the trapezoid rule."""
    with ctx.workprec(precision + GUARD):
        q = (-arb(STEP)).exp()
        pairs = [
            _refined(arb(start / LARGEST_LEFT), q) for start in laplace_rule(0.0).node[:GAUSS_NODES].tolist()
        ]
        wrong, power, factorial = arb(0), arb(1), arb(1)
        for p in range(1, MOMENTS + 1):
            moment = sum((kappa * u**p for u, kappa in pairs), arb(0))
            wrong += abs(moment - STEP / (1 - q**p)) * power / factorial
            power, factorial = power * 4, factorial * p
        most = sum((kappa * u for u, kappa in pairs), arb(0)) + STEP / (1 - q)  # of any moment, as u ≤ 1
        wrong += 2 * most * power / factorial
        error = 4 * wrong + _trapezoid()
        return LaplaceBalls(
            [LARGEST_LEFT * u for u, _ in pairs], [kappa for _, kappa in pairs], error.upper()
        )


def _trapezoid() -> arb:
    """Return 2 Σ_{j≥1} |Γ(1 + iy_j)|, y_j = 2πj/h; |Γ(1 + iy)|² = πy/sinh(πy) ≤ 4πy e^{−πy} for y ≥ 1."""
    y = 2 * arb.pi() / STEP
    bounds = [(4 * arb.pi() * y * j).sqrt() * (-arb.pi() * y * j / 2).exp() for j in range(2, 5)]
    first = (arb.pi() * y / (arb.pi() * y).sinh()).sqrt()
    return 2 * (first + bounds[0] + bounds[1] + 2 * bounds[2])  # each is less than half of the one before


def _refined(u: arb, q: arb) -> tuple[arb, arb]:
    """Return a node of the rule to all digits, and its weight over it, as numbers without radius."""
    for _ in range(NEWTON_STEPS):
        value, slope, _ = _polynomial(u, q)
        u = (u - value / slope).mid()
    *_, square = _polynomial(u, q)
    u = u.min(arb(1))  # moments decrease
    return u, (STEP / (1 - q) / square / u).mid()


def _polynomial(u: arb, q: arb) -> tuple[arb, arb, arb]:
    """Return p_n and its derivative, n the number of nodes, and Σ_{i<n} p_i²/‖p_i‖², ‖p_0‖ = 1.

    −u p_i = A_i p_{i+1} − (A_i + C_i) p_i + C_i p_{i−1}, the little q-Legendre polynomials.
    """
    before, value, slope_before, slope, norm, square = arb(0), arb(1), arb(0), arb(0), arb(1), arb(0)
    last = arb(1)
    for i in range(GAUSS_NODES):
        up = q**i * (1 - q ** (i + 1)) ** 2 / ((1 - q ** (2 * i + 1)) * (1 - q ** (2 * i + 2)))
        down = q**i * (1 - q**i) ** 2 / ((1 - q ** (2 * i)) * (1 - q ** (2 * i + 1))) if i else arb(0)
        norm = norm * down / last if i else norm
        square += value * value / norm
        value, before, slope, slope_before, last = (
            ((up + down - u) * value - down * before) / up,
            value,
            ((up + down - u) * slope - value - down * slope_before) / up,
            slope,
            up,
        )
    return value, slope, square
