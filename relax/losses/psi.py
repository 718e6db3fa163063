"""Convex functions ψ of a positive and random negatives: as rows of a program, and of given features.

ψ(t_1, …, t_q) is symmetric, convex and non-decreasing; t_i is the similarity of the anchor to its i-th
negative minus that to its positive, over the temperature.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Int, Shaped

from relax.arrays import Arrays
from relax.errors import InputError
from relax.losses.definition import Share
from relax.rows import RandomLogSumExp, Rows, SumExp
from relax.rows.random.floors import own_draws
from relax.rows.random.quadrature import laplace_rule


class Populations(NamedTuple):
    """From whom the negatives of anchors by groups of classes are drawn, with replacement; whole numbers.

    `weight` is that of all anchors of a group; `own` the population of the anchor's own class, `peer` that of
    each other class of a group, `total` that of all classes.
    """

    weight: Shaped[np.ndarray, " m"]
    own: Shaped[np.ndarray, " m"]
    peer: Shaped[np.ndarray, " m"]
    total: Shaped[np.ndarray, " m"]


class Drawn(NamedTuple):
    """With what chances the r features that b anchors read are their positives and negatives.

    Attributes
    ----------
    xp : Arrays
        The library of the arrays.
    is_class : array, shape (b, r)
        Whether the feature is of the anchor's class.
    positive : array, shape (b, r)
        Chances of the positive; zero outside the class.
    negative : array, shape (…, b, r)
        Chances of a negative.
    own, total : array of int, shape (b,)
        What the floor is about: of `total` features `own` are of the anchor's class.
    surplus : array, shape (…, b), or 0
        Chance that a negative is of the anchor's class, less own/total.
    """

    xp: Arrays
    is_class: Bool[np.ndarray, "b r"]
    positive: Any
    negative: Any
    own: Int[np.ndarray, " b"]
    total: Int[np.ndarray, " b"]
    surplus: Any = 0


@runtime_checkable
class Psi(Protocol):
    """A function ψ, in the two forms in which losses read it."""

    def rows(self, drawn: Populations) -> Rows:
        """Return E ψ of anchors where classes are collapsed, a row for each group."""
        ...

    def share(self, x: Any, drawn: Drawn) -> Share:
        """Return E ψ of each anchor from similarities over the temperature, shape (…, b, r)."""
        ...


@dataclass(frozen=True)
class MeanExp:
    """ψ = (1/q) Σ e^{t_i}: its expectation is the mean over all negatives, whatever q is."""

    def rows(self, drawn: Populations) -> SumExp:
        """Return weight/total · [ own + Σ_{c'≠c} n_c' e^{(M_cc' − M_cc)/τ} ]."""
        count = len(drawn.weight)
        return SumExp(
            anchor=np.arange(count),
            weight=_over(drawn.weight, drawn.total),
            own_multiplicity=np.zeros(count),
            own_target=np.ones(count),
            peer_multiplicity=np.broadcast_to(drawn.peer.astype(float), (count, count)),
            floor=drawn.own,
        )

    def share(self, x: Any, drawn: Drawn) -> Share:
        """Return (mean of e^{−x} over positives) · (mean of e^x over negatives), less own/total.

        With y = x less its mean over positives the first is 1 + A, A = mean of e^{−y} − 1 + y ≥ 0, and what
        negatives of the class are above their number is a mean of e^y − 1 as well.
        """
        xp = drawn.xp
        y = _centred(x, drawn)
        mask = xp.integers(drawn.is_class.astype(int))
        apart = (drawn.positive * xp.expm1(-y)).sum(-1)
        other = (drawn.negative * (1 - mask) * xp.exp(y)).sum(-1)
        same = (drawn.negative * mask * xp.expm1(y)).sum(-1) + drawn.surplus
        floor = xp.integers(drawn.own) / xp.integers(drawn.total)
        return Share(floor, same + apart * (floor + same) + (1 + apart) * other)


@dataclass(frozen=True)
class LogMeanExp:
    """ψ = log(a + (1/q) Σ e^{t_i}), a > 0: with one draw, E log(a + e^t)."""

    draws: int
    level: Fraction

    def rows(self, drawn: Populations) -> RandomLogSumExp:
        """Return weight · E log( B + (1/q) Σ N_c' e^{(M_cc' − M_cc)/τ} ), B = a + N_c/q."""
        count = len(drawn.weight)
        return RandomLogSumExp(
            anchor=np.arange(count),
            weight=drawn.weight,
            draws=self.draws,
            replacement=True,
            base=self.level,
            own_multiplicity=Fraction(1, self.draws),
            peer_multiplicity=Fraction(1, self.draws),
            own_population=drawn.own,
            peer_population=np.broadcast_to(drawn.peer, (count, count)),
        )

    def share(self, x: Any, drawn: Drawn) -> Share:
        """Return E log(a e^{y_p} + (1/q) Σ e^{y_l}), y = x less its mean over positives, above E log B.

        By Laplace's integral (`relax.rows.random.quadrature`) from powers of one draw. Excesses have the
        accuracy of the largest |log(X/B)|; where the class coincides they are accurate by themselves.

        Raises
        ------
        InputError
            If numbers are balls.
        """
        if drawn.xp.exact:
            raise InputError(
                "the expected logarithm over random negatives of given features is known in floats only, not "
                "in balls; psi=mean-exp is known in both"
            )
        y, a = _centred(x, drawn), float(self.level)
        highest = max(0.0, float(drawn.xp.top(y, drawn.positive >= 0).max()))
        lowest = min(0.0, -float(drawn.xp.top(-y, drawn.positive > 0).max()))
        log_top = highest + np.log1p(a)
        rule = laplace_rule(float(log_top - np.log(a) - lowest))
        terms = _terms(y, drawn, log_top)
        excess: Any = 0
        for node, weight in zip(rule.node.tolist(), rule.weight.tolist(), strict=True):
            excess = excess + weight * self._above(node, terms, drawn)
        return Share(self._floor(drawn), excess)

    def _above(self, s: float, terms: _Terms, drawn: Drawn) -> Any:
        """Return E[e^{−sB} − e^{−sX}] = e^{−sa} (P₀^q − P₁^q) + (mean of e^{−sa} − e^{−s a e^y}) P₁^q.

        P₀ and P₁ are the expected e^{−s/q}, for a draw of the own class, and e^{−s e^y/q}; they differ by
        what negatives of other classes take, by how those of the own class disagree, and by their surplus.
        """
        xp, a, q = drawn.xp, float(self.level), self.draws
        lost = -(terms.other * xp.expm1(-s / q * terms.top)).sum(-1)
        if drawn.own.any():
            lost = lost + (terms.same * _fall(s / q, terms, xp)).sum(-1)
            lost = lost - drawn.surplus * float(np.expm1(-s / q * terms.unit))
        apart = (drawn.positive * _fall(s * a, terms, xp)).sum(-1)
        share = xp.integers(drawn.own) / xp.integers(drawn.total)
        p0 = 1 + share * float(np.expm1(-s / q * terms.unit))
        down = xp.log1p(-xp.at_most(lost / p0, 1.0 - 2.0**-53))
        before, after = xp.exp(q * xp.log(p0)), xp.exp(q * (xp.log(p0) + down))
        fallen = xp.where(q * down < 1, -before * xp.expm1(xp.at_most(q * down, 1.0)), before - after)
        return float(np.exp(-s * a * terms.unit)) * fallen + apart * after

    def _floor(self, drawn: Drawn) -> Any:
        """Return E log(a + N/q), N of q draws being of the own class, anchor by anchor."""
        xp, q = drawn.xp, self.draws
        floor = 0 * xp.integers(drawn.own)
        for own, total in np.unique(np.stack([drawn.own, drawn.total]), axis=1).T.tolist():
            numbers = np.array([own], dtype=float), np.array([total], dtype=float)
            value, _ = own_draws(q, float(self.level), 1 / q, *numbers, replacement=True)
            here = xp.integers(((drawn.own == own) & (drawn.total == total)).astype(int))
            floor = floor + xp.number(Fraction(float(value[0]))) * here
        return floor


class _Terms(NamedTuple):
    """What all nodes share: e^y, 1 and e^y − 1 over the largest X, and chances by class."""

    top: Any
    unit: float
    rise: Any
    same: Any
    other: Any


def _terms(y: Any, drawn: Drawn, log_top: float) -> _Terms:
    xp, unit = drawn.xp, float(np.exp(-log_top))
    mask = xp.integers(drawn.is_class.astype(int))
    top = xp.exp(y - log_top)
    rise = xp.where(y < 1, unit * xp.expm1(xp.at_most(y, 1.0)), top - unit)
    return _Terms(top, unit, rise, drawn.negative * mask, drawn.negative * (1 - mask))


def _fall(s: float, terms: _Terms, xp: Any) -> Any:
    """Return e^{−s·1} − e^{−s e^y}, one and e^y over the largest X."""
    level = float(np.exp(-s * terms.unit))
    near = -level * xp.expm1(xp.at_most(-s * terms.rise, 1.0))
    return xp.where(-s * terms.rise < 1, near, level - xp.exp(-s * terms.top))


def _centred(x: Any, drawn: Drawn) -> Any:
    """Return x less its mean over positives; twice, as the rounding of a mean is a shift of all features."""
    y = x - (drawn.positive * x).sum(-1)[..., None]
    return y - (drawn.positive * y).sum(-1)[..., None]


def _over(weight: Shaped[np.ndarray, " m"], total: Shaped[np.ndarray, " m"]) -> Shaped[np.ndarray, " m"]:
    pairs = zip(weight.tolist(), total.tolist(), strict=True)
    return np.array([Fraction(w, t) for w, t in pairs], dtype=object)
