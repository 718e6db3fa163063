"""Pairs of positive definite blocks X_k, Z_k in coordinates in which both are the same diagonal matrix.

With X = G Λ Gᵀ and Z = G⁻ᵀ Λ G⁻¹, changes are written X + G E Gᵀ and Z + G⁻ᵀ F G⁻¹. However near the boundary
of the cone, and however different the scales of rows, every number is then right to its last digits
(Nesterov & Todd, doi 10.1287/moor.22.1.1). Positive numbers s, z are such blocks of size one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

Matrices = tuple[Float[np.ndarray, "_ _"], ...]
Vector = Float[np.ndarray, " q"]
Bend = tuple[Matrices, Vector]


class Iterate(NamedTuple):
    """Factors L of X = L Lᵀ and R of Z = R Rᵀ, the slacks s of inequalities, their multipliers z, and y.

    y are the multipliers of the equalities.
    """

    primal: Matrices
    dual: Matrices
    slack: Vector
    multiplier: Vector
    price: Vector
    stationary: bool = False


class Direction(NamedTuple):
    """Scaled changes E of X and F of Z, and changes of s, z and y."""

    primal: Matrices
    dual: Matrices
    slack: Vector
    multiplier: Vector
    price: Vector


class Scaled(NamedTuple):
    """An iterate in its own coordinates: G, G⁻ᵀ and the diagonals of Λ, block by block; s and z.

    Attributes
    ----------
    primal, dual : matrices
        G and G⁻ᵀ.
    middle : tuple of arrays
        The diagonals of Λ.
    slack, multiplier : array, shape (q,)
        s and z.
    price : array, shape (p,)
        y.
    """

    primal: Matrices
    dual: Matrices
    middle: tuple[Float[np.ndarray, " _"], ...]
    slack: Vector
    multiplier: Vector
    price: Vector

    @property
    def mu(self) -> float:
        """The mean of the eigenvalues of X Z and of the products of s with z."""
        products = [middle**2 for middle in self.middle] + [self.slack * self.multiplier]
        return float(np.concatenate(products).mean())

    @property
    def spread(self) -> float:
        """The least of these eigenvalues and products over their mean: one on the central path."""
        least = min(float((middle**2).min()) for middle in self.middle)
        return min(least, float(np.min(self.slack * self.multiplier, initial=np.inf))) / self.mu

    @property
    def volume(self) -> float:
        """Σ log det X, up to a constant of G, plus Σ log s."""
        return sum(float(np.log(middle).sum()) for middle in self.middle) + float(np.log(self.slack).sum())

    def mu_after(self, way: Direction, fraction: float) -> float:
        """Return μ at a fraction of a direction."""
        total = float((self.slack + fraction * way.slack) @ (self.multiplier + fraction * way.multiplier))
        for middle, one, other in zip(self.middle, way.primal, way.dual, strict=True):
            total += float(np.sum((np.diag(middle) + fraction * one) * (np.diag(middle) + fraction * other)))
        return total / (sum(map(len, self.middle)) + len(self.slack))

    def room(self, way: Direction) -> float:
        """Return the largest fraction of a direction that leaves everything positive, at most one."""
        worst = [_worst(self.slack, way.slack), _worst(self.multiplier, way.multiplier)]
        for middle, one, other in zip(self.middle, way.primal, way.dual, strict=True):
            root = np.sqrt(np.outer(middle, middle))
            worst += [-np.linalg.eigvalsh(change / root)[0] for change in (one, other)]
        return float(1.0 / max(1.0, *worst))

    def bend(self, way: Direction) -> Bend:
        """Return what the products of a direction's changes add to X Z and s z, the first divided by Λ."""
        parts = zip(self.middle, way.primal, way.dual, strict=True)
        bent = tuple((e @ f + f @ e) / np.add.outer(middle, middle) for middle, e, f in parts)
        return bent, way.slack * way.multiplier

    @property
    def straight(self) -> Bend:
        """No bend."""
        return tuple(np.zeros((len(middle), len(middle))) for middle in self.middle), 0.0 * self.slack

    def moved(self, way: Direction, fraction: float) -> tuple[Iterate, float]:
        """Return the iterate at a fraction of a direction, and by how much `volume` has grown.

        Raises
        ------
        numpy.linalg.LinAlgError
            If that is outside the cone.
        """
        primal = _factors(self.middle, way.primal, fraction)
        dual = _factors(self.middle, way.dual, fraction)
        slack = self.slack + fraction * way.slack
        volume = sum(2.0 * float(np.log(np.diag(c)).sum()) for c in primal) + float(np.log(slack).sum())
        after = Iterate(
            tuple(g @ c for g, c in zip(self.primal, primal, strict=True)),
            tuple(g @ c for g, c in zip(self.dual, dual, strict=True)),
            slack,
            self.multiplier + fraction * way.multiplier,
            self.price + fraction * way.price,
        )
        return after, volume - self.volume


def scaled(here: Iterate) -> Scaled:
    """Return G and Λ, from the singular values of Rᵀ L."""
    primal, dual, middle = [], [], []
    for one, other in zip(here.primal, here.dual, strict=True):
        left, values, right = np.linalg.svd(other.T @ one)
        primal.append(one @ right.T / np.sqrt(values))
        dual.append(other @ left / np.sqrt(values))
        middle.append(values)
    return Scaled(tuple(primal), tuple(dual), tuple(middle), here.slack, here.multiplier, here.price)


def _worst(start: Vector, change: Vector) -> float:
    return float(np.max(-change / start, initial=0.0))


def _factors(middle: tuple[Float[np.ndarray, " _"], ...], change: Matrices, fraction: float) -> Matrices:
    """Return the Cholesky factors of Λ + fraction · E."""
    pairs = zip(middle, change, strict=True)
    return tuple(np.linalg.cholesky(np.diag(values) + fraction * e) for values, e in pairs)
