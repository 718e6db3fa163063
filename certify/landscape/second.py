"""The second order: the Hessian at a stationary point, along the norms and modulo rotation.

At a stationary point the Hessian Q of F + Σ ν_i |h_i|² annihilates the rotations H Ω, and the Riemannian
Hessian is P Q P with P = I − Σ n_i n_iᵀ/r_i, n_i = h_i in the place of dh_i, over the norms that are held.
With any κ and any combinations ρ_k of rotations,

    P Q P + κ Σ n_i n_iᵀ/r_i + κ Σ ρ_k ρ_kᵀ ⪰ μ I   ⇒   vᵀ Q v ≥ μ |v|²  for tangent v ⟂ rotations,

which for μ > 0 makes the point a strict local minimum modulo rotation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from flint import arb
from jaxtyping import Float64, Shaped

from certify.balls.enclosures import Balls, ball, balls
from certify.balls.krawczyk import is_positive_definite, midpoints
from certify.landscape.equations import derivatives, hessian, normals, product, rotations
from certify.landscape.roots import Box, identity
from certify.landscape.system import System


class Second(NamedTuple):
    """The Hessian over a box, and what spans the directions that do not count."""

    hessian: Shaped[Balls, "nd nd"]  # Q
    normal: Shaped[Balls, "q nd"]  # n_i
    scaled: Shaped[Balls, "q nd"]  # n_i / r_i
    rotation: Shaped[Balls, "p nd"]  # ρ_k, nearly orthonormal

    @property
    def riemannian(self) -> Shaped[Balls, "nd nd"]:
        """P Q P."""
        across = product(product(self.hessian, self.normal.T), self.scaled)
        inner = product(self.normal, product(self.hessian, self.normal.T))
        both = product(self.scaled.T, product(inner, self.scaled))
        return self.hessian - across - across.T + both


def second_order(given: System, within: Box) -> Second:
    """Return the Hessian at every point of a box; `within` must hold a stationary point to mean something."""
    found = derivatives(given, within.features)
    bent = hessian(found, within.features, given.multipliers(within.held))
    normal, turned = normals(given, within.features), rotations(given, within.features)
    rough = midpoints(turned)
    mixing = np.linalg.inv(np.linalg.cholesky(rough @ rough.T)) if len(turned) else np.zeros((0, 0))
    bound = given.bound[given.held]
    return Second(bent, normal, normal / bound[:, None], product(balls(mixing), turned))


def spectrum(found: Second) -> tuple[Float64[np.ndarray, " nd"], Float64[np.ndarray, "nd nd"], float]:
    """Return eigenvalues and vectors in floats, and κ; directions that do not count have eigenvalue κ."""
    inner = midpoints(found.riemannian)
    kappa = float(np.abs(np.linalg.eigvalsh(inner)).max()) or 1.0
    normal, scaled, turned = (midpoints(x) for x in (found.normal, found.scaled, found.rotation))
    values, vectors = np.linalg.eigh(inner + kappa * (normal.T @ scaled + turned.T @ turned))
    return values, vectors, kappa


def is_at_least(found: Second, least: arb, kappa: float) -> bool:
    """Prove vᵀ Q v ≥ least · |v|² for v tangent and orthogonal to rotations."""
    if not ball(kappa) > least:
        return False
    outside = product(found.normal.T, found.scaled) + product(found.rotation.T, found.rotation)
    shifted = found.riemannian + ball(kappa) * outside - least * identity(len(found.hessian))
    return is_positive_definite(shifted)


def curvature_along(found: Second, direction: Float64[np.ndarray, "n d"]) -> arb:
    """Return vᵀ Q v / |v|², v the tangent part of a direction."""
    given = balls(direction.reshape(1, -1))
    tangent = given - product(product(given, found.normal.T), found.scaled)
    bent = product(product(tangent, found.hessian), tangent.T)
    return bent[0, 0] / (tangent * tangent).sum()
