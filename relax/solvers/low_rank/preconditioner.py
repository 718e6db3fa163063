"""What the Hessian in factors is nearly: for each slot, a matrix common to its role, times a number.

Where the second derivative of the rows in entry (p, q) of the quotient is nearly z_p z_q / Σ z, as it is for
a dual slack z zᵀ, moving the vector of slot p alone costs z_p uᵀ K u with K = Σ_q z_q v_q v_qᵀ / Σ z. The
inverse of this block diagonal leaves the Hessian with few distinct eigenvalues, at any temperature.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from relax.solvers.low_rank.factored import Model
from relax.solvers.low_rank.spheres import Vector

TINY = np.finfo(float).tiny
SMALLEST = 1e-6  # beside the largest number of a slot


def preconditioner(model: Model, reach: float) -> Callable[[Vector], Vector]:
    """Return the inverse, as a map of the tangent space at x to itself.

    Parameters
    ----------
    model : Model
        The objective at x.
    reach : float
        Length of the step to come, in the norm of the preconditioner (times the square root of twice the
        decrease of the objective). Columns of V that are nearly zero have no curvature yet, and get that
        which the end of the step will meet.
    """
    factors, spheres = model.factors, model.factors.spheres
    s, end = factors.program.roles, factors.slots * factors.width
    basis, scale = _blocks(model, reach)
    least = SMALLEST * float(np.abs(model.pull).max(initial=0.0)) + TINY**0.5
    left = np.maximum(-np.append(model.pull, 0.0)[spheres.label[end:]], least)

    def inverse(u: Vector) -> Vector:
        by_slot = u[:end].reshape(factors.slots, factors.width).copy()
        inside = by_slot[:, : factors.rank]
        for r in range(s):
            inside[r::s] = inside[r::s] @ basis[r]
        by_slot /= scale
        for r in range(s):
            inside[r::s] = inside[r::s] @ basis[r].T
        return np.append(by_slot, u[end:] / left)

    normal = inverse(model.x)
    size = spheres.sums(model.x, normal)

    def projected(u: Vector) -> Vector:
        solved = inverse(u)
        return solved - spheres.along(spheres.sums(model.x, solved) / size, normal)

    return projected


def entry_curvature(model: Model, reach: float) -> Float[np.ndarray, "ms ms"]:
    """Return the second derivative in each entry of Q, in units of the objective, as far as steps meet it.

    A vector on a sphere does not move along itself: nearly parallel vectors see only the squared sine of
    their angle, or what the step makes of it.
    """
    m, s = model.factors.program.groups, model.factors.program.roles
    g, diagonal = model.factors.program.multiplicity, model.single
    peer, index = np.maximum(diagonal.peer, 0.0) / model.unit, np.arange(m)  # rounding may be negative
    blocks = peer.reshape(m, s, m, s)
    blocks[index, :, index, :] *= (1.0 - 1.0 / g)[:, None, None]
    blocks[index, :, index, :] += np.maximum(diagonal.own, 0.0) / model.unit / g[:, None, None]
    v = model.factors.parts(model.x).quotient
    gram, square = v @ v.T, (v**2).sum(axis=1)
    lengths = np.maximum(np.outer(square, square), TINY)
    least = 0.1 * reach / np.sqrt(max(float((lengths * peer).sum()), TINY))
    return peer * np.maximum(1.0 - gram**2 / lengths, least)


def _blocks(model: Model, reach: float) -> tuple[list[np.ndarray], Float[np.ndarray, "ms w"]]:
    """Return for each role an orthogonal basis, and for each slot a diagonal in it (and for Ŷ)."""
    factors = model.factors
    s, weight = factors.program.roles, factors.root_weight[:, 0] ** 2
    v, y, _ = factors.parts(model.x)
    entry = entry_curvature(model, reach)
    basis, scale = [], np.empty((factors.slots, factors.width))
    for r in range(s):
        part = entry[r::s]
        total = max(float(part.sum()), TINY)
        common, vectors = np.linalg.eigh((v.T * (part.sum(axis=0) / total)) @ v)
        least = reach / np.sqrt(total)
        basis.append(vectors)
        scale[r::s, : factors.rank] = 2.0 * np.outer(part.sum(axis=1), np.maximum(common, 0.0) + least)
    scale[:, factors.rank :] = (_within_curvature(model) * (y**2).sum(axis=1))[:, None]
    slack = 2.0 * np.diag(model.blocks[0]) / model.unit
    scale = scale / weight[:, None] + np.maximum(slack / weight - model.slot_pull(), 0.0)[:, None]
    return basis, scale + SMALLEST * scale.max(axis=1, keepdims=True) + TINY**0.5


def _within_curvature(model: Model) -> Float[np.ndarray, " ms"]:
    """Return the second derivative in |ŷ|² of each slot, four times, in units of the objective."""
    diagonal, g = model.single, model.factors.program.slot_multiplicity
    peer = np.diag(diagonal.peer) / np.maximum(g * (g - 1.0), 1.0)
    return 4.0 * (diagonal.diagonal() / g + peer) / model.unit
