"""Multipliers of the norms tell bad minima (docs/landscape-proofs.md, "Why: multipliers").

At a stationary point on the sphere, siblings (samples whose exchange the loss does not see) that differ have
ν_i + ν_j ≤ 2 D_ij − D_ii − D_jj. What is counted is ν_i + ν_j < 2 D_ij, which follows where no row reads its
own anchor, as D_ii = 0 then. For the supervised-contrastive loss 2 D_ij = (p_ij + p_ji − 2q)/(N₊τ), with p
the softmax weights and q = 1/(n_c − 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Shaped

from certify.balls.enclosures import Balls
from certify.landscape.equations import derivatives
from certify.landscape.roots import Box
from certify.landscape.system import System
from relax.program import GramProgram
from relax.rows import LogSumExp, SumExp
from relax.rules import Fixed


class Siblings(NamedTuple):
    """How many pairs of siblings are proven distinct, and for how many the strict inequality is proven.

    Antipodal pairs, and all that a symmetry of the point exchanges, have equality, which no ball shows.
    """

    distinct: int
    proven: int


def sibling_inequality(given: System, within: Box, classes: Int[np.ndarray, " n"]) -> Siblings:
    """Count ν_i + ν_j < 2 D_ij over a box with a stationary point, all of whose norms are held and equal."""
    rules = given.goal.program.rules
    if not all(isinstance(rule, Fixed) for rule in rules) or len({rule.value for rule in rules}) > 1:  # type: ignore[union-attr]
        return Siblings(0, 0)
    slope, nu, h = derivatives(given, within.features).slope, within.held, within.features
    pairs = [
        pair
        for group in sibling_groups(given.goal.program, classes)
        for pair in combinations(group, 2)
        if _distinct(h[pair[0]], h[pair[1]])
    ]
    slack = [2 * slope[i, j] - nu[i] - nu[j] for i, j in pairs]
    return Siblings(len(pairs), sum(bool(number > 0) for number in slack))


def sibling_groups(program: GramProgram, classes: Int[np.ndarray, " n"]) -> Iterator[list[int]]:
    """Yield runs of samples of a class any two of which can change places without changing the program."""
    for c in np.unique(classes):
        group: list[int] = []
        members = np.flatnonzero(classes == c).tolist()
        for i, j in pairwise(members):
            group = group or [i]
            if _exchangeable(program, i, j):
                group.append(j)
                continue
            yield group
            group = [j]
        yield group or members


def _exchangeable(program: GramProgram, i: int, j: int) -> bool:
    """Return whether the rows of a program are the same with two nodes exchanged; if unsure, False."""
    order = np.arange(program.groups)
    order[[i, j]] = j, i
    for rows in program.rows:
        if not isinstance(rows, (LogSumExp, SumExp)) or len(set(rows.anchor.tolist())) < len(rows.anchor):
            return False
        place = {a: t for t, a in enumerate(rows.anchor.tolist())}
        if (i in place) != (j in place):
            return False
        moved = [place[order[a]] for a in rows.anchor.tolist()]
        for line in _lines(rows):
            if not np.array_equal(line, line[moved]):
                return False
        for table in (rows.peer_multiplicity, rows.peer_target):
            read = None if table is None else _apart(table, rows)
            if read is not None and not np.array_equal(read, read[moved][:, order]):
                return False
    return True


def _lines(rows: LogSumExp | SumExp) -> list[np.ndarray]:
    own = [rows.weight, rows.own_multiplicity, rows.own_target]
    return [*own, rows.floor] if isinstance(rows, SumExp) else own


def _apart(table: np.ndarray, rows: LogSumExp | SumExp) -> np.ndarray:
    """Return a table without the entries of an anchor with itself, which mean nothing."""
    blank = table.astype(object).copy()
    blank[np.arange(len(rows.anchor)), rows.anchor] = 0
    return blank


def _distinct(one: Shaped[Balls, " d"], other: Shaped[Balls, " d"]) -> bool:
    """Return whether two vectors are proven different."""
    return any(bool(a != b) for a, b in zip(one, other, strict=True))
