"""The loss and its derivatives by formulas of their own: mpmath in the plane, torch in any dimension."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import mpmath
import numpy as np
import torch

from relax.losses import Reduction
from relax.losses.definition import Share
from relax.losses.reduction import sample_nodes
from relax.rows import SumExp
from tests.toys import Toy

mp = mpmath.mp.clone()
mp.dps = 50


def loss_of_angles(angles: list[Any], labels: list[int], tau: str) -> Any:
    """The supervised-contrastive loss of unit vectors in the plane, at 50 digits."""
    t, every, rows = mp.mpf(tau), range(len(angles)), []
    for i in every:
        x = {j: mp.cos(angles[i] - angles[j]) / t for j in every if j != i}
        mates = [j for j in x if labels[j] == labels[i]]
        if mates:
            rows.append(mp.log(mp.fsum(map(mp.exp, x.values()))) - mp.fsum(x[j] for j in mates) / len(mates))
    return mp.fsum(rows) / len(rows)


def angles_of(features: np.ndarray) -> list[Any]:
    return [mp.atan2(mp.mpf(float(y)), mp.mpf(float(x))) for x, y in features]


def gradient_and_hessian(features: np.ndarray, labels: list[int], tau: str) -> tuple[list[Any], Any]:
    """Derivatives in the angles by central differences; in the plane this is all of the Riemannian ones."""
    at, step = angles_of(features), mp.mpf(10) ** -15
    n = len(at)

    def moved(*changes: tuple[int, int]) -> Any:
        angles = list(at)
        for i, sign in changes:
            angles[i] += sign * step
        return loss_of_angles(angles, labels, tau)

    up, down, here = [moved((i, 1)) for i in range(n)], [moved((i, -1)) for i in range(n)], moved()
    gradient = [(a - b) / (2 * step) for a, b in zip(up, down, strict=True)]
    hessian = mp.matrix(n, n)
    for i in range(n):
        hessian[i, i] = (up[i] - 2 * here + down[i]) / step**2
        for j in range(i):
            both = (
                moved((i, 1), (j, 1))
                - moved((i, 1), (j, -1))
                - moved((i, -1), (j, 1))
                + moved((i, -1), (j, -1))
            )
            hessian[i, j] = hessian[j, i] = both / (4 * step**2)
    return gradient, hessian


def spectrum_modulo_rotation(features: np.ndarray, labels: list[int], tau: str) -> np.ndarray:
    """Eigenvalues in the plane, the one of turning all angles alike left out."""
    hessian = np.array(gradient_and_hessian(features, labels, tau)[1].tolist(), dtype=float)
    n = len(hessian)
    return np.linalg.eigvalsh(hessian + 1e6 * np.ones((n, n)) / n)[:-1]


def riemannian_spectrum(features: np.ndarray, labels: np.ndarray, tau: float) -> np.ndarray:
    """All eigenvalues on the tangent space of the spheres, by torch: v ↦ F(v/|v|) has this Hessian there."""
    n, d = features.shape
    y = torch.as_tensor(labels)
    same = (y[:, None] == y) & ~torch.eye(n, dtype=torch.bool)
    anchors = same.any(dim=1)

    def value(flat: torch.Tensor) -> torch.Tensor:
        v = flat.reshape(n, d)
        h = v / v.norm(dim=1, keepdim=True)
        x = h @ h.T / tau
        others = x.masked_fill(torch.eye(n, dtype=torch.bool), -torch.inf)
        rows = others.logsumexp(dim=1) - (x * same).sum(dim=1) / same.sum(dim=1).clamp(min=1)
        return rows[anchors].mean()

    hessian = torch.autograd.functional.hessian(value, torch.tensor(features).reshape(-1))
    assert isinstance(hessian, torch.Tensor)
    basis = np.zeros((n, d, n, d - 1))
    for i in range(n):
        basis[i, :, i] = np.linalg.svd(features[i : i + 1])[2][1:].T
    flat = basis.reshape(n * d, n * (d - 1))
    return np.linalg.eigvalsh(flat.T @ hessian.numpy() @ flat)


@dataclass(frozen=True)
class Ring(Toy):
    """Mean over samples of e^{(1 − mean similarity to both neighbours in a ring)/τ}: a loss from outside.

    All samples on one point have loss 1. In the plane the ring wound evenly w times, angles φ = 2πw/n between
    neighbours, is stationary as well; see `ring_spectrum`.
    """

    name: ClassVar[str] = "ring"

    def reduce(self, counts: Any, views: int) -> Reduction:
        return self.lift(counts, views)

    def lift(self, counts: Any, views: int) -> Reduction:
        n = counts.samples
        near = np.roll(np.eye(n), 1, axis=1) + np.roll(np.eye(n), -1, axis=1)
        one = np.ones(n)
        rows = SumExp(np.arange(n), one, one, 0 * one, np.zeros((n, n)), 0 * one, near / 2)
        return Reduction(sample_nodes(counts), (rows,), Fraction(n))

    def shares(self, x: Any, seen: Any) -> Share:
        n = x.shape[-1]
        near = (np.arange(n) - np.asarray(seen.known[1])[:, None]) % n
        weight = seen.xp.integers(((near == 1) | (near == n - 1)).astype(int)) / 2
        own = seen.xp.integers(seen.itself.astype(int))
        value = seen.xp.exp(((own - weight) * x).sum(-1))
        return Share(0 * value, value)


def ring_spectrum(n: int, winds: int, tau: float) -> np.ndarray:
    """Eigenvalues at the wound ring by Fourier modes, the rotation left out."""
    c, s, omega = (
        np.cos(2 * np.pi * winds / n),
        np.sin(2 * np.pi * winds / n),
        2 * np.pi * np.arange(1, n) / n,
    )
    bent = (s * np.sin(omega) / tau) ** 2 + c / tau * (2 - 2 * np.cos(omega))
    return np.sort(np.exp((1 - c) / tau) / n * bent)


def wound(n: int, winds: int = 1) -> np.ndarray:
    angle = 2 * np.pi * winds * np.arange(n) / n
    return np.column_stack([np.cos(angle), np.sin(angle)])
