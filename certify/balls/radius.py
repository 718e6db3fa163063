"""How far from a point any matrix as good can be: strong convexity of the rows, and the dual slack."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from flint import arb
from jaxtyping import Bool, Shaped

from certify.balls.bounds import Lower, Objective, Slack, Upper
from certify.balls.enclosures import Balls, ball, balls, least, total, upper, zeros
from certify.balls.random.rows import RandomRowBalls
from certify.balls.rows import RowBalls
from relax.rows import LogSumExp, RandomLogSumExp, Rows
from relax.rules import Bounded, Fixed

STEPS, SETTLED = 200, 1e-4  # of the search for ρ in floats, on which no proof depends
TRIALS, INFLATION = 20, 1.002


class OwnEntries(NamedTuple):
    """What is known of own entries: the fixed ones, and how far they can be from those of M₀."""

    value: list[Fraction | None]  # None where the rule of the group is not "fixed"
    shift: arb  # of fixed entries
    play: arb  # of any entry of a matrix as good as the point


class Curvature(NamedTuple):
    """Rows at M₀: ω/τ² · q_b, where q_b = m_b e^{(x_b − x₀)/τ}/m₀, and r = Σ q over the peers of the row.

    For expectations over draws, ω/τ² · s_b²/(a_b E[1{B>0} N_b/B]) stands for the first, with s_b the slope.
    """

    pull: Shaped[np.ndarray, "m m"]
    rest: Shaped[np.ndarray, " m"]  # 1 for expectations
    held: Shaped[np.ndarray, " m"]  # what of X/B no deviation moves: 1, and 0 for expectations
    reads: Bool[np.ndarray, "m m"]  # whether the row of group a depends on its entries with group b
    joint: Bool[np.ndarray, "m m"]  # whether both groups' own entries are fixed

    def modulus(self, growth: Any) -> Shaped[np.ndarray, "m m"]:
        """Return μ over the box of deviations ≤ ρ, where growth = f = e^{ρ/τ}; for balls and for floats.

        From row a comes h_ab = (ω/τ²) q_b / (f (1 + f r)²), and f⁻³ of the pull of an expectation. Between
        *fixed* own entries both rows see the same deviation, and μ = h_ab + h_ba; else μ is the smaller one
        of the rows that read the pair.
        """
        box = growth * self.rest + self.held
        single = self.pull / (growth * box * box)[:, None]
        if self.joint.all():
            return single + single.T
        smaller = least(single, single.T) if single.dtype == object else np.minimum(single, single.T)
        one = np.where(self.reads & self.reads.T, smaller, np.where(self.reads, single, single.T))
        return np.where(self.joint, single + single.T, one)

    def floats(self, unit: arb) -> Curvature:
        """Return the same in float64, moduli being multiples of a unit."""
        pull = (self.pull / unit).astype(float)
        rest, held = self.rest.astype(float), self.held.astype(float)
        return Curvature(pull, rest, held, self.reads, self.joint)

    @property
    def read(self) -> Bool[np.ndarray, "m m"]:
        """Whether any row reads a pair."""
        return self.reads | self.reads.T


def gram_radius(
    goal: Objective, given: Slack, above: Upper, below: Lower, gap: arb
) -> tuple[arb, float | None] | None:
    """Return a proven Gram radius and the deviation ρ behind it, None where nothing is proven."""
    found = pair_radii(goal, given, above, below, gap)
    if found is None:
        return None
    radii, deviation = found
    widest = max(radii[~_no_pair(goal)].tolist(), default=arb(0))
    return (widest, deviation) if widest.is_finite() else None


def pair_radii(
    goal: Objective, given: Slack, above: Upper, below: Lower, gap: arb
) -> tuple[Shaped[Balls, "m m"], float | None] | None:
    """Return how far entries can be from the point's, infinity where nothing is known, and ρ.

    With G = U − L and R the remainder of the linearisation at M₀, every feasible M with excess ≤ U has R ≤ G
    and ⟨W, M⟩ ≤ G. Where ½ μ ρ² > G it cannot leave the box; pairs that W draws together cannot part.
    """
    own = _own_entries(goal, given, below, gap)
    if own is None or not _rows_suit(goal):
        return None
    curvature = _curvature(goal, below, own)
    deviation = _deviation(goal, curvature, own, gap)
    radii = np.full(curvature.pull.shape, arb("inf"), dtype=object)
    if deviation is not None:
        around = upper(abs(given.peer - above.matrix.peer) + (own.play + deviation))
        radii[curvature.read] = around[curvature.read]
    for pairs, value, reach in _drawn_together(goal, given, own, gap):
        radii[pairs] = least(radii[pairs], upper(abs(above.matrix.peer[pairs] - value) + reach))
    return radii, deviation


def _no_pair(goal: Objective) -> Bool[np.ndarray, "m m"]:
    return np.diag(goal.program.multiplicity == 1)


def _own_entries(goal: Objective, given: Slack, below: Lower, gap: arb) -> OwnEntries | None:
    """Return what is known of own entries; None where a rule or a multiplier leaves them too free.

    A bounded entry is at least value − G/needed.
    """
    value: list[Fraction | None] = [None] * len(given.own)
    shift = play = arb(0)
    for rule in goal.program.rules:
        if not isinstance(rule, (Fixed, Bounded)):
            return None
        away = [abs(Fraction(x) - Fraction(rule.value)) for x in given.own[rule.slots].tolist()]
        if isinstance(rule, Fixed):
            for a in rule.slots.tolist():
                value[a] = Fraction(rule.value)
            shift = max([shift, *upper(balls(away))])
        elif not any(away) and all(needed > 0 for needed in below.needed[rule.slots]):
            play = max([play, *upper(gap / below.needed[rule.slots])])
        else:
            return None
    return OwnEntries(value, shift, max(shift, play))


def _rows_suit(goal: Objective) -> bool:
    """Return whether every row reads entries less the own entry, and no group has two rows."""
    anchors = np.concatenate([rows.anchor for rows in goal.program.rows])
    return len(set(anchors.tolist())) == len(anchors) and all(map(_reads_differences, goal.program.rows))


def _reads_differences(rows: Rows) -> bool:
    if isinstance(rows, RandomLogSumExp):
        return True
    if not (isinstance(rows, LogSumExp) and np.all(rows.own_target == 1)):
        return False
    return rows.peer_target is None or not np.any(rows.peer_target != 0)


def _curvature(goal: Objective, below: Lower, own: OwnEntries) -> Curvature:
    m = len(goal.multiplicity)
    pull, rest, held, reads = zeros(m, m), zeros(m), zeros(m) + 1, np.zeros((m, m), dtype=bool)
    square = goal.inverse_temperature * goal.inverse_temperature
    for rows, weights, state in zip(goal.program.rows, goal.weights, below.states, strict=True):
        at, each = rows.anchor, (weights / goal.multiplicity[rows.anchor] * square)[:, None]
        if isinstance(state, RandomRowBalls):
            reads[at] = (rows.weight > 0)[:, None] & (state.table.load != arb(0))
            pull[at], rest[at], held[at] = state.curvature * each, arb(1), arb(0)
            continue
        assert isinstance(rows, LogSumExp) and isinstance(state, RowBalls)  # `_rows_suit`
        weighted = (rows.weight > 0) & (rows.own_multiplicity > 0)
        reads[at] = weighted[:, None] & (rows.peer_multiplicity > 0)
        pull[at], rest[at] = state.mass[:, 1:] * each, state.rest
    reads &= ~_no_pair(goal)
    pull[~reads] = arb(0)
    fixed = np.array([value is not None for value in own.value])
    return Curvature(pull, rest, held, reads, fixed[:, None] & fixed)


def _deviation(goal: Objective, curvature: Curvature, own: OwnEntries, gap: arb) -> float | None:
    """Return nearly the smallest ρ that is proven to bound the deviations of entries that rows read."""
    if not curvature.read.any():
        return None
    rho, shift, near = 0.0, float(own.shift), curvature.floats(gap)
    for _ in range(STEPS):
        with np.errstate(all="ignore"):
            growth = np.exp(rho / goal.program.tau)
            following = 2 * shift + np.sqrt(2 / near.modulus(growth)[near.read].min())
        if not np.isfinite(following):
            return None
        if following <= rho * (1 + SETTLED):
            break
        rho = float(following)
    trials = (rho * INFLATION**i for i in range(1, TRIALS))
    return next((rho for rho in trials if _stays(goal, curvature, own, gap, rho)), None)


def _stays(goal: Objective, curvature: Curvature, own: OwnEntries, gap: arb, rho: float) -> bool:
    """Return whether ½ μ ρ² > G is proven for all pairs that rows read; shifts of both ends shorten ρ."""
    growth = (goal.inverse_temperature * rho).exp()
    short = arb(rho) - 2 * own.shift
    edge = curvature.modulus(growth)[curvature.read] * (short * short / 2)
    return bool(short > 0) and bool(np.all(edge > gap))


def _drawn_together(
    goal: Objective, given: Slack, own: OwnEntries, gap: arb
) -> Iterator[tuple[tuple[np.ndarray, ...], arb, Balls]]:
    """Yield pairs of groups that W draws to one point, their value, and how far below it entries can be.

    ⟨W, M⟩ ≤ G holds κ w_i w_j/ω · |h_i − h_j|² ≤ G in a cluster, |Y|²/g · |h_i − h_j|² ≤ G in a group.
    """
    g = goal.multiplicity
    for cluster in given.witness.clusters:
        values = {own.value[a] for a in cluster.groups.tolist()}
        value = next(iter(values))
        if cluster.kappa > 0 and len(values) == 1 and value is not None:
            w = balls(cluster.weight)
            reach = gap * total(g[cluster.groups] * w) / (w[:, None] * w * (2 * arb(cluster.kappa)))
            yield np.ix_(cluster.groups, cluster.groups), ball(value), reach
    within = balls(given.witness.within[:, 0, :])
    strength = zeros(len(g)) + (within * within).sum(axis=1)
    for a, value in enumerate(own.value):
        if value is not None and goal.program.multiplicity[a] > 1 and strength[a] > 0:
            reach = np.array([[gap * g[a] / (2 * strength[a])]])
            yield np.ix_([a], [a]), ball(value), reach
