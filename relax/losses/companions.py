"""The expected supervised-contrastive loss in random batches of *given* vectors, which need not be collapsed.

Every other sample is one population, with its own sum over views. Excesses have the accuracy of the largest
|log(X/B)| that occurs, as those of `cross_entropy` have where positives disagree; where samples of a class coincide
they are accurate by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import comb
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

from relax.errors import InputError
from relax.losses.definition import Seen, Share
from relax.rows.random.quadrature import laplace_rule

LARGEST_PRODUCT = 2_000_000  # steps of truncated products, each of all anchors at once


class _Reading(NamedTuple):
    """Numbers of b anchors: P(B>0), E[1{B>0} log B], and what of the targets drawn samples are."""

    counted: Any
    floor: Any
    drawn: Any


def expected_shares(x: Any, seen: Seen, batch_size: int, sampler: str) -> Share:
    """Return each anchor's expected share of L_out in a random batch, times its sampling rate.

        rate · E[1{B>0} ( log( Σ_{other views} e^x + Σ_s N_s Σ_{views of s} e^x ) − mean of x over positives )]

    where N_s counts b − 1 draws of samples and rate is 1/V for `shuffle` and `replacement`, and 1/(V n_c) for
    `class-balanced`, so that the sum over anchors is divided by the normaliser of `batches.expected_rows`.

    Parameters
    ----------
    x : array, shape (…, b, r)
        Similarities over the temperature.
    seen : Seen
        Who stands behind them; every sample must have equally many columns.
    batch_size, sampler : int, str
        As in `batches.expected_rows`.

    Raises
    ------
    InputError
        If draws without replacement would take too long, or numbers are balls.
    """
    if seen.xp.exact:
        raise InputError("the expected loss of given features in batches is known in floats only, not in balls")
    drawn = _Companions(seen, batch_size, sampler)
    reading = drawn.reading()
    y = x - drawn.positives(x, reading)[..., None]
    rate = drawn.rate
    excess = rate * drawn.excess(y)
    return Share(rate * reading.floor, seen.xp.where(reading.counted > 0, excess, 0 * excess))


@dataclass(frozen=True, eq=False)
class _Companions:
    """Who may be drawn beside b anchors; samples are numbered as they first appear when sorted."""

    seen: Seen
    batch_size: int
    sampler: str

    @cached_property
    def draws(self) -> int:
        return self.batch_size - 1

    @cached_property
    def replacement(self) -> bool:
        return self.sampler != "shuffle"

    @cached_property
    def views(self) -> int:
        """V, the features of one sample."""
        return int(self.seen.views[self.seen.samples == self.seen.samples[0]].sum())

    @cached_property
    def column(self) -> Int[np.ndarray, "s c"]:
        """The columns of each sample."""
        count = len(np.unique(self.seen.samples))
        return np.argsort(self.seen.samples, kind="stable").reshape(count, -1)

    @cached_property
    def size(self) -> Int[np.ndarray, " s"]:
        """How many samples coincide in each."""
        first = self.column[:, 0]
        return self.seen.copies[first] // self.seen.views[first]

    @cached_property
    def class_size(self) -> Int[np.ndarray, " s"]:
        """Samples of the class of each."""
        classes = self.seen.classes[self.column[:, 0]]
        return ((classes[:, None] == classes) * self.size).sum(axis=1)

    @cached_property
    def is_class(self) -> np.ndarray:
        """Whether a sample is of the anchor's class; (b, s)."""
        return self.seen.is_class[:, self.column[:, 0]]

    @cached_property
    def is_own(self) -> np.ndarray:
        """Whether a sample is the anchor's own; (b, s)."""
        return self.seen.is_sample[:, self.column[:, 0]]

    @cached_property
    def anchor_class(self) -> Int[np.ndarray, " b"]:
        """Samples of the anchor's class."""
        return (self.is_class * self.size).sum(axis=1)

    @cached_property
    def rate(self) -> Any:
        """What an anchor counts for, beside the normaliser."""
        integers = self.seen.xp.integers
        if self.sampler == "class-balanced":
            return 1 / integers(self.views * self.anchor_class)
        return 1 / integers(np.full(len(self.anchor_class), self.views))

    def reading(self) -> _Reading:
        """Return exact expectations over the own draws, anchor by anchor."""
        xp, sizes = self.seen.xp, self.anchor_class
        counted, floor, drawn = 0 * xp.integers(sizes), 0 * xp.integers(sizes), 0 * xp.integers(sizes)
        for size in np.unique(sizes).tolist():
            here = xp.integers((sizes == size).astype(int))
            for j, chance in enumerate(self.own_draws(size)):
                positives = self.views - 1 + self.views * j
                if positives and chance:
                    counted = counted + xp.number(chance) * here
                    floor = floor + xp.number(chance) * xp.log(xp.number(positives)) * here
                    drawn = drawn + xp.number(chance * Fraction(self.views * j, positives)) * here
        return _Reading(counted, floor, drawn)

    def own_draws(self, size: int) -> list[Fraction]:
        """Return the distribution of how many draws are of a class of this size."""
        k, total = self.draws, int(self.size.sum())
        if not self.replacement:
            own, others = size - 1, total - size
            ways = [comb(own, j) * comb(others, k - j) for j in range(k + 1)]
            return [Fraction(way, comb(total - 1, k)) for way in ways]
        classes = len(np.unique(self.seen.classes))
        p = Fraction(1, classes) if self.sampler == "class-balanced" else Fraction(size, total)
        return [comb(k, j) * p**j * (1 - p) ** (k - j) for j in range(k + 1)]

    def positives(self, x: Any, reading: _Reading) -> Any:
        """Return what the targets read, over P(B>0); zero for anchors that never count."""
        seen, xp = self.seen, self.seen.xp
        own = seen.same_sample
        drawn = seen.copies * seen.is_class
        if not self.replacement:
            drawn = drawn - seen.views * seen.is_sample
        mates = xp.integers(drawn)
        read = reading.drawn * _mean(mates, x, xp) + (reading.counted - reading.drawn) * _mean(own, x, xp)
        return read / xp.where(reading.counted > 0, reading.counted, 0 * reading.counted + 1)

    def excess(self, y: Any) -> Any:
        """Return E[1{B>0} log(X/B)] at similarities whose targets read zero."""
        seen, xp, views = self.seen, self.seen.xp, self.views
        same = y[..., self.column[:, 0]] if self.column.shape[1] == 1 else y
        least = float((xp.integers(seen.is_class.astype(int)) * y).min())
        highest = max(0.0, float(same.max()))
        top = views * self.batch_size * float(np.exp(highest))
        rule = laplace_rule(float(np.log(views * self.batch_size)) + highest - min(0.0, least))
        weighed = xp.integers(seen.views)
        total = (weighed * xp.exp(y))[..., self.column].sum(-1)
        beyond = (weighed * xp.expm1(y))[..., self.column].sum(-1)
        others = (seen.same_sample * xp.expm1(y)).sum(-1)
        product = _Powers(self) if self.replacement else _Products(self)
        result: Any = 0
        for node, weight in zip((rule.node / top).tolist(), rule.weight.tolist(), strict=True):
            result = result + weight * product.above(node, total, beyond, others)
        return result


