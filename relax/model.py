"""A Gram program as a CVXPY problem."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from relax.errors import InputError
from relax.program import GramProgram
from relax.rules import Fixed, RidgeCost

if TYPE_CHECKING:
    import cvxpy as cp


class Model(NamedTuple):
    """A CVXPY problem and what to read from it: own blocks side by side, s × m·s, and `OrbitMatrix.peer`."""

    problem: cp.Problem
    own: Any
    peer: Any


def expression(program: GramProgram, own: Sequence[Any], peer: Any) -> Any:
    """Return the objective as a CVXPY expression, floor left out; `own` are blocks to stand side by side.

    What rows read is gathered from one vector of all entries.

    Raises
    ------
    InputError
        If CVXPY cannot express a kind of rows.
    """
    import cvxpy as cp

    # own blocks stand side by side, s × m·s; `GramProgram.read` has them one after the other
    s = program.roles
    beside = np.arange(program.groups * s * s).reshape(s, program.groups, s).transpose(1, 0, 2).ravel()
    entries = cp.hstack([cp.vec(cp.hstack(own), order="C")[beside], cp.vec(peer, order="C")])
    total = 0.0
    for rows, table, read in zip(program.rows, program.tables, program.read, strict=True):
        entry = cp.reshape(entries[read.ravel()] / program.tau, read.shape, order="C")
        part = table.expression(entry, rows.weights / float(program.normaliser))
        if part is None:
            raise InputError(f"CVXPY cannot express rows of kind {type(rows).__name__}; take another solver")
        total = total + part
    return total


def model(program: GramProgram) -> Model:
    """Return the whole program as a CVXPY problem; its value is the excess (value where no floor is).

    The variables are `OrbitMatrix.quotient`, named Q, and the blocks of `OrbitMatrix.within` that mean
    something, named A[group]; entries are linear maps of both, whatever the number of roles. Where all groups
    have one member, Q is the Gram matrix itself and is named G.
    """
    import cvxpy as cp

    m, s, g = program.groups, program.roles, program.multiplicity
    slots, root = m * s, np.repeat(1 / np.sqrt(g), s)
    quotient = cp.Variable((slots, slots), PSD=True, name="G" if np.all(g == 1) else "Q")
    within = _within(program)
    stack, blocks = np.tile(np.eye(s), m), np.kron(np.eye(m), np.ones((s, s)))
    peer = cp.multiply(np.outer(root, root), quotient - cp.multiply(blocks, stack.T @ within))
    own = stack @ cp.multiply(blocks, peer) + within
    objective, constraints = expression(program, [own], peer), []
    diagonal = cp.vec(own, order="C")[np.arange(slots) % s * slots + np.arange(slots)]
    for rule in program.rules:
        weight = program.slot_multiplicity[rule.slots]
        if isinstance(rule, Fixed):
            constraints.append(diagonal[rule.slots] == rule.square)
        elif isinstance(rule, RidgeCost):
            objective = objective + (weight * rule.weights) @ diagonal[rule.slots]
        else:
            matrix, bound = rule.inequalities(weight)
            constraints.append(matrix @ diagonal[rule.slots] <= bound)
    if program.nonnegative:
        meant = np.triu(np.kron(np.outer(g, g) > np.diag(g), np.ones((s, s))))
        constraints += [own >= 0, cp.vec(peer, order="C")[np.flatnonzero(meant)] >= 0]
    return Model(cp.Problem(cp.Minimize(objective), constraints), own, peer)


def _within(program: GramProgram) -> Any:
    """Return A_a side by side, s × m·s: a variable where a group has several members, else zero."""
    import cvxpy as cp

    s, several = program.roles, np.flatnonzero(program.multiplicity > 1)
    if not len(several):
        return cp.Constant(np.zeros((s, program.groups * s)))
    place = np.kron(np.eye(program.groups)[several], np.eye(s))
    return cp.hstack([cp.Variable((s, s), PSD=True, name=f"A[{a}]") for a in several]) @ place
