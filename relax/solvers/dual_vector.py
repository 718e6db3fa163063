"""The dual-vector method: machine precision in a handful of Newton steps, coinciding classes exactly.

Classes that coincide at the optimum act as one class of their summed size, so an optimum is a partition of
the groups and a root of the dual-vector equations of the merged program. The partition is right if and only
if each merged cluster has κ ≥ 0 (`bounds.Cluster`); entries above the norm propose merging, κ < 0 proposes
splitting, and the certificate decides.

Classes of different sizes coincide in this way only where their rows say the same once they do (`_alike`),
as those of the supervised-contrastive loss. Under other rows they come near each other instead, and the
slack has rank two or more: such a program is handed over as soon as an entry exceeds the norm.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from relax.answer import Answer, Status
from relax.bounds import Cluster, Witness, feasible, witness_at
from relax.dual_equations import DualEquations, only_rows
from relax.orbits import OrbitMatrix
from relax.program import GramProgram
from relax.rows import LogSumExp
from relax.rules import Bounded, Fixed
from relax.solvers.continuation import Root, StepCount, solve_equations
from relax.solvers.worth import nothing_yet
from relax.symmetry import merge, merge_labels, spread

Partition = frozenset[tuple[int, ...]]
ABOVE_NORM = 1e-12  # an entry beyond the norm by more than this proposes merging
SAME = 1e-12  # a difference beside the larger number that is rounding
MOST_PARTITIONS = 60


def supports(program: GramProgram) -> str | None:
    """Return None for programs the equations describe, else the reason why not."""
    if program.roles != 1 or len(program.rows) != 1 or not isinstance(program.rows[0], LogSumExp):
        return "dual_vector needs one role and one kind of row"
    if program.nonnegative:
        return "dual_vector does not take entrywise non-negativity"
    if len(program.rules) != 1 or not isinstance(program.rules[0], (Fixed, Bounded)):
        return "dual_vector needs one sphere or ball for all nodes"
    rows = program.rows[0]
    if np.bincount(rows.anchor).max(initial=0) > 1:
        return "dual_vector needs one row for each anchor"
    if rows.peer_target is not None or np.any(rows.own_target != 1):
        return "dual_vector needs the whole target on the anchor's own entry"
    seen = np.broadcast_to(program.multiplicity, rows.peer_multiplicity.shape).copy()
    seen[np.arange(len(rows.anchor)), rows.anchor] -= 1
    if np.any(rows.floats.peer_multiplicity[seen > 0] <= 0):
        return "dual_vector needs every anchor to read all others"
    return None


def solve(program: GramProgram, tolerance: float, deadline: float, start: Answer | None = None) -> Answer:
    """Return the optimum by the dual-vector equations (module docstring; `supports` says where).

    The tolerance is not used: Newton's method goes to rounding level, and it is quadratic. Near a start, an
    answer for a program with as many groups, it begins there, and with the classes that coincide there.
    """
    count, near = StepCount(deadline), None if start is None else start.point.peer
    partition, best, seen = _first(program, start), None, set[Partition]()
    status = Status.ITERATION_LIMIT
    while len(seen) < MOST_PARTITIONS:
        seen.add(partition)
        answer = _solve_partition(program, partition, count, near)
        if answer is None:
            status = Status.TIME_LIMIT if count.out_of_time() else Status.STALLED
            break
        best = answer
        revised = _revised(program, partition, answer)
        if revised == partition:
            status = Status.CONVERGED
            break
        if revised in seen or not all(_alike(program, cluster) for cluster in revised):
            status = Status.STALLED
            break
        partition = revised
    if best is None:
        if status is Status.TIME_LIMIT:  # the witness of another matrix may take longer than all the rest
            return replace(nothing_yet(program), status=status, iterations=count.steps)
        matrix = _equiangular(program)
        return Answer(program, matrix, witness_at(program, matrix), status, count.steps)
    witness = best.witness
    if _is_mixed(program, partition):
        witness = witness_at(program, feasible(program, best.matrix))
    return Answer(program, best.matrix, witness, status, count.steps)


class _Stage(NamedTuple):
    """The root of one partition, as a matrix and witness of the program, and as a matrix of its nodes."""

    matrix: OrbitMatrix
    witness: Witness
    nodes: np.ndarray


def _solve_partition(
    program: GramProgram, partition: Partition, count: StepCount, near: np.ndarray | None
) -> _Stage | None:
    clusters = sorted(partition)
    merged = merge(program, clusters)
    if clusters and supports(merged) is not None:
        return None
    norm = program.rules[0].square  # type: ignore[attr-defined]
    equations = DualEquations.of(merged, norm)
    if near is not None:
        _, member = np.unique(merge_labels(program.groups, clusters), return_index=True)
        near = np.where(equations.members > 0, near[np.ix_(member, member)], norm)
    root = solve_equations(equations, count, near)
    if root is None:
        return None
    own = np.full((merged.groups, 1, 1), norm)
    matrix = spread(OrbitMatrix(merged.multiplicity, own, root.gram), program.multiplicity, clusters)
    return _Stage(matrix, _witness(program, clusters, root, matrix), root.gram)


def _is_mixed(program: GramProgram, partition: Partition) -> bool:
    """Return whether a cluster holds groups with and without anchors: its slack has higher rank."""
    anchored = _anchored(program)
    return any(len(set(anchored[list(cluster)].tolist())) > 1 for cluster in partition)


def _alike(program: GramProgram, cluster: tuple[int, ...]) -> bool:
    """Return whether members of a cluster can coincide with a slack κ (diag(w) − w wᵀ / Σ w) between them.

    For members a, b and any other node Q the slack's entries must be as w_a to w_b. With one point for the
    cluster D_aQ is (ω_a U_aQ/Z_a + ω_Q U_Qa/Z_Q)/2τ, so this needs ω_a U_aQ/Z_a to be as U_Qa: logarithms of
    equal arguments Z, in which what a member reads of itself makes up for what it does not read of itself as
    a peer, and ω_a as w_a. Equal members always are alike; without anchors only w is left. Anchors together
    with nodes that have none are left to the witness of stationarity.
    """
    rows, inside = only_rows(program).floats, np.isin(only_rows(program).anchor, cluster)
    if len(cluster) == 1 or inside.sum() <= 1:
        return True
    anchor, peer = rows.anchor[inside], rows.peer_multiplicity[inside]
    size = peer[np.arange(len(anchor)), anchor]
    weight = rows.weight[inside] / (program.multiplicity[anchor] * size)
    argument = rows.own_multiplicity[inside] - size
    scale = np.abs(peer).max()
    return bool(
        np.ptp(weight) <= SAME * weight.max()
        and np.ptp(argument) <= SAME * scale
        and np.ptp(peer, axis=0).max() <= SAME * scale
    )


def _anchored(program: GramProgram) -> Bool[np.ndarray, " m"]:
    """Return which groups have rows."""
    anchored = np.zeros(program.groups, dtype=bool)
    anchored[only_rows(program).anchor] = True
    return anchored


def _witness(
    program: GramProgram, clusters: list[tuple[int, ...]], root: Root, matrix: OrbitMatrix
) -> Witness:
    """Spread z over the members of each cluster by size, and find the κ that holds them together."""
    weight = only_rows(program).floats.peer_multiplicity[0]
    g, label = program.multiplicity, merge_labels(program.groups, clusters)
    z = np.exp(root.u)[label]
    found: list[Cluster] = []
    gradient = program.gradient(matrix) if clusters else None
    for cluster in clusters:
        assert gradient is not None
        inside = np.array(cluster)
        w, members = weight[inside], g[inside]
        total, node = float(members @ w), z[inside[0]]
        pairs = np.outer(members, members) - np.diag(members)
        slope = gradient.peer[np.ix_(inside, inside)] / np.outer(w, w)
        mean_slope = float((pairs * slope).sum() / pairs.sum())
        found.append(Cluster(inside, w, float(node**2 / total - total * mean_slope)))
        z[inside] = node * w / total
    nothing = np.zeros((program.groups, 1, 0))
    return Witness(matrix, z[:, None], nothing, tuple(found))


def _forced(program: GramProgram) -> Partition:
    """Return the clusters that need no finding out: everything without anchors stands on one point."""
    silent = np.flatnonzero(~_anchored(program))
    several = program.multiplicity[silent].sum() > 1
    return frozenset([tuple(silent.tolist())]) if several else frozenset()


def _first(program: GramProgram, start: Answer | None) -> Partition:
    """Return the clusters of a start, where they may be those of the program, else what is forced."""
    forced = _forced(program)
    if start is None:
        return forced
    held = [tuple(sorted(one.groups.tolist())) for one in start.witness.clusters if one.kappa >= 0]
    found = frozenset(cluster for cluster in held if program.multiplicity[list(cluster)].sum() > 1)
    return found if forced <= found and all(_alike(program, cluster) for cluster in found) else forced


def _revised(program: GramProgram, partition: Partition, answer: _Stage) -> Partition:
    """Merge nodes whose entry exceeds the norm; when there are none, split clusters with κ < 0."""
    clusters = sorted(partition)
    label = merge_labels(program.groups, clusters)
    norm = program.rules[0].square  # type: ignore[attr-defined]
    above = answer.nodes > norm * (1 + ABOVE_NORM)
    merged = merge(program, clusters)
    np.fill_diagonal(above, (merged.multiplicity > 1) & np.diag(above))
    if above.any():
        _, component = connected_components(csr_array(above), directed=False)
        grown = [np.flatnonzero(component[label] == c) for c in np.unique(component)]
        keep = set(partition)
        touched = np.flatnonzero(above.any(axis=1))
        for groups in grown:
            if np.isin(label[groups], touched).any():
                keep = {c for c in keep if not set(c) & set(groups.tolist())}
                keep.add(tuple(groups.tolist()))
        return frozenset(keep)
    return frozenset(part for c in answer.witness.clusters for part in _split(program, c))


def _split(program: GramProgram, cluster: Cluster) -> list[tuple[int, ...]]:
    """Keep a cluster with κ ≥ 0; take the largest class size out of one with κ < 0."""
    groups = cluster.groups
    if cluster.kappa >= 0:
        return [tuple(groups.tolist())]
    rest = np.delete(groups, np.argmax(cluster.weight))
    return [tuple(rest.tolist())] if program.multiplicity[rest].sum() > 1 else []


def _equiangular(program: GramProgram) -> OrbitMatrix:
    """Return the simplex ETF, to have something to show when no root was found."""
    norm = program.rules[0].square  # type: ignore[attr-defined]
    m, entry = program.groups, -norm / (program.multiplicity.sum() - 1.0)
    return OrbitMatrix(program.multiplicity, np.full((m, 1, 1), norm), np.full((m, m), entry))
