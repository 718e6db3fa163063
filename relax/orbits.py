"""Symmetric matrices that do not change when exchangeable nodes are swapped.

Nodes come in m groups; group a holds g_a exchangeable members, each with s roles. Such a matrix is
M[(a,i),(b,j)] = B_ab + δ_ab δ_ij A_a with s×s blocks, and two entries say everything: the *own* block
O_a = B_aa + A_a of a member with itself, and the *peer* block B_ab between different members.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from relax.facts import brief


@brief
@dataclass(frozen=True, eq=False)
class OrbitMatrix:
    """A group-invariant symmetric matrix, stored by its orbits.

    Attributes
    ----------
    multiplicity : array, shape (m,)
        Members of each group, g_a ≥ 1.
    own : array, shape (m, s, s)
        Block of a member with itself.
    peer : array, shape (m·s, m·s)
        Blocks between different members; row a·s + r is role r of group a. The diagonal block of a
        group with one member reads nothing and means nothing.
    """

    multiplicity: Float[np.ndarray, " m"]
    own: Float[np.ndarray, "m s s"]
    peer: Float[np.ndarray, "ms ms"]

    def __add__(self, other: OrbitMatrix) -> OrbitMatrix:
        return OrbitMatrix(self.multiplicity, self.own + other.own, self.peer + other.peer)

    def __sub__(self, other: OrbitMatrix) -> OrbitMatrix:
        return OrbitMatrix(self.multiplicity, self.own - other.own, self.peer - other.peer)

    @property
    def roles(self) -> int:
        """The number of roles s."""
        return self.own.shape[1]

    def pair_counts(self) -> Float[np.ndarray, "m m"]:
        """Return how many ordered pairs of different members each pair of groups has: g_a (g_b − δ_ab)."""
        g = self.multiplicity
        return np.outer(g, g) - np.diag(g)

    def within(self) -> Float[np.ndarray, "m s s"]:
        """Return A_a = O_a − B_aa, what distinguishes members of one group."""
        blocks = np.arange(len(self.multiplicity))
        return self.own - self.blocks()[blocks, :, blocks, :]

    def blocks(self) -> Float[np.ndarray, "m s m s"]:
        """Return the peer blocks with groups and roles as separate axes (a view)."""
        m, s = self.own.shape[:2]
        return self.peer.reshape(m, s, m, s)

    def quotient(self) -> Float[np.ndarray, "ms ms"]:
        """Return [√(g_a g_b) B_ab + δ_ab A_a].

        M ⪰ 0 if and only if this matrix is, and A_a is wherever g_a ≥ 2: the first is M on vectors
        that are constant on groups, the second is M on vectors that sum to zero over a group.
        """
        root = np.repeat(np.sqrt(self.multiplicity), self.roles)
        quotient = root[:, None] * self.peer * root
        m, s = self.own.shape[:2]
        quotient.reshape(m, s, m, s)[np.arange(m), :, np.arange(m), :] += self.within()
        return quotient

    def diagonal(self) -> Float[np.ndarray, " ms"]:
        """Return one diagonal entry for each slot (group and role)."""
        return np.einsum("arr->ar", self.own).reshape(-1)

    def inner(self, other: OrbitMatrix) -> float:
        """Return the trace inner product ⟨M, M'⟩ of the full matrices."""
        s, g = self.roles, self.multiplicity
        product = self.peer * other.peer
        block_sums = product if s == 1 else product.reshape(len(g), s, len(g), s).sum(axis=(1, 3))
        return float(g @ (self.own * other.own).sum(axis=(1, 2)) + (self.pair_counts() * block_sums).sum())

    def expand(self) -> Float[np.ndarray, "n n"]:
        """Return the full matrix, members of a group side by side; the multiplicities must be whole."""
        s = self.roles
        group = np.repeat(np.arange(len(self.multiplicity)), self.multiplicity.astype(int))
        slot = (group[:, None] * s + np.arange(s)).reshape(-1)
        full = self.peer[np.ix_(slot, slot)]
        for i, a in enumerate(group):
            full[i * s : i * s + s, i * s : i * s + s] = self.own[a]
        return full

    def scaled(self, factor: Float[np.ndarray, " ms"]) -> OrbitMatrix:
        """Return diag(t) M diag(t) for one factor a slot."""
        by_group = factor.reshape(self.own.shape[:2])
        own = by_group[:, :, None] * self.own * by_group[:, None, :]
        return OrbitMatrix(self.multiplicity, own, factor[:, None] * self.peer * factor)


def from_parts(
    multiplicity: Float[np.ndarray, " m"],
    quotient: Float[np.ndarray, "ms ms"],
    within: Float[np.ndarray, "m s s"],
) -> OrbitMatrix:
    """Invert `OrbitMatrix.quotient` and `OrbitMatrix.within`; A_a is read only where g_a > 1."""
    m, s = within.shape[:2]
    root = np.repeat(np.sqrt(multiplicity), s)
    several = (multiplicity > 1)[:, None, None]
    apart = np.where(several, within, 0.0)
    centred = quotient.copy()
    index = np.arange(m)
    centred.reshape(m, s, m, s)[index, :, index, :] -= apart
    peer = centred / root[:, None] / root
    own = peer.reshape(m, s, m, s)[index, :, index, :] + apart
    return OrbitMatrix(multiplicity, own, peer)
