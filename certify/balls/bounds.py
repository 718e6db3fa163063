"""Lower bounds from witnesses and upper bounds from feasible points, at one precision."""

from __future__ import annotations

from fractions import Fraction
from functools import reduce
from typing import NamedTuple

import numpy as np
from flint import arb
from jaxtyping import Shaped

from certify.balls.enclosures import BallMatrix, Balls, ball, balls, exact_gram, largest, least, total, zeros
from certify.balls.points import FactoredPoint, scaled
from certify.balls.rows import Enclosure, RowsAt, enclosure
from relax.bounds import Witness
from relax.program import GramProgram
from relax.rules import Bounded, Budget, Fixed, RidgeCost, Rule


class Objective(NamedTuple):
    """The objective of a program at one precision; `weights` are those of rows, divided by the normaliser."""

    program: GramProgram
    multiplicity: Shaped[Balls, " m"]
    inverse_temperature: arb
    tables: list[Enclosure]
    weights: list[Balls]
    floor: arb | None


class Slack(NamedTuple):
    """The part of a witness that no precision changes: M₀ and Z Zᵀ, exactly."""

    witness: Witness
    own: Shaped[np.ndarray, " m"]  # floats and Fractions
    peer: Shaped[Balls, "m m"]
    gram: Shaped[Balls, "m m"]

    @property
    def base(self) -> BallMatrix:
        """M₀ at the present precision."""
        return BallMatrix(balls(self.own), self.peer)


class Upper(NamedTuple):
    """A feasible matrix and its excess U."""

    matrix: BallMatrix
    excess: arb


class Lower(NamedTuple):
    """The bound L (None where nothing is proven), the diagonal that is needed, and the rows at M₀."""

    excess: arb | None
    needed: Shaped[Balls, " m"]
    states: list[RowsAt]


def objective(program: GramProgram) -> Objective:
    """Lay out the objective of a program at the present precision."""
    tables = [enclosure(rows, program.multiplicity) for rows in program.rows]
    weights = [balls(rows.weight) / ball(program.normaliser) for rows in program.rows]
    floor = None
    if all(table.has_floor.all() for table in tables):
        floor = total(total(w * table.floor) for w, table in zip(weights, tables, strict=True))
    g = balls(program.multiplicity)
    return Objective(program, g, ball(1 / program.temperature), tables, weights, floor)


def slack(program: GramProgram, witness: Witness) -> Slack:
    """Return the exact part of a witness; of the peer entries of M₀ the upper triangle is read."""
    g, peer = witness.base.multiplicity, np.triu(witness.base.peer)
    peer = peer + np.triu(peer, 1).T
    np.fill_diagonal(peer, np.where(g > 1, peer.diagonal(), 0.0))  # with one member there is no such entry
    return Slack(witness, _own_entries(program, witness), balls(peer), exact_gram(witness.factor))


def _own_entries(program: GramProgram, witness: Witness) -> Shaped[np.ndarray, " m"]:
    """Return the own entries of M₀, exact.

    One that is the float64 nearest to the value of its fixed or bounded rule stands for that value, which
    need not be dyadic. M₀ is arbitrary, so this is no more than its definition.
    """
    said = witness.base.own[:, 0, 0]
    own = said.astype(object)
    for rule in program.rules:
        if isinstance(rule, (Fixed, Bounded)):
            own[rule.slots[said[rule.slots] == float(rule.value)]] = Fraction(rule.value)
    return own


def upper_bound(goal: Objective, point: FactoredPoint) -> Upper:
    """Return the excess of a factored point after scaling it to the diagonal rules."""
    matrix = scaled(goal.program, point)
    excess = rows_excess(goal, states_at(goal, matrix))
    for rule in goal.program.rules:
        if isinstance(rule, RidgeCost):
            at = rule.slots
            excess += total(goal.multiplicity[at] * balls(rule.weight) * matrix.own[at])
    return Upper(matrix, excess)


def scale_of_gap(goal: Objective, above: Upper, below: Lower) -> arb | None:
    """Return what a gap is measured against: min(L, range), of what there is; None where nothing is proven.

    The range is the rows' excess at M = 0, where all similarities are equal, less U; with a ridge there is
    none, as M = 0 may be optimal. Without a floor there is no excess.
    """
    if below.excess is None:
        return None
    known = [] if goal.floor is None else [below.excess]
    if not any(isinstance(rule, RidgeCost) for rule in goal.program.rules):
        m = goal.program.groups
        known.append(rows_excess(goal, states_at(goal, BallMatrix(zeros(m), zeros(m, m)))) - above.excess)
    return reduce(arb.min, known)


