"""Random log-sum-exp rows: the expected logarithm of a sum over what is drawn at random."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from relax.facts import brief
from relax.rows.random.circle import circle
from relax.rows.random.draws import Draws, Point
from relax.rows.random.floors import own_draws
from relax.rows.random.hypergeometric import Hypergeometric
from relax.rows.random.multinomial import Multinomial
from relax.rows.random.quadrature import laplace_rule

GROWTH_STEP = 8.0  # circles are made for growths that are multiples of it


@brief
@dataclass(frozen=True, eq=False)
class RandomLogSumExp:
    """T rows, each an expectation over K draws of what the anchor is compared with.

    Row t belongs to the members of one group (its anchors), whose total weight is w_t. It reads

        w_t · E[ 1{B > 0} ( log( B e^{x_own/τ} + Σ_e N_e m e^{x_e/τ} ) − x_own/τ ) ],  B = base + N_own m_own,

    where (N_own, N_e, …) counts K draws from the own population and from those of all other members e,
    multinomial (with replacement) or multivariate hypergeometric (without). Its floor is E[1{B > 0} log B].

    The expected supervised-contrastive loss of a batch of K + 1 samples with V views has base V − 1, both
    multiplicities V, and the companions that the sampler may draw as populations; risks with K random
    negatives (Jiang et al., arXiv 2311.05139) have a base, multiplicities 1/K, and draw with replacement.

    Numbers are exact: integers, `Fraction` objects, or floats that mean these very numbers.

    Attributes
    ----------
    anchor : array of int, shape (T,)
        The group whose members are the anchors.
    weight : array, shape (T,)
        Weight of the row, all anchors of the group together.
    draws : int
        K.
    replacement : bool
        Whether what was drawn may be drawn again; then populations are weights, of which shares matter.
    base : int or Fraction
        What stands in the sum without being drawn.
    own_multiplicity, peer_multiplicity : int or Fraction
        What a draw counts for.
    own_population : array, shape (T,)
        Population that stands at the anchor's own entry.
    peer_population : array, shape (T, m)
        Population of each *other* member of each group.
    roles : pair of int
        Role of the anchor and of what it reads.
    """

    anchor: Int[np.ndarray, " T"]
    weight: np.ndarray
    draws: int
    replacement: bool
    base: int | Fraction
    own_multiplicity: int | Fraction
    peer_multiplicity: int | Fraction
    own_population: np.ndarray
    peer_population: np.ndarray
    roles: tuple[int, int] = (0, 0)

    @property
    def weights(self) -> Float[np.ndarray, " T"]:
        """The weight in float64."""
        return self.weight.astype(np.float64)

    def table(self, multiplicity: Float[np.ndarray, " m"]) -> RandomTable:
        """Return the rows laid out for a program whose groups have these multiplicities.

        Raises
        ------
        ValueError
            If more is drawn without replacement than there is, or not from equally many for all rows.
        """
        count = len(self.anchor)
        members = np.ones((count, len(multiplicity) + 1))
        members[:, 1:] = multiplicity
        members[np.arange(count), self.anchor + 1] -= 1.0
        own, peer = self.own_population.astype(np.float64), self.peer_population.astype(np.float64)
        total = own + (members[:, 1:] * peer).sum(axis=1)
        population = None if self.replacement else _one(total)
        if population is not None and self.draws > population:
            raise ValueError(f"{self.draws} draws without replacement from {population}")
        base, own_multiplicity = float(self.base), float(self.own_multiplicity)
        floor, counted = own_draws(self.draws, base, own_multiplicity, own, total, self.replacement)
        target = np.zeros_like(members)
        target[:, 0] = counted
        scale = total if self.replacement else np.ones(count)
        laid = Draws(self.draws, base, own_multiplicity, own / scale, peer / scale[:, None], members[:, 1:])
        return RandomTable(laid, population, float(self.peer_multiplicity), members, target, floor)


def _one(total: Float[np.ndarray, " T"]) -> int:
    if (total != total[0]).any():
        raise ValueError("rows without replacement draw from populations of one size; make several blocks")
    return int(total[0])


@brief
@dataclass(frozen=True, eq=False)
class RandomTable:
    """Random log-sum-exp rows laid out; column 0 is the anchor's own entry, then peers.

    Attributes
    ----------
    laid : Draws
        What is drawn.
    population : int or None
        Of how many, without replacement.
    multiplicity : float
        What a draw of a peer counts for.
    members, target, floor : array
        As in `relax.rows.kinds.RowTable`; the target of the own entry is the probability that the row counts.
    """

    laid: Draws
    population: int | None
    multiplicity: float
    members: Float[np.ndarray, "T m1"]
    target: Float[np.ndarray, "T m1"]
    floor: Float[np.ndarray, " T"]

    def state(self, entry: Float[np.ndarray, "T m1"]) -> RandomState:
        """Evaluate at entries x/τ with relative accuracy of the excess."""
        point, log_ratio = self._point(entry[:, 1:] - entry[:, :1])
        if self.population is None:
            return RandomState(self, Multinomial(self.laid, point))
        growth = GROWTH_STEP * np.ceil(log_ratio / GROWTH_STEP)
        ring = circle(self.laid.draws, self.population, growth, self.laid.indicated)
        return RandomState(self, Hypergeometric(self.laid, point, ring))

    def _point(self, rise: Float[np.ndarray, "T m"]) -> tuple[Point, float]:
        """Return where rows stand, and the logarithm of the largest X over the least B, for all rows."""
        laid, m = self.laid, self.multiplicity
        read = (laid.members > 0) & (laid.peer > 0)
        with np.errstate(divide="ignore"):
            log_base, log_own = np.log(laid.base), np.log(laid.own_multiplicity)
            log_each = np.where(read, rise + np.log(m), -np.inf)
        highest = np.maximum(log_each.max(axis=1), np.where(laid.own > 0, log_own, -np.inf))
        top = np.logaddexp(log_base, np.log(laid.draws) + highest)
        log_ratio = float((top - (log_own if laid.indicated else log_base)).max())
        rule = laplace_rule(log_ratio)
        return Point(rule, np.exp(log_each - top[:, None]), np.exp(-top)), log_ratio

    def expression(self, entry: Any, weight: Float[np.ndarray, " T"]) -> Any:
        """Return None: these rows are no finite sum that CVXPY could write."""
        return None


@brief
@dataclass(frozen=True, eq=False)
class RandomState:
    """Random log-sum-exp rows at a matrix: functions of peers minus the own entry."""

    table: RandomTable
    drawn: Multinomial | Hypergeometric

    @property
    def excess(self) -> Float[np.ndarray, " T"]:
        """The rows above their floors."""
        return self.drawn.excess

    @property
    def slope(self) -> Float[np.ndarray, "T m1"]:
        """The derivative by each single entry; that by the own entry balances all others."""
        return self._balanced(self.drawn.slope)

    def along(self, direction: Float[np.ndarray, "T m1"]) -> Float[np.ndarray, "T m1"]:
        """Return the derivative of the slope when entries move in a direction."""
        return self._balanced(self.drawn.along(direction[:, 1:] - direction[:, :1]))

    def single(self) -> Float[np.ndarray, "T m1"]:
        """Return the second derivative by the entries of one column together, over their number."""
        peers = self.drawn.single()
        together = self.drawn.along(np.ones_like(peers))
        return np.column_stack([self._sum(together), peers])

    def hessian(self) -> Float[np.ndarray, "T m1 m1"]:
        """Return the second derivatives by columns."""
        peers = self.drawn.hessian()
        rows = np.concatenate([-peers.sum(axis=1, keepdims=True), peers], axis=1)
        return np.concatenate([-rows.sum(axis=2, keepdims=True), rows], axis=2)

    def _balanced(self, peers: Float[np.ndarray, "T m"]) -> Float[np.ndarray, "T m1"]:
        return np.column_stack([-self._sum(peers), peers])

    def _sum(self, peers: Float[np.ndarray, "T m"]) -> Float[np.ndarray, " T"]:
        return (self.table.members[:, 1:] * peers).sum(axis=1)
