"""Optimal geometries with proven digits."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from flint import arb, ctx
from jaxtyping import Float64, Int, Shaped

from certify.balls import decimal_above, decimal_below, factored, prove
from certify.balls.bounds import objective, optimal_value
from certify.balls.enclosures import BallMatrix, Balls, ball, exp
from certify.balls.krawczyk import enclose_root, entries, is_gram, stays_together, system
from certify.balls.points import scaled
from certify.balls.proof import check_program, check_witness
from certify.higher_rank import enclose_by_factor, exact_program, spread_entries
from relax.bounds import Witness
from relax.dual_equations import only_rows
from relax.errors import InputError, expect, worded
from relax.facts import Shown, brief
from relax.program import GramProgram
from relax.rows import LogSumExp
from relax.rules import Bounded, Fixed
from relax.solution import Solution
from relax.symmetry import merge, merge_labels

MOST_DIGITS = 1000
SPARE = 12  # digits, of a factor with entries of any size


@brief
@dataclass(frozen=True, eq=False)
class Enclosure(Shown):
    """Balls that contain the optimum of a problem's program: each Gram entry by groups, and the value.

    Attributes
    ----------
    gram : array of flint.arb, shape (m, m)
        As `Solution.groups.gram`: entries between different classes, on the diagonal two different classes
        of one group, or the squared norm where it has one class.
    value : flint.arb
        The least value of the program: the least loss, or where the problem is entrywise non-negative or
        `Reduction.attained` is False, a lower bound on it.
    method : str
        "Krawczyk" (existence and uniqueness proven by interval Newton), or "gram radius" (strong convexity
        and the proven gap).
    reason : str
        Why it is not Krawczyk, where it is not.
    together : tuple of arrays of int
        Groups that are proven to be on one point, all their members, a point an array.
    """

    gram: Shaped[Balls, "m m"]
    value: arb
    method: str
    reason: str = ""
    together: tuple[Int[np.ndarray, " q"], ...] = ()

    @property
    def error(self) -> float:
        """The largest distance of a Gram entry from the midpoint of its ball, rounded up."""
        widest = _widest(self.gram)
        return math.nextafter(float(widest), math.inf) if widest > 0 else 0.0

    @property
    def midpoints(self) -> Float64[np.ndarray, "m m"]:
        """The midpoints, rounded to float64."""
        return np.array([float(entry.mid()) for entry in self.gram.ravel()]).reshape(self.gram.shape)

    def decimals(self, a: int, b: int, digits: int = 30) -> tuple[str, str]:
        """Return decimals below and above one entry."""
        return decimal_below(self.gram[a, b], digits), decimal_above(self.gram[a, b], digits)

    def in_brief(self) -> str:
        """Return the method and how sharp it is."""
        return ", ".join(f"{label} {value}" for label, value in self.facts()[:2])

    def facts(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        proven = f"every entry within {decimal_above(_widest(self.gram), 2)}"
        said = [("method", self.method), ("Gram matrix", proven), ("value", self.value.str(40))]
        return [*said, ("why", self.reason)] if self.reason else said


def enclose(solution: Solution, digits: int = 30) -> Enclosure:
    """Prove digits of the optimum that a solution approximates.

    The root of the dual-vector equations of the merged program is enclosed by Krawczyk's operator. At the
    root S = z zᵀ + (κ terms) has the gradient off its diagonal and annihilates M; κ ≥ 0 and M ⪰ 0 are
    proven in balls, so M is the optimum, and it is unique because the loss is strictly convex in every
    entry that a row reads and κ > 0 holds the others. Where a step of this does not apply or fails, the
    Gram radius of the certificate stands in, if it has as many digits.

    Parameters
    ----------
    solution : Solution
        Its witness gives the partition into coinciding classes and the starting point, its point the centre
        of the radius; both are untrusted. What is proven is about the program of `solution.problem`.
    digits : int
        Wanted decimal digits of each Gram entry: every ball has a radius of at most 10^−digits.

    Raises
    ------
    InputError
        If digits is not a whole number between 1 and 1,000, or as many are not proven.
    """
    expect(solution, Solution, "solution", "give what solve(problem) returns")
    wanted = int(expect(digits, int, "digits", f"give a whole number from 1 to {MOST_DIGITS}, e.g. 30"))
    if not 1 <= wanted <= MOST_DIGITS:
        raise InputError(f"digits {worded(digits)} must lie between 1 and {MOST_DIGITS}; give e.g. 30")
    reduction = solution.problem.reduction(solution.level)
    if reduction.nodes.roles != ("feature",) or reduction.nodes.square is not None:
        raise InputError(
            f"digits are proven where nodes are features; {solution.problem.loss.name} has other nodes"
        )
    program = solution.problem.assembled(reduction)
    found = enclose_optimum(program, solution.witness, wanted)
    if isinstance(found, str):
        found = by_radius(program, solution, found)
    with ctx.workprec(64):
        widest = _widest(found.gram)
        if widest > (arb(10) ** -wanted).lower():
            proven = int((-widest.log() / arb(10).log()).floor().lower().fmpz())
            mend = f"give digits={proven} or less" if proven > 0 else "nothing is known of the first digit"
            raise InputError(f"{wanted} digits are not proven ({found.reason or 'too few bits'}); {mend}")
    return found


def enclose_optimum(program: GramProgram, witness: Witness, digits: int) -> Enclosure | str:
    """Return the optimum enclosed by Krawczyk's operator, or in a few words why it is not.

    Of the witness the partition into clusters and z are read, as a guess: nothing depends on their truth.
    """
    check_program(program)
    check_witness(program, witness)
    reason = _no_equations(program)
    if reason is not None:
        return reason
    digits += max(0, math.ceil(math.log10(program.tau)))  # entries are τ times logarithms
    reason = _why_not(program, witness)
    digits += 0 if reason is None else SPARE  # Z itself is enclosed, and its logarithm is asked for
    with ctx.workprec(int(3.33 * digits) + 96):
        if reason is None:
            return _enclose_optimum(program, witness, digits)
        return _with_higher_rank(program, witness, digits, reason)


def _no_equations(program: GramProgram) -> str | None:
    """Return None where the dual-vector equations describe the optimum, else the reason why not.

    With M ≥ 0 they never do: M z = 0 and z > 0 leave no non-negative M.
    """
    if program.nonnegative:
        return "with entrywise non-negativity there are no dual-vector equations"
    rule = program.rules[0]
    one_rule = len(program.rules) == 1 and isinstance(rule, (Fixed, Bounded))
    if not (one_rule and len(program.rows) == 1 and isinstance(program.rows[0], LogSumExp)):
        return "the program has no dual-vector equations"
    rows = only_rows(program)
    one_row = len(set(rows.anchor.tolist())) == len(rows.anchor)
    if not (one_row and rows.peer_target is None and np.all(rows.own_target == 1)):
        return "the program has no dual-vector equations"
    return None


def _why_not(program: GramProgram, witness: Witness) -> str | None:
    """Return None where the witness may be that of a slack of rank one, else the reason why not."""
    if witness.factor.shape[1] != 1 or witness.within.shape[2] != 0 or np.any(witness.factor <= 0):
        return "the witness is not that of the dual-vector method"
    rows = only_rows(program)
    if not np.all(rows.peer_multiplicity == rows.peer_multiplicity[0]) and witness.clusters:
        return "classes coincide in a program whose rows weigh them differently"
    anchored = np.isin(np.arange(program.groups), rows.anchor)
    if any(len(set(anchored[cluster.groups].tolist())) > 1 for cluster in witness.clusters):
        return "a class of one sample coincides with a larger one; the dual slack has higher rank there"
    silent = [a for a in np.flatnonzero(~anchored) for _ in range(int(min(2, program.multiplicity[a])))]
    if len(silent) > 1 and not any(silent[0] in cluster.groups for cluster in witness.clusters):
        return "classes of one sample are not held together by the witness"
    return None


def _with_higher_rank(program: GramProgram, witness: Witness, digits: int, reason: str) -> Enclosure | str:
    found = enclose_by_factor(program, witness, digits)
    if isinstance(found, str):
        return f"{reason}; {found}"
    given, at, clusters, label, rank = found
    gram = spread_entries(program, given, at.gram, clusters, label)
    own = np.full(program.groups, given.norm, dtype=object)
    value = optimal_value(objective(exact_program(program)), BallMatrix(own, gram))
    together = tuple(cluster.groups for cluster in clusters)
    return Enclosure(gram, value, f"Krawczyk, dual slack of rank {rank}", together=together)


def _enclose_optimum(program: GramProgram, witness: Witness, digits: int) -> Enclosure | str:
    clusters = [[int(a) for a in cluster.groups] for cluster in witness.clusters]
    merged, label = merge(exact_program(program), clusters), merge_labels(program.groups, clusters)
    if len(set(only_rows(merged).anchor.tolist())) < len(only_rows(merged).anchor):
        return "merged classes keep different rows"
    given = system(merged)
    box = enclose_root(given, _start(merged, witness, label), digits)
    if box is None:
        return "the Krawczyk operator did not contract (ill-conditioned equations)"
    u, v = np.split(box, 2)
    at, z = entries(given, u, v), exp(u)
    if not is_gram(given, at, z[:, None]):
        return "the matrix at the root is not proven positive semidefinite"
    for cluster in witness.clusters:
        node = int(label[cluster.groups[0]])
        if not stays_together(program, cluster, z[node] * z[node], v[node]):
            return "κ > 0 is not proven for classes that coincide"
    gram = spread_entries(program, given, at.gram, list(witness.clusters), label)
    own = np.full(merged.groups, given.norm, dtype=object)
    value = optimal_value(objective(merged), BallMatrix(own, at.gram))
    together = tuple(cluster.groups for cluster in witness.clusters)
    return Enclosure(gram, value, "Krawczyk", together=together)


def _start(merged: GramProgram, witness: Witness, label: np.ndarray) -> Float64[np.ndarray, " twice_m"]:
    """Return (log z, log Z) of the merged program from the witness's z and M₀."""
    first = np.unique(label, return_index=True)[1]
    z = witness.factor[first, 0].copy()
    for cluster in witness.clusters:
        total = float(witness.base.multiplicity[cluster.groups] @ cluster.weight)
        node = label[cluster.groups[0]]
        z[node] = witness.factor[cluster.groups[0], 0] * total / cluster.weight[0]
    rows, argument = only_rows(merged).floats, np.ones(merged.groups)
    rule = merged.rules[0]
    assert isinstance(rule, (Fixed, Bounded))
    members = merged.multiplicity - np.eye(merged.groups)
    power = members * np.exp((witness.base.peer[np.ix_(first, first)] - rule.square) / merged.tau)
    argument[rows.anchor] = rows.own_multiplicity + (rows.peer_multiplicity * power[rows.anchor]).sum(axis=1)
    return np.concatenate([np.log(z), np.log(argument)])


def by_radius(program: GramProgram, solution: Solution, reason: str) -> Enclosure:
    """Return balls around the matrix that the radius is about: the solution's point, factored and scaled.

    A bounded own entry lies within the radius of its bound (the play of own entries is part of it).
    """
    point = factored(program, solution.point)
    bounds = prove(program, solution.witness, point)
    if bounds.gram_radius is None or bounds.lower is None:
        raise InputError(f"no digits are proven: {reason}, and the gap proves no Gram radius")
    with ctx.workprec(bounds.precision):
        centre, ball_around = scaled(program, point), arb(0, bounds.gram_radius.upper())
        gram = centre.peer + ball_around
        for rule in program.rules:
            assert isinstance(rule, (Fixed, Bounded))  # else there is no radius
            for a in rule.slots[program.multiplicity[rule.slots] == 1].tolist():
                gram[a, a] = ball(rule.value) + (ball_around if isinstance(rule, Bounded) else 0)
        return Enclosure(gram, bounds.lower.union(bounds.upper), "gram radius", reason)


def _widest(gram: Shaped[Balls, "m m"]) -> arb:
    """Return the largest radius, exactly."""
    return max(entry.rad() for entry in gram.ravel())