def optimal_value(goal: Objective, matrix: BallMatrix) -> arb:
    """Return the objective of rows alone at a matrix of balls, floor included."""
    excess = rows_excess(goal, states_at(goal, matrix))
    return excess if goal.floor is None else excess + goal.floor


def gradient_at(goal: Objective, matrix: BallMatrix) -> BallMatrix:
    """Return the derivative D of the rows by single entries, for every matrix in the balls."""
    return gradient_of(goal, states_at(goal, matrix))


def lower_bound(goal: Objective, given: Slack, level: arb) -> Lower:
    """Return L = (rows' excess at M₀) − ⟨D, M₀⟩ − Σ charges; `level` is U.

    D + diag(ν) − (a non-negative part, where M ≥ 0) = W + (a diagonally dominant matrix) ⪰ 0 for every ν ≥
    needed, which each rule buys at its charge.
    """
    g, base = goal.multiplicity, given.base
    states = states_at(goal, base)
    gradient, dual = gradient_of(goal, states), _dual_slack(given, g)
    members = np.broadcast_to(g, (len(g), len(g))).copy()
    np.fill_diagonal(members, g - 1)
    left = gradient.peer - dual.peer
    left = abs(least(left, arb(0)) if goal.program.nonnegative else left)
    needed = dual.own - gradient.own + (members * left).sum(axis=1)
    inner = total(g * (gradient.own * base.own + (members * gradient.peer * base.peer).sum(axis=1)))
    excess = rows_excess(goal, states) - inner
    for rule in goal.program.rules:
        if isinstance(rule, RidgeCost) and goal.floor is None:
            return Lower(None, needed, states)
        excess -= _charge(rule, needed[rule.slots], g[rule.slots], level)
    return Lower(excess if excess.is_finite() else None, needed, states)


def states_at(goal: Objective, matrix: BallMatrix) -> list[RowsAt]:
    """Enclose every block of rows at a matrix, feasible or not."""
    return [table.state(matrix, goal.inverse_temperature) for table in goal.tables]


def rows_excess(goal: Objective, states: list[RowsAt]) -> arb:
    """Return the rows' objective above the program's floor; the objective itself where there is none."""
    excess = arb(0)
    for weights, table, state in zip(goal.weights, goal.tables, states, strict=True):
        excess += total(weights * (state.excess if goal.floor is not None else state.excess + table.floor))
    return excess


def gradient_of(goal: Objective, states: list[RowsAt]) -> BallMatrix:
    """Return D, entry by entry, of the rows alone."""
    m = len(goal.multiplicity)
    own, read = zeros(m), zeros(m, m)
    for table, weights, state in zip(goal.tables, goal.weights, states, strict=True):
        scale = weights / goal.multiplicity[table.anchor] * goal.inverse_temperature
        slope = state.slope * scale[:, None]
        for row, a in enumerate(table.anchor.tolist()):  # an anchor may have several rows
            own[a] = own[a] + slope[row, 0]
            read[a] = read[a] + slope[row, 1:]
    return BallMatrix(own, (read + read.T) * 0.5)


def _dual_slack(given: Slack, g: Shaped[Balls, " m"]) -> BallMatrix:
    """Return W = Z Zᵀ + within-group parts + clusters, positive semidefinite by construction."""
    within = balls(given.witness.within[:, 0, :])
    apart = zeros(len(g)) + (within * within).sum(axis=1)
    own = given.gram.diagonal() + apart - apart / g
    peer, diagonal = given.gram.copy(), np.arange(len(g))
    peer[diagonal, diagonal] -= apart / g
    for cluster in given.witness.clusters:
        at, w, kappa = cluster.groups, balls(cluster.weight), ball(max(cluster.kappa, 0.0))
        pull = w[:, None] * w * (kappa / total(g[at] * w))
        peer[np.ix_(at, at)] -= pull
        own[at] += kappa * w - pull.diagonal()
    return BallMatrix(own, peer)


def _charge(rule: Rule, needed: Shaped[Balls, " q"], g: Shaped[Balls, " q"], level: arb) -> arb:
    """Return what multipliers ν ≥ needed lower the bound by."""
    match rule:
        case Fixed():
            return ball(rule.value) * total(g * needed)
        case Bounded():
            return ball(rule.value) * total(g * largest(needed, arb(0)))
        case Budget():
            return ball(rule.total) * reduce(arb.max, needed / balls(rule.weight), arb(0))
        case RidgeCost():
            weight = balls(rule.weight)
            return level * reduce(arb.max, (needed - weight) / weight, arb(0))
    raise TypeError(f"no charge is known for {type(rule).__name__}")
