"""Rows over draws without replacement: coefficients of products with one factor a population."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Complex, Float, Int

from relax.facts import brief
from relax.rows.random.circle import Circle, expm1, log1p
from relax.rows.random.draws import Draws, Point, blocks
from relax.rows.random.far import Pairs, Tail

TAIL = 10  # how much slower a pair is by itself than in a series, beside a term of one


class _Powers(NamedTuple):
    """For some rows, powers of the reach and, for each peer, at how many nodes the series in α holds."""

    reach: Float[np.ndarray, "p t m"]
    until: Int[np.ndarray, "t m"]

    def sums(self, factor: Float[np.ndarray, "t m"], node: Float[np.ndarray, " J"]) -> np.ndarray:
        """Return Σ_e factor_e α_eᵖ over the peers for which the series holds at node j; (J, t, p)."""
        rows, nodes = len(factor), len(node)
        place = (np.arange(rows)[:, None] * (nodes + 1) + self.until).ravel()
        found = np.empty((nodes, rows, len(self.reach)))
        for p, power in enumerate(self.reach):
            held = np.bincount(place, (factor * power).ravel(), rows * (nodes + 1))
            after = held.reshape(rows, nodes + 1)[:, ::-1].cumsum(axis=1)[:, ::-1]
            found[:, :, p] = after[:, 1:].T * node[:, None] ** (p + 1)
        return found

    def gather(self, coefficient: Float[np.ndarray, "J t p"], node: Float[np.ndarray, " J"]) -> np.ndarray:
        """Return Σ_j Σ_p coefficient_jtp α_eᵖ over the nodes at which the series holds; (t, m)."""
        rows = np.arange(self.until.shape[0])[:, None]
        found = np.zeros(self.until.shape)
        for p, power in enumerate(self.reach):
            terms = coefficient[:, :, p] * node[:, None] ** (p + 1)
            before = np.vstack([np.zeros(terms.shape[1]), terms.cumsum(axis=0)])
            found += power * before[self.until, rows]
        return found


class _Nodes(NamedTuple):
    """Some rows; Re Σ_c mean is weight_j E[1{B>0} e^{−sX}], by nodes c of the circle."""

    rows: slice
    powers: _Powers
    far: Pairs | Tail
    mean: Complex[np.ndarray, "J t c"]
    excess: Float[np.ndarray, " t"]


@brief
@dataclass(frozen=True, eq=False)
class Hypergeometric:
    """K draws without replacement, at a point.

    E[e^{−sX}] = e^{−s·base} [zᴷ] (1 − w + w z e^{−s m_own})^{n_own} Π_e (1 − w + w z e^{−α_e})^{n_e}, divided
    by [zᴷ] (1 − w + w z)ᴺ. Where a row counts only with B > 0, (1 − w)^{n_own} is taken from the own factor.
    With f(α) = log(1 + r (e^{−α} − 1)), r the odds, e^{−sB} − e^{−sX} is −expm1(Σ n_e f(α_e)) times e^{−sB}.
    Small α are summed by a power series, which all peers share.
    """

    laid: Draws
    point: Point
    circle: Circle

    @cached_property
    def _blocks(self) -> list[_Nodes]:
        rule, reach, _ = self.point
        each = 4 if len(self.circle.tail) else len(self.circle.odds)
        numbers = len(rule.node) * reach.shape[1] * each
        return [self._evaluated(rows) for rows in blocks(len(reach), numbers // 2)]

    def _evaluated(self, rows: slice) -> _Nodes:
        laid, (rule, all_reach, _), ring = self.laid, self.point, self.circle
        reach = all_reach[rows]
        powers = self._powers(reach)
        counts = laid.members[rows] * laid.peer[rows]
        order = np.arange(1, len(ring.series) + 1)
        exponent = -powers.sums(counts, rule.node) / order @ ring.series
        far = self._far(reach, powers.until)
        exponent += far.logs(counts)
        own = self._own(rows) * (rule.weight[:, None, None] * ring.weight)
        excess = -np.real(own * expm1(exponent)).sum(axis=(0, 2))
        return _Nodes(rows, powers, far, own * np.exp(exponent), excess)

    def _powers(self, reach: Float[np.ndarray, "t m"]) -> _Powers:
        rule, ring = self.point.rule, self.circle
        with np.errstate(divide="ignore"):
            until = np.searchsorted(rule.node, ring.small / reach, side="right")
        power = np.empty((len(ring.series), *reach.shape))
        power[0] = reach
        for p in range(1, len(power)):
            power[p] = power[p - 1] * reach
        return _Powers(power, until)

    def _far(self, reach: Float[np.ndarray, "t m"], until: Int[np.ndarray, "t m"]) -> Pairs | Tail:
        node, ring = self.point.rule.node[:, None, None], self.circle
        far = np.arange(len(node))[:, None, None] >= until
        series = 0 < far.size * len(ring.tail) < TAIL * far.sum() * len(ring.odds)
        return (Tail if series else Pairs)(ring, node * reach, far)

    def _own(self, rows: slice) -> Complex[np.ndarray, "J t c"]:
        """Return e^{−s·base} and the own factor, over (1 − w + w z)^{n_own}."""
        laid, (rule, _, unit), ring = self.laid, self.point, self.circle
        scale = rule.node[:, None, None] * unit[rows][:, None]
        count = laid.own[rows][:, None]
        fall = np.expm1(-scale * laid.own_multiplicity)
        base = np.exp(ring.log_factor)
        left = base + ring.drawn * fall
        log_ratio = log1p(ring.odds * fall, np.abs(left) / np.abs(base))
        whole = count * log_ratio
        if not laid.indicated:
            return np.exp(whole - scale * laid.base)
        if ring.share == 1.0:  # all are drawn
            return np.where(count > 0, np.exp(whole), 0.0)
        without = 1.0 - ring.share
        drawn = count * log1p(ring.drawn * (1.0 + fall) / without, np.abs(left) / without)
        nothing = count * (np.log1p(-ring.share) - ring.log_factor)
        less, more = np.minimum(np.real(drawn), 0.0), np.maximum(np.real(drawn), 0.0)
        upward = np.exp(nothing) * expm1(less + 1j * np.imag(drawn))
        downward = -np.exp(whole) * expm1(-(more + 1j * np.imag(drawn)))
        return np.where(np.real(drawn) < 0.0, upward, downward)

    @property
    def excess(self) -> Float[np.ndarray, " T"]:
        """The rows above their floors."""
        return np.concatenate([at.excess for at in self._blocks])

    @property
    def slope(self) -> Float[np.ndarray, "T m"]:
        """Σ_j weight α_e E[N_e 1{B>0} e^{−sX}], in which N_e is n_e times the share of e that is drawn."""
        return self._slope

    @cached_property
    def _slope(self) -> Float[np.ndarray, "T m"]:
        result = np.zeros_like(self.point.reach)
        for at in self._blocks:
            result[at.rows] = self._near(at, self.circle.series, at.mean) + at.far.slope(at.mean)
        return self.laid.peer * result

    def _near(self, at: _Nodes, series: np.ndarray, mean: np.ndarray) -> Float[np.ndarray, "t m"]:
        """Return Re Σ_j Σ_c mean · g(α_e) for a function g given by its series."""
        coefficient = np.real(mean) @ np.real(series).T - np.imag(mean) @ np.imag(series).T
        return at.powers.gather(coefficient, self.point.rule.node)

    @cached_property
    def _bend(self) -> Float[np.ndarray, "T m"]:
        """What of the second derivative stays on its own entry: n_e α d(α share)/dα."""
        result, order = np.zeros_like(self.point.reach), np.arange(1, len(self.circle.series) + 1)
        for at in self._blocks:
            result[at.rows] = self._near(at, order[:, None] * self.circle.series, at.mean) + at.far.bend(
                at.mean
            )
        return self.laid.peer * result

    def along(self, direction: Float[np.ndarray, "T m"]) -> Float[np.ndarray, "T m"]:
        """Return the derivative of the slope in a direction."""
        result = self._bend * direction
        moved = self.laid.members * self.laid.peer * direction
        for at in self._blocks:
            pull = at.powers.sums(moved[at.rows], self.point.rule.node) @ self.circle.series
            mean = at.mean * (pull + at.far.pull(moved[at.rows]))
            turned = self._near(at, self.circle.series, mean) + at.far.slope(mean)
            result[at.rows] -= self.laid.peer[at.rows] * turned
        return result

    def single(self) -> Float[np.ndarray, "T m"]:
        """Return the second derivative by the peers of one column together, over their number."""
        square = np.zeros_like(self.circle.series)
        for p in range(1, len(square)):  # (Σ c_p αᵖ)²
            square[p] = (self.circle.series[:p] * self.circle.series[:p][::-1]).sum(axis=0)
        result = self._bend.copy()
        for at in self._blocks:
            factor = self.laid.members[at.rows] * self.laid.peer[at.rows] ** 2
            result[at.rows] -= factor * (self._near(at, square, at.mean) + at.far.square(at.mean))
        return result

    def hessian(self) -> Float[np.ndarray, "T m m"]:
        """Return the second derivatives by columns, by products with them."""
        members = self.laid.members
        columns = []
        for e in range(members.shape[1]):
            direction = np.zeros_like(members)
            direction[:, e] = 1.0
            columns.append(members * self.along(direction))
        return np.stack(columns, axis=2)
