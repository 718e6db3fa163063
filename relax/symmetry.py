"""Groups on one point: `merge` takes a program to the smaller one, `spread` takes a matrix of that back."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from relax.errors import InputError
from relax.orbits import OrbitMatrix
from relax.program import GramProgram
from relax.rows import LogSumExp
from relax.rules import Budget, RidgeCost, Rule

Clusters = Sequence[Sequence[int]]


def merge_labels(groups: int, clusters: Clusters) -> Int[np.ndarray, " m"]:
    """Return the node each group goes to; a cluster stands where its first group stood."""
    representative = np.arange(groups)
    if not clusters:
        return representative
    for cluster in clusters:
        representative[list(cluster)] = min(cluster)
    return np.unique(representative, return_inverse=True)[1]


def merge(program: GramProgram, clusters: Clusters) -> GramProgram:
    """Return the program in which each listed set of groups is one node: all their members on one point.

    It is the program restricted to such matrices, so its minimum is never below the program's, and equals
    it where those members coincide at the optimum. Rows of one node that become equal become one row.
    """
    if not clusters:
        return program
    blocks = [rows for rows in program.rows if isinstance(rows, LogSumExp)]
    if len(blocks) < len(program.rows):
        raise InputError("only log-sum-exp rows can be merged")
    g, label = program.multiplicity, merge_labels(program.groups, clusters)
    one_point = np.zeros(label.max() + 1, dtype=bool)
    one_point[[label[cluster[0]] for cluster in clusters]] = True
    rows = tuple(_merged_rows(block, g, label, one_point) for block in blocks)
    rules = tuple(_merged_rule(rule, g, label, one_point, program.roles) for rule in program.rules)
    multiplicity = np.where(one_point, 1.0, np.bincount(label, weights=g))
    return replace(program, multiplicity=multiplicity, rows=rows, rules=rules)


def spread(matrix: OrbitMatrix, multiplicity: Float[np.ndarray, " m"], clusters: Clusters) -> OrbitMatrix:
    """Return a matrix of `merge(program, clusters)` as one of the program, whose multiplicities these are."""
    s, label = matrix.roles, merge_labels(len(multiplicity), clusters)
    slot = (label[:, None] * s + np.arange(s)).reshape(-1)
    peer = matrix.peer[np.ix_(slot, slot)]
    for cluster in clusters:
        inside = (np.asarray(cluster)[:, None] * s + np.arange(s)).reshape(-1)
        peer[np.ix_(inside, inside)] = np.tile(matrix.own[label[cluster[0]]], (len(cluster), len(cluster)))
    return OrbitMatrix(multiplicity, matrix.own[label], peer)


def labels_of(keys: Iterable[Hashable]) -> Int[np.ndarray, " m"]:
    """Return 0, 1, … for equal keys, in order of first appearance."""
    seen: dict[Hashable, int] = {}
    return np.array([seen.setdefault(key, len(seen)) for key in keys])


def _merged_rows(
    rows: LogSumExp, g: Float[np.ndarray, " m"], label: Int[np.ndarray, " m"], one_point: np.ndarray
) -> LogSumExp:
    """Read nodes instead of groups: multiplicities and targets of what is now one point add up."""
    t = np.arange(len(rows.anchor))
    node = label[rows.anchor]
    members = np.broadcast_to(g, (len(t), len(g))).copy()
    members[t, rows.anchor] -= 1
    onto = label[:, None] == np.arange(len(one_point))

    def moved(own: np.ndarray, peer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        factor = np.where(one_point[label], members, 1.0)
        exact = factor.astype(int).astype(object) if peer.dtype == object else factor
        summed = np.dot(peer * exact, onto.astype(object if peer.dtype == object else float))
        inside = summed[t, node]
        summed[t[one_point[node]], node[one_point[node]]] = 0
        return own + np.where(one_point[node], inside, 0 * inside), summed

    own, peer = moved(rows.own_multiplicity, rows.peer_multiplicity)
    own_target, target = rows.own_target, None
    if rows.peer_target is not None:
        own_target, target = moved(rows.own_target, rows.peer_target)
    merged = LogSumExp(node, rows.weight, own, own_target, peer, target, rows.roles)
    return _without_repeats(merged, one_point)


def _without_repeats(rows: LogSumExp, one_point: np.ndarray) -> LogSumExp:
    """Add up the weights of equal rows of one merged node."""
    numbers = [rows.own_multiplicity[:, None], rows.own_target[:, None], rows.peer_multiplicity]
    numbers += [] if rows.peer_target is None else [rows.peer_target]

    def key(t: int) -> Hashable:
        if not one_point[rows.anchor[t]]:
            return t, None
        return -int(rows.anchor[t]) - 1, tuple(tuple(table[t]) for table in numbers)

    group = labels_of(key(t) for t in range(len(rows.anchor)))
    kept = np.unique(group, return_index=True)[1]
    weight = np.zeros(len(kept), dtype=rows.weight.dtype)
    np.add.at(weight, group, rows.weight)
    target = None if rows.peer_target is None else rows.peer_target[kept]
    return LogSumExp(
        rows.anchor[kept],
        weight,
        rows.own_multiplicity[kept],
        rows.own_target[kept],
        rows.peer_multiplicity[kept],
        target,
        rows.roles,
    )


def _merged_rule(
    rule: Rule, g: Float[np.ndarray, " m"], label: Int[np.ndarray, " m"], one_point: np.ndarray, roles: int
) -> Rule:
    """Let the rule speak of nodes; what a merged node weighs is what its members weigh together."""
    group, role = rule.slots // roles, rule.slots % roles
    slots, position = np.unique(label[group] * roles + role, return_inverse=True)
    if isinstance(rule, (Budget, RidgeCost)):
        together = np.where(one_point[label[group]], g[group], 1.0).astype(int).astype(rule.weight.dtype)
        weight = np.zeros(len(slots), dtype=rule.weight.dtype)
        np.add.at(weight, position, together * rule.weight)
        return replace(rule, slots=slots, weight=weight)
    return replace(rule, slots=slots)  # type: ignore[type-var]
