"""Symmetry found, not told: samples to classes to groups, as maps from a plain program to a smaller one.

`find_orbits` looks for exchangeable nodes, `orbits` makes them one group (averaging over their permutations
is free by convexity), `collapse` merges every group whose members provably coincide. The package builds
programs by groups at once; these are what that is tested against.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from relax.errors import InputError
from relax.program import GramProgram
from relax.rows import LogSumExp
from relax.rules import Budget, RidgeCost, Rule
from relax.symmetry import labels_of, merge


def find_orbits(program: GramProgram) -> Int[np.ndarray, " m"]:
    """Return a label for each node of a plain program; nodes of one label are exchangeable.

    Two nodes are twins when swapping them leaves every row as it is. Twins form equivalence classes, and
    swaps generate all permutations of a class, so comparing with one node of each class is enough.
    """
    alone = [_signature(program, a) for a in range(program.groups)]
    first: list[int] = []
    label = np.empty(program.groups, dtype=int)
    tables = [table for rows in _log_sum_exp(program) for table in _square_tables(rows, program.groups)]
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
    label = find_orbits(program) if label is None else labels_of(label.tolist())
    first = np.unique(label, return_index=True)[1]
    rows = tuple(_orbit_rows(block, label) for block in _log_sum_exp(program))
    rules = tuple(_picked_rule(rule, label, first, program.roles) for rule in program.rules)
    return replace(program, multiplicity=np.bincount(label).astype(float), rows=rows, rules=rules)


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
    if program.roles > 1 or not all(_attracts(rows, program.multiplicity) for rows in _log_sum_exp(program)):
        raise InputError("members of a group need not coincide in this program; reduce it by orbits only")
    return merge(program, [[int(a)] for a in several])


def _signature(program: GramProgram, a: int) -> Hashable:
    """Return what node a's rules and rows say of the node alone."""
    signature: list[Hashable] = []
    for i, rule in enumerate(program.rules):
        for position in np.flatnonzero(rule.slots // program.roles == a):
            weight = rule.weight[position] if isinstance(rule, (Budget, RidgeCost)) else 0
            signature.append((i, int(rule.slots[position] % program.roles), weight))
    for rows in _log_sum_exp(program):
        for t in np.flatnonzero(rows.anchor == a):
            signature.append((rows.weight[t], rows.own_multiplicity[t], rows.own_target[t]))
    return tuple(signature)


def _square_tables(rows: LogSumExp, nodes: int) -> list[np.ndarray]:
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


def _orbit_rows(rows: LogSumExp, label: Int[np.ndarray, " m"]) -> LogSumExp:
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
    return LogSumExp(
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


def _attracts(rows: LogSumExp, multiplicity: Float[np.ndarray, " m"]) -> bool:
    """Return whether every row that reads peers of its own group has its whole target on them."""
    t = np.arange(len(rows.anchor))
    siblings = multiplicity[rows.anchor] - 1
    reads = siblings * rows.floats.peer_multiplicity[t, rows.anchor] > 0
    if rows.peer_target is None:
        return not reads.any()
    target = siblings * rows.floats.peer_target[t, rows.anchor]  # type: ignore[index]
    return bool(np.all(np.abs(target[reads] - 1.0) < 1e-12))


def _log_sum_exp(program: GramProgram) -> list[LogSumExp]:
    blocks = [rows for rows in program.rows if isinstance(rows, LogSumExp)]
    if len(blocks) < len(program.rows):
        raise InputError("symmetry is searched for in log-sum-exp rows only")
    return blocks