@dataclass(frozen=True, eq=False)
class _Powers:
    """Draws with replacement: E[1{B>0}(e^{−sB} − e^{−sX})] by powers of one draw."""

    drawn: _Companions

    def above(self, s: float, total: Any, beyond: Any, others: Any) -> Any:
        """Return it from Σ e^y and Σ (e^y − 1) of each sample, and Σ (e^y − 1) of the anchor's other views.

        With δ, Q₀ the own part and the rest of one draw at B, η what other classes take from it, and ζ what
        positives that disagree do; P₀ = Q₀ + δ, Q₁ = Q₀ − η, P₁ = P₀ − η.
        """
        drawn, xp = self.drawn, self.drawn.seen.xp
        k, views = drawn.draws, drawn.views
        scale = drawn.class_size * len(np.unique(drawn.seen.classes)) if drawn.sampler == "class-balanced" else (
            np.full(len(drawn.size), drawn.size.sum())
        )
        same = xp.integers(drawn.is_class * drawn.size) / xp.integers(scale)
        other = xp.integers(~drawn.is_class * drawn.size) / xp.integers(scale)
        level = float(np.exp(-s * views))
        delta, q0 = same.sum(-1) * level, other.sum(-1)
        eta = -(other * xp.expm1(-s * total)).sum(-1)
        zeta = (same * _lost(s, views, beyond, xp)).sum(-1)
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


