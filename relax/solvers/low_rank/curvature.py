"""Second derivatives of the rows of a program at one matrix, and what they are on single entries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float

from relax.orbits import OrbitMatrix
from relax.program import GramProgram, RowState


@dataclass(frozen=True, eq=False)
class RowCurvature:
    """The Hessian of the rows: Σ_t (w_t/τ²) Σ_e π_te (x_e − x̄)², x̄ = Σ_e π_te x_e, π the softmax.

    Attributes
    ----------
    program : GramProgram
        The program.
    states : tuple of RowState
        Its rows at the matrix, `program.states(matrix)`.
    """

    program: GramProgram
    states: tuple[RowState, ...]

    @cached_property
    def softmax(self) -> tuple[Float[np.ndarray, "_ m1"], ...]:
        """The softmax of each row on a single entry behind each column of its table."""
        pairs = zip(self.states, self.program.tables, strict=True)
        return tuple(state.slope + table.target for state, table in pairs)

    def applied(self, direction: OrbitMatrix) -> OrbitMatrix:
        """Return the derivative of `program.gradient` in a direction.

        Entries are taken from the mean of the target first: where the softmax is nearly the target, as at
        low temperature, x_e − x̄ on it would otherwise be lost in rounding.
        """
        slopes = []
        for rows, table, softmax in zip(self.program.rows, self.program.tables, self.softmax, strict=True):
            s, (r, q) = direction.roles, rows.roles
            entry = np.empty_like(softmax)
            entry[:, 0] = direction.own[rows.anchor, r, q]
            entry[:, 1:] = direction.peer[rows.anchor * s + r, q::s]
            entry -= np.einsum("te,te->t", table.members * table.target, entry)[:, None]
            entry -= np.einsum("te,te->t", table.members * softmax, entry)[:, None]
            slopes.append(softmax * entry / self.program.tau)
        return self._gathered(slopes)

    @cached_property
    def single(self) -> OrbitMatrix:
        """The second derivative in each entry alone, π (1 − π) with all members of an orbit moving."""
        slopes = []
        for table, softmax, state in zip(self.program.tables, self.softmax, self.states, strict=True):
            rest = (1.0 - table.members * table.target) - table.members * state.slope
            slopes.append(softmax * rest / self.program.tau)
        return self._gathered(slopes)

    def _gathered(self, slopes: list[np.ndarray]) -> OrbitMatrix:
        """Add up what rows say of single entries, as `program.gradient` does."""
        m, s = self.program.groups, self.program.roles
        own, peer = np.zeros((m, s, s)), np.zeros((m * s, m * s))
        for rows, onto, slope in zip(self.program.rows, self._onto_groups, slopes, strict=True):
            r, q = rows.roles
            summed = onto @ slope
            own[:, r, q] += summed[:, 0]
            peer[r::s, q::s] += summed[:, 1:]
        return OrbitMatrix(self.program.multiplicity, (own + own.transpose(0, 2, 1)) / 2, (peer + peer.T) / 2)

    @cached_property
    def _onto_groups(self) -> list[sp.csr_array]:
        """Return the sums over the rows of each group, weighted by w_t/(g_a τ) and the normaliser."""
        program, found = self.program, []
        for rows in program.rows:
            scale = program.multiplicity[rows.anchor] * float(program.normaliser) * program.tau
            place = (rows.anchor, np.arange(len(rows.anchor)))
            found.append(
                sp.csr_array((rows.floats.weight / scale, place), shape=(program.groups, len(rows.anchor)))
            )
        return found
