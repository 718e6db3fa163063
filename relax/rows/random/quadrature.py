"""Laplace's integral of the logarithm as a sum of some fifty exponentials, with a relative error.

log(X/B) = ∫₀^∞ (e^{−sB} − e^{−sX}) ds/s turns the expected logarithm of a random sum into expected
exponentials, which are generating functions. With s = e^v the trapezoid rule of step h gives

    1/X = Σ_j h s_j e^{−s_j X} (1 + ε),     |ε| ≤ 2 Σ_{j≥1} |Γ(1 + 2πij/h)|,  |Γ(1 + iy)|² = πy/sinh(πy),

for every X > 0 (Poisson's summation; 1.8e-16 at h = 1/4), and log(X/B) = ∫_B^X du/u inherits it however near
X is to B. Nodes s_j ≥ s₀ stop where e^{−sB} is nothing. Those from s₀ down, with q = e^{−h}, are the measure
that has h qʲ at u = qʲ, s = s₀ u; its Gauss rule replaces them, whose polynomials are the little q-Legendre
polynomials (Koekoek, Lesky & Swarttouw, doi 10.1007/978-3-642-05014-5, section 14.12).
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

STEP = 0.25
LARGEST_LEFT = 4.0  # s₀ X of the largest X; then ten Gauss nodes err by 7e-18
GAUSS_NODES = 10
LAST = 40.0  # e^{−s B} is 4e-18 from there on


class LaplaceRule(NamedTuple):
    """log(X/B) = Σ_j weight_j (e^{−s_j B} − e^{−s_j X}), s_j = node_j/(the largest X); nodes increase."""

    node: Float[np.ndarray, " J"]
    weight: Float[np.ndarray, " J"]


def laplace_rule(log_ratio: float) -> LaplaceRule:
    """Return the rule for B and X between two numbers whose ratio has this logarithm."""
    inner, weight = _gauss_rule()
    count = max(0, int(np.ceil((log_ratio + np.log(LAST / LARGEST_LEFT)) / STEP)))
    outer = np.exp(STEP * np.arange(1, count + 1))
    nodes = LARGEST_LEFT * np.append(inner, outer)
    return LaplaceRule(nodes, np.append(weight / inner, np.full(count, STEP)))


def jacobi_coefficients(q: float, count: int) -> tuple[Float[np.ndarray, " c"], Float[np.ndarray, " c"]]:
    """Return A_n and C_n of −x p_n = A_n p_{n+1} − (A_n + C_n) p_n + C_n p_{n−1}, little q-Legendre."""
    n = np.arange(count)
    up = q**n * (1 - q ** (n + 1)) ** 2 / ((1 - q ** (2 * n + 1)) * (1 - q ** (2 * n + 2)))
    even = np.where(n == 0, 1.0, 1 - q ** (2 * n))
    down = q**n * (1 - q**n) ** 2 / (even * (1 - q ** (2 * n + 1)))
    return up, down


@cache
def _gauss_rule() -> tuple[Float[np.ndarray, " c"], Float[np.ndarray, " c"]]:
    """Return nodes u, increasing, and weights of the rule for {h qʲ at qʲ, j ≥ 0} (Golub & Welsch)."""
    q = np.exp(-STEP)
    up, down = jacobi_coefficients(q, GAUSS_NODES)
    beside = np.sqrt(up[:-1] * down[1:])
    nodes, vectors = np.linalg.eigh(np.diag(up + down) + np.diag(beside, 1) + np.diag(beside, -1))
    return nodes, STEP / (1 - q) * vectors[0] ** 2
