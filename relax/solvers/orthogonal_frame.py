"""Non-negative features: the frame in which what attracts coincides and all else is orthogonal.

Over entrywise non-negative features with norms fixed or bounded, the orthogonal frame is the supervised-
contrastive optimum for any class sizes, full batch or fixed batches (Kini et al., arXiv 2306.07960). It needs
no iteration, only a proof; where the frame is not optimal the bounds say so and the next solver steps in.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool
from scipy.sparse.csgraph import connected_components

from relax.answer import Answer, Status
from relax.orbits import OrbitMatrix
from relax.program import GramProgram
from relax.rules import Bounded, Fixed
from relax.solvers.worth import worth


def supports(program: GramProgram) -> str | None:
    """Return None for one role, M ≥ 0, and norms fixed or bounded, else the reason why not."""
    plain = all(isinstance(rule, (Fixed, Bounded)) for rule in program.rules)
    if program.nonnegative and program.roles == 1 and plain:
        return None
    return "orthogonal_frame is for one role, entrywise non-negativity, and norms fixed or bounded"


def solve(program: GramProgram, tolerance: float, deadline: float) -> Answer:
    """Return the frame and the witness that stationarity suggests there; there are no iterations."""
    found = worth(program, frame(program))
    status = Status.CONVERGED if found.relative_gap <= tolerance else Status.STALLED
    return Answer(program, found.point, found.witness, status, 0)


def frame(program: GramProgram) -> OrbitMatrix:
    """Return M with M_ij = √(M_ii M_jj) for nodes that targets join, 0 for others, and M_ii at its bound."""
    length = np.empty(program.groups)
    for rule in program.rules:
        assert isinstance(rule, (Fixed, Bounded))
        length[rule.slots] = np.sqrt(rule.square)
    joined = _joined(program)
    _, label = connected_components(sp.csr_array(joined), directed=False)
    together = (label[:, None] == label).astype(float)
    alone = np.flatnonzero(~np.diag(joined) & (np.bincount(label)[label] == 1))
    together[alone, alone] = 0.0  # members of such a group are not joined to each other
    return OrbitMatrix(program.multiplicity, (length**2)[:, None, None], together * np.outer(length, length))


def _joined(program: GramProgram) -> Bool[np.ndarray, "m m"]:
    """Return which pairs of groups have different members with a target between them."""
    joined = np.zeros((program.groups, program.groups), dtype=bool)
    for rows, table in zip(program.rows, program.tables, strict=True):
        np.logical_or.at(joined, rows.anchor, (table.members * table.target)[:, 1:] > 0.0)
    return joined | joined.T
