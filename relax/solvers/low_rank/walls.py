"""Entries that may not be negative, by multipliers and penalties: an augmented Lagrangian.

For M ≥ 0 the objective gains Σ (max(0, N − ρ M)² − N²)/(2 ρ) over all entries, and N moves to max(0, N − ρ M)
after each descent; ρ is a multiple of the second derivative of the rows, so that it fits entries of any scale
(Rockafellar, doi 10.1287/moor.1.2.97).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from relax.facts import brief
from relax.orbits import OrbitMatrix

SOFTEST, STIFFEST = 30.0, 1e5  # ρ beside the second derivative of the rows in the entry; it doubles
UNREAD = 1e-2  # what counts as the second derivative of an entry that no row reads, beside those it is near


@brief
@dataclass(frozen=True, eq=False)
class Walls:
    """Multipliers N ≥ 0 of entries and their penalties ρ ≥ 0; where ρ = 0 there is no wall.

    Attributes
    ----------
    multiplier, stiffness : OrbitMatrix
        N and ρ.
    ratio : float
        ρ beside second derivatives.
    """

    multiplier: OrbitMatrix
    stiffness: OrbitMatrix
    ratio: float

    def push(self, matrix: OrbitMatrix) -> OrbitMatrix:
        """Return max(0, N − ρ M), what the walls take from the gradient."""
        return _entrywise(
            lambda n, rho, x: np.maximum(0.0, n - rho * x), self.multiplier, self.stiffness, matrix
        )

    def value(self, matrix: OrbitMatrix) -> float:
        """Return what the walls add to the objective."""

        def cost(push: np.ndarray, n: np.ndarray, rho: np.ndarray) -> np.ndarray:
            return (push - n) * (push + n) / np.where(rho > 0.0, 2.0 * rho, 1.0)

        costs = _entrywise(cost, self.push(matrix), self.multiplier, self.stiffness)
        return costs.inner(ones_like(matrix))

    def applied(self, matrix: OrbitMatrix, direction: OrbitMatrix) -> OrbitMatrix:
        """Return the derivative of −push in a direction."""
        return _entrywise(
            lambda push, rho, way: np.where(push > 0.0, rho * way, 0.0),
            self.push(matrix),
            self.stiffness,
            direction,
        )


def walls_at(matrix: OrbitMatrix, curvature: OrbitMatrix, before: Walls | None = None) -> Walls:
    """Return walls with multipliers from a matrix, twice as stiff as those before.

    Parameters
    ----------
    matrix : OrbitMatrix
        The end of the last descent.
    curvature : OrbitMatrix
        Second derivatives of the rows in single entries there.
    before : Walls, optional
        What that descent met; none at the start.
    """
    ratio = SOFTEST if before is None else min(STIFFEST, 2.0 * before.ratio)
    g, s = matrix.multiplicity, matrix.roles
    largest = np.sqrt(np.maximum(curvature.peer.max(axis=1), curvature.own.max(axis=2).ravel()))
    several = np.repeat(np.repeat(matrix.pair_counts() > 0.0, s, axis=0), s, axis=1)
    peer = np.maximum(curvature.peer, UNREAD * np.outer(largest, largest)) * several
    by_group = largest.reshape(-1, s)
    own = np.maximum(curvature.own, UNREAD * by_group[:, :, None] * by_group[:, None, :]) * (1.0 - np.eye(s))
    multiplier = _entrywise(np.zeros_like, matrix) if before is None else before.push(matrix)
    return Walls(multiplier, OrbitMatrix(g, ratio * own, ratio * peer), ratio)


def ones_like(matrix: OrbitMatrix) -> OrbitMatrix:
    """Return the matrix of ones."""
    return _entrywise(np.ones_like, matrix)


def _entrywise(function: Callable[..., np.ndarray], *matrices: OrbitMatrix) -> OrbitMatrix:
    own = function(*(matrix.own for matrix in matrices))
    return OrbitMatrix(matrices[0].multiplicity, own, function(*(matrix.peer for matrix in matrices)))
