"""Draws without replacement: coefficients of products with one factor a sample."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import comb
from typing import Any

import numpy as np

from relax.errors import InputError
from relax.facts import brief
from relax.losses.companions.population import Companions
from relax.losses.companions.replacement import lost

LARGEST_PRODUCT = 2_000_000  # steps, each of all anchors at once


@brief
@dataclass(frozen=True, eq=False)
class Products:
    """Draws without replacement: the same by coefficients of a product, sample after sample.

    U = Π (1 − w + w t y⁰) at B and W at X, and E = U − W, G = E less the part without own draws, grow by

        E ← (1 − w + w t y⁰) E + w t (y⁰ − y¹) W,

    and G likewise, in which an own factor takes E and W, any other G and S, which is W less its part without
    own draws.
    """

    drawn: Companions

    def above(self, s: float, total: Any, beyond: Any, others: Any) -> Any:
        """Return E[1{B>0}(e^{−sB} − e^{−sX})]; see `Powers.above`."""
        drawn, xp = self.drawn, self.drawn.seen.xp
        k, n, views = drawn.draws, int(drawn.size.sum()) - 1, drawn.views
        if n * k > LARGEST_PRODUCT:
            raise InputError(
                f"{n + 1} samples in batches of {k + 1} without replacement are too many for the exact loss "
                "of given features; give a sampler with replacement, or draw batches"
            )
        w, level = k / n, float(np.exp(-s * views))
        is_class = xp.integers(drawn.is_class.astype(int))
        at_b = is_class * level + (1 - is_class)
        apart = is_class * lost(s, views, beyond, xp) - (1 - is_class) * xp.expm1(-s * total)
        zero = 0 * others
        one = [zero + 1] + [zero] * k
        state = _Polynomials(list(one), [zero] * (k + 1), [zero] * (k + 1), [zero] * (k + 1))
        for sample, size in enumerate(drawn.size.tolist()):
            own = xp.integers(drawn.is_own[:, sample].astype(int))
            mine = is_class[..., sample]
            for copy in range(size):
                here = 1 - own if copy == 0 else 1  # the anchor itself is not drawn
                state.grow(w, here, at_b[..., sample], apart[..., sample], mine)
        chance = self._chance
        if views == 1:
            return state.counted[k] / chance
        size = float(np.exp(-s * (views - 1)))
        return (size * state.apart[k] + state.weight[k] * lost(s, views - 1, others, xp)) / chance

    @cached_property
    def _chance(self) -> float:
        """The probability that independent draws of rate K/N are K of N."""
        k, n = self.drawn.draws, int(self.drawn.size.sum()) - 1
        return float(comb(n, k) * Fraction(k, n) ** k * Fraction(n - k, n) ** (n - k))


@dataclass
class _Polynomials:
    """Coefficients of W, E, S and G, each of all anchors."""

    weight: list[Any]
    apart: list[Any]
    own: list[Any]
    counted: list[Any]

    def grow(self, w: float, here: Any, at_b: Any, apart: Any, mine: Any) -> None:
        """Multiply by the factor of one sample; where it is not `here`, by one."""
        keep, drawn, more = 1 - w * here, w * here * at_b, w * here * apart
        for d in range(len(self.weight) - 1, -1, -1):
            old = [p[d - 1] if d else 0 * p[0] for p in (self.weight, self.apart, self.own, self.counted)]
            from_w, from_e = mine * old[0] + (1 - mine) * old[2], mine * old[1] + (1 - mine) * old[3]
            self.weight[d] = keep * self.weight[d] + (drawn - more) * old[0]
            self.apart[d] = keep * self.apart[d] + drawn * old[1] + more * old[0]
            self.own[d] = keep * self.own[d] + (drawn - more) * from_w
            self.counted[d] = keep * self.counted[d] + drawn * from_e + more * from_w