def _lost(s: float, count: int, beyond: Any, xp: Any) -> Any:
    """Return e^{−s count} − e^{−s (count + beyond)}, where count + beyond ≥ 0."""
    rise = xp.at_most(-s * beyond, 1.0)
    level = float(np.exp(-s * count))
    return xp.where(-s * beyond < 1, -level * xp.expm1(rise), level - xp.exp(-s * (count + beyond)))


def _log1m(part: Any, xp: Any) -> Any:
    """Return log(1 − part), kept finite where nothing is left."""
    return xp.log1p(-xp.at_most(part, 1.0 - 2.0**-53))


def _mean(weight: Any, x: Any, xp: Any) -> Any:
    total = weight.sum(-1)
    return (weight * x).sum(-1) / xp.where(total > 0, total, 0 * total + 1)


@dataclass(frozen=True, eq=False)
class _Products:
    """Draws without replacement: the same by coefficients of a product, sample after sample, which is positive.

    U = Π (1 − w + w t y⁰) at B and W at X, and E = U − W, G = E less the part without own draws, grow by

        E ← (1 − w + w t y⁰) E + w t (y⁰ − y¹) W,

    and G likewise, in which an own factor takes E and W, any other G and S = W less its part without own draws.
    """

    drawn: _Companions

    def above(self, s: float, total: Any, beyond: Any, others: Any) -> Any:
        """Return E[1{B>0}(e^{−sB} − e^{−sX})]; see `_Powers.above`."""
        drawn, xp = self.drawn, self.drawn.seen.xp
        k, n, views = drawn.draws, int(drawn.size.sum()) - 1, drawn.views
        if n * k > LARGEST_PRODUCT:
            raise InputError(
                f"{n + 1} samples in batches of {k + 1} without replacement are too many for the exact loss of given "
                "features; give a sampler with replacement, or draw batches"
            )
        w, level = k / n, float(np.exp(-s * views))
        is_class = xp.integers(drawn.is_class.astype(int))
        at_b = is_class * level + (1 - is_class)
        apart = is_class * _lost(s, views, beyond, xp) - (1 - is_class) * xp.expm1(-s * total)
        zero = 0 * others
        one = [zero + 1] + [zero] * k
        state = _Polynomials(list(one), [zero] * (k + 1), [zero] * (k + 1), [zero] * (k + 1))
        for sample, size in enumerate(drawn.size.tolist()):
            own = xp.integers(drawn.is_own[:, sample].astype(int))
            mine = is_class[..., sample]
            for copy in range(size):
                here = 1 - own if copy == 0 else 1  # the anchor itself is not drawn
                state.grow(w, here, at_b[..., sample], apart[..., sample], mine)
        chance = float(comb(n, k) * Fraction(k, n) ** k * Fraction(n - k, n) ** (n - k))
        if views == 1:
            return state.counted[k] / chance
        size = float(np.exp(-s * (views - 1)))
        return (size * state.apart[k] + state.weight[k] * _lost(s, views - 1, others, xp)) / chance


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
