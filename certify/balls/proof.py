"""`prove`: bounds of a program from untrusted witnesses, at the precision they need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from flint import arb, ctx

from certify.balls.bounds import (
    Lower,
    Objective,
    Upper,
    lower_bound,
    objective,
    scale_of_gap,
    slack,
    upper_bound,
)
from certify.balls.points import FactoredPoint
from certify.balls.radius import gram_radius
from relax.bounds import Cluster, Witness
from relax.counts import LARGEST_COUNT
from relax.errors import InputError
from relax.facts import brief
from relax.program import GramProgram
from relax.rows import LogSumExp, Rows, SumExp
from relax.rules import Bounded, Budget, Fixed, RidgeCost, Rule

FIRST_PRECISION, LAST_PRECISION = 128, 8192  # bits
OF_SCALE, OF_GAP = 1e-30, 1e-9  # a gap known to one of these parts of its scale or of itself will do
SLOPES = 100  # what errors of slopes, over the temperature, make of those of excesses
USELESS = 2.0**-32  # more bits that do not narrow a ball to this part of its width will not help


@brief
@dataclass(frozen=True, eq=False)
class ProvenBounds:
    """What a witness and a point prove of a program; every ball contains the exact value of its formula.

    Attributes
    ----------
    excess_lower : arb or None
        L: every feasible matrix has an excess ≥ its lower end. None when the witness proves nothing.
    excess_upper : arb
        U: the point's excess is ≤ its upper end.
    floor : arb or None
        What excesses are measured from; None where there is no floor, and excesses are objectives.
    gap : arb or None
        U − L.
    scale : arb or None
        What the gap is measured against, at the lower end: min(L, range) (`bounds.scale_of_gap`).
    gram_radius : arb or None
        Every feasible matrix with excess ≤ U has its entries between different nodes within this of the
        point's. None when nothing is proven, or nobody asked.
    deviation : float or None
        The ρ behind the radius (condition 1 of "Gram radius"), None where it rests on condition 2 alone.
    rank : int
        The dimension the point lives in.
    precision : int
        Bits of the arithmetic.
    """

    excess_lower: arb | None
    excess_upper: arb
    floor: arb | None
    gap: arb | None
    scale: arb | None
    gram_radius: arb | None
    deviation: float | None
    rank: int
    precision: int

    @property
    def lower(self) -> arb | None:
        """Return floor + L, what every feasible objective is above (L itself where there is no floor)."""
        return None if self.excess_lower is None else self._above_floor(self.excess_lower)

    @property
    def upper(self) -> arb:
        """Return floor + U, the point's objective (U itself where there is no floor)."""
        return self._above_floor(self.excess_upper)

    def _above_floor(self, excess: arb) -> arb:
        with ctx.workprec(self.precision):
            return excess if self.floor is None else self.floor + excess


def prove(program: GramProgram, witness: Witness, point: FactoredPoint, radius: bool = True) -> ProvenBounds:
    """Return proven bounds of a program from an untrusted witness and an explicit feasible point.

    The precision is doubled until the gap is known well enough, or more bits do not help.

    Parameters
    ----------
    program : GramProgram
        With one role; its floats and Fractions are taken as exactly the numbers they are.
    witness : Witness
        Of the peer entries of M₀ those on and above the diagonal are read.
    point : FactoredPoint
        For instance `factored(program, solution.point)`.
    radius : bool
        Whether to prove a Gram radius as well.

    Raises
    ------
    InputError
        If nodes have several roles; if the program is not convex or not exact (a negative weight, a
        multiplicity that is no whole number); if shapes do not fit or a number is not finite; or if the point
        is not feasible and so bounds nothing.
    """
    check_program(program)
    check_witness(program, witness)
    _check_point(program, point)
    exact, precision, width = slack(program, witness), FIRST_PRECISION, arb("inf")
    while True:
        with ctx.workprec(precision):
            goal = objective(program)
            above = upper_bound(goal, point)
            below = lower_bound(goal, exact, above.excess)
            scale = scale_of_gap(goal, above, below)
            before, width = width, _width(above, below)
            helped = precision == FIRST_PRECISION or width < before * USELESS
            if _is_narrow(goal, above, below, scale) or not helped or 2 * precision > LAST_PRECISION:
                break
        precision *= 2
    if not above.excess.is_finite():
        raise InputError("the loss of the point is too large; give a point of moderate norm")
    found = None
    with ctx.workprec(precision):
        gap = None if below.excess is None else above.excess - below.excess
        if radius and gap is not None:  # whoever rounds otherwise finds room for the same radius
            sure = widened(gap) if any(table.accuracy for table in goal.tables) else gap
            found = gram_radius(goal, exact, above, below, room_for(sure, scale))
    widest, deviation = found or (None, None)
    rank = point.rank(program.multiplicity)
    return ProvenBounds(
        below.excess, above.excess, goal.floor, gap, scale, widest, deviation, rank, precision
    )


def room_for(gap: arb, scale: arb | None) -> arb:
    """Return a gap and a little of its scale, so that whoever rounds otherwise can reproduce it."""
    return (gap if scale is None else gap + abs(scale) * OF_SCALE).upper()


