"""A trust-region Newton step on a product of spheres: truncated conjugate gradients, preconditioned.

The points are flat vectors whose coordinates are dealt out to spheres of given radii; some are free. See
Absil, Baker & Gallivan, Trust-region methods on Riemannian manifolds, doi 10.1007/s10208-005-0179-9.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from relax.facts import brief

TINY = np.finfo(float).tiny
FLAT = 1e-8  # curvature beside the preconditioner's that counts as none
Vector = Float[np.ndarray, " N"]


@brief
@dataclass(frozen=True, eq=False)
class Spheres:
    """Σ_{i on sphere j} x_i² = ρ_j for each j; x is a matrix row by row, then single coordinates.

    Attributes
    ----------
    row : array of int, shape (q,)
        The sphere of each row, J where it is free.
    width : int
        The length of a row.
    left : array of int, shape (p,)
        The sphere of each single coordinate.
    square : array, shape (J,)
        ρ_j.
    """

    row: Int[np.ndarray, " q"]
    width: int
    left: Int[np.ndarray, " p"]
    square: Float[np.ndarray, " J"]

    @property
    def end(self) -> int:
        """Where the rows end in x."""
        return len(self.row) * self.width

    def sums(self, x: Vector, y: Vector) -> Float[np.ndarray, " J"]:
        """Return Σ x_i y_i over each sphere."""
        end, count = self.end, len(self.square) + 1
        rows = np.einsum("ij,ij->i", x[:end].reshape(-1, self.width), y[:end].reshape(-1, self.width))
        return (np.bincount(self.row, rows, count) + np.bincount(self.left, x[end:] * y[end:], count))[:-1]

    def along(self, factor: Float[np.ndarray, " J"], x: Vector) -> Vector:
        """Return x times the factor of its sphere, zero where it is free."""
        return self._times(np.append(factor, 0.0), x)

    def tangent(self, x: Vector, y: Vector) -> Vector:
        """Return the orthogonal projection of y to the tangent space at x."""
        return y - self.along(self.sums(x, y) / self.square, x)

    def retract(self, y: Vector) -> Vector:
        """Return y brought back to the spheres by scaling."""
        return self._times(np.append(np.sqrt(self.square / self.sums(y, y)), 1.0), y)

    def _times(self, factor: Float[np.ndarray, " J1"], x: Vector) -> Vector:
        result, end = np.empty_like(x), self.end
        rows = x[:end].reshape(-1, self.width)
        np.multiply(rows, factor[self.row][:, None], out=result[:end].reshape(-1, self.width))
        result[end:] = factor[self.left] * x[end:]
        return result


class Quadratic(NamedTuple):
    """A model in the tangent space: gradient, Hessian, and the inverse of a preconditioner."""

    gradient: Vector
    hessian: Callable[[Vector], Vector]
    precondition: Callable[[Vector], Vector]


class Step(NamedTuple):
    """A tangent step s, −⟨g, s⟩ and ⟨s, H s⟩ of the model, the length of s in the preconditioner's norm.

    `products` counts products with the Hessian.
    """

    direction: Vector
    slope: float
    curvature: float
    length: float
    at_boundary: bool
    products: int


def trust_region_step(
    model: Quadratic, radius: float, most: int, accuracy: float, deadline: float = np.inf
) -> Step:
    """Return Steihaug's approximate minimiser of the model within a radius, in the preconditioner's norm.

    Conjugate gradients, until the residual (in the dual norm) has fallen by `accuracy`; when a direction of
    negative curvature turns up or the boundary is met, on to the boundary. A direction with no curvature at
    all, rotations of the factors above all, ends it where it is, and so does the deadline.
    """
    step, image, residual = np.zeros_like(model.gradient), np.zeros_like(model.gradient), model.gradient
    scaled = model.precondition(residual)
    squared = first = float(residual @ scaled)
    direction, size, both, length = -scaled, 0.0, 0.0, first  # ‖s‖², ⟨s, direction⟩, ‖direction‖²

    def ended(at_boundary: bool, products: int) -> Step:
        slope, curvature = -float(model.gradient @ step), float(step @ image)
        reached = radius if at_boundary else float(np.sqrt(size))
        return Step(step, slope, curvature, reached, at_boundary, products)

    for count in range(1, most + 1):
        turned = model.hessian(direction)
        curvature = float(direction @ turned)
        if length <= 0.0 or (count > 1 and abs(curvature) <= FLAT * length):
            return ended(False, count)
        share = squared / curvature if curvature > 0 else np.inf
        outside = curvature <= 0 or size + 2 * share * both + share**2 * length >= radius**2
        if outside:
            room = max(0.0, radius**2 - size)
            share = room / max(both + float(np.sqrt(both**2 + length * room)), TINY)
        step, image = step + share * direction, image + share * turned
        if outside:
            return ended(True, count)
        size += 2 * share * both + share**2 * length
        residual = residual + share * turned
        scaled = model.precondition(residual)
        following = float(residual @ scaled)
        if following <= accuracy**2 * first or time.monotonic() > deadline:
            return ended(False, count)
        ratio = following / squared
        both, length = ratio * (both + share * length), following + ratio**2 * length
        direction, squared = ratio * direction - scaled, following
    return ended(False, most)
