"""Draws with replacement: powers of the expected exponential of one draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from relax.facts import brief
from relax.losses.companions.population import Companions


@brief
@dataclass(frozen=True, eq=False)
class Powers:
    """Draws with replacement: E[1{B>0}(e^{−sB} − e^{−sX})] by powers of one draw."""

    drawn: Companions

    def above(self, s: float, total: Any, beyond: Any, others: Any) -> Any:
        """Return it from Σ e^y and Σ (e^y − 1) of each sample, and Σ (e^y − 1) of the anchor's other views.

        With δ, Q₀ the own part and the rest of one draw at B, η what other classes take from it, and ζ what
        positives that disagree do; P₀ = Q₀ + δ, Q₁ = Q₀ − η, P₁ = P₀ − η.
        """
        drawn, xp = self.drawn, self.drawn.seen.xp
        k, views = drawn.draws, drawn.views
        scale = (
            drawn.class_size * len(np.unique(drawn.seen.classes))
            if drawn.sampler == "class-balanced"
            else (np.full(len(drawn.size), drawn.size.sum()))
        )
        same = xp.integers(drawn.is_class * drawn.size) / xp.integers(scale)
        other = xp.integers(~drawn.is_class * drawn.size) / xp.integers(scale)
        level = float(np.exp(-s * views))
        delta, q0 = same.sum(-1) * level, other.sum(-1)
        eta = -(other * xp.expm1(-s * total)).sum(-1)
        zeta = (same * lost(s, views, beyond, xp)).sum(-1)
        p0 = q0 + delta
        p1 = xp.at_least(p0 - eta, 0.0)
        apart = _fall(k, p1, zeta, s * (views - 1), s * others, xp)
        if views > 1:
            size = float(np.exp(-s * (views - 1)))
            return apart - size * p0**k * xp.expm1(k * _log1m(eta / p0, xp))
        return apart + _indicated(k, delta, q0, eta, xp)


def _indicated(k: int, delta: Any, q0: Any, eta: Any, xp: Any) -> Any:
    """Return P₀ᴷ − P₁ᴷ − (Q₀ᴷ − Q₁ᴷ), as `relax.rows.random.multinomial` has it."""
    p0, lost = q0 + delta, _log1m(eta / q0, xp)
    q1 = xp.at_least(q0 - eta, 1e-300)
    u, v = k * xp.log1p(delta / q0), k * xp.log1p(delta * eta / (q1 * p0))
    less = q1**k * xp.exp(xp.at_most(u, 1.0))
    grown = xp.where(v < 1, less * xp.expm1(xp.at_most(v, 1.0)), (q1 + delta) ** k - less)
    near = -(q0**k) * xp.expm1(k * lost) * xp.expm1(xp.at_most(u, 1.0)) - grown
    far = q0**k * xp.expm1(k * lost) - p0**k * xp.expm1(k * _log1m(eta / p0, xp))
    return xp.where(k * delta <= q0, near, far)


def _fall(k: int, p: Any, part: Any, shift: float, more: Any, xp: Any) -> Any:
    """Return e^{−shift} (pᴷ − (p − part)ᴷ e^{−more}), by expm1 where that is small."""
    ratio = xp.at_most(xp.at_least(part / xp.at_least(p, 1e-300), -0.5), 0.5)
    exponent = xp.at_most(k * xp.log1p(-ratio) - more, 1.0)
    small = (part <= 0.5 * p) & (part >= -0.5 * p) & (exponent < 1)
    size = float(np.exp(-shift))
    direct = size * p**k - xp.at_least(p - part, 0.0) ** k * xp.exp(-shift - more)
    return xp.where(small, -size * p**k * xp.expm1(exponent), direct)


def lost(s: float, count: int, beyond: Any, xp: Any) -> Any:
    """Return e^{−s count} − e^{−s (count + beyond)}, where count + beyond ≥ 0."""
    rise = xp.at_most(-s * beyond, 1.0)
    level = float(np.exp(-s * count))
    return xp.where(-s * beyond < 1, -level * xp.expm1(rise), level - xp.exp(-s * (count + beyond)))


def _log1m(part: Any, xp: Any) -> Any:
    """Return log(1 − part), kept finite where nothing is left."""
    return xp.log1p(-xp.at_most(part, 1.0 - 2.0**-53))
