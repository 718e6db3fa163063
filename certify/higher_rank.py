"""Optima whose dual slack has rank two or more, enclosed: classes of different sizes that come near."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
from flint import arb
from jaxtyping import Float, Shaped

from certify.balls.enclosures import Balls
from certify.balls.factor_equations import enclose_factor, pivoted
from certify.balls.krawczyk import Entries, System, is_gram, stays_together, system
from relax.bounds import Cluster, Witness
from relax.dual_equations import DualEquations, only_rows
from relax.orbits import OrbitMatrix
from relax.program import GramProgram
from relax.symmetry import merge, merge_labels

LARGEST = 40  # nodes; the Jacobian has (rank + 1) of them squared, in balls
RANKS = (2, 3)  # that are tried
TOGETHER = 1e-9  # 1 − cosine of members of a group that are tried on one point


def exact_program(program: GramProgram) -> GramProgram:
    """Return the program with numbers that no sum rounds: `Fraction` objects, unless all are whole."""
    rows = only_rows(program)
    given = (rows.weight, rows.own_multiplicity, rows.peer_multiplicity)
    if all(numbers.dtype != object and np.all(numbers == np.floor(numbers)) for numbers in given):
        return program
    weight, own, peer = (np.vectorize(Fraction, otypes=[object])(numbers) for numbers in given)
    return replace(
        program, rows=(replace(rows, weight=weight, own_multiplicity=own, peer_multiplicity=peer),)
    )


def guessed_clusters(program: GramProgram, base: OrbitMatrix) -> list[Cluster]:
    """Return the groups whose members may be on one point: those that nearly are, and all without anchors."""
    rows, norm = only_rows(program).floats, base.own[:, 0, 0]
    anchored = np.isin(np.arange(program.groups), rows.anchor)
    near = (program.multiplicity > 1) & (np.diag(base.peer) > norm * (1 - TOGETHER))
    found = [np.array([a]) for a in np.flatnonzero(near & anchored)]
    silent = np.flatnonzero(~anchored)
    found += [silent] if program.multiplicity[silent].sum() > 1 else []
    weight = only_rows(program).peer_multiplicity[0]
    return [Cluster(groups, weight[groups], 1.0) for groups in found]


def enclose_by_factor(
    program: GramProgram, witness: Witness, digits: int
) -> tuple[System, Entries, list[Cluster], np.ndarray, int] | str:
    """Return the merged equations at the optimum, what was merged, and the rank of the slack; else why not.

    Of the witness M₀ is read, as a guess. At a root S = Z Zᵀ + (κ terms) has the gradient off its diagonal
    and annihilates M; κ > 0 and M ⪰ 0 are proven, and so M is the only optimum.
    """
    if program.groups > LARGEST:
        return f"the dual slack has higher rank, and {program.groups} groups are more than {LARGEST}"
    clusters = guessed_clusters(program, witness.base)
    listed = [cluster.groups.tolist() for cluster in clusters]
    merged, label = merge(exact_program(program), listed), merge_labels(program.groups, listed)
    if len(set(only_rows(merged).anchor.tolist())) < len(only_rows(merged).anchor):
        return "merged classes keep different rows"
    given = system(merged)
    first = np.unique(label, return_index=True)[1]
    for rank in RANKS:
        start = _start(merged, witness.base.peer[np.ix_(first, first)], rank)
        if start is None:
            continue
        equations, x = pivoted(given, *start)
        root = enclose_factor(equations, x, digits)
        if root is None:
            continue
        z, v = root
        at = equations.entries(z, v)
        nodes = [int(label[cluster.groups[0]]) for cluster in clusters]
        squares = (z * z).sum(axis=1)
        held = all(
            stays_together(program, cluster, squares[node], v[node])
            for cluster, node in zip(clusters, nodes, strict=True)
        )
        if held and is_gram(given, at, z):
            return given, at, clusters, label, rank
    return "no root of the equations of a slack of rank two or three was enclosed"


def _start(
    merged: GramProgram, peer: Float[np.ndarray, "q q"], rank: int
) -> tuple[Float[np.ndarray, "q r"], Float[np.ndarray, " q"]] | None:
    """Return a factor of the slack that stationarity suggests at a matrix, and log Z there."""
    rule = merged.rules[0]
    equations = DualEquations.of(merged, rule.square)  # type: ignore[attr-defined]
    if len(peer) <= rank:
        return None
    g, norm = merged.multiplicity, equations.norm
    power = np.exp((peer - norm) / merged.tau)
    argument = equations.own + (equations.members * equations.peer * power).sum(axis=1)
    slope = (equations.weight / argument)[:, None] * equations.peer * power
    slope = (slope + slope.T) / (2 * merged.tau)
    own = -(equations.members * slope * peer).sum(axis=1) / norm
    root = np.sqrt(g)
    quotient = root[:, None] * slope * root
    np.fill_diagonal(quotient, own + (g - 1) * np.diag(slope))
    values, vectors = np.linalg.eigh(quotient)
    top = vectors[:, ::-1][:, :rank] * np.sqrt(np.maximum(values[::-1][:rank], 0.0))
    if not np.all(values[::-1][:rank] > 0):
        return None
    return top * np.sign(top[:, :1].sum()) / root[:, None], np.log(argument)


def spread_entries(
    program: GramProgram,
    given: System,
    gram: Shaped[Balls, "q q"],
    clusters: list[Cluster],
    label: np.ndarray,
) -> Shaped[Balls, "m m"]:
    """Return the entries of the program from those of its merged nodes."""
    norm: arb = given.norm
    full = gram[np.ix_(label, label)]
    for a in range(program.groups):
        full[a, a] = norm if program.multiplicity[a] == 1 else full[a, a]
    for cluster in clusters:
        full[np.ix_(cluster.groups, cluster.groups)] = norm
    return full
