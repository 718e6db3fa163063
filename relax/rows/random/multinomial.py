"""Rows over draws with replacement: powers of the expected exponential of one draw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from relax.facts import brief
from relax.rows.random.draws import Draws, Point, blocks

KEPT = 10_000_000  # numbers of an array that is kept for products with the Hessian
NOTHING = -1e4  # the logarithm of what is as good as zero, and finite


class _Nodes(NamedTuple):
    """Some rows at all nodes s, times the weights of the rule.

    `above` is E[1{B>0}(e^{−sB} − e^{−sX})]; `pull` is α e^{−α}, α = s m e^{(x_e − x_own)/τ}; `once` and
    `twice` are K E'[1{B>0} e^{−sX}] and K (K−1) E''[1{B>0} e^{−sX}], with one and two draws taken out.
    """

    rows: slice
    above: Float[np.ndarray, "J t"]
    alpha: Float[np.ndarray, "J t m"]
    pull: Float[np.ndarray, "J t m"]
    once: Float[np.ndarray, "J t"]
    twice: Float[np.ndarray, "J t"]


@brief
@dataclass(frozen=True, eq=False)
class Multinomial:
    """K draws with replacement, at a point.

    With p the probabilities, E[e^{−sX}] = e^{−s·base} P₁ᴷ, P₁ = p_own e^{−s m_own} + Σ p_e e^{−α_e}.
    """

    laid: Draws
    point: Point

    def _nodes(self) -> Iterable[_Nodes]:
        size = len(self.point.rule.node) * self.point.reach.size
        return self._kept if size <= KEPT else self._evaluated()

    @cached_property
    def _kept(self) -> list[_Nodes]:
        return list(self._evaluated())

    def _evaluated(self) -> Iterator[_Nodes]:
        rule, reach, _ = self.point
        for rows in blocks(len(reach), len(rule.node) * reach.shape[1]):
            alpha = rule.node[:, None, None] * reach[rows]
            beyond = -np.expm1(-alpha)
            pull = alpha * (1.0 - beyond)
            above, once, twice = self._powers(rows, beyond)
            weight = rule.weight[:, None]
            yield _Nodes(rows, weight * above, alpha, pull, weight * once, weight * twice)

    def _powers(self, rows: slice, beyond: Float[np.ndarray, "J t m"]) -> tuple[np.ndarray, ...]:
        """Return what `_Nodes` holds, unweighted; P₀ is P₁ with all α = 0, Q₀ and Q₁ lack the own part.

        Where a row counts only with B > 0, the first is P₀ᴷ − P₁ᴷ − (Q₀ᴷ − Q₁ᴷ).
        """
        laid, k = self.laid, self.laid.draws
        scale = self.point.rule.node[:, None] * self.point.unit[rows]
        shares = laid.members[rows] * laid.peer[rows]
        eta = np.einsum("te,jte->jt", shares, beyond)
        own = laid.own[rows]
        log_p0 = np.log1p(own * np.expm1(-scale * laid.own_multiplicity))
        fall = _log1m(eta / np.exp(log_p0))
        log_p1 = log_p0 + fall
        if not laid.indicated:
            size = np.exp(-scale * laid.base)
            above = size * np.exp(k * log_p0) * -np.expm1(k * fall)
            return above, k * size * np.exp((k - 1) * log_p1), k * (k - 1) * size * _power(log_p1, k - 2)
        delta, q0 = own * np.exp(-scale * laid.own_multiplicity), shares.sum(axis=1)
        with np.errstate(divide="ignore"):  # q0 rounded would lose K ulps where it is nearly one
            log_q0 = np.where(own < 0.5, np.log1p(-np.minimum(own, 0.5)), np.log(q0))
        lost = _log1m(eta / q0)
        with np.errstate(divide="ignore", over="ignore"):  # nothing but the own part is left
            up = np.minimum(np.log1p(delta / np.exp(log_q0 + lost)), -NOTHING)
            v = k * np.minimum(np.log1p(delta * eta / np.exp(log_q0 + lost + log_p0)), -NOTHING)
        once = -np.exp((k - 1) * log_p1) * np.expm1(-(k - 1) * up)
        twice = -_power(log_p1, k - 2) * np.expm1(-(k - 2) * up)
        u = k * np.log1p(delta / q0)
        far = np.exp(k * log_q0) * np.expm1(k * lost) - np.exp(k * log_p0) * np.expm1(k * fall)
        near = _nearly_cancelled(k * log_q0, k * lost, k * log_p1, u, v)
        return np.where(k * delta <= q0, near, far), k * once, k * (k - 1) * twice

    @cached_property
    def _all(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Excess, slope, and what of the second derivative stays on its own entry."""
        excess, slope = np.zeros(len(self.point.reach)), np.zeros_like(self.point.reach)
        bend = np.zeros_like(slope)
        for at in self._nodes():
            excess[at.rows] = at.above.sum(axis=0)
            slope[at.rows] = self.laid.peer[at.rows] * np.einsum("jt,jte->te", at.once, at.pull)
            turned = np.einsum("jt,jte->te", at.once, at.pull * (1.0 - at.alpha))
            bend[at.rows] = self.laid.peer[at.rows] * turned
        return excess, slope, bend

    @property
    def excess(self) -> Float[np.ndarray, " T"]:
        """The rows above their floors."""
        return self._all[0]

    @property
    def slope(self) -> Float[np.ndarray, "T m"]:
        """Σ_j weight α_e E[N_e 1{B>0} e^{−sX}], E[N_e …] = K p_e e^{−α_e} (…)ᴷ⁻¹, of one member."""
        return self._all[1]

    def along(self, direction: Float[np.ndarray, "T m"]) -> Float[np.ndarray, "T m"]:
        """Return the derivative of the slope in a direction."""
        result = self._all[2] * direction
        moved = self.laid.members * self.laid.peer * direction
        for at in self._nodes():
            turn = at.twice * np.einsum("jte,te->jt", at.pull, moved[at.rows])
            result[at.rows] -= self.laid.peer[at.rows] * np.einsum("jt,jte->te", turn, at.pull)
        return result

    def single(self) -> Float[np.ndarray, "T m"]:
        """Return the second derivative by the peers of one column together, over their number."""
        result = self._all[2].copy()
        for at in self._nodes():
            factor = self.laid.members[at.rows] * self.laid.peer[at.rows] ** 2
            result[at.rows] -= factor * np.einsum("jt,jte->te", at.twice, at.pull**2)
        return result

    def hessian(self) -> Float[np.ndarray, "T m m"]:
        """Return the second derivatives by columns."""
        members, count = self.laid.members, self.point.reach.shape[1]
        result = np.zeros((len(members), count, count))
        shares, column = members * self.laid.peer, np.arange(count)
        for at in self._nodes():
            pairs = np.einsum("jt,jte,jtf->tef", at.twice, at.pull, at.pull, optimize=True)
            result[at.rows] = -shares[at.rows][:, :, None] * shares[at.rows][:, None, :] * pairs
        result[:, column, column] += members * self._all[2]
        return result


