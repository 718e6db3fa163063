"""The supervised-contrastive loss once more, by its formula in NumPy, to compare the search with."""

from __future__ import annotations

import numpy as np


def labels_of(counts: list[int]) -> np.ndarray:
    """The class of each sample, class by class."""
    return np.repeat(np.arange(len(counts)), counts)


def loss(features: np.ndarray, labels: np.ndarray, temperature: float) -> np.ndarray:
    """(1/N₊) Σ_i [ log Σ_{l≠i} e^{G_il/τ} − mean over positives of G_ij/τ ], for features (…, n, d)."""
    similar = features @ np.swapaxes(features, -1, -2) / temperature
    others = ~np.eye(len(labels), dtype=bool)
    positives = (labels[:, None] == labels) & others
    masked = np.where(others, similar, -np.inf)
    top = masked.max(axis=-1, keepdims=True)
    log_sum = top[..., 0] + np.log(np.exp(masked - top).sum(axis=-1))
    many = positives.sum(axis=1)
    mean = np.where(positives, similar, 0.0).sum(axis=-1) / np.maximum(many, 1)
    return np.where(many > 0, log_sum - mean, 0.0).sum(axis=-1) / (many > 0).sum()


def sphere_hessian(
    features: np.ndarray, labels: np.ndarray, temperature: float, step: float = 1e-4
) -> np.ndarray:
    """The Hessian of v ↦ loss(v/|v|) by central differences of second order."""
    n, d = features.shape
    axes = step * np.eye(n * d).reshape(n * d, n, d)

    def at(moved: np.ndarray) -> np.ndarray:
        return loss(moved / np.linalg.norm(moved, axis=-1, keepdims=True), labels, temperature)

    signs = ((1, 1), (1, -1), (-1, 1), (-1, -1))
    values = [at(features + a * axes[:, None] + b * axes[None]) for a, b in signs]
    return (values[0] - values[1] - values[2] + values[3]) / (4 * step**2)


def on_circle(angles: np.ndarray) -> np.ndarray:
    """Unit vectors of the plane at these angles, in the last axis."""
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def stray() -> np.ndarray:
    """[10, 10, 10] at τ = .1 in the plane: nine at 0°, their sibling at 180°, the others at ±51.0851°."""
    away = np.radians(51.0851)
    return on_circle(np.concatenate([np.zeros(9), [np.pi], np.full(10, away), np.full(10, -away)]))


def cross_polytope(counts: list[int], d: int) -> np.ndarray:
    """Samples at ±e_1, ±e_2, …, antipodes within a class."""
    features = np.repeat(np.eye(d), 2, axis=0)
    features[1::2] *= -1
    assert len(features) == sum(counts)
    return features
