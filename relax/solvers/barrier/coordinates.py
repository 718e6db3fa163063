"""Triangles of the blocks of a program as one vector x, and linear and quadratic forms of entries in x.

x holds the upper triangles of Q and of (g_a − 1) A_a, g_a ≥ 2 (`blocks`). A *functional* is a row of
coefficients on x; `scaled` writes it in other coordinates, X = G E Gᵀ for each block, with E as an isometric
vector (off-diagonal entries times √2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float, Int

from relax.facts import brief
from relax.orbits import OrbitMatrix
from relax.program import GramProgram
from relax.rows import RowState
from relax.rules import Fixed
from relax.solvers.blocks import assembled

Blocks = Sequence[Float[np.ndarray, "_ _"]]
ROOT2 = np.sqrt(2.0)


@brief
@dataclass(frozen=True, eq=False)
class Coordinates:
    """The coordinates x of one program."""

    program: GramProgram

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """The size of Q, then of each (g_a − 1) A_a."""
        s = self.program.roles
        return (self.program.groups * s, *[s] * int(np.count_nonzero(self.program.multiplicity > 1)))

    @cached_property
    def ends(self) -> Int[np.ndarray, " b"]:
        """Where the triangle of each block ends in x."""
        return np.cumsum([q * (q + 1) // 2 for q in self.sizes])

    def matrix(self, blocks: Blocks) -> OrbitMatrix:
        """Return M."""
        s, g = self.program.roles, self.program.multiplicity
        apart = np.zeros((len(g), s, s))
        apart[g > 1] = np.array(blocks[1:]).reshape(-1, s, s)
        return assembled(self.program, blocks[0], apart)

    def of(self, matrix: OrbitMatrix) -> list[Float[np.ndarray, "_ _"]]:
        """Return the blocks of M."""
        several = self.program.multiplicity > 1
        factor = (self.program.multiplicity - 1.0)[several, None, None]
        return [matrix.quotient(), *(factor * matrix.within()[several])]

    @cached_property
    def entries(self) -> sp.csr_array:
        """All entries of M as functionals: own blocks (m·s·s rows), then peers (ms·ms rows).

        An own entry is (Q + A'_a)/g_a and a peer Q/√(g_a g_b) − δ_ab A'_a/(g_a (g_a − 1)), A' the second
        kind of block.
        """
        m, s, g = self.program.groups, self.program.roles, self.program.multiplicity
        a, r, q = (index.ravel() for index in np.indices((m, s, s)))
        one, other = (index.ravel() for index in np.indices((m * s, m * s)))
        own, peer = np.arange(len(a)), len(a) + np.arange(len(one))
        parts = [
            (own, self._place(0 * a, a * s + r, a * s + q), 1.0 / g[a]),
            (peer, self._place(0 * one, one, other), 1.0 / np.sqrt(g[one // s] * g[other // s])),
        ]
        several = g[a] > 1
        own, a, r, q = own[several], a[several], r[several], q[several]
        apart = self._place(np.cumsum(g > 1)[a], r, q)
        parts.append((own, apart, 1.0 / g[a]))
        parts.append((m * s * s + (a * s + r) * m * s + a * s + q, apart, -1.0 / (g[a] * (g[a] - 1.0))))
        row, column, value = (np.concatenate(part) for part in zip(*parts, strict=True))
        return sp.csr_array((value, (row, column)), shape=(peer[-1] + 1, int(self.ends[-1])))

    def _place(
        self, block: Int[np.ndarray, " e"], i: Int[np.ndarray, " e"], j: Int[np.ndarray, " e"]
    ) -> Int[np.ndarray, " e"]:
        """Return the positions in x of entries (i, j) of blocks, the first being Q."""
        q = np.array(self.sizes)[block]
        low, high = np.minimum(i, j), np.maximum(i, j)
        return self.ends[block] - q * (q + 1) // 2 + low * q - low * (low + 1) // 2 + high

    @cached_property
    def diagonal(self) -> sp.csr_array:
        """The diagonal of M as functionals, one a slot."""
        s = self.program.roles
        slot = np.arange(self.program.groups * s)
        return self.entries[slot * s + slot % s]

    @cached_property
    def equalities(self) -> tuple[sp.csr_array, Float[np.ndarray, " p"]]:
        """(A, b) with A x = b: the fixed diagonal entries."""
        fixed = [rule for rule in self.program.rules if isinstance(rule, Fixed)]
        slots = np.concatenate([np.zeros(0, dtype=int), *(rule.slots for rule in fixed)])
        values = [np.full(len(rule.slots), rule.square) for rule in fixed]
        return sp.csr_array(self.diagonal[slots]), np.concatenate([np.zeros(0), *values])

    @cached_property
    def inequalities(self) -> tuple[sp.csr_array, Float[np.ndarray, " q"]]:
        """(B, c) with B x ≤ c: bounds, budgets, and non-negative entries."""
        program = self.program
        lines, bounds = [sp.csr_array((0, int(self.ends[-1])))], [np.zeros(0)]
        for rule in program.rules:
            matrix, bound = rule.inequalities(program.slot_multiplicity[rule.slots])
            lines.append(sp.csr_array(matrix @ self.diagonal[rule.slots]))
            bounds.append(bound)
        if program.nonnegative:
            read = _read_entries(program)
            lines.append(sp.csr_array(-self.entries[read]))
            bounds.append(np.zeros(len(read)))
        return sp.csr_array(sp.vstack(lines)), np.concatenate(bounds)

    def hessian(self, states: tuple[RowState, ...]) -> sp.csr_array:
        """Return the Hessian of the rows in x."""
        m, s = self.program.groups, self.program.roles
        count = m * s * s * (1 + m)
        total = sp.csr_array((count, count))
        for rows, read, state in zip(self.program.rows, self.program.read, states, strict=True):
            scale = rows.weights / (float(self.program.normaliser) * self.program.tau**2)
            place = np.broadcast_arrays(read[:, :, None], read[:, None, :])
            values = (scale[:, None, None] * state.hessian()).ravel()
            total = total + sp.csr_array((values, [index.ravel() for index in place]), shape=(count, count))
        return sp.csr_array(self.entries.T @ total @ self.entries)

    def triangle(self, blocks: Blocks) -> Float[np.ndarray, " N"]:
        """Return x."""
        return np.concatenate([block[np.triu_indices(len(block))] for block in blocks])

    def scaled(self, functionals: Float[np.ndarray, "k N"], basis: Blocks) -> Float[np.ndarray, "k N"]:
        """Return functionals of x as functionals of E, X = G E Gᵀ with these G."""
        parts = np.split(functionals, self.ends[:-1], axis=1)
        return np.hstack([_scaled_block(part, g) for part, g in zip(parts, basis, strict=True)])

    def matrices(self, functional: Float[np.ndarray, " N"]) -> list[Float[np.ndarray, "_ _"]]:
        """Return the symmetric matrices C of the functional Σ ⟨C_k, X_k⟩ of x."""
        return [
            _unpacked(part[None], q, 2.0)[0]
            for part, q in zip(np.split(functional, self.ends[:-1]), self.sizes, strict=True)
        ]

    def symmetric(self, e: Float[np.ndarray, " N"]) -> list[Float[np.ndarray, "_ _"]]:
        """Return the matrices E of an isometric vector."""
        return [
            _unpacked(part[None], q, ROOT2)[0]
            for part, q in zip(np.split(e, self.ends[:-1]), self.sizes, strict=True)
        ]

    def isometric(self, blocks: Blocks) -> Float[np.ndarray, " N"]:
        """Return symmetric matrices as an isometric vector."""
        return np.concatenate([_packed(block[None])[0] for block in blocks])


def _scaled_block(part: Float[np.ndarray, "k t"], basis: Float[np.ndarray, "q q"]) -> np.ndarray:
    """Return ⟨C, G E Gᵀ⟩ = ⟨Gᵀ C G, E⟩ as functionals of E; C has half of each off-diagonal coefficient."""
    q = len(basis)
    half = (_unpacked(part, q, 2.0).reshape(-1, q) @ basis).reshape(-1, q, q)
    return _packed((half.transpose(0, 2, 1).reshape(-1, q) @ basis).reshape(-1, q, q))


def _unpacked(triangles: Float[np.ndarray, "k t"], q: int, divisor: float) -> Float[np.ndarray, "k q q"]:
    """Return symmetric matrices from upper triangles, with off-diagonal entries divided."""
    i, j = np.triu_indices(q)
    position = np.empty((q, q), dtype=int)
    position[i, j] = position[j, i] = np.arange(len(i))
    scale = np.where(np.eye(q, dtype=bool), 1.0, 1.0 / divisor)
    return triangles[:, position] * scale


def _packed(matrices: Float[np.ndarray, "k q q"]) -> Float[np.ndarray, "k t"]:
    """Return symmetric matrices as isometric vectors."""
    i, j = np.triu_indices(matrices.shape[1])
    return matrices[:, i, j] * np.where(i == j, 1.0, ROOT2)


def _read_entries(program: GramProgram) -> Int[np.ndarray, " q"]:
    """Return the rows of `entries` that mean something, each entry once."""
    m, s, g = program.groups, program.roles, program.multiplicity
    slot = np.arange(m * s)
    upper = slot[:, None] <= slot
    own = np.flatnonzero(np.broadcast_to(upper[:s, :s], (m, s, s)).ravel())
    meaningful = (slot[:, None] // s != slot // s) | (g[slot // s] > 1)[:, None]
    return np.concatenate([own, m * s * s + np.flatnonzero((meaningful & upper).ravel())])
