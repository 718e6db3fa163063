"""Optimal geometries with proven digits."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from flint import arb, ctx
from jaxtyping import Float64, Shaped

from certify.balls import decimal_above, decimal_below, factored, prove
from certify.balls.bounds import objective, optimal_value
from certify.balls.enclosures import BallMatrix, Balls, ball, balls, exp, sqrt
from certify.balls.krawczyk import Entries, System, enclose_root, entries, is_positive_definite, system
from relax.bounds import Cluster, Witness
from relax.dual_equations import only_rows
from relax.errors import InputError
from relax.facts import Shown
from relax.program import GramProgram
from relax.rows import LogSumExp
from relax.rules import Bounded, Fixed
from relax.solution import Solution
from relax.symmetry import merge, merge_labels

MOST_DIGITS = 1000


@dataclass(frozen=True, eq=False)
class Enclosure(Shown):
    """Balls that contain the optimum: each Gram entry by groups of equal classes, and the loss.

    Attributes
    ----------
    gram : array of flint.arb, shape (m, m)
        As `Solution.groups.gram`: entries between different classes, on the diagonal two different classes
        of one group, or the squared norm where it has one class.
    value : flint.arb
        The least loss.
    method : str
        "Krawczyk" (existence and uniqueness proven by interval Newton), or "gram radius" (strong convexity
        and the proven gap).
    reason : str
        Why it is not Krawczyk, where it is not.
    """

    gram: Shaped[Balls, "m m"]
    value: arb
    method: str
    reason: str = ""

    @property
    def error(self) -> float:
        """The largest distance of a Gram entry from the midpoint of its ball."""
        return max(float(entry.rad()) for entry in self.gram.ravel())

    @property
    def midpoints(self) -> Float64[np.ndarray, "m m"]:
        """The midpoints, rounded to float64."""
        return np.array([float(entry.mid()) for entry in self.gram.ravel()]).reshape(self.gram.shape)

    def decimals(self, a: int, b: int, digits: int = 30) -> tuple[str, str]:
        """Return decimals below and above one entry."""
        return decimal_below(self.gram[a, b], digits), decimal_above(self.gram[a, b], digits)

    def facts(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        proven = f"every entry within {self.error:.1e}"
        said = [("method", self.method), ("Gram matrix", proven), ("loss", self.value.str(40))]
        return [*said, ("why", self.reason)] if self.reason else said


def enclose(solution: Solution, digits: int = 30) -> Enclosure:
    """Prove digits of the optimum that a solution approximates.

    The root of the dual-vector equations of the merged program is enclosed by Krawczyk's operator. At the
    root S = z zᵀ + (κ terms) has the gradient off its diagonal and annihilates M; κ ≥ 0 and M ⪰ 0 are
    proven in balls, so M is the optimum, and it is unique because the loss is strictly convex in every
    entry that a row reads and κ > 0 holds the others. Where a step of this does not apply or fails, the
    Gram radius of the certificate stands in.

    Parameters
    ----------
    solution : Solution
        Its witness gives the partition into coinciding classes and the starting point; untrusted.
    digits : int
        Wanted decimal digits of each Gram entry.

    Raises
    ------
    InputError
        If digits is not between 1 and 1,000, or neither way proves anything.
    """
    if not 1 <= digits <= MOST_DIGITS:
        raise InputError(f"digits {digits!r} must lie between 1 and {MOST_DIGITS}; give e.g. 30")
    if solution.nodes.roles != ("feature",) or solution.nodes.square is not None:
        raise InputError(
            f"digits are proven where nodes are features; {solution.problem.loss.name} has other nodes"
        )
    found = enclose_optimum(solution.program, solution.witness, digits)
    return found if isinstance(found, Enclosure) else _by_radius(solution, found)


def enclose_optimum(program: GramProgram, witness: Witness, digits: int) -> Enclosure | str:
    """Return the optimum enclosed by Krawczyk's operator, or in a few words why it is not.

    Of the witness the partition into clusters and z are read, as a guess: nothing depends on their truth.
    """
    reason = _why_not(program, witness)
    if reason is not None:
        return reason
    with ctx.workprec(int(3.33 * digits) + 96):
        return _enclose_optimum(program, witness, digits)


def _why_not(program: GramProgram, witness: Witness) -> str | None:
    """Return None where the dual-vector equations describe the optimum, else the reason why not."""
    if witness.factor.shape[1] != 1 or witness.within.shape[2] != 0 or np.any(witness.factor <= 0):
        return "the witness is not that of the dual-vector method"
    rule = program.rules[0]
    one_rule = len(program.rules) == 1 and isinstance(rule, (Fixed, Bounded))
    one_row = len(program.rows) == 1 and isinstance(program.rows[0], LogSumExp)
    if not one_row:
        return "the program has no dual-vector equations"
    rows = only_rows(program)
    one_row = len(set(rows.anchor.tolist())) == len(rows.anchor)
    if not (one_rule and one_row and rows.peer_target is None and np.all(rows.own_target == 1)):
        return "the program has no dual-vector equations"
    if not np.all(rows.peer_multiplicity == rows.peer_multiplicity[0]) and witness.clusters:
        return "classes coincide in a program whose rows weigh them differently"
    anchored = np.isin(np.arange(program.groups), rows.anchor)
    if any(len(set(anchored[cluster.groups].tolist())) > 1 for cluster in witness.clusters):
        return "a class of one sample coincides with a larger one; the dual slack has higher rank there"
    silent = [a for a in np.flatnonzero(~anchored) for _ in range(int(min(2, program.multiplicity[a])))]
    if len(silent) > 1 and not any(silent[0] in cluster.groups for cluster in witness.clusters):
        return "classes of one sample are not held together by the witness"
    return None


def _enclose_optimum(program: GramProgram, witness: Witness, digits: int) -> Enclosure | str:
    clusters = [[int(a) for a in cluster.groups] for cluster in witness.clusters]
    merged, label = merge(program, clusters), merge_labels(program.groups, clusters)
    if len(set(only_rows(merged).anchor.tolist())) < len(only_rows(merged).anchor):
        return "merged classes keep different rows"
    given = system(merged)
    box = enclose_root(given, _start(merged, witness, label), digits)
    if box is None:
        return "the Krawczyk operator did not contract (ill-conditioned equations)"
    u, v = np.split(box, 2)
    at, z = entries(given, u, v), exp(u)
    if not _is_gram(given, at, z):
        return "the matrix at the root is not proven positive semidefinite"
    for cluster in witness.clusters:
        node = int(label[cluster.groups[0]])
        if not _holds(program, cluster, z[node], v[node]):
            return "κ > 0 is not proven for classes that coincide"
    gram = at.gram[np.ix_(label, label)]
    for a in range(program.groups):
        gram[a, a] = given.norm if program.multiplicity[a] == 1 else gram[a, a]
    for cluster in witness.clusters:
        gram[np.ix_(cluster.groups, cluster.groups)] = given.norm
    own = np.full(merged.groups, given.norm, dtype=object)
    return Enclosure(gram, optimal_value(objective(merged), BallMatrix(own, at.gram)), "Krawczyk")


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


def _is_gram(given: System, at: Entries, z: Shaped[Balls, " m"]) -> bool:
    """Prove M ⪰ 0, knowing that M z = 0 at the root: M + z zᵀ/|z|² ≻ 0, and r > M_aa inside groups."""
    m = len(z)
    several = given.multiplicity > arb(1)
    inside = [given.norm - at.gram[a, a] for a in range(m) if several[a]]
    if not all(number > 0 for number in inside):
        return False
    root = sqrt(given.multiplicity)
    quotient = root[:, None] * at.gram * root
    for a in range(m):
        own = given.norm + (given.multiplicity[a] - 1) * at.gram[a, a] if several[a] else given.norm
        quotient[a, a] = own
    direction = root * z
    return is_positive_definite(quotient + direction[:, None] * direction / (direction * direction).sum())


def _holds(program: GramProgram, cluster: Cluster, z: arb, v: arb) -> bool:
    """Prove κ = z²/ω − ω d > 0, where D_ij = d w_i w_j inside the cluster and w are class sizes."""
    rows = only_rows(program)
    weight, members = balls(cluster.weight), balls(program.multiplicity[cluster.groups])
    if np.any(rows.peer_multiplicity[0][cluster.groups] != cluster.weight):
        return False
    total = (weight * members).sum()
    slope = arb(0)
    at = np.searchsorted(rows.anchor, cluster.groups)
    if np.isin(cluster.groups[0], rows.anchor):
        per_member = rows.weight[at] / program.multiplicity[cluster.groups]
        if np.any(per_member * cluster.weight[0] != per_member[0] * cluster.weight):
            return False
        share = ball(Fraction(per_member[0])) / (ball(program.normaliser) * weight[0])
        slope = share * (-v).exp() / ball(program.temperature)
    return bool(z * z / total - total * slope > 0)


def _by_radius(solution: Solution, reason: str) -> Enclosure:
    bounds = prove(solution.program, solution.witness, factored(solution.program, solution.point))
    if bounds.gram_radius is None or bounds.lower is None:
        raise InputError(f"no digits are proven: {reason}, and the gap proves no Gram radius")
    radius = bounds.gram_radius.upper()
    gram = balls(solution.groups.gram) + arb(0, radius)
    for a, g in enumerate(solution.groups.multiplicities):
        if g == 1:
            gram[a, a] = arb(solution.groups.gram[a, a])
    return Enclosure(gram, bounds.lower.union(bounds.upper), "gram radius", reason)
