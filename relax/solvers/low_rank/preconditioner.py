"""What the Hessian in factors is nearly: the dual slack, and for each slot a matrix common to its role.

Where the second derivative of the rows in entry (p, q) of the quotient is nearly t_p t_q / Σ t, as it is
for a dual slack of rank one, moving the vectors of the slots by U costs ⟨U, T U K⟩, T = diag(t) and
K = Σ_q t_q v_q v_qᵀ / Σ t, and ⟨U, S U⟩, S the slack. With one role both together are inverted at once, in
the eigenvectors of T^(−1/2) S T^(−1/2) and of K; with several, each of which has its own K, only the
diagonal of S is taken. Either leaves the Hessian with few distinct eigenvalues, at any temperature.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from relax.solvers.low_rank.factored import Factors, Model
from relax.solvers.low_rank.spheres import Vector

TINY = np.finfo(float).tiny
SMALLEST = 1e-6  # beside the largest number of a slot
FAINT = 1e-12  # t of a slot beside the largest; below, its slack alone counts


class Prepared(NamedTuple):
    """A model, and the inverse of what its Hessian nearly is, a map of the tangent space at x to itself."""

    model: Model
    inverse: Callable[[Vector], Vector]


def preconditioned(model: Model, reach: float) -> Prepared:
    """Return the inverse, with a model of the same point: V may be turned, which leaves M as it is.

    Parameters
    ----------
    model : Model
        The objective at x.
    reach : float
        Length of the step to come, in the norm of the preconditioner (times the square root of twice the
        decrease of the objective). Columns of V that are nearly zero have no curvature yet, and get that
        which the end of the step will meet.
    """
    least = SMALLEST * float(np.abs(model.pull).max(initial=0.0)) + TINY**0.5
    left = np.maximum(-model.pull[model.factors.spheres.left], least)
    return _coupled(model, reach, left) if model.factors.program.roles == 1 else _apart(model, reach, left)


def _coupled(model: Model, reach: float, left: Float[np.ndarray, " p"]) -> Prepared:
    """Return the inverse of T ⊗ K + S ⊗ I, projected, for one role; V is turned so that K is diagonal."""
    factors, spheres = model.factors, model.factors.spheres
    weight = factors.root_weight
    basis, common, total = _role(model, entry_curvature(model, reach), reach)
    root = np.sqrt(np.maximum(total, FAINT * total.max(initial=0.0)) + TINY**0.5)
    pull, vectors = np.linalg.eigh(model.dual_slack() / root[:, None] / root)
    scale = 2.0 * (np.maximum(pull, 0.0)[:, None] + common)
    vectors = vectors * (weight / root[:, None])
    apart = _within_rows(model)[:, None] / weight**2 + _own_slack(model)[:, None]
    apart += SMALLEST * apart.max() + TINY**0.5
    turned = Model(factors, _turned(factors, model.x, basis))

    def inverse(u: Vector) -> Vector:
        by_slot = spheres.tangent(turned.x, u)
        inside = by_slot[: spheres.end].reshape(factors.slots, factors.width)
        inside[:, : factors.rank] = vectors @ ((vectors.T @ inside[:, : factors.rank]) / scale)
        inside[:, factors.rank :] /= apart
        by_slot[spheres.end :] /= left
        return spheres.tangent(turned.x, by_slot)

    return Prepared(turned, inverse)


def _turned(factors: Factors, x: Vector, basis: Float[np.ndarray, "w w"]) -> Vector:
    """Return x with the columns of V in an orthogonal basis."""
    result = x.copy()
    by_slot = result[: factors.spheres.end].reshape(factors.slots, factors.width)
    by_slot[:, : factors.rank] = by_slot[:, : factors.rank] @ basis
    return result


def _apart(model: Model, reach: float, left: Float[np.ndarray, " p"]) -> Prepared:
    """Return the inverse of T_r ⊗ K_r + diag(S) ⊗ I for each role r, projected."""
    factors, spheres = model.factors, model.factors.spheres
    s, end = factors.program.roles, spheres.end
    basis, scale = _blocks(model, reach)

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

    return Prepared(model, projected)


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


def _role(
    model: Model, entry: Float[np.ndarray, "ms ms"], reach: float, r: int = 0
) -> tuple[Float[np.ndarray, "w w"], Float[np.ndarray, " w"], Float[np.ndarray, " m"]]:
    """Return eigenvectors and eigenvalues of K for a role, with what a step adds, and t of its slots."""
    s = model.factors.program.roles
    v, part = model.factors.parts(model.x).quotient, entry[r::s]
    total = max(float(part.sum()), TINY)
    common, vectors = np.linalg.eigh((v.T * (part.sum(axis=0) / total)) @ v)
    return vectors, np.maximum(common, 0.0) + reach / np.sqrt(total), part.sum(axis=1)


def _blocks(model: Model, reach: float) -> tuple[list[np.ndarray], Float[np.ndarray, "ms w"]]:
    """Return for each role an orthogonal basis, and for each slot a diagonal in it (and for Ŷ)."""
    factors = model.factors
    s, weight = factors.program.roles, factors.root_weight[:, 0] ** 2
    entry = entry_curvature(model, reach)
    basis, scale = [], np.empty((factors.slots, factors.width))
    for r in range(s):
        vectors, common, total = _role(model, entry, reach, r)
        basis.append(vectors)
        scale[r::s, : factors.rank] = 2.0 * np.outer(total, common)
    scale[:, factors.rank :] = _within_rows(model)[:, None]
    scale = scale / weight[:, None] + _own_slack(model)[:, None]
    return basis, scale + SMALLEST * scale.max(axis=1, keepdims=True) + TINY**0.5


def _own_slack(model: Model) -> Float[np.ndarray, " ms"]:
    """Return twice the diagonal of the dual slack in x, where it is positive."""
    weight = model.factors.root_weight[:, 0] ** 2
    return np.maximum(2.0 * np.diag(model.blocks[0]) / model.unit / weight - model.slot_pull(), 0.0)


def _within_rows(model: Model) -> Float[np.ndarray, " ms"]:
    """Return the second derivative in ŷ of each slot, all of it but the multiplier of its sphere."""
    diagonal, g = model.single, model.factors.program.slot_multiplicity
    y = model.factors.parts(model.x).within
    peer = np.diag(diagonal.peer) / np.maximum(g * (g - 1.0), 1.0)
    return 4.0 * (diagonal.diagonal() / g + peer) / model.unit * (y**2).sum(axis=1)