def _nearly_cancelled(
    q0: np.ndarray, lost: np.ndarray, p1: np.ndarray, u: np.ndarray, v: np.ndarray
) -> np.ndarray:
    """Return P₀ᴷ − P₁ᴷ − (Q₀ᴷ − Q₁ᴷ) where δ = P − Q is small against Q₀/K and the two nearly cancel.

    With u = K log(P₀/Q₀) and v = K log1p(δη/(Q₁P₀)) it is (Q₀ᴷ − Q₁ᴷ)(eᵘ − 1) − Q₁ᴷ eᵘ (eᵛ − 1), whose second
    term is about 1/K of the first. Arguments are K log Q₀, K log(Q₁/Q₀), K log P₁, u and v.
    """
    less = np.exp(q0 + lost + u)
    grown = np.where(v < 1.0, less * np.expm1(np.minimum(v, 1.0)), np.exp(p1) - less)
    return -np.exp(q0) * np.expm1(lost) * np.expm1(np.minimum(u, 1.0)) - grown


def _log1m(x: np.ndarray) -> np.ndarray:
    """Return log(1 − x) for 0 ≤ x ≤ 1 up to rounding, not below NOTHING."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log1p(-np.minimum(x, 1.0)), NOTHING)


def _power(log: np.ndarray, exponent: int) -> np.ndarray:
    """Return e^{exponent · log}; the zeroth power is one, and one draw has no second (exponent −1)."""
    return np.exp(max(exponent, 0) * log)
