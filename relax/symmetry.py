"""Samples → classes → groups of equal classes: maps from GramProgram to GramProgram, and back.

`orbits` makes exchangeable nodes one group (averaging over their permutations is free by convexity).
`merge` puts sets of groups on one point each. `collapse` merges every group whose members provably do.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from relax.errors import InputError
from relax.orbits import OrbitMatrix
from relax.program import GramProgram, Rows
from relax.rules import Budget, RidgeCost, Rule

Clusters = Sequence[Sequence[int]]


def find_orbits(program: GramProgram) -> Int[np.ndarray, " m"]:
    """Return a label for each node of a plain program; nodes of one label are exchangeable.

    Two nodes are twins when swapping them leaves every row as it is. Twins form equivalence classes, and
    swaps generate all permutations of a class, so comparing with one node of each class is enough.
    """
    alone = [_signature(program, a) for a in range(program.groups)]
    first: list[int] = []
    label = np.empty(program.groups, dtype=int)
    tables = [table for rows in program.rows for table in _square_tables(rows, program.groups)]
    for a in range(program.groups):
        twin = (i for i, b in enumerate(first) if alone[a] == alone[b] and _are_twins(tables, a, b))
        label[a] = next(twin, len(first))
        if label[a] == len(first):
            first.append(a)
    return label


def orbits(program: GramProgram, label: Int[np.ndarray, " m"] | None = None) -> GramProgram:
    """Return the program with one group for each label, its nodes being exchangeable.

    Raises
    ------
    InputError
        If the program is not plain (some group already has several members), has several rows for one
        anchor, or if permuting the nodes of a label would change it.
    """
    if np.any(program.multiplicity != 1):
        raise InputError("only a plain program can be reduced; collapse its groups first")
    label = find_orbits(program) if label is None else _labels(label.tolist())
    first = np.unique(label, return_index=True)[1]
    rows = tuple(_orbit_rows(block, label) for block in program.rows)
    rules = tuple(_picked_rule(rule, label, first, program.roles) for rule in program.rules)
    return replace(program, multiplicity=np.bincount(label).astype(float), rows=rows, rules=rules)


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
    g, label = program.multiplicity, merge_labels(program.groups, clusters)
    one_point = np.zeros(label.max() + 1, dtype=bool)
    one_point[[label[cluster[0]] for cluster in clusters]] = True
    rows = tuple(_merged_rows(block, g, label, one_point) for block in program.rows)
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


def collapse(program: GramProgram) -> GramProgram:
    """Return the program with every group of several members on one point.

    Right whenever each row that reads an entry between members of one group has its whole target there.
    Moving a group to its mean then never raises the objective: the entry between members grows, entries
    with others stay, no norm grows, and lengthening the mean to the norm allowed helps again (the argument
    of arXiv 2402.18884 for the sphere, which serves ball and ridge as well).

    Raises
    ------
    InputError
        If a row reads such an entry otherwise, or nodes have several roles.
    """
    several = np.flatnonzero(program.multiplicity > 1)
    if program.roles > 1 or not all(_attracts(rows, program.multiplicity) for rows in program.rows):
        raise InputError("members of a group need not coincide in this program; reduce it by orbits only")
    return merge(program, [[int(a)] for a in several])


def _labels(keys: Iterable[Hashable]) -> Int[np.ndarray, " m"]:
    """Return 0, 1, … for equal keys, in order of first appearance."""
    seen: dict[Hashable, int] = {}
    return np.array([seen.setdefault(key, len(seen)) for key in keys])


def _signature(program: GramProgram, a: int) -> Hashable:
    """Return what node a's rules and rows say of the node alone."""
    signature: list[Hashable] = []
    for i, rule in enumerate(program.rules):
        for position in np.flatnonzero(rule.slots // program.roles == a):
            weight = rule.weight[position] if isinstance(rule, (Budget, RidgeCost)) else 0
            signature.append((i, int(rule.slots[position] % program.roles), weight))
    for rows in program.rows:
        for t in np.flatnonzero(rows.anchor == a):
            signature.append((rows.weight[t], rows.own_multiplicity[t], rows.own_target[t]))
    return tuple(signature)


def _square_tables(rows: Rows, nodes: int) -> list[np.ndarray]:
    """Return what each node reads of each other, zero for nodes without a row."""
    tables = []
    for table in (rows.peer_multiplicity, rows.peer_target):
        if table is not None:
            tables.append(np.zeros((nodes, nodes), dtype=table.dtype))
            tables[-1][rows.anchor] = table
    return tables


def _are_twins(tables: list[np.ndarray], a: int, b: int) -> bool:
    """Return whether swapping nodes a and b leaves the tables as they are."""
    others = np.ones(len(tables[0]), dtype=bool)
    others[[a, b]] = False
    return all(
        t[a, b] == t[b, a]
        and np.array_equal(t[a][others], t[b][others])
        and np.array_equal(t[others, a], t[others, b])
        for t in tables
    )


def _orbit_rows(rows: Rows, label: Int[np.ndarray, " m"]) -> Rows:
    """Keep one row for each label, reading one representative of each label; verify the others agree."""
    size = np.bincount(label)
    anchors, kept = np.unique(label[rows.anchor], return_index=True)
    whole = np.array_equal(np.bincount(label[rows.anchor], minlength=len(size))[anchors], size[anchors])
    if len(set(rows.anchor.tolist())) < len(rows.anchor) or not whole:
        raise InputError("nodes of one label must have one row each, or none")
    first = np.unique(label, return_index=True)[1]
    last = len(label) - 1 - np.unique(label[::-1], return_index=True)[1]
    # an anchor does not read itself: among its own label it reads the last node, or the first if it is last
    columns = np.broadcast_to(first, (len(kept), len(first))).copy()
    own = rows.anchor[kept]
    columns[np.arange(len(kept)), label[own]] = np.where(
        own == last[label[own]], first[label[own]], last[label[own]]
    )

    def picked(table: np.ndarray) -> np.ndarray:
        small = np.take_along_axis(table[kept], columns, axis=1)
        position = np.searchsorted(anchors, label[rows.anchor])
        differs = small[position][:, label] != table
        differs[np.arange(len(rows.anchor)), rows.anchor] = False
        if differs.any():
            raise InputError("permuting the nodes of a label would change the program")
        return small

    def common(numbers: np.ndarray) -> np.ndarray:
        if np.any(numbers[kept][np.searchsorted(anchors, label[rows.anchor])] != numbers):
            raise InputError("permuting the nodes of a label would change the program")
        return numbers[kept]

    target = None if rows.peer_target is None else picked(rows.peer_target)
    return Rows(
        anchors,
        common(rows.weight) * size[anchors],
        common(rows.own_multiplicity),
        common(rows.own_target),
        picked(rows.peer_multiplicity),
        target,
        rows.roles,
    )


def _picked_rule(rule: Rule, label: Int[np.ndarray, " m"], first: Int[np.ndarray, " q"], roles: int) -> Rule:
    """Keep the slots of one representative of each label."""
    kept = np.flatnonzero(np.isin(rule.slots // roles, first))
    slots = label[rule.slots[kept] // roles] * roles + rule.slots[kept] % roles
    if isinstance(rule, (Budget, RidgeCost)):
        return replace(rule, slots=slots, weight=rule.weight[kept])
    return replace(rule, slots=slots)  # type: ignore[type-var]


def _attracts(rows: Rows, multiplicity: Float[np.ndarray, " m"]) -> bool:
    """Return whether every row that reads peers of its own group has its whole target on them."""
    t = np.arange(len(rows.anchor))
    siblings = multiplicity[rows.anchor] - 1
    reads = siblings * rows.floats.peer_multiplicity[t, rows.anchor] > 0
    if rows.peer_target is None:
        return not reads.any()
    target = siblings * rows.floats.peer_target[t, rows.anchor]  # type: ignore[index]
    return bool(np.all(np.abs(target[reads] - 1.0) < 1e-12))


def _merged_rows(
    rows: Rows, g: Float[np.ndarray, " m"], label: Int[np.ndarray, " m"], one_point: np.ndarray
) -> Rows:
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
    merged = Rows(node, rows.weight, own, own_target, peer, target, rows.roles)
    return _without_repeats(merged, one_point)


def _without_repeats(rows: Rows, one_point: np.ndarray) -> Rows:
    """Add up the weights of equal rows of one merged node."""
    numbers = [rows.own_multiplicity[:, None], rows.own_target[:, None], rows.peer_multiplicity]
    numbers += [] if rows.peer_target is None else [rows.peer_target]

    def key(t: int) -> Hashable:
        if not one_point[rows.anchor[t]]:
            return t, None
        return -int(rows.anchor[t]) - 1, tuple(tuple(table[t]) for table in numbers)

    group = _labels(key(t) for t in range(len(rows.anchor)))
    kept = np.unique(group, return_index=True)[1]
    weight = np.zeros(len(kept), dtype=rows.weight.dtype)
    np.add.at(weight, group, rows.weight)
    target = None if rows.peer_target is None else rows.peer_target[kept]
    return Rows(
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