def widened(bound: arb) -> arb:
    """Return what comes from a quadrature five times as wide, so that another quadrature agrees.

    Two balls of one number, of errors that no precision narrows, reach at most three times their radius.
    """
    return bound + arb(0, 4) * bound.rad()


def _width(above: Upper, below: Lower) -> arb:
    """Return how wide the balls of both bounds are, together."""
    width = above.excess.rad() + (arb(0) if below.excess is None else below.excess.rad())
    return width if width.is_finite() else arb("inf")


def _is_narrow(goal: Objective, above: Upper, below: Lower, scale: arb | None) -> bool:
    """Return whether excess, scale and gap are known well enough."""
    excess, size = above.excess, abs(above.excess.mid())
    if not excess.is_finite() or (goal.floor is not None and excess.rad() > size * OF_GAP):
        return False
    if below.excess is None or scale is None:
        return True
    gap, inherent = excess - below.excess, size * max(SLOPES * table.accuracy for table in goal.tables)
    if scale.rad() > abs(scale.mid()) * OF_GAP + inherent:
        return False
    known = arb.max(abs(scale.mid()) * OF_SCALE, abs(gap.mid()) * OF_GAP)
    return bool(gap.rad() <= arb.max(known, inherent))


def check_program(program: GramProgram) -> None:
    """Raise unless the objective is convex and every number is usable."""
    if program.roles != 1:
        raise InputError(f"nodes have {program.roles} roles; these bounds are for programs with one")
    g = program.multiplicity
    if not (np.all(g >= 1) and np.all(g <= LARGEST_COUNT) and np.all(g == np.floor(g))):
        raise InputError("multiplicities of groups must be whole numbers from one to 2**53")
    if not (program.temperature > 0 and program.normaliser > 0):
        raise InputError("temperature and normaliser must be positive")
    for rows in program.rows:
        for numbers in _row_numbers(rows):
            if not (np.all(numbers >= 0) and np.all(numbers < np.inf)):
                raise InputError("weights and multiplicities of rows must be finite and not negative")
        for numbers in _targets(rows):
            if not np.all((numbers > -np.inf) & (numbers < np.inf)):
                raise InputError("targets of rows must be finite")
    for rule in program.rules:
        if not all(0 < number < np.inf for number in _rule_numbers(rule)):
            raise InputError("values, weights and totals of diagonal rules must be finite and positive")


def _row_numbers(rows: Rows) -> list[np.ndarray]:
    """Return what must not be negative for the rows to be convex; other kinds see to that themselves."""
    if isinstance(rows, LogSumExp):
        return [rows.weight, rows.own_multiplicity, rows.peer_multiplicity]
    return [rows.weight]


def _targets(rows: Rows) -> list[np.ndarray]:
    """Return what may have either sign."""
    if not isinstance(rows, (LogSumExp, SumExp)):
        return []
    return [rows.own_target, *([] if rows.peer_target is None else [rows.peer_target])]


def _rule_numbers(rule: Rule) -> list:
    match rule:
        case Fixed() | Bounded():
            return [rule.value]
        case Budget():
            return [rule.total, *rule.weight.tolist()]
        case RidgeCost():
            return rule.weight.tolist()
    raise InputError(f"no bounds are known for the diagonal rule {type(rule).__name__}")


def check_witness(program: GramProgram, witness: Witness) -> None:
    """Raise unless shapes fit and every number is usable."""
    m, base = program.groups, witness.base
    shapes = base.own.shape == (m, 1, 1) and base.peer.shape == (m, m)
    if not (shapes and len(witness.factor) == m and witness.within.shape[:2] == (m, 1)):
        raise InputError("the shapes of the witness do not fit the program")
    if not np.array_equal(base.multiplicity, program.multiplicity):
        raise InputError("the multiplicities of the witness are not those of the program")
    numbers = (base.own, base.peer, witness.factor, witness.within)
    if not all(np.isfinite(array).all() for array in numbers):
        raise InputError("the witness holds NaN or infinity")
    if not all(_is_usable(cluster, m) for cluster in witness.clusters):
        raise InputError("a cluster of the witness needs distinct groups, positive weights, a finite kappa")


def _is_usable(cluster: Cluster, groups: int) -> bool:
    at, weight = cluster.groups, cluster.weight
    distinct = 0 < len(set(at.tolist())) == len(at) == len(weight)
    weighted = np.all((weight > 0) & (weight < np.inf)) and np.isfinite(cluster.kappa)
    return bool(distinct and weighted and np.all((at >= 0) & (at < groups)))


def _check_point(program: GramProgram, point: FactoredPoint) -> None:
    m = program.groups
    if len(point.vectors) != m or point.within.shape != (m,):
        raise InputError("the shapes of the point do not fit the program")
    if not (np.isfinite(point.vectors).all() and np.isfinite(point.within).all()):
        raise InputError("the point holds NaN or infinity")
    if np.any(point.within < 0):
        raise InputError("what tells members of a group apart in the point must not be negative")
