"""Every role of every member as a node of its own, so that proofs know nodes of one role only."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
from jaxtyping import Float, Int

from relax.answer import Answer
from relax.bounds import Cluster, Witness
from relax.errors import InputError
from relax.orbits import OrbitMatrix
from relax.program import GramProgram
from relax.rows import LogSumExp
from relax.rules import Budget, RidgeCost, Rule

LARGEST = 1_000  # nodes; their square is written out


def by_slot(answer: Answer) -> Answer:
    """Return an answer of a program with several roles as one of the program in which slots are plain nodes.

    Member i of group a with role r becomes a node; members stand side by side, and so do their roles.

    Raises
    ------
    InputError
        If there are more than 1,000 such nodes, or rows of a kind that is not log-sum-exp.
    """
    program = answer.program
    if program.roles == 1:
        return answer
    plain, group = program_by_slot(program), _group_of_slot(program)
    ones = plain.multiplicity
    point, base = (
        OrbitMatrix(ones, np.diag(full)[:, None, None].copy(), full)
        for full in (answer.point.expand(), answer.witness.base.expand())
    )
    factor, clusters = _factor(answer.witness, program), _clusters(answer.witness, program)
    witness = Witness(base, factor, np.zeros((len(group), 1, 0)), clusters)
    return replace(answer, program=plain, point=point, witness=witness)


def program_by_slot(program: GramProgram) -> GramProgram:
    """Return the program in which every role of every member is a node; itself where there is one role.

    Raises
    ------
    InputError
        If there are more than 1,000 such nodes, or rows of a kind that is not log-sum-exp.
    """
    if program.roles == 1:
        return program
    count = int(program.multiplicity.sum()) * program.roles
    if count > LARGEST:
        raise InputError(
            f"{count} vectors of {program.roles} roles are too many for a certificate of such a loss; "
            f"it takes {LARGEST}"
        )
    group, s = _group_of_slot(program), program.roles
    role = np.arange(len(group)) % s
    rows = tuple(_rows(block, program, group, role) for block in program.rows)
    rules = tuple(_rule(rule, group * s + role) for rule in program.rules)
    ones = np.ones(len(group))
    return replace(program, multiplicity=ones, rows=rows, rules=rules, roles=1)


def _group_of_slot(program: GramProgram) -> Int[np.ndarray, " n"]:
    return np.repeat(np.arange(program.groups), program.multiplicity.astype(int) * program.roles)


def _rows(
    rows: object, program: GramProgram, group: Int[np.ndarray, " n"], role: Int[np.ndarray, " n"]
) -> LogSumExp:
    """Return one row for each member that is an anchor; entries with itself become ordinary ones."""
    if not isinstance(rows, LogSumExp):
        raise InputError(f"rows of kind {type(rows).__name__} are for nodes of one role only")
    r, q = rows.roles
    member = np.arange(len(group)) // program.roles
    line, node = np.nonzero((rows.anchor[:, None] == group) & (role == r))
    itself = (member[node][:, None] == member) & (role == q)
    reads = role == q

    def table(own: np.ndarray, peer: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        exact = own.dtype == object or (peer is not None and peer.dtype == object)
        peers = np.zeros((len(line), len(group)), dtype=object if exact else float)
        if peer is not None:
            peers[:, reads] = peer[line][:, group[reads]]
        peers[itself] = own[line]
        alone = np.zeros(len(line), dtype=peers.dtype)
        if r == q:
            alone, peers[itself] = own[line], 0
        return alone, peers

    members = program.multiplicity[rows.anchor[line]].astype(int)
    weight = np.array([Fraction(w) / int(g) for w, g in zip(rows.weight[line], members, strict=True)])
    own, peer = table(rows.own_multiplicity, rows.peer_multiplicity)
    own_target, target = table(rows.own_target, rows.peer_target)
    return LogSumExp(node, weight, own, own_target, peer, target if target.any() else None)


def _rule(rule: Rule, slot: Int[np.ndarray, " n"]) -> Rule:
    nodes = np.flatnonzero(np.isin(slot, rule.slots))
    if isinstance(rule, (Budget, RidgeCost)):
        position = np.argsort(rule.slots)[np.searchsorted(np.sort(rule.slots), slot[nodes])]
        return replace(rule, slots=nodes, weight=rule.weight[position])
    return replace(rule, slots=nodes)


def _factor(witness: Witness, program: GramProgram) -> Float[np.ndarray, "n r"]:
    """Return the factor of the whole slack: Z, and C ⊗ Y_a for each group of several, C = I − 11ᵀ/g."""
    group, s = _group_of_slot(program), program.roles
    slot = group * s + np.arange(len(group)) % s
    columns = [witness.factor[slot]]
    for a in np.flatnonzero(program.multiplicity > 1):
        g = int(program.multiplicity[a])
        spread = np.zeros((len(group), g * witness.within.shape[2]))
        spread[group == a] = np.kron(np.eye(g) - 1.0 / g, witness.within[a])
        columns.append(spread)
    return np.hstack(columns)


def _clusters(witness: Witness, program: GramProgram) -> tuple[Cluster, ...]:
    """Return clusters over nodes: they hold vectors of role 0."""
    group, first = (
        _group_of_slot(program),
        np.arange(program.multiplicity.sum() * program.roles) % program.roles,
    )
    found = []
    for cluster in witness.clusters:
        weight = dict(zip(cluster.groups.tolist(), cluster.weight.tolist(), strict=True))
        nodes = np.flatnonzero(np.isin(group, cluster.groups) & (first == 0))
        found.append(Cluster(nodes, np.array([weight[a] for a in group[nodes]]), cluster.kappa))
    return tuple(found)
